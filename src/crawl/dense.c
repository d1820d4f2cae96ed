/*
 * dense.c
 *
 * A second that holds more events than the relay puts into a page cannot be
 * paged.  It is split: by kind, those seen in it one by one and all usual
 * ones together; a kind that is still too much by the authors seen in it.
 *
 * Proven complete is the second only if the filter names its kinds (or
 * authors) and every part fitted into less than a page: what was never seen
 * and is not listed cannot be asked for.  Otherwise it stays an open gap,
 * "dense_second", with what was got delivered.  Either way the walk goes on.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "sync_internal.h"
#include "walk.h"

#define MAX_REQS		64		/* for one second */
#define AUTHORS_AT_ONCE 32

struct SyncDense
{
	int64_t		at;				/* in the walk's time */
	uint16_t	kind[SYNC_MAX_CUT];
	uint32_t	nkinds;
	uint32_t	next_kind;
	bool		others_asked;
	bool		unproven;
	uint32_t	reqs;
	/* a kind that is split by author */
	uint8_t    *author;			/* 32 bytes each */
	uint32_t	nauthors;
	uint32_t	next_author;
	uint32_t	at_once;
	uint32_t	asked;			/* authors in the request under way */
};

static void next(SyncWalk *w);

void
sync_dense_free(SyncWalk *w)
{
	if (w->dense != NULL)
		free(w->dense->author);
	free(w->dense);
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

static void
finish(SyncWalk *w)
{
	int64_t		at = w->dense->at;
	bool		proven = !w->dense->unproven;

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

static void
take(SyncReq *r, const NostrEvent *ev, bool valid)
{
	sync_walk_take(sync_walk_of(r), ev, valid);
}

static void
ask(SyncWalk *w, SyncAsk *a, void (*end) (SyncReq *, SyncEnd))
{
	SyncAsk		second = sync_walk_ask(w, w->dense->at, w->dense->at, w->s->limit);

	a->since = second.since;
	a->until = second.until;
	a->limit = second.limit;
	w->dense->reqs++;
	sync_walk_answer(w);
	sync_ask(&w->req, a, take, end);
}

static bool
fitted(const SyncWalk *w, SyncEnd how)
{
	return how == SYNC_END_EOSE && !sync_full(&w->req) &&
		w->req.hint != NOSTR_HINT_MORE;
}

/* --- by author --- */

static void
authors_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);
	SyncDense  *d = w->dense;

	if (fitted(w, how))
		d->next_author += d->asked;
	else if (d->asked > 1)
		d->at_once = d->asked / 2;
	else
	{
		d->unproven = true;
		d->next_author++;
	}
	next(w);
}

/* The authors of that kind: the filter's, or those seen. */
static bool
start_authors(SyncWalk *w, uint16_t kind)
{
	SyncDense  *d = w->dense;
	const NostrFilterList *own = &w->s->filter.authors;

	d->nauthors = d->next_author = 0;
	d->at_once = AUTHORS_AT_ONCE;
	free(d->author);
	d->author = malloc(((size_t) (own->given ? own->n : w->seen.n) + 1) * 32);
	if (d->author == NULL)
		return false;
	if (own->given)
	{
		memcpy(d->author, own->mem.data, own->n * 32ul);
		d->nauthors = own->n;
		return true;
	}
	d->unproven = true;
	for (uint32_t i = 0; i < w->seen.n; i++)
	{
		bool		new = w->seen.item[i].kind == kind;

		for (uint32_t k = 0; k < d->nauthors && new; k++)
			new = memcmp(d->author + k * 32ul, w->seen.item[i].pubkey, 32) != 0;
		if (new)
			memcpy(d->author + 32ul * d->nauthors++, w->seen.item[i].pubkey, 32);
	}
	return true;
}

static void
ask_authors(SyncWalk *w)
{
	SyncDense  *d = w->dense;
	SyncAsk		a = {0};

	d->asked = d->nauthors - d->next_author;
	if (d->asked > d->at_once)
		d->asked = d->at_once;
	a.kinds = &d->kind[d->next_kind - 1];
	a.nkinds = 1;
	a.authors = d->author + 32ul * d->next_author;
	a.nauthors = d->asked;
	ask(w, &a, authors_end);
}

/* --- by kind --- */

static void
kind_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);
	SyncDense  *d = w->dense;
	uint16_t	kind = d->kind[d->next_kind - 1];

	if (!fitted(w, how) &&
		(how == SYNC_END_REFUSED || !start_authors(w, kind)))
		d->unproven = true;
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

static void
next(SyncWalk *w)
{
	SyncDense  *d = w->dense;

	if (d->reqs >= MAX_REQS || w->seen.full)
	{
		d->unproven = true;
		finish(w);
	}
	else if (d->next_author < d->nauthors)
		ask_authors(w);
	else if (d->next_kind < d->nkinds)
	{
		SyncAsk		a = {.kinds = &d->kind[d->next_kind++],.nkinds = 1};

		d->nauthors = d->next_author = 0;
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
