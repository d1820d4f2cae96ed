/*
 * test_check.c
 *
 * A matrix of scripted relays and what a check must find on each: the
 * expected answer for every way of failing, none in the way of the others.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/crawl/check.h"
#include "../../src/crawl/document.h"
#include "../../src/nostr/crypto.h"
#include "relaycheck.h"
#include "signcheck.h"

#define TIMEOUT_MS 400
#define DEADLINE_MS 1500

static const uint8_t key[32] = {[31] = 7};

static uv_loop_t loop;
static Net *net;
static RelayStore store;

typedef struct Got
{
	int			calls;
	char		documents[CHECK_TYPES][8192];	/* canonical, "" absent */
	char		announcement[32768];
	CheckResult r;				/* without what it points to */
} Got;

static void
on_checked(void *user, const CheckResult *r)
{
	Got		   *g = user;

	g->calls++;
	g->r = *r;
	for (int t = 0; t < CHECK_TYPES; t++)
	{
		NostrBuf	text;

		if (r->document[t] == NULL)
			continue;
		nostr_buf_init(&text, sizeof(g->documents[t]) - 1);
		if (document_write(&text, r->document[t]))
			memcpy(g->documents[t], text.data, text.len);
		nostr_buf_free(&text);
	}
	if (r->announcement.len < sizeof(g->announcement) && r->announcement.len > 0)
		memcpy(g->announcement, r->announcement.data, r->announcement.len);
}

/* One check of one relay with that script (JSON). */
static const Got *
check_spec(const char *script, const CheckSpec *spec)
{
	static Got	g;
	Relay	   *relay;
	const NostrRelayUrl *url = relaycheck_start(&loop, script, &store, &relay);

	memset(&g, 0, sizeof(g));
	CHECK(check_start(net, url, spec, on_checked, &g) != NULL);
	CHECK(g.calls == 0);
	WAIT_FOR(&loop, g.calls > 0);
	relaycheck_stop(&loop, relay);
	CHECK(g.calls == 1);
	return &g;
}

static CheckSpec
whole(void)
{
	return (CheckSpec) {
		.checks = (1 << CHECK_TYPES) - 1, .deadline_ms = DEADLINE_MS, .nip11_max_size = 1000000,
		.max_pow = 12, .precision = 9, .probe_kind = CHECK_PROBE_KIND, .write = true,
		.seckey = key, .announce = true
	};
}

static const Got *
check_relay(const char *script)
{
	CheckSpec	spec = whole();

	return check_spec(script, &spec);
}

static bool
has(const Got *g, CheckType t, const char *part)
{
	if (strstr(g->documents[t], part) != NULL)
		return true;
	fprintf(stderr, "%s is %s\n", check_type_name(t), g->documents[t]);
	return false;
}

static bool
reason_is(const CheckAnswer *a, const char *part)
{
	if (a->asked && !a->ok && strstr(a->reason, part) != NULL)
		return true;
	fprintf(stderr, "asked %d ok %d reason %s\n", a->asked, a->ok, a->reason);
	return false;
}

static void
healthy(void)
{
	const Got  *g = check_relay("{}");

	CHECK(g->r.failure == NET_OK && g->r.open.ok && g->r.read.ok && g->r.write.ok);
	CHECK(g->r.open.us > 0 && g->r.read.us > 0 && g->r.write.us > 0);
	CHECK(g->r.timings.tcp > 0 && g->r.timings.upgrade > 0 && g->r.timings.tls == 0);
	CHECK(g->r.write_stored && g->r.nip11_status == 200 && g->r.nip11_us > 0);
	CHECK(has(g, CHECK_NIP11, "\"logs\":{\"success\":true}"));
	CHECK(has(g, CHECK_RTT, "\"open_success\":true,\"read_success\":true,\"write_success\":true"));
	CHECK(has(g, CHECK_NET, "\"net_ip\":\"127.0.0.1\""));
	/* no TLS, an address instead of a name, no city database: absent */
	CHECK(g->documents[CHECK_SSL][0] == '\0' && g->documents[CHECK_DNS][0] == '\0');
	CHECK(g->documents[CHECK_GEO][0] == '\0');
}

static void
opening(void)
{
	const Got  *g;

	g = check_relay("{\"http\":503}");
	CHECK(g->r.failure == NET_HTTP_STATUS && has(g, CHECK_HTTP, "\"http_status\":503"));
	CHECK(reason_is(&g->r.read, "503") && reason_is(&g->r.write, "503"));
	CHECK(g->announcement[0] == '\0');
	g = check_relay("{\"handshake\":\"hang\"}");
	CHECK(g->r.failure == NET_TIMEOUT && !g->r.open.ok);
	g = check_relay("{\"handshake\":\"hang_up\"}");
	CHECK(g->r.failure == NET_DISCONNECTED);
	g = check_relay("{\"handshake\":\"bad_accept\"}");
	CHECK(g->r.failure == NET_NOT_WEBSOCKET);
	g = check_relay("{\"handshake\":\"garbage\"}");
	CHECK(g->r.failure == NET_NOT_WEBSOCKET);
}

static void
reading(void)
{
	const Got  *g;

	g = check_relay("{\"refuse\":\"closed\",\"refuse_text\":\"auth-required: who are you\"}");
	CHECK(g->r.open.ok && reason_is(&g->r.read, "auth-required: who are you"));
	CHECK(g->r.write.ok);		/* not in the way */
	g = check_relay("{\"refuse\":\"notice\",\"refuse_text\":\"ERROR: bad req\"}");
	CHECK(reason_is(&g->r.read, "ERROR: bad req"));
	g = check_relay("{\"refuse\":\"silent\"}");
	CHECK(reason_is(&g->r.read, "timeout"));
	g = check_relay("{\"refuse\":\"disconnect\"}");
	CHECK(g->r.open.ok && g->r.read.asked && !g->r.read.ok && !g->r.write.ok);
	g = check_relay("{\"eose\":\"never\"}");
	CHECK(g->r.read.ok);
}

static void
writing(void)
{
	const Got  *g;
	CheckSpec	spec = whole();

	g = check_relay("{\"writes\":\"refuse\"}");
	CHECK(g->r.read.ok && g->r.write.asked && !g->r.write.ok && !g->r.write_stored);
	g = check_relay("{\"writes\":\"silent\"}");
	CHECK(reason_is(&g->r.write, "timeout"));
	g = check_relay("{\"writes\":\"lie\"}");
	CHECK(g->r.write.ok && !g->r.write_stored);
	g = check_relay("{\"writes\":\"auth\"}");
	CHECK(reason_is(&g->r.write, "auth-required"));
	spec.write = false;
	g = check_spec("{}", &spec);
	CHECK(g->r.read.ok && !g->r.write.asked);
	spec.write = true;
	spec.seckey = NULL;
	g = check_spec("{}", &spec);
	CHECK(g->r.read.ok && !g->r.write.asked && g->announcement[0] == '\0');
}

static void
documents(void)
{
	static const struct
	{
		const char *script;
		const char *part;
	}			bad[] = {
		{"{\"nip11\":\"none\"}", "\"success\":false"},
		{"{\"nip11\":\"status\",\"nip11_status\":404}", "status 404"},
		{"{\"nip11\":\"html\"}", "invalid Content-Type: text/html"},
		{"{\"nip11\":\"type\"}", "invalid Content-Type"},
		{"{\"nip11\":\"empty\"}", "not JSON"},
		{"{\"nip11\":\"not_json\"}", "not JSON"},
		{"{\"nip11\":\"array\"}", "not an object"},
		{"{\"nip11\":\"cut\"}", "\"success\":false"},
		{"{\"nip11\":\"huge\"}", "\"success\":false"},
		{"{\"nip11\":\"deep\"}", "not JSON"},
		{"{\"nip11\":\"utf8\"}", "not JSON"},
		{"{\"nip11\":\"loop\"}", "\"success\":false"},
		{"{\"nip11\":\"hang\"}", "\"success\":false"},
		{"{\"nip11\":\"length\"}", "\"success\":false"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		const Got  *g = check_relay(bad[i].script);

		CHECK(has(g, CHECK_NIP11, bad[i].part));
		CHECK(g->r.open.ok && g->r.read.ok && g->r.write.ok);
	}
	CHECK(has(check_relay("{\"nip11\":\"nul\"}"), CHECK_NIP11, "\"success\":true"));
	CHECK(has(check_relay("{\"nip11\":\"types\"}"), CHECK_NIP11, "\"success\":true"));
	CHECK(has(check_relay("{\"nip11\":\"redirect\",\"location\":\"http://10.0.0.1/\"}"),
			  CHECK_NIP11, "private"));
}

/* The tags of the announcement as JSON. */
static const char *
tags_of(const Got *g)
{
	static NostrBuf json;
	NostrBuf	scratch;
	NostrEvent	ev;

	nostr_buf_free(&json);
	nostr_buf_init(&json, 65536);
	nostr_buf_init(&scratch, 65536);
	CHECK(nostr_event_parse(g->announcement, strlen(g->announcement), &scratch, &ev, NULL) == NOSTR_OK);
	CHECK(ev.kind == 30166 && nostr_event_verify(&ev));
	CHECK(ev.content_len == 0 || ev.content[0] == '{');
	nostr_tags_to_json(ev.tags, ev.tags_len, &json);
	nostr_buf_append_byte(&json, '\0');
	nostr_buf_free(&scratch);
	return (char *) json.data;
}

static void
announcements(void)
{
	CheckSpec	spec = whole();
	const uint16_t kinds[] = {1, 30023};
	const char *tags;

	spec.kinds = kinds;
	spec.n_kinds = 2;
	tags = tags_of(check_spec("{}", &spec));
	CHECK(strncmp(tags, "[[\"d\",\"ws://127.0.0.1:", 22) == 0 && strstr(tags, "/\"],[\"rtt-open\",\"") != NULL);
	CHECK(strstr(tags, "[\"n\",\"clearnet\"]") != NULL);
	CHECK(strstr(tags, "[\"R\",\"!auth\"]") != NULL && strstr(tags, "[\"R\",\"!writes\"]") != NULL);
	CHECK(strstr(tags, "[\"R\",\"!payment\"]") != NULL && strstr(tags, "[\"R\",\"!pow\"]") != NULL);
	CHECK(strstr(tags, "[\"T\",\"PublicOutbox\"]") != NULL);
	CHECK(strstr(tags, "[\"k\",\"1\"],[\"k\",\"30023\"]") != NULL);
	CHECK(strstr(tags, "[\"net-ip\",\"127.0.0.1\"]") != NULL);
	/* nothing told and nothing shown: nothing claimed */
	spec.write = false;
	tags = tags_of(check_spec("{\"nip11\":\"none\"}", &spec));
	CHECK(strstr(tags, "writes") == NULL && strstr(tags, "pow") == NULL && strstr(tags, "[\"T\"") == NULL);
	tags = tags_of(check_relay("{\"writes\":\"auth\"}"));
	CHECK(strstr(tags, "[\"R\",\"auth\"]") != NULL && strstr(tags, "[\"R\",\"writes\"]") != NULL);
	CHECK(strstr(tags, "rtt-write") == NULL);
}

/* Cancelled at any moment: done() once, nothing leaks (LeakSanitizer). */
static void
cancelling(void)
{
	static Got	got[60];
	Relay	   *relay;
	const NostrRelayUrl *url = relaycheck_start(&loop, "{}", &store, &relay);
	CheckSpec	spec = whole();

	for (int i = 0; i < 60; i++)
	{
		Check	   *c;

		got[i].calls = 0;
		c = check_start(net, url, &spec, on_checked, &got[i]);
		for (int turn = 0; turn < i && got[i].calls == 0; turn++)
			uv_run(&loop, UV_RUN_ONCE);
		if (got[i].calls == 0)
			check_cancel(c);
		WAIT_FOR(&loop, got[i].calls > 0);
		CHECK(got[i].calls == 1);
	}
	CHECK(!got[0].r.open.ok);
	relaycheck_stop(&loop, relay);
}

static void
add_event(void)
{
	NostrBuf	json;
	uint8_t		id[32];

	nostr_buf_init(&json, 1000);
	signcheck_event(1, 1700000000, key, &json, id);
	CHECK(relay_store_add(&store, (char *) json.data, json.len, true) != NULL);
	nostr_buf_free(&json);
}

int
main(void)
{
	NetConfig	config;

	uv_loop_init(&loop);
	netcheck_config(&config, TIMEOUT_MS);
	net = netcheck_open(&loop, &config);
	relay_store_init(&store);
	add_event();
	healthy();
	opening();
	reading();
	writing();
	documents();
	announcements();
	cancelling();
	net_close(net);
	uv_run(&loop, UV_RUN_DEFAULT);
	relay_store_free(&store);
	return check_done();
}
