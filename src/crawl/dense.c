/*
 * dense.c
 *
 * A second that holds more events than one page of the relay cannot be
 * paged.  It is split: by kind, the kinds seen in it one by one and all usual
 * ones together; a kind that is still too large by the tag values and authors
 * that the filter names, then by the authors seen in it, and one author's
 * events by the values of single-letter tags seen in them.
 *
 * The second is proved complete only if the filter names its kinds and
 * whatever else a kind had to be split by, every part fitted into less than a
 * page, all pages are equally large, and every event seen in it came again in
 * such a part: what was never seen and is not listed cannot be asked for.
 * Otherwise it stays an open gap, "dense_second", and what was received is
 * delivered.  Either way the walk goes on.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "dense.h"
#include "walk.h"

#define MAX_REQS		64		/* for one second */
#define MAX_PROOF_REQS	512		/* for one that may still be proved */
#define MAX_IDLE		4		/* answers in a row that bring nothing of it, by what was seen ... */
#define MAX_IDLE_NAMED	8		/* ... and by what the filter names, too large as well */
#define MAX_LEVELS		8
#define STEP_AUTHORS	NOSTR_FILTER_LETTERS
#define STEP_SEEN		(STEP_AUTHORS + 1)
#define NSTEPS			(STEP_SEEN + 1)

typedef struct Level			/* one way to split what did not fit above */
{
	int			step;			/* slot of a letter that the filter names, STEP_AUTHORS, STEP_SEEN */
	DenseList	list;			/* of STEP_SEEN: see "shown" */
	uint32_t	idle;
} Level;

struct SyncDense
{
	int64_t		at;				/* in the walk's time */
	uint16_t	kind[SYNC_MAX_CUT];
	uint32_t	nkinds;
	uint32_t	next_kind;
	bool		others_asked;
	bool		unproven;
	uint32_t	reqs;
	Level		level[MAX_LEVELS];	/* a kind that is split further */
	int			depth;
	DenseList	shown;			/* values of tags in the last answer, or since STEP_SEEN began */
};

static void next(SyncWalk *w);

void
sync_dense_free(SyncWalk *w)
{
	SyncDense  *d = w->dense;

	if (d == NULL)
		return;
	while (d->depth > 0)
		dense_list_free(&d->level[--d->depth].list);
	dense_list_free(&d->shown);
	free(d);
	w->dense = NULL;
}

static void
add_kind(SyncDense *d, uint16_t kind)
{
	for (uint32_t i = 0; i < d->nkinds; i++)
		if (d->kind[i] == kind)
			return;
	if (d->nkinds < SYNC_MAX_CUT)
		d->kind[d->nkinds++] = kind;
	else
		d->unproven = true;
}

static bool
proved(const SyncWalk *w)
{
	bool		ok = !w->dense->unproven && w->s->min_cut >= w->s->max_page;

	for (uint32_t i = 0; i < w->seen.n && ok; i++)
		ok = w->seen.item[i].proved;
	return ok;
}

static void
finish(SyncWalk *w)
{
	int64_t		at = w->dense->at;
	bool		proven = proved(w);

	sync_dense_free(w);
	sync_seen_reset(&w->seen, INT64_MAX);
	w->last_size = 0;
	if (!proven)
		sync_walk_hole(w, at, at, "dense_second");
	if (!w->active)
		return;
	if (proven)
		sync_walk_lower(w, at - 1);
	w->hi = at - 1;
	sync_walk_go_on(w);
}

static DenseList *
values(SyncDense *d, Level *l)
{
	return l->step == STEP_SEEN ? &d->shown : &l->list;
}

static bool
splits_by_seen(const SyncDense *d)
{
	return d->depth > 0 && d->level[d->depth - 1].step == STEP_SEEN;
}

static void
take(SyncReq *r, const NostrEvent *ev, bool valid)
{
	SyncWalk   *w = sync_walk_of(r);

	if (valid)
		dense_values_seen(&w->dense->shown, &w->s->filter, ev);
	sync_walk_take(w, ev, valid);
}

static void
ask(SyncWalk *w, SyncAsk *a, void (*end) (SyncReq *, SyncEnd))
{
	SyncDense  *d = w->dense;
	SyncAsk		second = sync_walk_ask(w, d->at, d->at, w->s->limit);

	if (!splits_by_seen(d) && !dense_list_seen(&d->shown))
	{
		sync_walk_give_up(w, "out_of_memory");
		return;
	}
	a->since = second.since;
	a->until = second.until;
	a->limit = second.limit;
	d->reqs++;
	w->seen.answer++;
	sync_walk_answer(w);
	sync_ask(&w->req, a, take, end);
}

/* The answer was whole. */
static bool
fitted(SyncWalk *w, SyncEnd how)
{
	if (how != SYNC_END_EOSE || sync_full(&w->req) || w->req.hint == NOSTR_HINT_MORE)
		return false;
	for (uint32_t i = 0; i < w->seen.n; i++)
		w->seen.item[i].proved |= w->seen.item[i].answer == w->seen.answer;
	return true;
}

/* --- what is too much even of one kind --- */

static void
ask_values(SyncWalk *w, void (*end) (SyncReq *, SyncEnd))
{
	SyncDense  *d = w->dense;
	SyncAsk		a = {.kinds = &d->kind[d->next_kind - 1],.nkinds = 1};
	uint8_t		authors[DENSE_AT_ONCE * 32];
	NostrFilterValue value[MAX_LEVELS][DENSE_AT_ONCE];
	SyncAskTag	tag[MAX_LEVELS];

	dense_list_take(values(d, &d->level[d->depth - 1]));
	for (int i = 0; i < d->depth; i++)
	{
		DenseList  *l = values(d, &d->level[i]);
		const DenseValue *v = l->value + l->next;
		uint32_t	n = i == d->depth - 1 ? l->asked : 1;

		for (uint32_t k = 0; k < n; k++)
		{
			value[i][k] = v[k].v;
			if (v->slot == DENSE_AUTHOR)
				memcpy(authors + 32 * k, v[k].v.data, 32);
		}
		if (v->slot == DENSE_AUTHOR)
		{
			a.authors = authors;
			a.nauthors = n;
		}
		else
			tag[a.ntags++] = (SyncAskTag) {v->slot, value[i], n};
	}
	a.tags = tag;
	ask(w, &a, end);
}

/* The values of that step; false: they would not split anything. */
static bool
begin_level(SyncWalk *w, Level *l)
{
	const NostrFilter *f = &w->s->filter;
	SyncDense  *d = w->dense;

	l->idle = 0;
	if (l->step < STEP_AUTHORS)
		return f->tags[l->step].given && f->tags[l->step].n > 1 &&
			dense_list_tag(&l->list, f, l->step);
	if (l->step == STEP_SEEN)
		return d->shown.n > 0;
	return (!f->authors.given || f->authors.n > 1) &&
		dense_list_authors(&l->list, f, &w->seen, d->kind[d->next_kind - 1]) && l->list.n > 0;
}

/* What was asked for last is to be split; false: by nothing that is known. */
static bool
descend(SyncWalk *w)
{
	SyncDense  *d = w->dense;
	int			step = d->depth > 0 ? d->level[d->depth - 1].step + 1 : 0;

	for (; step < NSTEPS && d->depth < MAX_LEVELS; step++)
	{
		Level	   *l = &d->level[d->depth];

		memset(l, 0, sizeof(*l));
		l->step = step;
		if (begin_level(w, l))
		{
			/* who was never seen is not listed */
			d->unproven |= step == STEP_SEEN || (step == STEP_AUTHORS && !w->s->filter.authors.given);
			d->depth++;
			return true;
		}
		dense_list_free(&l->list);
	}
	return false;
}

/* All its values are done, and with them the one above that was split. */
static void
ascend(SyncDense *d)
{
	dense_list_free(&d->level[--d->depth].list);
	if (d->depth > 0)
		d->level[d->depth - 1].list.next++;
}

static void
values_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);
	SyncDense  *d = w->dense;
	Level	   *level = &d->level[d->depth - 1];
	DenseList  *l = values(d, level);
	bool		whole = fitted(w, how);

	if (w->fresh > 0 || (whole && level->step != STEP_SEEN))
		level->idle = 0;
	else
		level->idle++;
	if (whole)
		l->next += l->asked;
	else if (l->asked > 1)
		l->at_once = l->asked / 2;
	else if (how == SYNC_END_REFUSED || !descend(w))
	{
		d->unproven = true;
		l->next++;
	}
	next(w);
}

/* --- by kind --- */

static void
kind_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);

	if (!fitted(w, how) && (how == SYNC_END_REFUSED || !descend(w)))
		w->dense->unproven = true;
	next(w);
}

static void
others_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);

	(void) how;
	for (uint32_t i = 0; i < w->seen.n; i++)
		add_kind(w->dense, w->seen.item[i].kind);
	next(w);
}

static void
ask_others(SyncWalk *w)
{
	SyncDense  *d = w->dense;
	uint16_t	cut[SYNC_MAX_CUT];
	uint32_t	n = sync_kind_cut(w->s, 0, cut);
	uint32_t	left = 0;
	SyncAsk		a = {.kinds = cut};

	for (uint32_t i = 0; i < n; i++)
	{
		bool		asked = false;

		for (uint32_t k = 0; k < d->nkinds && !asked; k++)
			asked = d->kind[k] == cut[i];
		if (!asked)
			cut[left++] = cut[i];
	}
	a.nkinds = left;
	if (left == 0)
		next(w);
	else
		ask(w, &a, others_end);
}

/* Does that relay look at such values at all? */
static bool
pointless(const Level *l)
{
	return l->idle >= (l->step == STEP_SEEN ? MAX_IDLE : MAX_IDLE_NAMED);
}

static void
next(SyncWalk *w)
{
	SyncDense  *d = w->dense;

	while (d->depth > 0)
	{
		Level	   *level = &d->level[d->depth - 1];
		DenseList  *l = values(d, level);

		if (l->next < l->n && !pointless(level))
			break;
		d->unproven |= l->next < l->n;
		ascend(d);
	}
	if (d->reqs >= (d->unproven ? MAX_REQS : MAX_PROOF_REQS) || w->seen.full)
	{
		d->unproven = true;
		finish(w);
	}
	else if (d->depth > 0)
		ask_values(w, values_end);
	else if (d->next_kind < d->nkinds)
	{
		SyncAsk		a = {.kinds = &d->kind[d->next_kind++],.nkinds = 1};

		ask(w, &a, kind_end);
	}
	else if (!d->others_asked && !w->s->filter.kinds.given)
	{
		d->others_asked = true;
		ask_others(w);
	}
	else
		finish(w);
}

void
sync_dense_start(SyncWalk *w)
{
	const NostrFilter *f = &w->s->filter;
	SyncDense  *d = calloc(1, sizeof(*d));

	if (d == NULL)
	{
		sync_walk_give_up(w, "out_of_memory");
		return;
	}
	sync_dense_free(w);
	w->dense = d;
	d->at = w->seen.at;
	/* kinds that are not listed cannot be asked for */
	d->unproven = !f->kinds.given;
	for (uint32_t i = 0; i < f->kinds.n; i++)
		add_kind(d, ((const uint16_t *) f->kinds.mem.data)[i]);
	for (uint32_t i = 0; i < w->seen.n; i++)
		add_kind(d, w->seen.item[i].kind);
	next(w);
}
