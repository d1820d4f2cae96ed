/*
 * test_neg_sync.c
 *
 * Windows by negentropy with relays that set limits, or keep none: what is
 * written fits, what is answered beyond our own limit is asked for less, and
 * a relay of protocol version 0 is paged.
 */
#include <stdlib.h>
#include <string.h>

#include "relaycheck.h"
#include "synccheck.h"

#define EVENTS		6000
#define BASE		INT64_C(1700000000)
#define MAX_MESSAGE	100000		/* what we take */

static uv_loop_t loop;
static RelayStore store;

typedef struct Run
{
	Sync	   *sync;
	int			held;			/* of ten events, how many the archive has */
	SyncHeld   *item;			/* newest first */
	uint32_t	n;
	uint32_t	next;
	uint32_t	seq;			/* of what was asked for, 0: nothing */
	long		events;
	bool		complete;		/* the last word */
	bool		open;			/* any word */
	bool		done;
	SyncResult	result;
	RelayCounters counters;
} Run;

static void
on_event(void *user, const NostrEvent *ev)
{
	(void) ev;
	((Run *) user)->events++;
}

static void
on_window(void *user, const SyncNews *w)
{
	Run		   *r = user;

	r->complete = w->state == SYNC_COMPLETE;
	r->open = r->open || w->state == SYNC_OPEN;
}

static void
on_set_request(void *user, uint32_t seq, int64_t since, int64_t until, int64_t below_key)
{
	Run		   *r = user;

	(void) since, (void) until;
	for (r->next = 0; r->next < r->n && r->item[r->next].key >= below_key; r->next++)
		;
	r->seq = seq;
}

static void
on_done(void *user, const SyncResult *result)
{
	Run		   *r = user;

	r->done = true;
	r->sync = NULL;
	r->result = *result;
}

static void
answer(Run *r)
{
	uint32_t	left = r->n - r->next;
	uint32_t	seq = r->seq;

	r->seq = 0;
	if (seq != 0 && r->sync != NULL)
		CHECK(sync_set(r->sync, seq, true, r->item + r->next, left));
}

static void
hold(Run *r)
{
	r->item = calloc((size_t) store.n + 1, sizeof(SyncHeld));
	for (long i = 0; i < store.n; i++)
	{
		const RelayItem *it = store.item[i];

		if (it->id[0] % 10 >= r->held)
			continue;
		r->item[r->n].key = nostr_event_key(it->created_at, it->id);
		r->item[r->n].created_at = it->created_at;
		memcpy(r->item[r->n++].id, it->id, 32);
	}
}

static Run
run(const char *script, int held, uint32_t max_message)
{
	static const SyncCallbacks cb = {.event = on_event,.rejected = synccheck_rejected,.page_end = synccheck_page_end,
	.window = on_window,.set_request = on_set_request,.done = on_done};
	SyncWindow	all = {0, BASE + EVENTS, SYNC_FETCH};
	Run			r = {.held = held};
	SyncSpec	spec = {.filter = "{}",.filter_len = 2,.page_limit = 500,.timeout_ms = 20000,
	.max_message = max_message,.window = &all,.nwindows = 1};
	NetConfig	config;
	Net		   *net;
	Relay	   *relay;
	const NostrRelayUrl *url = relaycheck_start(&loop, script, &store, &relay);

	netcheck_config(&config, 20000);
	config.max_message_size = MAX_MESSAGE;
	net = netcheck_open(&loop, &config);
	hold(&r);
	spec.held = r.n;
	r.sync = sync_start(net, url, &spec, &cb, &r);
	WAIT_FOR(&loop, (answer(&r), r.done));
	r.counters = *relay_counters(relay);
	relaycheck_stop(&loop, relay);
	net_close(net);
	netcheck_settle(&loop);
	free(r.item);
	printf("%s, %d0 %% held: %s %s, negentropy %d, %ld events, %lu connections, %lu REQs, %lu NEG-OPENs\n", script,
		   held, r.complete ? "complete" : "open", r.result.reason, (int) r.result.negentropy, r.events,
		   r.counters.connections, r.counters.reqs, r.counters.neg_opens);
	CHECK(r.result.outcome == SYNC_OK && r.complete && !r.open);
	CHECK(r.events >= (long) (EVENTS - r.n));
	CHECK(r.counters.too_long == 0);
	return r;
}

static void
fill(void)
{
	relay_store_init(&store);
	for (int i = 0; i < EVENTS; i++)
	{
		static NostrBuf scratch = {.max = 65536};
		static NostrBuf json = {.max = 65536};
		char		content[32];
		NostrEvent	ev = {.kind = 1,.created_at = BASE + i,.tags = (const uint8_t *) "",.tags_len = 1};

		nostr_buf_reset(&json);
		ev.content_len = (size_t) snprintf(content, sizeof(content), "%d", i);
		ev.content = (const uint8_t *) content;
		CHECK(nostr_event_id(&ev, NOSTR_FORM_RAW, &scratch, ev.id));
		nostr_event_json(&ev, &json);
		relay_store_add(&store, (const char *) json.data, json.len, false);
	}
	relay_store_sort(&store);
}

int
main(void)
{
	Run			r;

	uv_loop_init(&loop);
	CHECK(nostr_crypto_init());
	fill();
	r = run("{\"neg\":\"yes\",\"neg_frame\":40000}", 9, 0);
	CHECK(r.result.negentropy == SYNC_WORKS && r.counters.connections == 1);
	/* told what the relay takes, we keep to it, in NEG-OPEN, NEG-MSG and REQ */
	r = run("{\"neg\":\"yes\",\"max_message\":10000}", 5, 10000);
	CHECK(r.result.negentropy == SYNC_WORKS && r.counters.connections == 1);
	/* no room for a conversation: paged */
	r = run("{\"neg\":\"yes\",\"max_message\":5000}", 5, 5000);
	CHECK(r.counters.neg_opens == 0);
	/* a relay that answers in one message whatever that takes */
	r = run("{\"neg\":\"yes\"}", 1, 0);
	CHECK(r.counters.connections > 1 && r.counters.connections < 6);
	/* one that keeps to a frame */
	r = run("{\"neg\":\"yes\",\"neg_frame\":40000}", 1, 0);
	CHECK(r.result.negentropy == SYNC_WORKS && r.counters.connections == 1);
	/* protocol version 0, in both ways in which it shows */
	r = run("{\"neg\":\"v0\"}", 9, 0);
	CHECK(r.result.negentropy == SYNC_UNSUPPORTED && r.counters.neg_opens == 1 && r.counters.connections == 1);
	r = run("{\"neg\":\"v0_only\"}", 9, 0);
	CHECK(r.result.negentropy == SYNC_UNSUPPORTED && r.counters.neg_opens == 1 && r.counters.connections == 1);
	relay_store_free(&store);
	return check_done();
}
