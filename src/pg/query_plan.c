/*
 * query_plan.c
 *
 * Answers one filter: chooses the ways through event, cuts time into windows,
 * newest first, and stops when the limit is full.
 *
 * Guarantees the same answer whatever way is taken; that no answer is final
 * before every row of its second was seen; that the work is about
 * proportional to the answer.  How dense the matches are is not guessed from
 * statistics but looked at: a short ordered scan comes first.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "pg/archive_plan.h"
#include "pg/query.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "access/table.h"

#include "nostr/hex.h"
#include "nostr/tag_key.h"

#define PROBE			256		/* rows that are looked at first */
#define MANY_CODES		2000	/* more are not looked up one by one */
#define CHEAP_ROWS		2000	/* rather looked at than looked for */
#define BATCH			1000	/* candidates between checks of other events */

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

static void
take(Engine *e)
{
	BbScan	   *s = &e->scan;

	e->found += s->matched;
	if (e->q->relay)
		bb_relay_check(e->q, s->c, s->n);
	else if (e->counting)
		e->count += s->matched;
	for (int64 i = 0; i < s->n; i++)
	{
		if (s->c[i].gone)
			continue;
		if (e->counting)
		{
			e->count++;
			continue;
		}
		if (e->n == e->cap)
		{
			e->cap *= 2;
			e->hits = repalloc_huge(e->hits, sizeof(BbHit) * e->cap);
		}
		e->hits[e->n++] = s->c[i].hit;
	}
	/* what is beyond the limit is not needed, whatever comes */
	if (!e->counting && e->n > e->limit + 4096)
	{
		qsort(e->hits, e->n, sizeof(BbHit), bb_hit_cmp);
		e->n = e->limit;
	}
}

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

static bool
done(const Engine *e)
{
	return e->hi < e->lo || e->found >= e->most || (!e->counting && final_hits(e) >= e->limit);
}

/* Scans [lo, e->hi]; what was seen is above e->hi then.  Returns whether it
 * stopped before the end. */
static bool
scan(Engine *e, BbDrive way, int64 lo, Datum a, Datum b, int64 budget)
{
	BbScan	   *s = &e->scan;

	bb_scan_reset(s);
	s->ordered = bb_drive_ordered(way);
	s->grain = bb_drive_grain(way);
	s->budget = budget;
	s->want = e->counting ? (e->q->relay ? BATCH : 0) : Min(Max(e->limit - e->n, 1), BATCH);
	bb_drive(way, lo, e->hi, a, b, &s->pub);
	e->hi = (s->stopped ? s->second : lo) - 1;
	take(e);
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
walk(Engine *e, BbDrive way, Datum a, int64 budget)
{
	int			width = 1;

	e->seen = 0;
	while (!done(e))
	{
		bool		stopped = scan(e, way, partitions_down(e, width), a, (Datum) 0,
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
sweep(Engine *e, BbDrive way, Datum a, Datum b)
{
	for (int width = 1; !done(e); width *= 2)
		scan(e, way, partitions_down(e, width), a, b, 0);
}

/*
 * A way that knows no order, within windows of time that are as long as the
 * matches so far let expect.
 */
static void
windows(Engine *e, BbDrive way, Datum a)
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
		scan(e, way, Max(e->lo, before - length), a, (Datum) 0, 0);
		length = Max(before - e->hi, 60);
		found = e->n - n;
	}
}

/* --- what the ways need ----------------------------------------------------- */

static Datum
id_codes(const NostrFilter *f)
{
	int32	   *v = palloc(sizeof(int32) * Max(f->ids.n, 1));

	for (uint32 i = 0; i < f->ids.n; i++)
		v[i] = nostr_id_code(f->ids.mem.data + (size_t) i * 32);
	return bb_code_array(v, f->ids.n);
}

/* Codes of each author and kind, or of each author. */
static Datum
author_codes(const NostrFilter *f)
{
	int			nkinds = f->kinds.given ? f->kinds.n : 1;
	int32	   *v = palloc(sizeof(int32) * Max(f->authors.n * nkinds, 1));
	int			n = 0;

	for (uint32 i = 0; i < f->authors.n; i++)
		for (int k = 0; k < nkinds; k++)
			v[n++] = nostr_author_code(f->authors.mem.data + (size_t) i * 32,
									   f->kinds.given ? ((const uint16 *) f->kinds.mem.data)[k] : 0);
	return bb_code_array(v, n);
}

static Datum
kind_array(const NostrFilter *f)
{
	int32	   *v = palloc(sizeof(int32) * Max(f->kinds.n, 1));

	for (uint32 i = 0; i < f->kinds.n; i++)
		v[i] = ((const uint16 *) f->kinds.mem.data)[i];
	return bb_code_array(v, f->kinds.n);
}

static Datum
tag_texts(const NostrFilter *f, int slot)
{
	const NostrFilterList *l = &f->tags[slot];
	const NostrFilterValue *v = (const NostrFilterValue *) l->mem.data;
	Datum	   *d = palloc(sizeof(Datum) * Max(l->n, 1));

	for (uint32 i = 0; i < l->n; i++)
	{
		NostrTagElement el = {v[i].data, v[i].len, v[i].hex};
		size_t		len = nostr_tag_element_text_len(&el) + 2;
		text	   *t = palloc(VARHDRSZ + len);

		SET_VARSIZE(t, VARHDRSZ + len);
		VARDATA(t)[0] = slot < 26 ? 'A' + slot : 'a' + slot - 26;
		VARDATA(t)[1] = ':';
		nostr_tag_element_text(&el, VARDATA(t) + 2);
		d[i] = PointerGetDatum(t);
	}
	return archive_array(d, NULL, l->n, TEXTOID);
}

/* --- the choice ------------------------------------------------------------- */

/* Two letters whose values are probably rare: few values, and not those that
 * everybody shares. */
static int
rare_letters(const NostrFilter *f, int slots[2], bool *rare)
{
	int			n = 0;
	double		cost[2] = {0, 0};

	for (int i = 0; i < NOSTR_FILTER_LETTERS; i++)
	{
		static const char common[] = "tkKlLpP";
		double		c;

		if (!f->tags[i].given)
			continue;
		c = f->tags[i].n * (strchr(common, i < 26 ? 'A' + i : 'a' + i - 26) != NULL ? 100.0 : 1.0);
		if (n < 2)
		{
			cost[n] = c;
			slots[n++] = i;
		}
		else if (c < Max(cost[0], cost[1]))
		{
			int			w = cost[0] > cost[1] ? 0 : 1;

			cost[w] = c;
			slots[w] = i;
		}
	}
	*rare = n > 0 && Min(cost[0], n > 1 ? cost[1] : cost[0]) < 100;
	return n;
}

/* The way that finds the matches themselves, when there is one. */
static bool
direct_way(const NostrFilter *f, BbDrive *way, Datum *a, Datum *b)
{
	int64		codes = f->authors.given ? (int64) f->authors.n * (f->kinds.given ? f->kinds.n : 1) : 0;
	int			slots[2];
	bool		rare;
	int			letters = rare_letters(f, slots, &rare);

	*b = (Datum) 0;
	if (letters > 0 && (rare || codes == 0 || codes > MANY_CODES))
	{
		*way = letters == 1 ? BB_DRIVE_TAG : BB_DRIVE_TAGS;
		*a = tag_texts(f, slots[0]);
		if (letters > 1)
			*b = tag_texts(f, slots[1]);
	}
	else if (codes > 0 && codes <= MANY_CODES)
	{
		*way = f->kinds.given ? BB_DRIVE_CODES : BB_DRIVE_AUTHORS;
		*a = author_codes(f);
	}
	else if (f->kinds.given && f->kinds.n > 1)
	{
		*way = BB_DRIVE_KINDS;
		*a = kind_array(f);
	}
	else
		return false;
	return true;
}

/* The way that goes down in time and passes the fewest rows. */
static BbDrive
ordered_way(const NostrFilter *f, Datum *a)
{
	int32		kind = f->kinds.given && f->kinds.n == 1 ? *(const uint16 *) f->kinds.mem.data : -1;

	if (kind >= 0 && f->authors.given && f->authors.n == 1)
	{
		*a = Int32GetDatum(nostr_author_code(f->authors.mem.data, kind));
		return BB_DRIVE_AUTHOR;
	}
	*a = Int32GetDatum(kind);
	return kind >= 0 ? BB_DRIVE_KIND : BB_DRIVE_KEY;
}

static void
answer(Engine *e)
{
	const NostrFilter *f = e->f;
	BbDrive		way;
	BbDrive		direct;
	Datum		a;
	Datum		b;
	Datum		along;
	double		ahead;

	if (f->ids.given)
	{
		e->most = f->ids.n;
		sweep(e, BB_DRIVE_ID, id_codes(f), (Datum) 0);
		return;
	}
	way = ordered_way(f, &along);
	if ((way == BB_DRIVE_AUTHOR && f->letters == 0) || !direct_way(f, &direct, &a, &b))
	{
		walk(e, way, along, 0);
		return;
	}
	if (e->counting)
	{
		scan(e, direct, e->lo, a, b, 0);
		return;
	}
	/* how dense are the matches? */
	walk(e, way, along, PROBE);
	if (done(e))
		return;
	ahead = (e->limit - e->n) * (double) e->seen / Max(e->n, 0.3);
	if (ahead < CHEAP_ROWS)
		walk(e, way, along, 3 * CHEAP_ROWS);
	if (direct == BB_DRIVE_TAG || direct == BB_DRIVE_TAGS)
		sweep(e, direct, a, b);
	else
		windows(e, direct, a);
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
