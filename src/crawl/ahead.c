/*
 * ahead.c
 *
 * Paging ahead.  With a distant relay most of the time goes into waiting for
 * the next page.  So while a walk pages downwards, "lanes" page through what
 * lies some pages below it, over the same connection.  A lane begins at a
 * second guessed from the density of events so far.  Where the walk, or a
 * lane, reaches the newest second of the next lane below and sees the same
 * events there, the two become one chain of pages, as if it had been paged
 * sequentially, and the walk continues where the lane is.
 *
 * Guarantees: nothing else is concluded from a lane; any page of a lane that
 * is not plain paging ends the lane where it was, and the walk, with all its
 * doubts, continues from there.  Used only with relays that so far have
 * answered in order, with pages of one size and without rate limits; a relay
 * that refuses anything meanwhile is asked again without lanes.  How many
 * lanes and how far apart: pace.c.  Newest first only.  Memory:
 * SYNC_LANES_MAX times what is remembered of a second.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "pace.h"
#include "walk.h"

typedef struct Lane
{
	SyncReq		req;			/* first: callbacks have only this */
	SyncWalk   *w;
	bool		used;
	bool		over;			/* it goes no further */
	bool		begun;			/* a page has come */
	int64_t		from;			/* what it began with: (hi, from] has come */
	int64_t		hi;
	SyncSeen	top;			/* the newest second that shows something */
	uint32_t	top_shown;		/* of its events, those that are valid */
	SyncSeen	seen;			/* the boundary second */
	uint64_t	shown;

	/* the answer being read */
	bool		expect;
	uint32_t	fresh;
	uint32_t	known;
	uint32_t	valid;
	int64_t		oldest;
	uint32_t	last_size;
} Lane;

struct SyncAhead
{
	Lane		pool[SYNC_LANES_MAX];
	Lane	   *lane[SYNC_LANES_MAX];	/* from the top down */
	int			n;
	bool		joining;		/* the walk waits for lane[0] to come to rest */
	int64_t		nothing_below;	/* a lane that began there found nothing */
	SyncPace	pace;
};

static void lane_end(SyncReq *r, SyncEnd how);

/* --- lanes --- */

static bool
moving(const Lane *l)
{
	return l->req.state != SYNC_REQ_IDLE;
}

static void
remove_lane(SyncAhead *a, Lane *l)
{
	int			i = 0;

	while (a->lane[i] != l)
		i++;
	memmove(a->lane + i, a->lane + i + 1, (size_t) (--a->n - i) * sizeof(Lane *));
	sync_req_stop(&l->req);
	l->used = false;
}

static Lane *
below(const SyncAhead *a, const Lane *l)
{
	for (int i = 0; i + 1 < a->n; i++)
		if (a->lane[i] == l)
			return a->lane[i + 1];
	return NULL;
}

static bool
has(const SyncSeen *seen, const uint8_t id[32])
{
	for (uint32_t i = 0; i < seen->n; i++)
		if (memcmp(seen->item[i].id, id, 32) == 0)
			return true;
	return false;
}

static void
lane_event(SyncReq *r, const NostrEvent *ev, bool valid)
{
	Lane	   *l = (Lane *) r;
	const Lane *next = below(l->w->ahead, l);
	int64_t		t = ev->created_at;

	if (t < l->oldest)
		l->oldest = t;
	if (t <= l->seen.at && !sync_seen_add(&l->seen, t, ev))
	{
		l->known++;
		return;
	}
	if (!l->begun && l->fresh == 0)
		sync_seen_reset(&l->top, t);
	l->fresh++;
	if (t == l->top.at && sync_seen_add(&l->top, t, ev))
		l->top_shown += valid;
	l->valid += valid;
	if (valid && !(next != NULL && next->begun && t == next->top.at && has(&next->top, ev->id)))
		r->s->cb.event(r->s->user, ev);
}

static void
ask(Lane *l)
{
	Sync	   *s = l->w->s;
	const Lane *next = below(l->w->ahead, l);
	SyncAsk		a = {.since = next != NULL && next->begun ? next->top.at : l->w->lo,
	.until = l->hi,.limit = s->limit};

	l->expect = l->seen.n > 0 && l->seen.at == l->hi;
	l->fresh = l->known = l->valid = 0;
	l->oldest = INT64_MAX;
	l->req.ahead = true;
	sync_ask(&l->req, &a, lane_event, lane_end);
}

/* Are these all the events of the second in which a lane begins? */
static bool
same_second(const SyncSeen *seen, const Lane *l)
{
	if (seen->full || l->top.full || seen->at != l->top.at || seen->n != l->top.n)
		return false;
	for (uint32_t i = 0; i < seen->n; i++)
		if (!has(&l->top, seen->item[i].id))
			return false;
	return true;
}

/* Is l behind what was asked from above, down to "hi"? */
static bool
passed(const Lane *l, int64_t hi)
{
	return hi <= l->from && (!l->begun || hi < l->top.at);
}

/* A lane has come down to the next one, which takes it over. */
static void
merge(SyncAhead *a, Lane *l, Lane *next)
{
	SyncSeen	top = next->top;

	next->shown += l->shown - next->top_shown;
	next->from = l->from;
	next->top = l->top;
	l->top = top;				/* only for its memory */
	next->top_shown = l->top_shown;
	remove_lane(a, l);
}

/* The walk has come down to the first lane, which rests: it goes on there. */
static void
join(SyncWalk *w)
{
	SyncAhead  *a = w->ahead;
	Lane	   *l = a->lane[0];
	SyncSeen	seen = w->seen;

	a->joining = false;
	w->shown += l->shown - l->top_shown;
	w->seen = l->seen;
	l->seen = seen;				/* only for its memory */
	w->last_size = 0;
	w->finish = w->more = false;
	sync_walk_lower(w, l->hi);
	remove_lane(a, l);
	sync_walk_go_on(w);
}

/* Is the page what paging expects, and nothing else? */
static bool
is_plain(const Lane *l, SyncEnd how)
{
	const SyncReq *r = &l->req;

	return how == SYNC_END_EOSE && r->rises == 0 && r->above == 0 && r->below == 0 &&
		r->unreadable == 0 && !l->seen.full && (!l->expect || l->known > 0);
}

static void
lane_end(SyncReq *r, SyncEnd how)
{
	Lane	   *l = (Lane *) r;
	SyncWalk   *w = l->w;
	SyncAhead  *a = w->ahead;
	Lane	   *next;

	if (how == SYNC_END_REFUSED)
	{
		sync_ahead_off(w->s);
		return;
	}
	l->over = !is_plain(l, how) || l->fresh == 0 || sync_slice_over(w->s);
	if (!is_plain(l, how) || (r->in_range == 0 && !l->begun))
	{
		if (r->in_range == 0 && l->from > a->nothing_below)
			a->nothing_below = l->from;
		/* what it has from earlier pages is good, the boundary is read again */
		sync_seen_reset(&l->seen, INT64_MAX);
	}
	else
	{
		if (l->fresh > 0)
			sync_was_cut(w->s, l->last_size, w->s->limit);
		l->last_size = r->in_range;
		sync_pace_span(&a->pace, r);
		l->begun = true;
		l->shown += l->valid;
		if (l->oldest < l->hi)
			l->hi = l->oldest;
	}
	/* guessed too near */
	while ((next = below(a, l)) != NULL && l->begun && passed(next, l->hi))
		remove_lane(a, next);
	if (!l->begun)
		remove_lane(a, l);
	else if (next != NULL && next->begun && same_second(&l->seen, next) && l->hi == next->top.at)
		merge(a, l, next);
	else if (!l->over && !(a->joining && a->lane[0] == l))
		ask(l);
	if (a->joining && !moving(a->lane[0]))
		join(w);
	else
		sync_ahead_start(w);
}

/* --- when --- */

static bool
trusted(const SyncWalk *w)
{
	const Sync *s = w->s;

	return w->active && !w->mirror && w->scatter == NULL && w->dense == NULL &&
		!s->ahead_off && s->order == SYNC_ORDER_NEWEST_FIRST && sync_walk_sure(w) &&
		!s->eose_untrusted && s->contradictions == 0 && s->min_cut >= s->max_page &&
		s->rate.interval_ms == 0 && s->rate.strikes == 0 && !s->auth.pending;
}

void
sync_ahead_start(SyncWalk *w)
{
	SyncAhead  *a = w->ahead;
	int			want = a != NULL && trusted(w) && !sync_slice_over(w->s) ? sync_pace_lanes(&a->pace, w->s) : 0;

	while (a != NULL && a->n < want && !w->s->finished)
	{
		int64_t		step = sync_pace_step(&a->pace, w->s);
		int64_t		least = a->n > 0 ? a->lane[a->n - 1]->hi : w->hi;
		Lane	   *l = a->pool;

		if (least < step || least - step <= w->lo || least - step <= a->nothing_below)
			return;
		while (l->used)
			l++;
		sync_seen_reset(&l->seen, INT64_MAX);
		l->used = true;
		l->over = l->begun = false;
		l->from = l->hi = least - step;
		l->top_shown = l->last_size = 0;
		l->shown = 0;
		a->lane[a->n++] = l;
		a->pace.started++;
		ask(l);
	}
}

/* --- the walk's side --- */

int64_t
sync_ahead_floor(const SyncWalk *w)
{
	const SyncAhead *a = w->ahead;

	return a != NULL && a->n > 0 && a->lane[0]->begun ? a->lane[0]->top.at : w->lo;
}

bool
sync_ahead_has(const SyncWalk *w, const NostrEvent *ev)
{
	const SyncAhead *a = w->ahead;

	return a != NULL && a->n > 0 && a->lane[0]->begun &&
		a->lane[0]->top.at == ev->created_at && has(&a->lane[0]->top, ev->id);
}

static SyncAhead *
create(SyncWalk *w)
{
	SyncAhead  *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->nothing_below = INT64_MIN;
	for (int i = 0; i < SYNC_LANES_MAX; i++)
	{
		sync_req_init(&a->pool[i].req, w->s);
		a->pool[i].w = w;
	}
	return a;
}

bool
sync_ahead_page(SyncWalk *w, SyncEnd how)
{
	SyncAhead  *a = w->ahead;
	bool		plain = how == SYNC_END_EOSE && !w->seen.full;
	Lane	   *l;

	if (w->mirror || w->s->ahead == SYNC_AHEAD_NEVER || w->s->ahead_off)
		return false;
	if (a == NULL && (a = w->ahead = create(w)) == NULL)
		return false;
	sync_pace_page(&a->pace, &w->req, a->n == 0);
	while (a->n > 0 && passed(a->lane[0], w->page_oldest))
		remove_lane(a, a->lane[0]);
	l = a->n > 0 ? a->lane[0] : NULL;
	if (l == NULL || !l->begun)
		return false;
	if (plain && w->page_oldest == l->top.at && same_second(&w->seen, l))
	{
		sync_walk_lower(w, l->top.at);
		a->joining = true;
		if (!moving(l))
			join(w);
		return true;
	}
	if (w->req.since < l->top.at || (plain && w->fresh > 0 && !w->finish))
		return false;			/* on the way */
	/* it showed a lane what it does not show the walk */
	w->s->ahead_off = true;
	sync_ahead_stop(w);
	w->last_size = 0;
	w->finish = w->more = false;
	sync_walk_go_on(w);
	return true;
}

void
sync_ahead_off(Sync *s)
{
	SyncWalk   *w = &s->walk;
	SyncAhead  *a = w->ahead;

	if (a == NULL || s->ahead_off)
		return;
	s->ahead_off = true;
	for (int i = a->n; i-- > 0;)
	{
		Lane	   *l = a->lane[i];

		if (moving(l))
			sync_seen_reset(&l->seen, INT64_MAX);
		sync_req_stop(&l->req);
		if (!l->begun)
			remove_lane(a, l);
	}
	if (a->joining)
		join(w);
}

bool
sync_ahead_under_way(const Sync *s)
{
	const SyncAhead *a = s->walk.ahead;

	for (int i = 0; a != NULL && i < a->n; i++)
		if (moving(a->lane[i]))
			return true;
	return false;
}

void
sync_ahead_say(SyncWalk *w)
{
	SyncAhead  *a = w->ahead;

	for (int i = 0; a != NULL && i < a->n; i++)
	{
		Lane	   *l = a->lane[i];

		if (l->begun && l->hi < l->from)
			sync_walk_say_paged(w, l->hi + 1, l->from,
								l->shown - (l->seen.at == l->hi ? l->seen.n : 0));
	}
}

void
sync_ahead_stop(SyncWalk *w)
{
	SyncAhead  *a = w->ahead;

	if (a == NULL)
		return;
	while (a->n > 0)
		remove_lane(a, a->lane[0]);
	a->joining = false;
	a->nothing_below = INT64_MIN;
	sync_pace_restart(&a->pace);
}

void
sync_ahead_free(SyncWalk *w)
{
	for (int i = 0; w->ahead != NULL && i < SYNC_LANES_MAX; i++)
	{
		sync_req_free(&w->ahead->pool[i].req);
		free(w->ahead->pool[i].seen.item);
		free(w->ahead->pool[i].top.item);
	}
	free(w->ahead);
	w->ahead = NULL;
}
