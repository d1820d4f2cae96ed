/*
 * test_dense.c
 *
 * A second that holds more events than a page, all of one kind and one
 * author: split by the values of their tags.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/nostr/tags.h"
#include "relaycheck.h"
#include "synccheck.h"

#define DENSE		INT64_C(1700000000)	/* the second */
#define EVENTS		300
#define SCRIPT		"{\"cap\":50}"

static uv_loop_t loop;
static Net *net;

typedef struct Run
{
	Sync	   *sync;
	long		events;			/* of the dense second, with repetitions */
	SyncState	state;			/* its last word */
	char		reason[64];
	int			opens;			/* words "open" about any other second */
	bool		done;
	SyncResult	result;
} Run;

/* --- what the relay holds --- */

static void
add(RelayStore *store, int64_t created_at, const char *name, const char *value)
{
	static NostrBuf tags = {.max = 4096};
	static NostrBuf scratch = {.max = 65536};
	static NostrBuf json = {.max = 65536};
	static int	n;
	char		content[32];
	NostrEvent	ev = {.kind = 1,.created_at = created_at};

	nostr_buf_reset(&tags);
	nostr_buf_reset(&json);
	nostr_tags_begin(&tags, 1);
	nostr_tags_tag(&tags, 2);
	nostr_tags_name(&tags, (const uint8_t *) name, strlen(name));
	nostr_tags_element(&tags, (const uint8_t *) value, strlen(value));
	ev.content_len = (size_t) snprintf(content, sizeof(content), "%d", n++);
	ev.content = (const uint8_t *) content;
	ev.tags = tags.data;
	ev.tags_len = tags.len;
	memset(ev.pubkey, 7, 32);
	CHECK(nostr_event_id(&ev, NOSTR_FORM_RAW, &scratch, ev.id));
	nostr_event_json(&ev, &json);
	relay_store_add(store, (const char *) json.data, json.len, false);
}

/* Tag "name" of the dense second's events has one of so many values. */
static void
fill(RelayStore *store, const char *name, const char *format, int values)
{
	relay_store_init(store);
	for (int i = 0; i < EVENTS; i++)
	{
		char		value[80];

		snprintf(value, sizeof(value), format, i % values);
		add(store, DENSE, name, value);
		if (i % 10 == 0)
		{
			add(store, DENSE - 1 - i, name, value);
			add(store, DENSE + 1 + i, name, value);
		}
	}
}

/* --- one job --- */

static void
on_event(void *user, const NostrEvent *ev)
{
	((Run *) user)->events += ev->created_at == DENSE;
}

static void
on_window(void *user, const SyncNews *w)
{
	Run		   *r = user;

	if (w->since <= DENSE && w->until >= DENSE)
	{
		r->state = w->state;
		snprintf(r->reason, sizeof(r->reason), "%s", w->reason);
	}
	r->opens += w->state == SYNC_OPEN && (w->since != DENSE || w->until != DENSE);
}

static void
on_done(void *user, const SyncResult *result)
{
	Run		   *r = user;

	r->done = true;
	r->result = *result;
}

static Run
run(RelayStore *store, const char *script, const char *filter)
{
	static const SyncCallbacks cb = {.event = on_event,.rejected = synccheck_rejected,.page_end = synccheck_page_end,
	.window = on_window,.done = on_done};
	SyncWindow	all = {0, INT64_MAX, SYNC_FETCH};
	SyncSpec	spec = {.filter = filter,.filter_len = strlen(filter),.page_limit = 500,
	.timeout_ms = 20000,.window = &all,.nwindows = 1};
	Run			r = {.state = SYNC_OPEN};
	Relay	   *relay;
	unsigned long reqs;
	const NostrRelayUrl *url = relaycheck_start(&loop, script, store, &relay);

	r.sync = sync_start(net, url, &spec, &cb, &r);
	WAIT_FOR(&loop, r.done);
	reqs = relay_counters(relay)->reqs;
	relaycheck_stop(&loop, relay);
	printf("%.60s: %ld events, %s %s, %lu REQs\n", filter, r.events,
		   r.state == SYNC_COMPLETE ? "complete" : "open", r.reason, reqs);
	CHECK(r.result.outcome == SYNC_OK && r.opens == 0 && reqs < 600);
	return r;
}

static void
named(void)
{
	RelayStore	store;
	char		filter[2000] = "{\"kinds\":[1],\"#t\":[";
	Run			r;

	fill(&store, "t", "topic %d", 12);
	for (int i = 0; i < 12; i++)
		snprintf(filter + strlen(filter), 32, "%s\"topic %d\"", i > 0 ? "," : "", i);
	strcat(filter, "]}");
	r = run(&store, SCRIPT, filter);
	CHECK(r.state == SYNC_COMPLETE && r.events >= EVENTS);
	/* a relay that does not look at kinds shows the same */
	r = run(&store, "{\"cap\":50,\"ignore_kinds\":true}", filter);
	CHECK(r.state == SYNC_COMPLETE && r.events >= EVENTS);
	/* a value that alone is too much */
	r = run(&store, "{\"cap\":20}", filter);
	CHECK(r.state == SYNC_OPEN && r.events >= 12 * 20);
	CHECK_STR(r.reason, "dense_second");
	relay_store_free(&store);
}

static void
seen(void)
{
	RelayStore	store;
	Run			r;

	/* what events show can be asked for, but proves nothing */
	fill(&store, "t", "topic %d", 12);
	r = run(&store, SCRIPT, "{}");
	CHECK(r.state == SYNC_OPEN && r.events >= EVENTS);
	CHECK_STR(r.reason, "dense_second");
	r = run(&store, SCRIPT, "{\"kinds\":[1]}");
	CHECK(r.state == SYNC_OPEN && r.events >= EVENTS);
	relay_store_free(&store);

	/* ids */
	fill(&store, "e", "%064x", 8);
	r = run(&store, SCRIPT, "{}");
	CHECK(r.state == SYNC_OPEN && r.events >= EVENTS);
	relay_store_free(&store);

	/* values that each event has alone, and such as nobody can look up */
	fill(&store, "r", "wss://relay.example/%d", EVENTS);
	r = run(&store, SCRIPT, "{}");
	CHECK(r.state == SYNC_OPEN && r.events >= 50);
	relay_store_free(&store);
	fill(&store, "p", "nobody %d", 8);
	r = run(&store, SCRIPT, "{}");
	CHECK(r.state == SYNC_OPEN && r.events >= 50);
	relay_store_free(&store);
}

int
main(void)
{
	NetConfig	config;

	uv_loop_init(&loop);
	netcheck_config(&config, 20000);
	net = netcheck_open(&loop, &config);
	named();
	seen();
	net_close(net);
	netcheck_settle(&loop);
	return check_done();
}
