/*
 * efficiency.c
 *
 * What completeness costs, counted, not timed: 100,000 events behind a cap
 * of 500, compared with plain descending paging (which asks again for the
 * oldest second of each page, stops at the first page without news, and
 * proves nothing); and bytes on the wire when the archive holds 99 % and the
 * relay speaks NIP-77, compared with the full download.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../relay/relay.h"
#include "../unit/check.h"
#include "../unit/synccheck.h"
#include "archive.h"
#include "data.h"
#include "setup.h"

#define EVENTS	100000
#define CAP		500
#define FAR_AWAY "{\"cap\":500,\"latency_ms\":40}"
#define FILLER	390			/* so that an event is as long as the mean of real ones */

typedef struct Run
{
	RelayStore *store;
	Relay	   *relay;
	Sync	   *sync;
	Archive		archive;
	bool		complete;		/* one COMPLETE over everything, nothing open */
	unsigned long opens;
	unsigned long events;
	bool		done;
	int			closing;
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

	r->opens += w->state == SYNC_OPEN;
	if (w->state == SYNC_COMPLETE && w->since == 0)
		r->complete = true;
}

static void
on_set_request(void *user, uint32_t seq, int64_t since, int64_t until, int64_t below)
{
	CHECK(archive_request(&((Run *) user)->archive, seq, since, until, below));
}

static void
relay_gone(void *user)
{
	((Run *) user)->closing--;
}

static void
archive_gone(uv_handle_t *h)
{
	Archive    *a = h->data;

	((Run *) ((char *) a - offsetof(Run, archive)))->closing--;
}

static void
on_done(void *user, const SyncResult *result)
{
	Run		   *r = user;

	r->done = true;
	r->sync = NULL;
	r->result = *result;
	r->counters = *relay_counters(r->relay);
	r->closing = 2;
	relay_stop(r->relay, relay_gone, r);
	archive_close(&r->archive, archive_gone);
}

/* One job over all time; held: percent that the archive has. */
static Run
run(Net *net, RelayStore *store, const char *script, int held)
{
	static const SyncCallbacks cb = {.event = on_event,.rejected = synccheck_rejected,.page_end = synccheck_page_end,
	.window = on_window,.set_request = on_set_request,.done = on_done};
	SyncWindow	all = {0, INT64_MAX, SYNC_FETCH};
	SyncSpec	spec = {.filter = "{}",.filter_len = 2,.page_limit = CAP,.window = &all,.nwindows = 1};
	Run			r = {.store = store};
	RelayPlan	plan;
	NostrRelayUrl url;
	Random		random = {7};
	const char *why = "";
	char		text[64];

	relay_plan_default(&plan);
	CHECK(relay_plan_parse(&plan, script, strlen(script), &why));
	snprintf(text, sizeof(text), "ws://127.0.0.1:%d", relay_start(net_loop(net), &plan, store, 0, &r.relay));
	CHECK(nostr_relay_url_parse(text, strlen(text), true, &url) == NOSTR_URL_OK);
	r.archive.part = 8192;
	archive_fill(&r.archive, store, held, 0, &random, NULL);
	spec.held = (uint64_t) r.archive.n;
	archive_open(&r.archive, net_loop(net), &r.sync);
	r.sync = sync_start(net, &url, &spec, &cb, &r);
	while (!r.done || r.closing > 0)
		uv_run(net_loop(net), UV_RUN_ONCE);
	archive_free(&r.archive);
	relay_plan_free(&plan);
	return r;
}

/* Plain descending paging over the same store. */
static void
plain(const RelayStore *store, unsigned long *reqs, unsigned long *events)
{
	long		seen = 0;		/* the first so many have come */
	long		at = 0;

	*reqs = *events = 0;
	for (;;)
	{
		long		end = at + CAP < store->n ? at + CAP : store->n;

		++*reqs;
		*events += (unsigned long) (end - at);
		if (end <= seen)
			return;
		seen = end;
		at = relay_store_find(store, store->item[end - 1]->created_at);
	}
}

static Run
paging(Net *net, const DataSpec *d, RelayStore *store, const char *script, const char *what)
{
	Random		random = {42};
	unsigned long reqs;
	unsigned long events;
	Run			r;

	relay_store_init(store);
	data_fill(store, d, &random);
	plain(store, &reqs, &events);
	r = run(net, store, script, 0);
	CHECK(r.result.outcome == SYNC_OK && r.complete && r.opens == 0);
	CHECK(r.events >= EVENTS);
	printf("%s: %d events behind a cap of %d: %lu REQs (plain %lu, %.3f x), %lu events (plain %lu, %.3f x), "
		   "%llu bytes (%llu an event)\n", what, EVENTS, CAP, r.counters.reqs, reqs, (double) r.counters.reqs / (double) reqs,
		   r.counters.events, events, (double) r.counters.events / (double) events,
		   r.counters.bytes_in + r.counters.bytes_out, r.counters.bytes_out / EVENTS);
	CHECK(r.counters.reqs * 100 <= reqs * 110);
	CHECK(r.counters.events * 100 <= events * 105);
	return r;
}

static void
reconciling(Net *net, RelayStore *store, const Run *full)
{
	unsigned long long whole = full->counters.bytes_in + full->counters.bytes_out;
	Run			r = run(net, store, "{\"cap\":500,\"neg\":\"yes\"}", 99);
	unsigned long long bytes = r.counters.bytes_in + r.counters.bytes_out;

	CHECK(r.result.outcome == SYNC_OK && r.complete && r.opens == 0);
	printf("negentropy %s, 99 %% held: %lu new events, %llu bytes of %llu (%.2f %%), %lu REQs, %lu messages\n",
		   r.result.negentropy == SYNC_WORKS ? "works" : "was not used", r.events, bytes, whole,
		   100.0 * (double) bytes / (double) whole, r.counters.reqs, r.counters.neg_opens + r.counters.neg_msgs);
	CHECK(r.result.negentropy == SYNC_WORKS);
	CHECK(bytes * 100 <= whole * 3);
}

int
main(void)
{
	uv_loop_t  *loop = uv_default_loop();
	Net		   *net = setup_net(loop, 16);
	DataSpec	spread = {DATA_SPREAD, EVENTS, 30 * 86400, 12, 5000, 3, FILLER};
	DataSpec	bursts = {DATA_BURSTS, EVENTS, 86400, 12, 5000, 3, FILLER};
	RelayStore	store;
	Run			full = paging(net, &spread, &store, "{\"cap\":500}", "spread");

	reconciling(net, &store, &full);
	relay_store_free(&store);
	(void) paging(net, &bursts, &store, "{\"cap\":500}", "bursts");
	relay_store_free(&store);
	/* several pages at a time */
	(void) paging(net, &spread, &store, FAR_AWAY, "spread, far away");
	relay_store_free(&store);
	(void) paging(net, &bursts, &store, FAR_AWAY, "bursts, far away");
	relay_store_free(&store);
	setup_close(net, loop);
	return check_done();
}
