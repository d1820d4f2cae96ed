/*
 * query_plan.c
 *
 * Answers one filter: chooses access paths through event, divides time into
 * windows, newest first, and stops when the limit is full.
 *
 * Guarantees the same answer whichever path is taken; that no answer is final
 * before every row of its second was seen; that the work is about
 * proportional to the answer.  The density of matches is not estimated from
 * statistics but observed: a short ordered scan comes first.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/namespace.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "pg/grow.h"
#include "pg/query.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "access/table.h"

#define PROBE			256		/* rows that are looked at first */
#define CHEAP_ROWS		2000	/* rather looked at than looked for */
#define NEAR_ROWS		8192	/* keys that are intersected at once */
#define NEAR_PER_ROW	20		/* keys are intersected in the time in which a row is read */
#define BATCH			1000	/* candidates between checks of other events */
/* the same where contents are compared, which takes tens of microseconds each */
#define SEARCH_PROBE	64
#define SEARCH_CHEAP	250
#define SEARCH_ROWS		2000	/* rather compared than all that has the words */

typedef struct Engine
{
	const BbQuery *q;
	const NostrFilter *f;
	int			at;
	int64		limit;			/* INT64_MAX when counting */
	int64		lo;				/* seconds */
	int64		hi;				/* what is above was seen; below lo: done */
	BbScan		scan;
	BbHit	   *hits;
	int64		n;
	int64		cap;
	int64		count;			/* when counting */
	int64		found;			/* matches, before what others say about them */
	int64		most;			/* that there can be */
	bool		counting;
	int64		seen;			/* rows of the last walk */
	int64		top;			/* newest second with a row, as far as is known */
	int64	   *bound;			/* lower bounds of the partitions, seconds, ascending */
	int			nbounds;
} Engine;

/* --- what was found -------------------------------------------------------- */

/* Hits that nothing unseen can come before. */
static int64
final_hits(const Engine *e)
{
	int64		n = 0;

	for (int64 i = 0; i < e->n; i++)
		if (bb_clamp_second(e->hits[i].created_at) > e->hi)
			n++;
	return n;
}

static void
add_hit(Engine *e, const BbHit *h)
{
	BB_GROW(e->hits, e->n, e->cap);
	e->hits[e->n++] = *h;
}

/* BbCandidate begins with its hit. */
StaticAssertDecl(offsetof(BbCandidate, hit) == 0, "candidates sort as hits");

/*
 * What a relay would serve: the newest first, until "need" are found.  What
 * comes behind those is not looked up; how many were is returned.
 */
static int64
serve(Engine *e, int64 need)
{
	BbScan	   *s = &e->scan;
	int64		at = 0;

	qsort(s->c, s->n, sizeof(BbCandidate), bb_hit_cmp);
	while (at < s->n && need > 0)
	{
		int64		m = Min(s->n - at, need + need / 4 + 16);

		bb_relay_check(e->q, s->c + at, m);
		for (int64 i = at; i < at + m; i++)
			need -= !s->c[i].gone;
		at += m;
	}
	return at;
}

/* Takes over what a scan found below e->hi. */
static void
take(Engine *e)
{
	BbScan	   *s = &e->scan;
	int64		n = s->n;

	e->found += s->matched;
	if (e->q->relay && e->counting)
		bb_relay_check(e->q, s->c, s->n);
	else if (e->q->relay)
		n = serve(e, e->limit - final_hits(e));
	else if (e->counting)
		e->count += s->matched;
	for (int64 i = 0; i < n; i++)
	{
		if (s->c[i].gone)
			continue;
		if (e->counting)
			e->count++;
		else
			add_hit(e, &s->c[i].hit);
	}
	/* what is beyond the limit is not needed, whatever comes */
	if (!e->counting && e->n > e->limit + 4096)
	{
		qsort(e->hits, e->n, sizeof(BbHit), bb_hit_cmp);
		e->n = e->limit;
	}
}

static bool
done(const Engine *e)
{
	return e->hi < e->lo || e->found >= e->most || (!e->counting && final_hits(e) >= e->limit);
}

/* Scans [lo, e->hi]; what was seen is above e->hi then.  Returns whether it
 * stopped before the end: a way without order that stops has seen nothing. */
static bool
scan(Engine *e, const BbRoute *r, int64 lo, int64 budget)
{
	BbScan	   *s = &e->scan;

	bb_scan_reset(s);
	s->ordered = bb_drive_ordered(r->way);
	s->grain = bb_drive_grain(r->way);
	s->searched = r->way == BB_DRIVE_SEARCH;
	s->budget = budget;
	s->want = e->counting ? (e->q->relay ? BATCH : 0) : Min(Max(e->limit - e->n, 1), BATCH);
	bb_drive(r->way, lo, e->hi, r->a, r->b, &s->pub);
	if (s->stopped && !s->ordered)
		return true;
	take(e);
	e->hi = (s->stopped ? s->second : lo) - 1;
	return s->stopped;
}

/* --- windows ---------------------------------------------------------------- */

static void
read_bounds(Engine *e)
{
	Oid			relid = get_relname_relid("event", get_namespace_oid("bigbrotr", false));
	Relation	rel = table_open(relid, AccessShareLock);
	PartitionDesc desc = rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ?
		RelationGetPartitionDesc(rel, true) : NULL;

	if (desc != NULL && desc->nparts > 0 && desc->boundinfo->strategy == PARTITION_STRATEGY_RANGE)
	{
		PartitionBoundInfo b = desc->boundinfo;

		e->bound = palloc(sizeof(int64) * b->ndatums);
		for (int i = 0; i < b->ndatums; i++)
			if (b->kind[i][0] == PARTITION_RANGE_DATUM_VALUE)
				e->bound[e->nbounds++] = DatumGetInt64(b->datums[i][0]) >> NOSTR_KEY_ID_BITS;
	}
	table_close(rel, AccessShareLock);
}

/* Lower bound of the n partitions that end with the one e->hi is in; those of
 * the future, mostly empty, count as one. */
static int64
partitions_down(const Engine *e, int n)
{
	int64		top = Min(e->hi, e->q->now);
	int			i = e->nbounds;

	while (i > 0 && e->bound[i - 1] > top)
		i--;
	i -= n;
	return i < 0 ? e->lo : Max(e->lo, e->bound[i]);
}

/* An ordered way, down to the end or until enough was seen. */
static void
walk(Engine *e, BbRoute r, int64 budget)
{
	int			width = 1;

	e->seen = 0;
	while (!done(e))
	{
		bool		stopped = scan(e, &r, partitions_down(e, width),
								   budget == 0 ? 0 : Max(budget - e->seen, 1));

		if (e->seen == 0 && e->scan.examined > 0)
			e->top = Min(e->top, e->scan.newest);
		e->seen += e->scan.examined;
		if (budget > 0 && e->seen >= budget)
			break;
		if (!stopped)
			width *= 2;
	}
}

/* A way that knows no order but finds partitions at once. */
static void
sweep(Engine *e, BbRoute r)
{
	for (int width = 1; !done(e); width *= 2)
		scan(e, &r, partitions_down(e, width), 0);
}

/*
 * A way that knows no order, within windows of time that are as long as the
 * matches so far let expect.
 */
static void
windows(Engine *e, BbRoute r)
{
	int64		length = Max(e->top - e->hi, 60);
	int64		found = e->n;

	while (!done(e))
	{
		double		need = Max(e->limit - e->n, 1) * 1.3;
		double		guess = found > 0 ? length / (double) found * need : PG_INT32_MAX;
		int64		before = Min(e->hi, e->q->now);
		int64		n = e->n;

		length = (int64) Max(Min(guess, length * 16.0), 60);
		scan(e, &r, Max(e->lo, before - length), 0);
		length = Max(before - e->hi, 60);
		found = e->n - n;
	}
}

/* --- the choice ------------------------------------------------------------- */

/* Down in time, as long as it seems that this is soon at its end. */
static void
look(Engine *e, BbRoute r, int64 probe, int64 cheap)
{
	walk(e, r, probe);
	if (!done(e) && (e->limit - e->n) * (double) e->seen / Max(e->n, 0.3) < cheap)
		walk(e, r, 3 * cheap);
}

/* Rows with the tag in the rest of the newest partition, if it goes on so. */
static double
tagged_below(const Engine *e, double rate)
{
	return (e->hi - partitions_down(e, 1)) / rate * Max(e->n, 0.3) / e->seen;
}

/*
 * A tag.  How frequent it is, few rows do not tell: what follows of them, in
 * time that suffices if it is as frequent as it seems, is asked for next, and
 * so on while that is not too many.
 */
static void
tagged(Engine *e, BbRoute ordered, BbRoute direct)
{
	BbRoute		near = direct;
	double		rate;			/* seconds for a row */
	double		rows;

	walk(e, ordered, PROBE);
	if (done(e))
		return;
	near.way = direct.way == BB_DRIVE_TAG ? BB_DRIVE_TAG_NEAR : BB_DRIVE_TAGS_NEAR;
	rate = Max(e->top - e->hi, 1) / (double) e->seen;
	for (bool first = true; !done(e); first = false)
	{
		rows = (e->limit - e->n) * 1.3 * e->seen / Max(e->n, 0.3);
		if (!first && rows > NEAR_ROWS && rows > NEAR_PER_ROW * tagged_below(e, rate))
			break;
		rows = Min(rows, NEAR_ROWS);
		scan(e, &near, Max(e->lo, e->hi - (int64) ceil(rows * rate)), 0);
		e->seen += rows;
	}
	sweep(e, direct);
}

/* Words, by their index or by what else is asked for: nobody knows before
 * which of the two finds less. */
static void
search(Engine *e, BbRoute ordered)
{
	BbRoute		words = {BB_DRIVE_SEARCH, TSQueryGetDatum(e->q->words[e->at]), (Datum) 0};
	BbRoute		direct;

	if (!e->counting)
		look(e, ordered, SEARCH_PROBE, SEARCH_CHEAP);
	if (done(e))
		return;
	if (ordered.way == BB_DRIVE_AUTHOR)
		direct = ordered;
	if ((ordered.way == BB_DRIVE_AUTHOR || bb_route_direct(e->f, &direct)) && !scan(e, &direct, e->lo, SEARCH_ROWS))
		return;
	sweep(e, words);
}

static void
answer(Engine *e)
{
	BbRoute		ordered;
	BbRoute		direct;

	if (e->f->ids.given)
	{
		e->most = e->f->ids.n;
		sweep(e, bb_route_ids(e->f));
		return;
	}
	ordered = bb_route_ordered(e->f);
	if (e->q->words[e->at] != NULL && e->q->search->indexed)
	{
		search(e, ordered);
		return;
	}
	if ((ordered.way == BB_DRIVE_AUTHOR && e->f->letters == 0) || !bb_route_direct(e->f, &direct))
	{
		walk(e, ordered, 0);
		return;
	}
	if (e->counting)
	{
		scan(e, &direct, e->lo, 0);
		return;
	}
	if (direct.way == BB_DRIVE_TAG || direct.way == BB_DRIVE_TAGS)
	{
		tagged(e, ordered, direct);
		return;
	}
	look(e, ordered, PROBE, CHEAP_ROWS);
	windows(e, direct);
}

/* --- from outside ------------------------------------------------------------ */

static void
engine_init(Engine *e, const BbQuery *q, int at)
{
	const NostrFilter *f = &q->f[at];

	memset(e, 0, sizeof(*e));
	e->q = q;
	e->f = f;
	e->at = at;
	e->lo = bb_clamp_second(f->since);
	/* a key may be in the second after its own */
	e->hi = Min(bb_clamp_second(f->until) + 1, NOSTR_KEY_MAX_TIME);
	e->top = e->hi;
	e->most = PG_INT64_MAX;
	bb_scan_init(&e->scan, q, at, AllocSetContextCreate(CurrentMemoryContext, "bigbrotr batch",
														ALLOCSET_DEFAULT_SIZES));
	read_bounds(e);
}

BbHit *
bb_query_hits(const BbQuery *q, int at, int64 *n)
{
	Engine		e;

	engine_init(&e, q, at);
	e.limit = e.f->limit < 0 ? q->max_limit : Min(e.f->limit, q->max_limit);
	e.cap = 256;
	e.hits = palloc(sizeof(BbHit) * e.cap);
	if (e.limit > 0 && !nostr_filter_never(e.f))
		answer(&e);
	qsort(e.hits, e.n, sizeof(BbHit), bb_hit_cmp);
	*n = Min(e.n, e.limit);
	return e.hits;
}

int64
bb_query_count(const BbQuery *q, int at)
{
	Engine		e;

	engine_init(&e, q, at);
	e.limit = PG_INT64_MAX;
	e.counting = e.scan.counting = true;
	if (!nostr_filter_never(e.f))
		answer(&e);
	return e.count;
}
