/*
 * walk.c
 *
 * Pages through one window, newest first, or oldest first with a relay that
 * answers in that order.
 *
 * Guarantees: every step asks for an older second, finds something new, or
 * ends the walk, so paging ends; a short page never ends it (relays count
 * events against the limit that they then do not send), only the verdict of
 * proof.c does; the page that asks again for the last second shows what else
 * is in it; a range that a relay never answers does not keep the walk from
 * what lies below.
 */
#include "../nostr/pgfree.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "sync_internal.h"
#include "walk.h"

#define SILENT_SECONDS	INT64_C(86400)	/* left out after the first silence, */
#define SILENT_GROWTH	5		/* and 32 times as much after each more in a row, */
#define SILENT_SKIPS	3		/* of which a window gets so many */

int64_t
sync_walk_time(const SyncWalk *w, int64_t created_at)
{
	return w->mirror ? -created_at : created_at;
}

SyncAsk
sync_walk_ask(const SyncWalk *w, int64_t lo, int64_t hi, uint32_t limit)
{
	SyncAsk		a = {.since = w->mirror ? -hi : lo,.until = w->mirror ? -lo : hi,.limit = limit};

	return a;
}

static void page_event(SyncReq *r, const NostrEvent *ev, bool valid);
static void page_end(SyncReq *r, SyncEnd how);

void
sync_walk_abort(SyncWalk *w, const char *reason)
{
	SyncReq    *r = &w->req;
	bool		disorder = (w->mirror ? r->falls : r->rises) > 0;

	if (!w->active)
		return;
	/* events in order say that those between them have come */
	if (r->state == SYNC_REQ_SENT && r->end == page_end && !disorder &&
		sync_walk_sure(w) && (!w->expect || w->known > 0) && w->page_oldest < w->hi)
		sync_walk_lower(w, w->page_oldest);
	if (w->scatter != NULL)
		sync_scatter_abort(w, reason);
	else
		sync_walk_say_open(w, reason);
	sync_req_stop(r);
	sync_ahead_say(w);
	sync_ahead_stop(w);
	w->active = false;
}

void
sync_walk_free(SyncWalk *w)
{
	sync_dense_free(w);
	sync_scatter_free(w);
	sync_ahead_free(w);
	free(w->hole);
	free(w->seen.item);
	sync_req_free(&w->req);
}

void
sync_walk_take(SyncWalk *w, const NostrEvent *ev, bool valid)
{
	int64_t		t = sync_walk_time(w, ev->created_at);

	if (t < w->page_oldest)
		w->page_oldest = t;
	if (t > w->newest)
		w->newest = t;
	if (t <= w->seen.at && !sync_seen_add(&w->seen, t, ev))
	{
		w->known++;
		return;
	}
	w->fresh++;
	if (t < w->fresh_oldest)
		w->fresh_oldest = t;
	if (valid)
	{
		w->shown++;
		if (!sync_ahead_has(w, ev))
			w->s->cb.event(w->s->user, ev);
	}
}

void
sync_walk_answer(SyncWalk *w)
{
	w->fresh = w->known = 0;
	w->fresh_oldest = w->page_oldest = INT64_MAX;
}

static void
ask_page(SyncWalk *w, int64_t lo, int64_t hi, void (*end) (SyncReq *, SyncEnd))
{
	SyncAsk		ask = sync_walk_ask(w, lo, hi, w->s->limit);

	w->expect = w->seen.n > 0 && w->seen.at == hi;
	sync_walk_answer(w);
	sync_ask(&w->req, &ask, page_event, end);
}

void
sync_walk_go_on(SyncWalk *w)
{
	if (sync_slice_over(w->s))
		sync_finish(w->s, SYNC_AGAIN, NET_OK, "");
	else if (w->hi < w->lo)
		sync_walk_complete(w, "paged_to_since");
	else
	{
		ask_page(w, sync_ahead_floor(w), w->hi, page_end);
		sync_ahead_start(w);
	}
}

void
sync_walk_ask_again(SyncWalk *w, void (*end) (SyncReq *, SyncEnd))
{
	ask_page(w, w->lo, w->hi, end);
}

/* From the beginning, in the direction in which the relay answers. */
static void
restart(SyncWalk *w)
{
	Sync	   *s = w->s;

	sync_req_stop(&w->req);
	sync_ahead_stop(w);
	sync_dense_free(w);
	sync_scatter_free(w);
	w->mirror = s->order == SYNC_ORDER_OLDEST_FIRST;
	w->lo = w->mirror ? -w->first_hi : w->first_lo;
	w->hi = w->mirror ? -w->first_lo : w->first_hi;
	w->nholes = 0;
	w->unsaid = false;
	w->shown = w->said = 0;
	w->last_size = 0;
	w->last_full = false;
	w->rounds = w->failed_controls = 0;
	w->above_asked = w->side_asked = w->capacity_asked = w->bare_asked = w->finish = w->more = false;
	w->newest = -INT64_MAX;
	w->next_single = 0;
	sync_seen_reset(&w->seen, INT64_MAX);
	if (s->order == SYNC_ORDER_NONE)
		sync_scatter_start(w);
	else
		sync_walk_go_on(w);
}

void
sync_walk_restart(SyncWalk *w, const char *reason)
{
	sync_retract(w->s, reason);
	if (w->spoken)
		sync_say(w->s, w->since, w->top, SYNC_OPEN, 0, "", reason);
	w->s->retracted = w->spoken;
	restart(w);
}

void
sync_walk_start(SyncWalk *w, int64_t since, int64_t until, int64_t top)
{
	w->active = true;
	w->spoken = false;
	w->since = since;
	w->top = top;
	w->first_lo = since == 0 ? SYNC_NO_SINCE : since;
	w->first_hi = until;
	restart(w);
}

/*
 * Learns the order from a page.  Once it is another one than believed,
 * nothing that was concluded from it holds.
 */
bool
sync_walk_reorder(SyncWalk *w, SyncOrder found)
{
	Sync	   *s = w->s;

	if (found == SYNC_ORDER_UNKNOWN)
		return false;
	if (found == s->order ||
		(s->order == SYNC_ORDER_UNKNOWN && found == SYNC_ORDER_NEWEST_FIRST))
	{
		s->order = found;
		s->order_steps += w->req.rises + w->req.falls;
		return false;
	}
	if (s->order != SYNC_ORDER_UNKNOWN)
		found = SYNC_ORDER_NONE;
	s->order = found;
	if (found == SYNC_ORDER_NONE)
		sync_walk_restart(w, "not_newest_first");
	else
		restart(w);
	return true;
}

SyncOrder
sync_order_of(const SyncReq *r)
{
	if (r->rises > 0 && r->falls > 0)
		return SYNC_ORDER_NONE;
	if (r->rises > 0)
		return SYNC_ORDER_OLDEST_FIRST;
	return r->falls > 0 ? SYNC_ORDER_NEWEST_FIRST : SYNC_ORDER_UNKNOWN;
}

/*
 * No answer to a page, of a relay that answers others: perhaps it is
 * something in it.  What lies below is asked for without it; what is left out
 * grows with each silence, and a later job asks for it again, for less of it.
 */
static bool
skip_silence(SyncWalk *w)
{
	Sync	   *s = w->s;
	int64_t		lo = w->mirror ? -s->started : 0;
	int64_t		hi = w->mirror ? 0 : s->started;
	int64_t		step;

	lo = w->lo > lo ? w->lo : lo;
	hi = w->hi < hi ? w->hi : hi;
	if (lo > hi || s->silences >= SILENT_SKIPS || !sync_bear_silence(s))
		return false;
	step = SILENT_SECONDS << (SILENT_GROWTH * (s->silences - 1));
	step = step < (hi - lo) / 2 ? step : (hi - lo) / 2;
	sync_ahead_stop(w);
	sync_seen_reset(&w->seen, INT64_MAX);
	w->last_size = 0;
	sync_walk_hole(w, hi - step, w->hi, "unanswered");
	if (w->active)
	{
		w->hi = hi - step - 1;
		sync_walk_go_on(w);
	}
	return true;
}

/* A page was refused: perhaps only for its size. */
static void
page_refused(SyncWalk *w)
{
	Sync	   *s = w->s;

	if (!s->limit_reduced && s->limit > SYNC_SMALL_LIMIT &&
		s->refusal.failure == NET_REFUSED && s->max_page == 0)
	{
		s->limit_reduced = true;
		s->limit = SYNC_SMALL_LIMIT;
		sync_walk_go_on(w);
	}
	else if (!skip_silence(w))
		sync_fail_refused(s);
}

static void
page_event(SyncReq *r, const NostrEvent *ev, bool valid)
{
	sync_walk_take(sync_walk_of(r), ev, valid);
}

bool
sync_walk_bound_ignored(const SyncWalk *w)
{
	return w->req.first == (w->mirror ? -1 : 1);
}

/* Nothing in the range that was asked. */
static void
empty_page(SyncWalk *w, SyncEnd how)
{
	const SyncReq *r = &w->req;

	if (how != SYNC_END_EOSE)
		sync_walk_give_up(w, how == SYNC_END_SILENCE ? "timeout" : "closed");
	else if (sync_walk_bound_ignored(w))
		sync_walk_give_up(w, w->mirror ? "since_ignored" : "until_ignored");
	else if (sync_crowded_out(r) != NULL)
		sync_walk_give_up(w, sync_crowded_out(r));
	else
		sync_proof_start(w);
}

/*
 * The known events of second hi did not come again: the relay takes until as
 * exclusive, and what it said before lacks the last second of each page.
 */
static bool
bound_ignored(SyncWalk *w, SyncEnd how)
{
	SyncReq    *r = &w->req;
	int64_t		newest = w->mirror ? -r->oldest : r->newest;

	if (w->expect && w->known > 0)
		w->s->until_tested = true;
	if (!w->expect || w->known > 0 || w->s->until_slack > 0 ||
		(how != SYNC_END_EOSE && r->in_range == 0) ||
		w->mirror || r->above > 0 || (r->in_range > 0 && newest >= w->hi))
		return false;
	w->s->until_slack = 1;
	sync_walk_restart(w, "until_exclusive");
	return true;
}

void
sync_walk_page_end(SyncWalk *w, SyncEnd how)
{
	SyncReq    *r = &w->req;
	Sync	   *s = w->s;

	if (how == SYNC_END_REFUSED)
	{
		page_refused(w);
		return;
	}
	if (w->fresh > 0)
		sync_was_cut(s, w->last_size, s->limit);
	w->last_size = r->in_range;
	w->last_full = sync_full(r);
	w->finish = r->hint == NOSTR_HINT_FINISH;
	w->more = r->hint == NOSTR_HINT_MORE;
	if (sync_walk_reorder(w, sync_order_of(r)) || bound_ignored(w, how) ||
		sync_ahead_page(w, how))
		return;
	if (r->in_range == 0)
	{
		empty_page(w, how);
		return;
	}
	sync_walk_lower(w, w->page_oldest);
	if (w->fresh == 0 && sync_walk_bound_ignored(w))
	{
		sync_walk_give_up(w, w->mirror ? "since_ignored" : "until_ignored");
		return;
	}
	if (w->fresh > 0)
		w->rounds = 0;
	if (w->fresh > 0 && !w->seen.full && !w->finish)
		sync_walk_go_on(w);
	else if (how != SYNC_END_EOSE)
		sync_walk_give_up(w, how == SYNC_END_SILENCE ? "timeout" : "closed");
	else if (sync_slice_over(w->s))
		sync_finish(w->s, SYNC_AGAIN, NET_OK, "");
	else
		sync_proof_start(w);
}

static void
page_end(SyncReq *r, SyncEnd how)
{
	sync_walk_page_end(sync_walk_of(r), how);
}
