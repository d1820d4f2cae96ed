/*
 * proof.c
 *
 * Is a window's end its end?  A page without news is not enough: the relay
 * may hide events that it counts against the limit, may cut a second off, or
 * may have stopped answering honestly.  So the end is asked for once more,
 * cut differently: without the lower bound (what lies below shows that it
 * answers, and how much fits into a page), with the kinds that nobody hides,
 * from the last second that is known to hold events (those must come again).
 *
 * Guarantees: COMPLETE only if that query brought nothing new, the known
 * events came again, and no page that was as large as any ever seen could
 * have been cut off in the last second.  After contradictions it takes more
 * than one such confirmation.
 */
#include "../nostr/pgfree.h"

#include <string.h>

#include "sync_internal.h"
#include "walk.h"

#define MARGIN				20	/* events beyond the known ones */
#define MAX_CONTRADICTIONS	8
#define MAX_CONTROLS		3

static void probe(SyncWalk *w);

static bool
at_boundary(const SyncWalk *w)
{
	return w->seen.n > 0 && w->probe_hi == w->seen.at;
}

/* Is it certain that the last second was not cut off by the relay's cap? */
static bool
maybe_cut_off(const SyncWalk *w)
{
	return at_boundary(w) && w->last_received >= w->s->max_page;
}

static void
contradiction(SyncWalk *w)
{
	if (++w->s->contradictions > MAX_CONTRADICTIONS)
		sync_walk_give_up(w, "contradictory_answers");
	else
		sync_walk_go_on(w);
}

static void
confirmed(SyncWalk *w)
{
	int			needed = 1 + (w->s->contradictions < 2 ? w->s->contradictions : 2);

	if (++w->rounds >= needed)
		sync_walk_complete(w, "empty_page_confirmed");
	else
		sync_walk_go_on(w);
}

static void
split_second(SyncWalk *w)
{
	if (w->seen.n > 1 || w->seen.full)
	{
		sync_dense_start(w);
		return;
	}
	/* pages of one event: if there is something below, each was cut off */
	w->lonely = true;
	w->lonely_at = w->seen.at;
	w->hi = w->seen.at - 1;
	sync_walk_go_on(w);
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
	else
		split_second(w);
}

static void
above_event(SyncReq *r, const NostrEvent *ev, bool valid)
{
	Sync	   *s = r->s;

	if (valid)
		s->cb.event(s->user, ev);
}

static void
cut_off(SyncWalk *w)
{
	SyncAsk		ask = sync_walk_ask(w, w->seen.at + 1, w->first_hi, w->s->limit);

	if (w->s->order == SYNC_ORDER_UNKNOWN && !w->above_asked && w->seen.at < w->first_hi)
	{
		w->above_asked = true;
		sync_ask(&w->req, &ask, above_event, above_end);
	}
	else
		split_second(w);
}

/* Nothing came at all: does the relay still show an event that it has shown? */
static void
control_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);

	if (how == SYNC_END_REFUSED)
		sync_fail_refused(w->s);
	else if (r->in_range > 0)
		confirmed(w);
	else if (++w->failed_controls >= MAX_CONTROLS)
		sync_walk_give_up(w, "contradictory_answers");
	else
		contradiction(w);
}

static void
control_event(SyncReq *r, const NostrEvent *ev, bool valid)
{
	(void) r, (void) ev, (void) valid;
}

static void
control(SyncWalk *w)
{
	SyncAsk		ask = {.since = SYNC_NO_SINCE,.until = SYNC_NO_UNTIL,.limit = 1,
	.ids = w->s->known_id,.nids = 1};

	sync_ask(&w->req, &ask, control_event, control_end);
}

/* The page after a contradiction: was it a lapse, or does the relay hide? */
static void
lapse_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);

	if (how != SYNC_END_EOSE || r->in_range > 0)
		sync_walk_page_end(w, how);
	else
	{
		/* it shows nothing there, but has something for who asks by kind */
		sync_walk_hole(w, w->probe_oldest + 1, w->hi, "hidden_events");
		if (!w->active)
			return;
		w->hi = w->probe_oldest;
		sync_walk_go_on(w);
	}
}

static void
probe_fresh(SyncWalk *w)
{
	if (w->fresh_oldest == w->probe_hi && at_boundary(w))
	{
		cut_off(w);
		return;
	}
	w->probe_oldest = w->fresh_oldest;
	w->rounds = 0;
	if (++w->s->contradictions > MAX_CONTRADICTIONS)
		sync_walk_give_up(w, "contradictory_answers");
	else
		sync_walk_ask_again(w, lapse_end);
}

static void
probe_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);

	if (how == SYNC_END_REFUSED && !w->cut_refused)
	{
		w->cut_refused = true;
		probe(w);
	}
	else if (how == SYNC_END_REFUSED)
		sync_fail_refused(w->s);
	else if (w->fresh > 0)
		probe_fresh(w);
	else if (how != SYNC_END_EOSE)
		sync_walk_give_up(w, how == SYNC_END_SILENCE ? "timeout" : "closed");
	else if (at_boundary(w) && w->known == 0)
	{
		if (++w->failed_controls >= MAX_CONTROLS)
			sync_walk_give_up(w, "contradictory_answers");
		else
			contradiction(w);
	}
	else if (maybe_cut_off(w))
		cut_off(w);
	else if (r->received == 0 && w->s->any_known)
		control(w);
	else
		confirmed(w);
}

static void
probe_event(SyncReq *r, const NostrEvent *ev, bool valid)
{
	SyncWalk   *w = sync_walk_of(r);

	/* what lies below the window only shows that the relay answers */
	if (sync_walk_time(w, ev->created_at) >= w->lo)
		sync_walk_take(w, ev, valid);
}

static void
probe(SyncWalk *w)
{
	Sync	   *s = w->s;
	uint16_t	kinds[SYNC_MAX_CUT];
	uint32_t	limit = w->seen.n + MARGIN < s->limit ? w->seen.n + MARGIN : s->limit;
	SyncAsk		ask = sync_walk_ask(w, SYNC_NO_SINCE, w->probe_hi, limit);

	ask.nkinds = w->cut_refused ? 0 : sync_kind_cut(s, kinds);
	ask.kinds = kinds;
	sync_walk_answer(w);
	sync_ask(&w->req, &ask, probe_event, probe_end);
}

void
sync_proof_start(SyncWalk *w)
{
	if (w->seen.full)
	{
		sync_dense_start(w);
		return;
	}
	w->probe_hi = w->hi;
	if (w->seen.n > 0 && w->seen.at >= w->hi && w->seen.at - 1 <= w->hi)
		w->probe_hi = w->seen.at;
	probe(w);
}
