/*
 * proof.c
 *
 * Has a window really ended?  A page without news is not enough: the relay
 * may hide events that it counts against the limit, may cut off a second, may
 * have stopped answering honestly, or may always say "finish".  So the end is
 * asked for once more, cut differently: without the lower bound (what lies
 * below shows that the relay answers and that nothing was cut off above), for
 * the kinds that no relay hides, from the last second that is known to hold
 * events (those must come again).
 *
 * Guarantees: COMPLETE only if that query brought nothing new, the known
 * events came again, and the last second was not cut off: older events
 * followed it, or it is smaller than any page was.  After contradictions
 * several such confirmations are needed.
 */
#include "../nostr/pgfree.h"

#include <string.h>

#include "sync_internal.h"
#include "walk.h"

#define MARGIN				20	/* events beyond the known ones */
#define HANDFUL				8
#define MAX_CONTRADICTIONS	8
#define MAX_CONTROLS		3
#define NO_CUT				2

static void probe(SyncWalk *w, int cut);
static void confirmed(SyncWalk *w);

static void
contradiction(SyncWalk *w)
{
	if (++w->s->contradictions > MAX_CONTRADICTIONS)
		sync_walk_give_up(w, "contradictory_answers");
	else
		sync_walk_go_on(w);
}

static void
failed_control(SyncWalk *w)
{
	if (++w->failed_controls >= MAX_CONTROLS)
		sync_walk_give_up(w, "contradictory_answers");
	else
		contradiction(w);
}

static void
ignore(SyncReq *r, const NostrEvent *ev, bool valid)
{
	(void) r, (void) ev, (void) valid;
}

static void
ask_known(SyncWalk *w, void (*end) (SyncReq *, SyncEnd))
{
	SyncAsk		ask = {.since = SYNC_NO_SINCE,.until = SYNC_NO_UNTIL,.limit = 1,
	.ids = w->s->known_id,.nids = 1};

	sync_ask(&w->req, &ask, ignore, end);
}

/*
 * Too few events to be sure of the order: then nothing may lie on the side
 * from which the walk came.
 */
static void
side_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);

	if (how == SYNC_END_REFUSED)
		sync_fail_refused(w->s);
	else if (r->in_range > 0)
		sync_walk_reorder(w, SYNC_ORDER_NONE);
	else if (how != SYNC_END_EOSE)
		sync_walk_give_up(w, "timeout");
	else if (sync_crowded_out(r) != NULL)
		sync_walk_give_up(w, sync_crowded_out(r));
	else
		confirmed(w);
}

static void
ask_side(SyncWalk *w)
{
	SyncAsk		ask = sync_walk_ask(w, w->newest + 1, w->mirror ? -w->first_lo : w->first_hi,
									w->s->limit);

	w->side_asked = true;
	sync_ask(&w->req, &ask, ignore, side_end);
}

static void doubt_more(SyncWalk *w);

static void
confirmed(SyncWalk *w)
{
	int			needed = 1 + (w->s->contradictions < 2 ? w->s->contradictions : 2);

	if (w->more && !w->s->hints_untrusted)
		doubt_more(w);
	else if (!sync_order_sure(w->s) && !w->side_asked && w->shown > 0 &&
			 w->newest < (w->mirror ? -w->first_lo : w->first_hi))
		ask_side(w);
	else if (++w->rounds >= needed)
		sync_walk_complete(w, w->finish ? "nip67_finish" : "empty_page_confirmed");
	else
		sync_walk_go_on(w);
}

/* "more", but nothing came.  One that says so of a single event lies always. */
static void
more_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);

	w->s->hints_untrusted = how == SYNC_END_EOSE && r->hint == NOSTR_HINT_MORE;
	if (w->s->hints_untrusted)
		confirmed(w);
	else
		sync_walk_give_up(w, "more_but_empty");
}

static void
doubt_more(SyncWalk *w)
{
	if (w->s->any_known)
		ask_known(w, more_end);
	else
		sync_walk_give_up(w, "more_but_empty");
}

/*
 * May a kind be hidden that was asked for with others?  Of a relay that shows
 * a handful of events and none that is older, the size of answers says nothing.
 */
void
sync_proof_no_doubt(SyncWalk *w)
{
	Sync	   *s = w->s;
	bool		doubt = s->min_cut < s->max_page || !s->any_known ||
		(s->max_page <= HANDFUL && !w->older);

	if (!doubt || w->below_lo || w->finish || !sync_hidden_ask(w))
		confirmed(w);
}

void
sync_proof_confirmed(SyncWalk *w)
{
	confirmed(w);
}

/* --- does it still show an event that it has shown? --- */

static void
control_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);

	if (how == SYNC_END_REFUSED)
		sync_fail_refused(w->s);
	else if (r->in_range > 0)
		sync_proof_no_doubt(w);
	else
		failed_control(w);
}

/* --- the confirming query --- */

/* After news where a page showed none: was that a lapse, or does it hide? */
static void
lapse_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);

	if (how != SYNC_END_EOSE || w->fresh > 0)
		sync_walk_page_end(w, how);
	else if (r->in_range == 0 && !w->mirror && r->slack == 0 && w->probe_oldest == w->hi)
	{
		/* only the last second was missing, and only for "until" */
		w->s->until_slack = 1;
		sync_walk_restart(w, "until_exclusive");
	}
	else
	{
		/* it shows nothing there, but has something for who asks by kind */
		sync_walk_hole(w, w->probe_oldest, w->hi, "hidden_events");
		if (!w->active)
			return;
		w->hi = w->probe_oldest - 1;
		sync_walk_go_on(w);
	}
}

/* Fresh events below what was asked for before. */
void
sync_proof_fresh(SyncWalk *w)
{
	Sync	   *s = w->s;

	w->rounds = 0;
	w->next_single = 0;			/* each kind anew, below what was found */
	s->hints_untrusted |= w->finish;
	sync_was_cut(s, w->last_size, s->limit);
	if (w->last_size == 0 && ++s->contradictions > MAX_CONTRADICTIONS)
		sync_walk_give_up(w, "contradictory_answers");
	else
		sync_walk_ask_again(w, lapse_end);
}

/* The last second, after an answer that brought nothing new of it. */
static void
judge_boundary(SyncWalk *w)
{
	Sync	   *s = w->s;
	bool		all_again = w->known >= w->seen.n;

	if (w->known == 0)
		failed_control(w);
	else if (!all_again && w->req.in_range < s->min_cut)
	{
		sync_was_cut(s, w->req.in_range, w->req.limit);
		sync_cutoff_ask(w);
	}
	else if (!w->older && w->probe_cut == 0 && w->seen.n > 1)
		probe(w, 1);			/* a hidden kind may fill the rest of it */
	else if (!all_again || !w->older)
		sync_cutoff_ask(w);
	else if (w->last_full && w->probe_cut < NO_CUT)
		probe(w, NO_CUT);		/* complete, but only of these kinds */
	else if (w->probe_cut == 0 && s->min_cut < s->max_page)
		probe(w, 1);			/* page sizes vary: some kind may be hidden */
	else
	{
		sync_walk_lower(w, w->probe_hi - 1);
		if (w->probe_fresh)
			sync_proof_fresh(w);
		else
			sync_proof_no_doubt(w);
	}
}

static void
judge_empty(SyncWalk *w)
{
	Sync	   *s = w->s;

	if (w->probe_fresh)
		sync_proof_fresh(w);
	else if (w->probe_cut == 0 && s->cut == 0 && s->min_cut < s->max_page)
		probe(w, 1);
	else if (w->req.received == 0 && s->any_known)
		ask_known(w, control_end);
	else
		sync_proof_no_doubt(w);
}

static void
probe_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);
	Sync	   *s = w->s;

	if (how == SYNC_END_REFUSED && w->probe_cut < NO_CUT)
	{
		if (s->cut < NO_CUT)
			s->cut++;
		probe(w, s->cut);
	}
	else if (how == SYNC_END_REFUSED)
		sync_fail_refused(s);
	else if (sync_walk_reorder(w, sync_order_of(r)))
		return;
	else if (w->fresh > 0)
	{
		w->rounds = 0;
		sync_walk_go_on(w);		/* more of the last second: ask on */
	}
	else if (how != SYNC_END_EOSE)
		sync_walk_give_up(w, how == SYNC_END_SILENCE ? "timeout" : "closed");
	else if (sync_walk_bound_ignored(w))
		sync_walk_give_up(w, w->mirror ? "since_ignored" : "until_ignored");
	else if (r->unreadable > 0 && !w->older)
		sync_walk_give_up(w, "unreadable_events");
	else if (r->strays > 0 && !w->older && sync_full(r))
		sync_walk_give_up(w, "filter_ignored");
	else if (w->probe_boundary)
		judge_boundary(w);
	else
		judge_empty(w);
}

void
sync_proof_unexpected(SyncWalk *w, const NostrEvent *ev, bool valid)
{
	int64_t		t = sync_walk_time(w, ev->created_at);

	w->probe_fresh = true;
	if (t < w->probe_oldest)
		w->probe_oldest = t;
	if (valid)
		w->s->cb.event(w->s->user, ev);
}

static void
probe_event(SyncReq *r, const NostrEvent *ev, bool valid)
{
	SyncWalk   *w = sync_walk_of(r);
	int64_t		t = sync_walk_time(w, ev->created_at);

	if (w->probe_boundary && t == w->probe_hi)
	{
		sync_walk_take(w, ev, valid);
		return;
	}
	w->older = true;
	/* what lies below the window only shows that the relay answers */
	if (t < w->lo)
	{
		w->below_lo = true;
		return;
	}
	sync_proof_unexpected(w, ev, valid);
}

static void
probe(SyncWalk *w, int cut)
{
	Sync	   *s = w->s;
	uint16_t	kinds[SYNC_MAX_CUT];
	uint32_t	most = s->limit > SYNC_SMALL_LIMIT ? s->limit : SYNC_SMALL_LIMIT;
	uint32_t	limit = w->seen.n + MARGIN < most ? w->seen.n + MARGIN : most;
	SyncAsk		ask = sync_walk_ask(w, SYNC_NO_SINCE, w->probe_hi, limit);

	w->probe_cut = cut;
	if (!w->probe_boundary && !w->mirror && w->probe_hi < SYNC_NO_UNTIL - 1)
		ask.slack = 1;
	ask.nkinds = cut < NO_CUT ? sync_kind_cut(s, cut, kinds) : 0;
	ask.kinds = kinds;
	w->older = w->probe_fresh = w->below_lo = false;
	w->probe_oldest = INT64_MAX;
	sync_walk_answer(w);
	sync_ask(&w->req, &ask, probe_event, probe_end);
}

bool
sync_proof_uncut(SyncWalk *w)
{
	if (w->probe_cut >= NO_CUT)
		return false;
	probe(w, NO_CUT);
	return true;
}

void
sync_proof_start(SyncWalk *w)
{
	sync_ahead_stop(w);
	if (w->seen.full)
	{
		sync_dense_start(w);
		return;
	}
	w->probe_boundary = w->seen.n > 0 && w->seen.at >= w->hi && w->seen.at - 1 <= w->hi;
	w->probe_hi = w->probe_boundary ? w->seen.at : w->hi;
	probe(w, w->s->cut);
}
