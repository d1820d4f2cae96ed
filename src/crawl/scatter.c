/*
 * scatter.c
 *
 * A relay that answers in no order may return any events of the requested
 * range, so paging proves nothing.  The range is halved until an answer is
 * smaller than any that was cut off, and then asked for again, also by kind:
 * what was the same each time, and agrees with everything known of that
 * range, is complete.  An answer that lacks a known event was cut off.
 *
 * Guarantees: it ends (each step halves a range or uses up a try); newest
 * part first; memory is bounded by MAX_SEEN and MAX_STACK.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "sync_internal.h"
#include "walk.h"

#define MAX_SEEN	200000
#define MAX_STACK	128
#define AGREED		3			/* answers in a row that show nothing new */
#define MAX_TRIES	7			/* for one range before it is halved */
#define MAX_IDLE	500

typedef struct Seen
{
	int64_t		at;
	uint8_t		id[16];
	uint32_t	answer;			/* the last one that it was in */
} Seen;

typedef struct Node
{
	int64_t		lo;
	int64_t		hi;
	int			agreed;			/* answers in a row that showed nothing new */
	int			tries;
} Node;

struct SyncScatter
{
	Node		stack[MAX_STACK];
	int			n;
	Node		node;			/* being asked */
	bool		asking;
	bool		by_kind;
	int			idle;			/* answers in a row that brought nothing new */
	Seen	   *seen;
	uint32_t	nseen;
	uint32_t	answer;
	uint32_t	cap;
	uint32_t   *table;			/* open addressing: index + 1, 0 free */
	uint32_t	size;
	bool		full;
	uint32_t	expected;		/* known of the node's range before it is asked */
	int64_t		run_lo;			/* complete, not yet said */
	int64_t		run_hi;
	bool		run;
};

void
sync_scatter_free(SyncWalk *w)
{
	if (w->scatter != NULL)
	{
		free(w->scatter->seen);
		free(w->scatter->table);
	}
	free(w->scatter);
	w->scatter = NULL;
}

/* --- the set of all events seen --- */

static uint32_t *
slot(const SyncScatter *x, const uint8_t *id)
{
	uint32_t	h;

	memcpy(&h, id, 4);
	for (h &= x->size - 1;; h = (h + 1) & (x->size - 1))
		if (x->table[h] == 0 || memcmp(x->seen[x->table[h] - 1].id, id, 16) == 0)
			return &x->table[h];
}

static bool
grow(SyncScatter *x)
{
	uint32_t	cap = x->cap > 0 ? x->cap * 2 : 1024;
	Seen	   *seen = cap <= MAX_SEEN * 2 ? realloc(x->seen, cap * sizeof(Seen)) : NULL;

	if (seen == NULL)
		return false;
	x->seen = seen;
	x->cap = cap;
	free(x->table);
	x->size = cap * 2;
	x->table = calloc(x->size, sizeof(uint32_t));
	for (uint32_t i = 0; i < x->nseen && x->table != NULL; i++)
		*slot(x, x->seen[i].id) = i + 1;
	return x->table != NULL;
}

/* Counts it as new, as known, or (a second time in one answer) not at all. */
static bool
add(SyncWalk *w, const NostrEvent *ev)
{
	SyncScatter *x = w->scatter;
	uint32_t   *p;

	if (x->nseen == x->cap && !grow(x))
	{
		x->full = true;
		return true;
	}
	p = slot(x, ev->id);
	if (*p != 0)
	{
		w->known += x->seen[*p - 1].answer != x->answer;
		x->seen[*p - 1].answer = x->answer;
		return false;
	}
	x->seen[x->nseen].at = ev->created_at;
	x->seen[x->nseen].answer = x->answer;
	memcpy(x->seen[x->nseen].id, ev->id, 16);
	*p = ++x->nseen;
	w->fresh++;
	return true;
}

static uint32_t
count(const SyncScatter *x, int64_t lo, int64_t hi)
{
	uint32_t	n = 0;

	for (uint32_t i = 0; i < x->nseen; i++)
		n += x->seen[i].at >= lo && x->seen[i].at <= hi;
	return n;
}

/* Where to cut [lo, hi]: at a known event if there is one inside. */
static int64_t
middle(const SyncScatter *x, int64_t lo, int64_t hi)
{
	int64_t		mean = 0;
	int64_t		n = 0;

	for (uint32_t i = 0; i < x->nseen; i++)
		if (x->seen[i].at >= lo && x->seen[i].at <= hi)
			mean += (x->seen[i].at - mean) / ++n;
	if (n > 0 && mean >= lo && mean < hi)
		return mean;
	return lo + (int64_t) (((uint64_t) hi - (uint64_t) lo) / 2);
}

/* --- saying --- */

static void
say(SyncWalk *w, int64_t lo, int64_t hi, SyncState state, const char *reason)
{
	if (lo < w->since)
		lo = w->since;
	if (hi > w->top)
		hi = w->top;
	if (lo <= hi)
		sync_say(w->s, lo, hi, state,
				 state == SYNC_COMPLETE ? count(w->scatter, lo, hi) : 0,
				 state == SYNC_COMPLETE ? "narrowed_and_repeated" : "", reason);
}

static void
say_run(SyncWalk *w)
{
	if (w->scatter->run)
		say(w, w->scatter->run_lo, w->scatter->run_hi, SYNC_COMPLETE, "");
	w->scatter->run = false;
}

static void
complete(SyncWalk *w, const Node *n)
{
	SyncScatter *x = w->scatter;

	if (x->run && n->hi + 1 != x->run_lo)
		say_run(w);
	if (!x->run)
		x->run_hi = n->hi;
	x->run_lo = n->lo;
	x->run = true;
}

void
sync_scatter_abort(SyncWalk *w, const char *reason)
{
	SyncScatter *x = w->scatter;

	say_run(w);
	if (x->asking)
		say(w, x->node.lo, x->node.hi, SYNC_OPEN, reason);
	while (x->n-- > 0)
		say(w, x->stack[x->n].lo, x->stack[x->n].hi, SYNC_OPEN, reason);
	sync_scatter_free(w);
}

/* --- asking --- */

static void next(SyncWalk *w);

static void
push(SyncScatter *x, Node n)
{
	if (n.lo <= n.hi)
		x->stack[x->n++] = n;
}

static void
split(SyncWalk *w, const Node *n)
{
	SyncScatter *x = w->scatter;
	int64_t		m;

	if (n->lo == n->hi || x->n + 2 > MAX_STACK)
	{
		say_run(w);
		say(w, n->lo, n->hi, SYNC_OPEN, "not_newest_first");
		return;
	}
	m = middle(x, n->lo, n->hi);
	push(x, (Node) {n->lo, m, 0, 0});
	push(x, (Node) {m + 1, n->hi, 0, 0});
}

static void
answer_event(SyncReq *r, const NostrEvent *ev, bool valid)
{
	SyncWalk   *w = sync_walk_of(r);

	if (add(w, ev) && valid)
		w->s->cb.event(w->s->user, ev);
}

static const char *
give_up_reason(const SyncWalk *w, SyncEnd how)
{
	const SyncReq *r = &w->req;

	if (w->scatter->full)
		return "too_many_unordered";
	if (how != SYNC_END_EOSE)
		return how == SYNC_END_SILENCE ? "timeout" : "closed";
	if (r->above > r->received / 2)
		return "until_ignored";
	if (r->below > r->received / 2)
		return "since_ignored";
	return w->scatter->idle > MAX_IDLE ? "not_newest_first" : NULL;
}

/* All that is known came again, but for the events of the last second. */
static bool
excludes_until(const SyncWalk *w)
{
	const SyncScatter *x = w->scatter;
	uint32_t	last = w->req.slack == 0 ? count(x, x->node.hi, x->node.hi) : 0;

	return last > 0 && w->req.newest < x->node.hi && w->known + last == x->expected;
}

static void
answer_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);
	SyncScatter *x = w->scatter;
	Node		n = x->node;
	bool		full = sync_full(r) && r->received > 0;
	const char *why;
	bool		same = w->fresh == 0 && w->known == x->expected;

	x->asking = false;
	if (how == SYNC_END_REFUSED && x->by_kind)
	{
		w->s->cut = 2;
		push(x, n);
		next(w);
		return;
	}
	if (how == SYNC_END_REFUSED)
	{
		x->asking = true;		/* this range too stays open */
		sync_fail_refused(w->s);
		return;
	}
	if (excludes_until(w))
	{
		w->s->until_slack = 1;
		push(x, n);
		next(w);
		return;
	}
	if (how == SYNC_END_EOSE && w->known < x->expected)
	{
		sync_was_cut(w->s, r->in_range, r->limit);
		full |= sync_full(r) && r->received > 0;
	}
	x->idle = w->fresh > 0 ? 0 : x->idle + 1;
	why = give_up_reason(w, how);
	if (why != NULL)
	{
		x->asking = true;
		sync_scatter_abort(w, why);
		sync_walk_over(w);
		return;
	}
	n.agreed = same ? n.agreed + 1 : 0;
	if (full && r->ignored > 0 && n.tries == 0)
	{
		n.tries++;				/* perhaps only by the second after it */
		push(x, n);
	}
	else if (r->hint == NOSTR_HINT_FINISH)
		complete(w, &n);
	else if (r->hint == NOSTR_HINT_MORE && r->in_range == 0)
	{
		say_run(w);
		say(w, n.lo, n.hi, SYNC_OPEN, "more_but_empty");
	}
	else if (full || r->hint == NOSTR_HINT_MORE || ++n.tries > MAX_TRIES)
		split(w, &n);
	else if (n.agreed >= AGREED)
		complete(w, &n);
	else
		push(x, n);
	next(w);
}

static void
next(SyncWalk *w)
{
	Sync	   *s = w->s;
	SyncScatter *x = w->scatter;
	SyncAsk		a = {.limit = s->limit};
	uint16_t	kinds[SYNC_MAX_CUT];

	if (sync_slice_over(s) || x->n == 0)
	{
		say_run(w);
		if (x->n > 0)
		{
			sync_finish(s, SYNC_AGAIN, NET_OK, "");
			return;
		}
		sync_scatter_free(w);
		sync_walk_over(w);
		return;
	}
	x->node = x->stack[--x->n];
	x->expected = count(x, x->node.lo, x->node.hi);
	x->asking = true;
	a.since = x->node.lo;
	a.until = x->node.hi;
	/* first with the second after it: what until leaves out is seen so */
	a.slack = x->node.tries == 0 && x->node.hi < SYNC_NO_UNTIL - 1 ? 1 : 0;
	if (x->node.tries > 0 && x->expected < s->limit / 4)
		a.limit = s->limit / 2 + 1;
	/* in turn: all, by the kinds that were seen, by those that nobody hides */
	x->by_kind = x->node.tries % 3 > 0 && s->cut < 2;
	if (x->by_kind)
		a.nkinds = sync_kind_cut(s, x->node.tries % 3 == 1 ? 1 : s->cut, kinds);
	a.kinds = kinds;
	x->answer++;
	sync_walk_answer(w);
	sync_ask(&w->req, &a, answer_event, answer_end);
}

void
sync_scatter_start(SyncWalk *w)
{
	SyncScatter *x = calloc(1, sizeof(*x));

	sync_req_stop(&w->req);
	sync_scatter_free(w);
	if (x == NULL || !grow(x))
	{
		free(x);
		sync_walk_give_up(w, "out_of_memory");
		return;
	}
	w->scatter = x;
	w->mirror = false;
	if (w->first_lo < 0)
		push(x, (Node) {w->first_lo, -1, 0, 0});
	push(x, (Node) {w->first_lo < 0 ? 0 : w->first_lo, w->top, 0, 0});
	if (w->first_hi > w->top)
		push(x, (Node) {w->top + 1, w->first_hi, 0, 0});
	next(w);
}
