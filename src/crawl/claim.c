/*
 * claim.c
 *
 * Decides what a walk reports about its window.  Guarantees: nothing is
 * reported as received while the order in which the relay answers is still in
 * doubt; gaps remain gaps when the rest is complete.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>

#include "sync_internal.h"
#include "walk.h"

/* Speaks about [lo, hi] in the walk's time, as far as it may be claimed. */
static void
say(SyncWalk *w, int64_t lo, int64_t hi, SyncState state, uint64_t held,
	const char *proof, const char *reason)
{
	int64_t		since = w->mirror ? -hi : lo;
	int64_t		until = w->mirror ? -lo : hi;

	if (since < w->since)
		since = w->since;
	if (until > w->top)
		until = w->top;
	w->spoken = true;
	sync_say(w->s, since, until, state, held, proof, reason);
}

bool
sync_order_sure(const Sync *s)
{
	return s->order != SYNC_ORDER_UNKNOWN && s->order_steps >= SYNC_SURE_STEPS;
}

/* May what has come be said?  Also the second "until" of a window must have. */
bool
sync_walk_sure(const SyncWalk *w)
{
	return sync_order_sure(w->s) && (w->mirror || w->first_hi == SYNC_NO_UNTIL ||
									 w->s->until_tested || w->s->until_slack > 0);
}

/* The lowest second that a claim is about, in the walk's time. */
static int64_t
bottom(const SyncWalk *w)
{
	int64_t		least = w->mirror ? -w->top : w->since;

	return least > w->lo ? least : w->lo;
}

/*
 * Never of all that there is: the last second waits for the proof, so that a
 * job which ends before it leaves something to ask for.
 */
static void
say_paged(SyncWalk *w)
{
	uint64_t	n = w->shown - w->said - (w->seen.at == w->hi ? w->seen.n : 0);
	int64_t		from;

	if (!w->unsaid)
		return;
	from = w->hi < bottom(w) ? bottom(w) + 1 : w->hi + 1;
	if (from <= w->unsaid_hi)
	{
		say(w, from, w->unsaid_hi, sync_walk_sure(w) ? SYNC_PAGED : SYNC_OPEN, n,
			"", sync_walk_sure(w) ? "" : "order_unknown");
		w->said += n;
	}
	w->unsaid_hi = from - 1;
	w->unsaid = w->unsaid_hi > w->hi;
}

void
sync_walk_say_open(SyncWalk *w, const char *reason)
{
	say(w, w->lo, w->unsaid ? w->unsaid_hi : w->hi, SYNC_OPEN, 0, "", reason);
}

void
sync_walk_say_paged(SyncWalk *w, int64_t lo, int64_t hi, uint64_t held)
{
	if (sync_walk_sure(w))
		say(w, lo, hi, SYNC_PAGED, held, "", "");
}

void
sync_walk_lower(SyncWalk *w, int64_t oldest)
{
	if (oldest >= w->hi)
		return;
	if (!w->unsaid)
		w->unsaid_hi = w->hi;
	w->unsaid = true;
	w->hi = oldest;
	if (sync_walk_sure(w))
		say_paged(w);
}

void
sync_walk_over(SyncWalk *w)
{
	Sync	   *s = w->s;

	sync_req_stop(&w->req);
	sync_ahead_stop(w);
	w->active = false;
	sync_next_window(s);
}

void
sync_walk_complete(SyncWalk *w, const char *proof)
{
	int64_t		since = w->since;
	uint64_t	held = w->shown;

	/* holes came in the order of the walk; between them all is proven */
	for (uint32_t k = 0; k < w->nholes; k++)
	{
		const SyncHole *h = &w->hole[w->mirror ? k : w->nholes - 1 - k];

		if (since < h->since)
		{
			sync_say(w->s, since, h->since - 1 < w->top ? h->since - 1 : w->top,
					 SYNC_COMPLETE, held, proof, "");
			held = 0;
		}
		if (h->until >= w->top)
			since = w->top + 1;	/* nothing is claimed above */
		else if (since <= h->until)
			since = h->until + 1;
	}
	sync_say(w->s, since, w->top, SYNC_COMPLETE, held, proof, "");
	sync_walk_over(w);
}

void
sync_walk_hole(SyncWalk *w, int64_t lo, int64_t hi, const char *reason)
{
	SyncHole   *h;

	if (lo > hi)
		return;
	if (w->nholes == w->cap_holes)
	{
		uint32_t	cap = w->cap_holes > 0 ? w->cap_holes * 2 : 16;
		void	   *p = cap <= SYNC_MAX_HOLES ? realloc(w->hole, cap * sizeof(*h)) : NULL;

		if (p == NULL)
		{
			sync_walk_give_up(w, "too_many_gaps");
			return;
		}
		w->hole = p;
		w->cap_holes = cap;
	}
	say_paged(w);
	h = &w->hole[w->nholes++];
	h->since = w->mirror ? -hi : lo;
	h->until = w->mirror ? -lo : hi;
	say(w, lo, hi, SYNC_OPEN, 0, "", reason);
}

void
sync_walk_give_up(SyncWalk *w, const char *reason)
{
	sync_walk_say_open(w, reason);
	sync_walk_over(w);
}
