/*
 * test_publish.c
 *
 * Events given to scripted relays: what each says is reported once per event,
 * and NIP-42 is gone through when, and only when, the relay asks for it.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/crawl/publish.h"
#include "../../src/nostr/crypto.h"
#include "../relay/relay.h"
#include "check.h"
#include "signcheck.h"

#define TIMEOUT_MS	300
#define EVENTS		40			/* more than a window holds */

static const uint8_t key[32] = {[31] = 9};

static uv_loop_t loop;
static Net *net;
static PublishEvent events[EVENTS];

typedef struct Got
{
	int			answers[3];		/* per PublishOutcome */
	int			twice;
	bool		seen[EVENTS];
	char		reason[256];	/* of the last answer */
	int			done;
	NetFailure	failure;
	RelayCounters relay;
} Got;

static void
on_answer(void *user, int i, PublishOutcome outcome, const char *reason)
{
	Got		   *g = user;

	g->answers[outcome]++;
	g->twice += g->seen[i] || g->done > 0;
	g->seen[i] = true;
	snprintf(g->reason, sizeof(g->reason), "%s", reason);
}

static void
on_done(void *user, NetFailure failure, const char *reason)
{
	Got		   *g = user;

	(void) reason;
	g->done++;
	g->failure = failure;
}

static void
gone(void *user)
{
	*(bool *) user = true;
}

static void
make_events(void)
{
	for (int i = 0; i < EVENTS; i++)
	{
		NostrBuf	json;

		nostr_buf_init(&json, 1000);
		signcheck_event(i % 2 == 0 ? 1 : 22456, 1700000000 + i, key, &json, events[i].id);
		events[i].len = json.len;
		events[i].json = (char *) json.data;	/* until the end of the program */
	}
}

static void
free_events(void)
{
	for (int i = 0; i < EVENTS; i++)
		free((char *) events[i].json);
}

/* The first n events to a relay with that script; cancelled after so many
 * turns of the loop (0: not). */
static Got
publish_to(const char *script, int n, const uint8_t *seckey, int cancel_after)
{
	static const PublishCallbacks cb = {on_answer, on_done};
	Got			g = {0};
	RelayPlan	plan;
	RelayStore	store;
	Relay	   *relay;
	NostrRelayUrl url;
	Publish    *p;
	const char *why;
	char		text[64];
	bool		over = false;

	relay_store_init(&store);
	relay_plan_default(&plan);
	CHECK(relay_plan_parse(&plan, script, strlen(script), &why));
	snprintf(text, sizeof(text), "ws://127.0.0.1:%d", relay_start(&loop, &plan, &store, 0, &relay));
	CHECK(nostr_relay_url_parse(text, strlen(text), true, &url) == NOSTR_URL_OK);
	p = publish_start(net, &url, events, n, seckey, &cb, &g);
	CHECK(p != NULL && g.done == 0);
	for (int turn = 1; g.done == 0; turn++)
	{
		uv_run(&loop, UV_RUN_ONCE);
		if (turn == cancel_after && g.done == 0)
			publish_cancel(p);
	}
	g.relay = *relay_counters(relay);
	relay_stop(relay, gone, &over);
	while (!over)
		uv_run(&loop, UV_RUN_ONCE);
	relay_plan_free(&plan);
	relay_store_free(&store);
	CHECK(g.done == 1 && g.twice == 0);
	CHECK(g.answers[0] + g.answers[1] + g.answers[2] == n);
	return g;
}

typedef struct Case
{
	const char *script;
	bool		with_key;
	int			taken, refused, unanswered;
	int			writes;			/* EVENT messages; 0: not looked at */
	int			auths;			/* accepted by the relay */
	NetFailure	failure;
	const char *reason;			/* part of it */
} Case;

static const Case cases[] = {
	{"{}", true, EVENTS, 0, 0, EVENTS, 0, NET_OK, ""},
	{"{\"writes\":\"refuse\"}", true, 0, EVENTS, 0, EVENTS, 0, NET_OK, "restricted: read-only"},
	{"{\"writes\":\"kind\"}", true, EVENTS / 2, EVENTS / 2, 0, EVENTS, 0, NET_OK, "blocked: this kind"},
	{"{\"writes\":\"silent\"}", true, 0, 0, EVENTS, PUBLISH_WINDOW, 0, NET_TIMEOUT, "no answer to an event"},
	{"{\"handshake\":\"hang_up\"}", true, 0, 0, EVENTS, 0, 0, NET_DISCONNECTED, ""},

	/* a challenge that nobody asked us to answer */
	{"{\"auth\":\"offer\"}", true, EVENTS, 0, 0, EVENTS, 0, NET_OK, ""},
	/* challenge at once, or with the first refusal: what was refused goes again */
	{"{\"writes\":\"auth\"}", true, EVENTS, 0, 0, EVENTS + PUBLISH_WINDOW, 1, NET_OK, ""},
	{"{\"writes\":\"auth\",\"auth\":\"late\"}", true, EVENTS, 0, 0, EVENTS + PUBLISH_WINDOW, 1, NET_OK, ""},
	/* authenticated, and refused all the same: each event goes twice at most */
	{"{\"writes\":\"never\"}", true, 0, EVENTS, 0, 2 * EVENTS, 1, NET_OK, "auth-required: sign in"},
	/* our key is not good enough; then events are sent once */
	{"{\"writes\":\"auth\",\"auth\":\"refuse\"}", true, 0, EVENTS, 0, EVENTS, 0, NET_OK, "auth-required: sign in"},
	/* no challenge, no answer to ours, no key */
	{"{\"writes\":\"auth\",\"auth\":\"no_challenge\"}", true, 0, EVENTS, 0, EVENTS, 0, NET_OK, "auth-required: sign in"},
	{"{\"writes\":\"auth\",\"auth\":\"deaf\"}", true, 0, EVENTS, 0, EVENTS, 0, NET_OK, "auth-required: sign in"},
	{"{\"writes\":\"auth\"}", false, 0, EVENTS, 0, EVENTS, 0, NET_OK, "auth-required: sign in"},
};

static void
matrix(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const Case *c = &cases[i];
		Got			g = publish_to(c->script, EVENTS, c->with_key ? key : NULL, 0);
		bool		ok = g.answers[PUBLISH_TAKEN] == c->taken && g.answers[PUBLISH_REFUSED] == c->refused &&
			g.answers[PUBLISH_UNANSWERED] == c->unanswered && (int) g.relay.auths == c->auths &&
			(c->writes == 0 || (int) g.relay.writes == c->writes) && g.failure == c->failure &&
			strstr(g.reason, c->reason) != NULL;

		CHECK(ok);
		if (!ok)
			fprintf(stderr, "%s: taken %d refused %d unanswered %d writes %lu auths %lu failure %s reason %s\n",
					c->script, g.answers[0], g.answers[1], g.answers[2], g.relay.writes, g.relay.auths,
					net_failure_name(g.failure), g.reason);
	}
}

/* What was held when the authentication failed says why. */
static void
reasons(void)
{
	Got			g = publish_to("{\"writes\":\"auth\",\"auth\":\"refuse\"}", 1, key, 0);

	CHECK_STR(g.reason, "auth-required: restricted: this key is not on the list");
	g = publish_to("{\"writes\":\"auth\",\"auth\":\"no_challenge\"}", 1, key, 0);
	CHECK_STR(g.reason, "auth-required: the relay sent no challenge");
	g = publish_to("{\"writes\":\"auth\",\"auth\":\"deaf\"}", 1, key, 0);
	CHECK_STR(g.reason, "auth-required: no answer to our authentication");
}

/* Cancelled at any moment: one answer per event, done() once, nothing leaks. */
static void
cancelling(void)
{
	for (int turn = 1; turn < 30; turn++)
		publish_to("{\"writes\":\"auth\",\"auth\":\"late\"}", EVENTS, key, turn);
}

int
main(void)
{
	NetConfig	config;
	const char *why;
	size_t		bad;

	uv_loop_init(&loop);
	nostr_crypto_init();
	net_config_default(&config);
	nostr_cidr_list_parse("127.0.0.0/8", &config.allow, &bad);
	config.network[NOSTR_CLEARNET].timeout_ms = TIMEOUT_MS;
	net = net_open(&loop, &config, &why);
	CHECK(net != NULL);
	make_events();
	matrix();
	reasons();
	cancelling();
	free_events();
	net_close(net);
	uv_run(&loop, UV_RUN_DEFAULT);
	return check_done();
}

/* OpenSSL, libcurl and libwebsockets keep some memory for the life of the process. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libcrypto\nleak:libssl\nleak:libwebsockets\n";
}
