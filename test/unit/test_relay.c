/*
 * test_relay.c
 *
 * The scripted relay itself: what other tests rely on.  A plan survives being
 * printed; refusals, pages, NIP-42, NIP-67, EVENT and live subscriptions do
 * what --help says.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../src/net/ws.h"
#include "../../src/nostr/crypto.h"
#include "../../src/nostr/hex.h"
#include "../../src/nostr/tags.h"
#include "relaycheck.h"

#define SECKEY_BYTE	7

static uv_loop_t *loop;
static Net *net;

typedef struct Talk
{
	RelayStore	store;
	Relay	   *relay;
	int			port;
	WsConn	   *conn;
	bool		open;
	bool		closed;
	char		heard[65536];	/* all messages, one a line */
	int			messages;
} Talk;

static void
on_opened(WsConn *c, void *user)
{
	(void) c;
	((Talk *) user)->open = true;
}

static void
on_message(WsConn *c, void *user, const char *data, size_t len)
{
	Talk	   *t = user;
	size_t		at = strlen(t->heard);

	(void) c;
	t->messages++;
	snprintf(t->heard + at, sizeof(t->heard) - at, "%.*s\n", (int) len, data);
}

static void
on_closed(WsConn *c, void *user, NetFailure failure, const char *reason)
{
	(void) c, (void) failure, (void) reason;
	((Talk *) user)->closed = true;
}

/* Until that many messages came, or the connection closed. */
static void
hear(Talk *t, int messages)
{
	WAIT_FOR(loop, t->closed || (t->open && t->messages >= messages));
}

static void
say(Talk *t, const char *text, int answers)
{
	t->heard[0] = '\0';
	t->messages = 0;
	CHECK(ws_send(t->conn, text, strlen(text)));
	hear(t, answers);
}

/* A signed event as JSON; malloc'ed. */
static char *
event(int kind, int64_t created_at, const char *content, const char *const *tags)
{
	uint8_t		seckey[32];
	uint8_t		aux[32] = {0};
	NostrEvent	ev = {.kind = kind,.created_at = created_at};
	NostrBuf	packed;
	NostrBuf	json;
	NostrBuf	scratch;
	char	   *text;
	uint32_t	n = 0;

	memset(seckey, SECKEY_BYTE, 32);
	nostr_buf_init(&packed, 4096);
	nostr_buf_init(&json, 65536);
	nostr_buf_init(&scratch, 65536);
	while (tags != NULL && tags[2 * n] != NULL)
		n++;
	nostr_tags_begin(&packed, n);
	for (uint32_t i = 0; i < n; i++)
	{
		nostr_tags_tag(&packed, 2);
		nostr_tags_name(&packed, (const uint8_t *) tags[2 * i], strlen(tags[2 * i]));
		nostr_tags_element(&packed, (const uint8_t *) tags[2 * i + 1], strlen(tags[2 * i + 1]));
	}
	ev.tags = packed.data;
	ev.tags_len = packed.len;
	ev.content = (const uint8_t *) content;
	ev.content_len = strlen(content);
	if (!nostr_pubkey_from_seckey(seckey, ev.pubkey) ||
		!nostr_event_id(&ev, NOSTR_FORM_RAW, &scratch, ev.id) ||
		!nostr_schnorr_sign(seckey, ev.id, aux, ev.sig))
		CHECK(!"signing");
	nostr_event_json(&ev, &json);
	text = strndup((char *) json.data, json.len);
	nostr_buf_free(&packed);
	nostr_buf_free(&json);
	nostr_buf_free(&scratch);
	return text;
}

/* Connects to a relay that holds events of seconds 100 .. 100 + n - 1. */
static void
begin(Talk *t, const char *script, int n)
{
	static const WsCallbacks cb = {on_opened, on_message, on_closed};
	static const char *const odd[] = {"t", "odd", NULL};
	static const char *const even[] = {"t", "even", NULL};
	const NostrRelayUrl *url;

	memset(t, 0, sizeof(*t));
	relay_store_init(&t->store);
	for (int i = 0; i < n; i++)
	{
		char	   *json = event(i % 3, 100 + i, "", i % 2 ? odd : even);

		relay_store_add(&t->store, json, strlen(json), true);
		free(json);
	}
	CHECK(t->store.n == n);
	url = relaycheck_start(loop, script, &t->store, &t->relay);
	t->port = url->port;
	t->conn = ws_connect(net, url, &cb, t);
	hear(t, 0);
}

static void
finish(Talk *t)
{
	if (!t->closed)
		ws_close(t->conn, NET_OK, "");
	WAIT_FOR(loop, t->closed);
	relaycheck_stop(loop, t->relay);
	relay_store_free(&t->store);
}

static int
count(const char *text, const char *word)
{
	int			n = 0;

	for (const char *p = text; (p = strstr(p, word)) != NULL; p++)
		n++;
	return n;
}

static void
test_plans(void)
{
	static const char script[] = "{\"cap\":7,\"order\":\"any\",\"hidden_kinds\":[4,1059],\"refuse_text\":\"a \\\"b\\\"\","
		"\"connections\":[{\"refuse\":\"closed\"},{\"cap\":9}],\"repeat\":true}";
	RelayPlan	a;
	RelayPlan	b;
	NostrBuf	one;
	NostrBuf	two;
	const char *why = "";

	nostr_buf_init(&one, 65536);
	nostr_buf_init(&two, 65536);
	relay_plan_default(&a);
	relay_plan_default(&b);
	CHECK(relay_plan_parse(&a, script, strlen(script), &why));
	relay_plan_json(&a, &one);
	CHECK(relay_plan_parse(&b, (char *) one.data, one.len, &why));
	relay_plan_json(&b, &two);
	CHECK(one.len == two.len && memcmp(one.data, two.data, one.len) == 0);
	CHECK(relay_plan_for(&a, 1)->refuse == RELAY_REFUSE_CLOSED && relay_plan_for(&a, 1)->cap == 7);
	CHECK(relay_plan_for(&a, 2)->cap == 9 && relay_plan_for(&a, 3)->refuse == RELAY_REFUSE_CLOSED);
	CHECK(!relay_plan_parse(&b, "{\"capp\":1}", 10, &why));
	CHECK(!relay_plan_parse(&b, "{\"order\":\"down\"}", 16, &why));
	CHECK(!relay_plan_parse(&b, "[1]", 3, &why));
	relay_plan_free(&a);
	relay_plan_free(&b);
	nostr_buf_free(&one);
	nostr_buf_free(&two);
}

static void
test_pages(void)
{
	static Talk t;

	begin(&t, "{\"cap\":4,\"hints\":\"honest\",\"hidden_kinds\":[2],\"hidden_eat\":true}", 12);
	say(&t, "[\"REQ\",\"a\",{}]", 3);	/* seconds 111 (hidden), 110, 109, 108 (hidden) */
	CHECK(count(t.heard, "\"created_at\":110") == 1 && count(t.heard, "\"created_at\":109") == 1);
	CHECK(count(t.heard, "\"EVENT\"") == 2);
	CHECK(count(t.heard, "[\"EOSE\",\"a\",[\"more\"]]") == 1);
	say(&t, "[\"REQ\",\"b\",{\"#t\":[\"odd\"],\"kinds\":[0],\"until\":109,\"since\":103}]", 3);
	CHECK(count(t.heard, "\"EVENT\"") == 2 && count(t.heard, "[\"EOSE\",\"b\",[\"finish\"]]") == 1);
	say(&t, "[\"REQ\",\"c\",{\"limit\":0}]", 1);
	CHECK(count(t.heard, "\"EVENT\"") == 0 && count(t.heard, "\"EOSE\"") == 1);
	say(&t, "[\"REQ\",\"d\",{\"kinds\":[1],\"limit\":1},{\"kinds\":[1],\"limit\":2}]", 3);
	CHECK(count(t.heard, "\"EVENT\"") == 2);
	say(&t, "[\"REQ\",\"e\",{\"ids\":[\"00\"]}]", 1);
	CHECK(count(t.heard, "\"CLOSED\",\"e\"") == 1);
	say(&t, "[\"COUNT\",\"f\",{}]", 1);
	CHECK(count(t.heard, "\"NOTICE\"") == 1);
	finish(&t);
	begin(&t, "{\"order\":\"oldest\",\"cap\":2,\"count\":true}", 5);
	say(&t, "[\"REQ\",\"a\",{}]", 3);
	CHECK(count(t.heard, "\"created_at\":100") == 1 && count(t.heard, "\"created_at\":101") == 1);
	CHECK(strstr(t.heard, "\"created_at\":100") < strstr(t.heard, "\"created_at\":101"));
	say(&t, "[\"COUNT\",\"f\",{\"kinds\":[0]}]", 1);
	CHECK(count(t.heard, "{\"count\":2}") == 1);
	finish(&t);
}

static void
test_refusals(void)
{
	static Talk t;

	begin(&t, "{\"rate\":2,\"rate_ms\":30,\"rate_text\":\"ERROR: rate-limited: wait\"}", 1);
	say(&t, "[\"REQ\",\"a\",{}]", 2);
	say(&t, "[\"REQ\",\"a\",{}]", 2);
	CHECK(count(t.heard, "\"EOSE\"") == 1);
	say(&t, "[\"REQ\",\"a\",{}]", 1);
	for (int i = 0; i < 1000 && count(t.heard, "\"EOSE\"") == 0; i++)
	{
		CHECK(count(t.heard, "[\"CLOSED\",\"a\",\"ERROR: rate-limited: wait\"]") == 1);
		say(&t, "[\"REQ\",\"a\",{}]", 1);
	}
	CHECK(count(t.heard, "\"EVENT\"") + count(t.heard, "\"EOSE\"") > 0);
	finish(&t);
	begin(&t, "{\"refuse\":\"notice\",\"refuse_from\":2,\"refuse_count\":1,\"refuse_after\":1,\"refuse_text\":\"no\"}", 3);
	say(&t, "[\"REQ\",\"a\",{}]", 4);
	CHECK(count(t.heard, "\"EOSE\"") == 1);
	say(&t, "[\"REQ\",\"a\",{}]", 2);
	CHECK(count(t.heard, "\"EVENT\"") == 1 && count(t.heard, "[\"NOTICE\",\"no\"]") == 1);
	say(&t, "[\"REQ\",\"a\",{}]", 4);
	CHECK(count(t.heard, "\"EOSE\"") == 1);
	CHECK(relay_counters(t.relay)->reqs == 3 && relay_counters(t.relay)->refused == 1);
	finish(&t);
}

static void
test_publishing(void)
{
	static Talk t;
	char	   *json = event(1, 50, "back-dated", NULL);
	char	   *text = malloc(strlen(json) + 20);

	begin(&t, "{}", 2);
	say(&t, "[\"REQ\",\"live\",{\"kinds\":[1],\"until\":60}]", 1);
	sprintf(text, "[\"EVENT\",%s]", json);
	say(&t, text, 2);
	CHECK(count(t.heard, "[\"EVENT\",\"live\",") == 1 && count(t.heard, ",true,\"\"]") == 1);
	say(&t, text, 1);
	CHECK(count(t.heard, "true,\"duplicate: ") == 1 && count(t.heard, "\"EVENT\"") == 0);
	strstr(text, "back")[0] = 'B';
	say(&t, text, 1);
	CHECK(count(t.heard, "false,\"invalid: ") == 1);
	CHECK(t.store.n == 3 && relay_counters(t.relay)->pushed == 1);
	finish(&t);
	free(json);
	free(text);
}

static void
authenticate(Talk *t, const char *challenge, int kind, const char *url)
{
	const char *tags[] = {"relay", url, "challenge", challenge, NULL};
	char	   *json = event(kind, (int64_t) time(NULL), "", tags);
	char	   *text = malloc(strlen(json) + 20);

	sprintf(text, "[\"AUTH\",%s]", json);
	say(t, text, 1);
	free(json);
	free(text);
}

static void
test_auth(void)
{
	static Talk t;
	char		challenge[33] = "";
	char		url[64];

	begin(&t, "{\"auth\":\"late\"}", 1);
	say(&t, "[\"REQ\",\"a\",{}]", 2);
	CHECK(count(t.heard, "[\"CLOSED\",\"a\",\"auth-required: ") == 1);
	CHECK(sscanf(t.heard, "[\"AUTH\",\"%32[0-9a-f]\"]", challenge) == 1);
	snprintf(url, sizeof(url), "ws://127.0.0.1:%d/", t.port);
	authenticate(&t, "ffffffffffffffffffffffffffffffff", 22242, url);
	CHECK(count(t.heard, "false,\"invalid: challenge") == 1);
	authenticate(&t, challenge, 22242, "wss://relay.example.net");
	CHECK(count(t.heard, "false,\"invalid: relay") == 1);
	authenticate(&t, challenge, 1, url);
	CHECK(count(t.heard, "false,\"invalid: not kind") == 1);
	authenticate(&t, challenge, 22242, url);
	CHECK(count(t.heard, ",true,") == 1 && relay_counters(t.relay)->auths == 1);
	say(&t, "[\"REQ\",\"a\",{}]", 2);
	CHECK(count(t.heard, "\"EOSE\"") == 1);
	finish(&t);
}

int
main(void)
{
	NetConfig	config;

	loop = uv_default_loop();
	netcheck_config(&config, 10000);
	net = netcheck_open(loop, &config);
	test_plans();
	test_pages();
	test_refusals();
	test_publishing();
	test_auth();
	net_close(net);
	netcheck_settle(loop);
	return check_done();
}
