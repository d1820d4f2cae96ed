/*
 * test_silent.c
 *
 * A relay that answers, but never a page that holds events of one second:
 * what lies below comes all the same, jobs end well, and what is left
 * open shrinks to about a page.
 */
#include <stdlib.h>
#include <string.h>

#include "relaycheck.h"
#include "synccheck.h"

#define FIRST		INT64_C(1000000000)
#define EVENTS		1500
#define APART		50000		/* seconds from one to the next */
#define BROKEN		1000		/* number of the event that is never shown */
#define SILENT		(FIRST + (int64_t) BROKEN * APART)
#define PAGE		50
#define SCRIPT		"{\"cap\":50,\"silent_at\":1050000000}"
#define HEAD		INT64_C(1100000000) /* nothing is newer */
#define MAX_PASSES	20

static uv_loop_t loop;
static Net *net;

typedef struct Run
{
	bool		got[EVENTS];
	SyncWindow	open[64];		/* what the last pass left, newest first */
	uint16_t	nopen;
	bool		done;
	SyncResult	result;
} Run;

static void
fill(RelayStore *store)
{
	static NostrBuf scratch = {.max = 65536};
	static NostrBuf json = {.max = 65536};

	relay_store_init(store);
	for (int i = 0; i < EVENTS; i++)
	{
		NostrEvent	ev = {.kind = 1,.created_at = FIRST + (int64_t) i * APART,.content = (const uint8_t *) "x",.content_len = 1};

		nostr_buf_reset(&json);
		CHECK(nostr_event_id(&ev, NOSTR_FORM_RAW, &scratch, ev.id));
		nostr_event_json(&ev, &json);
		relay_store_add(store, (const char *) json.data, json.len, false);
	}
}

static void
on_event(void *user, const NostrEvent *ev)
{
	((Run *) user)->got[(ev->created_at - FIRST) / APART] = true;
}

static void
on_window(void *user, const SyncNews *w)
{
	Run		   *r = user;

	if (w->state != SYNC_OPEN)
		return;
	CHECK_STR(w->reason, "unanswered");
	CHECK(r->nopen < 64);
	/* what has this reason is one interval of coverage */
	if (r->nopen > 0 && r->open[r->nopen - 1].since == w->until + 1)
		r->open[r->nopen - 1].since = w->since;
	else
		r->open[r->nopen++] = (SyncWindow) {w->since, w->until, SYNC_FETCH};
}

static void
on_done(void *user, const SyncResult *result)
{
	Run		   *r = user;

	r->done = true;
	r->result = *result;
}

static void
pass(Run *r, const NostrRelayUrl *url)
{
	static const SyncCallbacks cb = {.event = on_event,.rejected = synccheck_rejected,.page_end = synccheck_page_end,
	.window = on_window,.done = on_done};
	SyncWindow	window[65] = {{HEAD, INT64_MAX, SYNC_FETCH}};
	SyncSpec	spec = {.filter = "{}",.filter_len = 2,.page_limit = 500,.timeout_ms = 200,.window = window,
	.nwindows = (uint16_t) (r->nopen + 1)};

	memcpy(window + 1, r->open, sizeof(SyncWindow) * r->nopen);
	r->nopen = 0;
	r->done = false;
	CHECK(sync_start(net, url, &spec, &cb, r) != NULL);
	WAIT_FOR(&loop, r->done);
	CHECK(r->result.outcome == SYNC_OK);
}

/* Of events first .. last - 1. */
static int
missing(const Run *r, int first, int last)
{
	int			n = 0;

	for (int i = first; i < last; i++)
		n += !r->got[i];
	return n;
}

int
main(void)
{
	NetConfig	config;
	RelayStore	store;
	Relay	   *relay;
	Run			r = {.open = {{0, HEAD - 1, SYNC_FETCH}},.nopen = 1};
	const NostrRelayUrl *url;
	int			passes = 1;

	uv_loop_init(&loop);
	netcheck_config(&config, 20000);
	net = netcheck_open(&loop, &config);
	fill(&store);
	url = relaycheck_start(&loop, SCRIPT, &store, &relay);
	pass(&r, url);
	printf("after one pass %d of %d are missing\n", missing(&r, 0, EVENTS), EVENTS);
	CHECK(r.got[0] && r.got[EVENTS - 1]);
	while (missing(&r, 0, BROKEN) > 0 && passes++ < MAX_PASSES)
		pass(&r, url);
	printf("after %d passes %d\n", passes, missing(&r, 0, EVENTS));
	/* what lies above that second comes in pages that hold it, and is not told from it */
	CHECK(missing(&r, 0, BROKEN) == 0 && !r.got[BROKEN] && missing(&r, BROKEN + PAGE, EVENTS) == 0);
	/* nothing changes, and the job still ends well */
	pass(&r, url);
	CHECK(r.nopen == 1 && r.open[0].since <= SILENT && r.open[0].until >= SILENT);
	relaycheck_stop(&loop, relay);
	relay_store_free(&store);
	net_close(net);
	netcheck_settle(&loop);
	return check_done();
}
