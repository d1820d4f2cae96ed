/*
 * cutoff.c
 *
 * Was the last second cut off?  An answer that contains everything known of
 * that second and nothing older may have been cut off within it, unless
 * nothing older exists and answers of this size are not the largest that the
 * relay gives.  If it was cut off, or may have been, dense.c splits that
 * second.
 */
#include "../nostr/pgfree.h"

#include "sync_internal.h"
#include "walk.h"

#define MARGIN	20				/* events beyond the known ones */

static void judge_size(SyncWalk *w);

static void
ignore(SyncReq *r, const NostrEvent *ev, bool valid)
{
	(void) r, (void) ev, (void) valid;
}

static void
deliver(SyncReq *r, const NostrEvent *ev, bool valid)
{
	if (valid)
		r->s->cb.event(r->s->user, ev);
}

/* A relay of unknown order: what lies on the other side of the only second? */
static void
above_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);

	if (how == SYNC_END_REFUSED)
		sync_fail_refused(w->s);
	else if (how != SYNC_END_EOSE && r->in_range == 0)
		sync_walk_give_up(w, "timeout");
	else if (r->in_range > 0)
		sync_walk_reorder(w, SYNC_ORDER_OLDEST_FIRST);
	else if (sync_crowded_out(r) != NULL)
		sync_walk_give_up(w, sync_crowded_out(r));
	else
		sync_dense_start(w);
}

/*
 * How much fits into an answer?  One without bounds shows it by its size; and
 * one that stayed below the limit and lacks events that are known, all the
 * more.
 */
static void
capacity_event(SyncReq *r, const NostrEvent *ev, bool valid)
{
	SyncWalk   *w = sync_walk_of(r);

	(void) valid;
	w->known += sync_walk_time(w, ev->created_at) == w->seen.at && sync_seen_again(&w->seen, ev->id);
}

static void
capacity_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);

	if (how == SYNC_END_REFUSED)
	{
		sync_fail_refused(w->s);
		return;
	}
	if (how == SYNC_END_EOSE && w->known < w->seen.n && r->received < r->limit)
		sync_was_cut(w->s, r->in_range, r->limit);
	judge_size(w);
}

/* Without the filter it shows more than one event: then one was all there is. */
static void
bare_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);

	if (how == SYNC_END_EOSE && r->in_range > 1)
		sync_proof_no_doubt(w);
	else
		sync_dense_start(w);
}

/*
 * A single event, and no answer ever held more.  That is all, or the relay
 * answers with one event at a time; has it ever shown two?
 */
static void
judge_single(SyncWalk *w)
{
	SyncAsk		bare = {.since = SYNC_NO_SINCE,.until = SYNC_NO_UNTIL,.limit = MARGIN,.bare = true};

	if (w->s->max_page > 1 || w->s->known_cap > 1)
		sync_proof_no_doubt(w);
	else if (!w->bare_asked)
	{
		w->bare_asked = true;
		sync_ask(&w->req, &bare, ignore, bare_end);
	}
	else
		sync_dense_start(w);
}

static void
judge_size(SyncWalk *w)
{
	Sync	   *s = w->s;
	SyncAsk		above = sync_walk_ask(w, w->seen.at + 1, w->first_hi, s->limit);
	SyncAsk		any = {.since = SYNC_NO_SINCE,.until = SYNC_NO_UNTIL,
	.limit = w->seen.n + MARGIN};
	uint32_t	largest = s->max_page < s->min_cut ? s->max_page : s->min_cut;

	if (w->finish || (s->min_cut >= s->max_page && !w->last_full && w->seen.n < largest))
		sync_proof_no_doubt(w);
	else if (w->seen.n == 1 && s->min_cut > 1 && w->capacity_asked)
		judge_single(w);
	else if (!w->capacity_asked)
	{
		w->capacity_asked = true;
		w->last_full = w->last_size >= s->limit;
		w->seen.answer++;
		sync_walk_answer(w);
		sync_ask(&w->req, &any, capacity_event, capacity_end);
	}
	else if (s->order == SYNC_ORDER_UNKNOWN && !w->above_asked && w->seen.at < w->first_hi &&
			 w->nholes == 0 && w->shown <= w->seen.n)
	{
		w->above_asked = true;
		sync_ask(&w->req, &above, deliver, above_end);
	}
	else
		sync_dense_start(w);
}

static void
below_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);
	Sync	   *s = w->s;

	if (how == SYNC_END_REFUSED)
		sync_fail_refused(s);
	else if (r->in_range > 0 && w->seen.at <= w->lo && sync_proof_uncut(w))
		return;					/* those below may be of kinds that were not asked for */
	else if (r->in_range > 0)
	{
		/* it was: what lies below should have come with it */
		sync_was_cut(s, w->last_size, s->limit);
		s->hints_untrusted |= w->finish;
		if (s->order == SYNC_ORDER_UNKNOWN)
			s->order = SYNC_ORDER_NEWEST_FIRST;
		sync_dense_start(w);
	}
	else if (how != SYNC_END_EOSE || sync_walk_bound_ignored(w))
		sync_walk_give_up(w, how == SYNC_END_EOSE ? "until_ignored" : "timeout");
	else if (sync_crowded_out(r) != NULL)
		sync_walk_give_up(w, sync_crowded_out(r));
	else
		judge_size(w);
}

void
sync_cutoff_ask(SyncWalk *w)
{
	SyncAsk		ask = sync_walk_ask(w, w->lo, w->seen.at - 1, w->s->limit);

	if (w->seen.at > w->lo)
		sync_ask(&w->req, &ask, deliver, below_end);
	else
	{
		ask = sync_walk_ask(w, SYNC_NO_SINCE, w->seen.at - 1, MARGIN);
		sync_ask(&w->req, &ask, ignore, below_end);
	}
}
