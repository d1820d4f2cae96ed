/*
 * pace.c
 *
 * Lanes pay off when waiting for a page takes long compared with receiving
 * it.  They start so many pages apart that a joint costs at most one page in
 * AHEAD_PAGES, fewer where the window may not hold as much.
 */
#include "../nostr/pgfree.h"

#include "pace.h"

#define AHEAD_PAGES		16		/* from one lane to the next, */
#define FIRST_PAGES		8		/* for the first of a window less: it may not hold much */
#define MIN_PAGES		3		/* of the walk before the first lane */
#define MIN_WAIT_MS		20		/* for a page to begin; less is not worth it */
#define EAGER_PAGES		2		/* SYNC_AHEAD_ALWAYS */

void
sync_pace_span(SyncPace *p, const SyncReq *r)
{
	int64_t		span = r->newest - r->oldest;

	if (r->in_range < 2 || r->in_range < r->s->max_page / 2)
		return;					/* its bounds made it short */
	p->span = p->span == 0 ? span : (p->span * 3 + span) / 4;
}

void
sync_pace_page(SyncPace *p, const SyncReq *r, bool alone)
{
	p->pages++;
	sync_pace_span(p, r);
	if (alone && r->first_ns > r->asked_ns)
	{
		p->wait_ns = r->first_ns - r->asked_ns;
		p->read_ns = uv_hrtime() - r->first_ns;
	}
}

/* As many as there are pages that fit into the time waited for one. */
int
sync_pace_lanes(const SyncPace *p, const Sync *s)
{
	int			most = SYNC_LANES_MAX;
	uint64_t	fit = p->wait_ns / (p->read_ns + 1) + 1;

	/* one is the walk's own */
	if (s->max_subs > 0 && s->max_subs <= SYNC_LANES_MAX)
		most = (int) s->max_subs - 1;
	if (s->ahead == SYNC_AHEAD_ALWAYS)
		return most;
	if (s->ahead == SYNC_AHEAD_NEVER || p->pages < MIN_PAGES ||
		p->wait_ns < MIN_WAIT_MS * UINT64_C(1000000))
		return 0;
	return fit < (uint64_t) most ? (int) fit : most;
}

int64_t
sync_pace_step(const SyncPace *p, const Sync *s)
{
	int64_t		pages = s->ahead == SYNC_AHEAD_ALWAYS ? EAGER_PAGES :
		p->started < SYNC_LANES_MAX ? FIRST_PAGES : AHEAD_PAGES;

	return (p->span > 0 ? p->span : 1) * pages;
}

void
sync_pace_restart(SyncPace *p)
{
	p->pages = p->started = 0;
}
