/*
 * fold_tally.c
 *
 * Sums by key in memory, and adding them to the tallies.
 *
 * Guarantees that each row of a tally is written once for all that a step
 * changes in it: by one UPDATE that finds rows by their key, in the order of
 * the key, and one INSERT of those that it did not find.  That is half the
 * cost of INSERT ... ON CONFLICT, which locks a row before it changes it; and
 * it is safe because only one process at a time folds.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "pg/archive_plan.h"
#include "pg/fold_plan.h"
#include "pg/fold_tally.h"
#include "pg/grow.h"

#define KEY_MAX 3
#define FIELDS (SUM_HI + 1)

typedef struct TallyDef
{
	const char *table;
	const char *key[KEY_MAX];
	const char *counters[3];	/* n, x, y */
	bool		times;			/* it has first_at and last_at */
	bool		network;		/* and a network in its key */
} TallyDef;

static const TallyDef defs[TALLY_N] = {
	/* its rows are made by fold_author.c */
	[TALLY_AUTHOR] = {"tally_author", {"id"}, {"events", "kinds", "days"}, true, false},
	[TALLY_AUTHOR_KIND] = {"tally_author_kind", {"author_id", "kind"}, {"events"}, false, false},
	[TALLY_KIND] = {"tally_kind", {"kind"}, {"events", "authors"}, false, false},
	[TALLY_DAY] = {"tally_day", {"day"}, {"events", "authors", "kinds"}, false, false},
	[TALLY_DAY_AUTHOR] = {"tally_day_author", {"day", "author_id"}, {"events"}, false, false},
	[TALLY_DAY_KIND] = {"tally_day_kind", {"day", "kind"}, {"events"}, false, false},
	[TALLY_TIME] = {"tally_time", {"slot"}, {"events"}, false, false},
	[TALLY_RELAY] = {"tally_relay", {"relay_id"}, {"events", "authors", "kinds"}, true, false},
	[TALLY_RELAY_KIND] = {"tally_relay_kind", {"relay_id", "kind"}, {"events", "authors"}, false, false},
	[TALLY_RELAY_AUTHOR] = {"tally_relay_author", {"relay_id", "author_id", "kind"}, {"events"}, true, false},
	[TALLY_NETWORK_AUTHOR] = {"tally_network_author", {"author_id"}, {"relays"}, false, true},
	[TALLY_NETWORK_KIND] = {"tally_network_kind", {"kind"}, {"relays"}, false, true},
};

static const char *const names[FIELDS] = {"a", "b", "c", "n", "x", "y", "lo", "hi"};

typedef struct SumSlot
{
	int32		at;				/* in FoldSums.v */
	uint32		hash;
	char		status;
} SumSlot;

/* The key of a slot is that of the sum it stands for. */
#define SH_PREFIX foldsums
#define SH_ELEMENT_TYPE SumSlot
#define SH_KEY_TYPE int32
#define SH_KEY at
#define SH_HASH_KEY(tb, key) sum_hash(&((FoldSums *) (tb)->private_data)->v[key])
#define SH_EQUAL(tb, p, q) sum_cmp(&((FoldSums *) (tb)->private_data)->v[p], &((FoldSums *) (tb)->private_data)->v[q]) == 0
#define SH_STORE_HASH
#define SH_GET_HASH(tb, e) (e)->hash
#define SH_SCOPE static inline
#define SH_DECLARE

static inline int
sum_cmp(const void *p, const void *q)
{
	const FoldSum *x = p;
	const FoldSum *y = q;

	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	if (x->b != y->b)
		return x->b < y->b ? -1 : 1;
	return x->c == y->c ? 0 : x->c < y->c ? -1 : 1;
}

static inline uint32
sum_hash(const FoldSum *s)
{
	uint64		h = (uint64) s->a * UINT64CONST(0x9E3779B97F4A7C15);

	h ^= (uint64) (uint32) s->b << 32 | (uint32) s->c;
	h = (h ^ (h >> 29)) * UINT64CONST(0xBF58476D1CE4E5B9);
	return (uint32) (h >> 32);
}

#define SH_DEFINE
#include "lib/simplehash.h"

FoldSum *
fold_sum(FoldSums *s, int64 a, int32 b, int32 c)
{
	SumSlot    *slot;
	FoldSum    *v;
	bool		found;

	if (s->index == NULL)
		s->index = foldsums_create(CurrentMemoryContext, 1024, s);
	BB_GROW(s->v, s->n, s->max);
	v = &s->v[s->n];
	v->a = a;
	v->b = b;
	v->c = c;
	slot = foldsums_insert(s->index, s->n, &found);
	if (found)
		return &s->v[slot->at];
	v->n = v->x = v->y = 0;
	v->lo = PG_INT64_MAX;
	v->hi = PG_INT64_MIN;
	v->turn = 0;
	s->n++;
	return v;
}

FoldSum *
fold_sum_up(FoldSums *s, int64 a, int32 b, int32 c, const FoldSum *of)
{
	FoldSum    *v = fold_sum(s, a, b, c);

	v->n += of->n;
	v->lo = Min(v->lo, of->lo);
	v->hi = Max(v->hi, of->hi);
	return v;
}

static void
drop_index(FoldSums *s)
{
	if (s->index != NULL)
		foldsums_destroy(s->index);
	s->index = NULL;
}

void
fold_sums_free(FoldSums *s)
{
	drop_index(s);
	if (s->v != NULL)
		pfree(s->v);
	memset(s, 0, sizeof(*s));
}

static int64
field(const FoldSum *v, FoldField f)
{
	switch (f)
	{
		case SUM_A:
			return v->a;
		case SUM_B:
			return v->b;
		case SUM_C:
			return v->c;
		case SUM_N:
			return v->n;
		case SUM_X:
			return v->x;
		case SUM_Y:
			return v->y;
		case SUM_LO:
			return v->lo;
		case SUM_HI:
			return v->hi;
	}
	return 0;
}

Datum
fold_column(const FoldSums *s, FoldField f)
{
	Datum	   *d = palloc_extended(sizeof(Datum) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	bool	   *nulls = NULL;
	Datum		array;

	if (f == SUM_LO || f == SUM_HI)
		nulls = palloc(Max(s->n, 1));
	for (int i = 0; i < s->n; i++)
	{
		d[i] = Int64GetDatum(field(&s->v[i], f));
		if (nulls != NULL)
			nulls[i] = s->v[i].lo > s->v[i].hi;
	}
	array = archive_array(d, nulls, s->n, INT8OID);
	pfree(d);
	if (nulls != NULL)
		pfree(nulls);
	return array;
}

/* The fields that a tally has; how many. */
static int
fields_of(const TallyDef *t, FoldField *f)
{
	int			n = 0;

	for (int i = 0; i < KEY_MAX && t->key[i] != NULL; i++)
		f[n++] = SUM_A + i;
	for (int i = 0; i < 3 && t->counters[i] != NULL; i++)
		f[n++] = SUM_N + i;
	if (t->times)
	{
		f[n++] = SUM_LO;
		f[n++] = SUM_HI;
	}
	return n;
}

/* FROM unnest($1, ...) WITH ORDINALITY AS u (...) */
static void
append_source(StringInfo q, const FoldField *f, int n)
{
	appendStringInfoString(q, " FROM unnest(");
	for (int i = 0; i < n; i++)
		appendStringInfo(q, "%s$%d", i == 0 ? "" : ", ", i + 1);
	appendStringInfoString(q, ") WITH ORDINALITY AS u (");
	for (int i = 0; i < n; i++)
		appendStringInfo(q, "%s, ", names[f[i]]);
	appendStringInfoString(q, "o)");
}

static char *
update_text(const TallyDef *t, const FoldField *f, int n)
{
	StringInfoData q;

	initStringInfo(&q);
	appendStringInfo(&q, "UPDATE bigbrotr.%s AS t SET ", t->table);
	for (int i = 0; i < 3 && t->counters[i] != NULL; i++)
		appendStringInfo(&q, "%s%s = t.%s + u.%s", i == 0 ? "" : ", ", t->counters[i], t->counters[i],
						 names[SUM_N + i]);
	if (t->times)
		appendStringInfoString(&q, ", first_at = least(t.first_at, u.lo), last_at = greatest(t.last_at, u.hi)");
	append_source(&q, f, n);
	for (int i = 0; i < KEY_MAX && t->key[i] != NULL; i++)
		appendStringInfo(&q, "%st.%s = u.%s", i == 0 ? " WHERE " : " AND ", t->key[i], names[i]);
	if (t->network)
		appendStringInfo(&q, " AND t.network = $%d", n + 1);
	appendStringInfo(&q, " RETURNING u.o, t.%s::bigint", t->counters[0]);
	return q.data;
}

static char *
insert_text(const TallyDef *t, const FoldField *f, int n)
{
	StringInfoData q;

	initStringInfo(&q);
	appendStringInfo(&q, "INSERT INTO bigbrotr.%s AS t (", t->table);
	for (int i = 0; i < KEY_MAX && t->key[i] != NULL; i++)
		appendStringInfo(&q, "%s%s", i == 0 ? "" : ", ", t->key[i]);
	for (int i = 0; i < 3 && t->counters[i] != NULL; i++)
		appendStringInfo(&q, ", %s", t->counters[i]);
	appendStringInfo(&q, "%s%s) SELECT ", t->times ? ", first_at, last_at" : "", t->network ? ", network" : "");
	for (int i = 0; i < n; i++)
		appendStringInfo(&q, "%su.%s", i == 0 ? "" : ", ", names[f[i]]);
	if (t->network)
		appendStringInfo(&q, ", $%d", n + 1);
	append_source(&q, f, n);
	return q.data;
}

/* One of the two statements over all sums. */
static void
run(SPIPlanPtr *plan, const TallyDef *t, const char *network, const FoldSums *s, bool update)
{
	FoldField	f[FIELDS];
	Oid			types[FIELDS + 1];
	Datum		args[FIELDS + 1];
	char	   *sql = NULL;
	int			n = fields_of(t, f);

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < n; i++)
	{
		types[i] = INT8ARRAYOID;
		args[i] = fold_column(s, f[i]);
	}
	if (t->network)
	{
		types[n] = TEXTOID;
		args[n] = CStringGetTextDatum(network);
	}
	if (*plan == NULL)
		sql = update ? update_text(t, f, n) : insert_text(t, f, n);
	fold_run_by_key(plan, sql, n + t->network, types, args,
					update ? SPI_OK_UPDATE_RETURNING : SPI_OK_INSERT);
	for (int i = 0; i < n; i++)
		pfree(DatumGetPointer(args[i]));
}

void
fold_add(FoldTally tally, const char *network, FoldSums *s)
{
	static SPIPlanPtr updates[TALLY_N];
	static SPIPlanPtr inserts[TALLY_N];
	const TallyDef *t = &defs[tally];
	FoldSums	missing = {0};

	drop_index(s);
	if (s->n == 0)
		return;
	qsort(s->v, s->n, sizeof(FoldSum), sum_cmp);
	for (int i = 0; i < s->n; i++)
		s->v[i].at = 0;
	run(&updates[tally], t, network, s, true);
	for (uint64 r = 0; r < SPI_processed; r++)
	{
		FoldSum    *v = &s->v[fold_int8(r, 1) - 1];
		int64		now = fold_int8(r, 2);

		v->turn = (now > 0) - (now - v->n > 0);
		v->at = 1;
	}
	SPI_freetuptable(SPI_tuptable);

	missing.v = palloc_extended(sizeof(FoldSum) * s->n, MCXT_ALLOC_HUGE);
	for (int i = 0; i < s->n; i++)
		if (s->v[i].at == 0)
		{
			s->v[i].turn = s->v[i].n > 0;
			missing.v[missing.n++] = s->v[i];
		}
	if (missing.n > 0)
		run(&inserts[tally], t, network, &missing, false);
	pfree(missing.v);
}
