/*
 * fold_apply.c
 *
 * Counts the entries of a step into the tallies.
 *
 * Counters are changed by what came less what went.  Oldest and newest
 * times, newest events and the networks of an event cannot be subtracted:
 * after a removal they are looked up in the archive again.  That may see
 * what later rows of the queue bring; those rows then change nothing there,
 * so that all is exact when the queue is empty.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "nostr/kind.h"
#include "pg/archive_plan.h"
#include "pg/fold.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Which entries a list is made of. */
typedef enum Which
{
	EVENTS = 1,
	OBSERVATIONS = 2,
	ADDED = 4,
	REMOVED = 8,
	UNTOUCHED = 16				/* of keys of which nothing is removed in this step */
} Which;

/* A column of a list. */
typedef enum Field
{
	RELAY, AUTHOR, KIND, D, KEY, TIME, SIGN, ID
} Field;

typedef struct Lists
{
	const FoldStep *s;
	const FoldEntry **picked;
	int			n;
	int64	   *touched;		/* sorted keys with a removal */
	int			ntouched;
} Lists;

static int
key_cmp(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

static bool
touched(const Lists *l, int64 key)
{
	return l->ntouched > 0 && bsearch(&key, l->touched, l->ntouched, sizeof(int64), key_cmp) != NULL;
}

static bool
matches(const Lists *l, const FoldEntry *e, int which)
{
	return e->info != NULL &&
		(which & (e->relay_id == 0 ? EVENTS : OBSERVATIONS)) != 0 &&
		(which & (e->sign > 0 ? ADDED : REMOVED)) != 0 &&
		((which & UNTOUCHED) == 0 || !touched(l, e->key));
}

/* Picks entries; how many. */
static int
pick(Lists *l, int which)
{
	l->n = 0;
	for (int i = 0; i < l->s->n; i++)
		if (matches(l, &l->s->entries[i], which))
			l->picked[l->n++] = &l->s->entries[i];
	return l->n;
}

/* Does the entry have a place among the newest events?  Added ones need an
 * id: one that is gone again has none, and cannot be the newest. */
static bool
in_latest(const FoldEntry *e)
{
	int32		kind = e->info->kind;

	if (e->sign > 0 && e->info->id == NULL)
		return false;
	return nostr_kind_is_replaceable(kind) || (nostr_kind_is_addressable(kind) && e->info->d != NULL);
}

static int
pick_latest(Lists *l, int which)
{
	int			n = 0;

	(void) pick(l, which);
	for (int i = 0; i < l->n; i++)
		if (in_latest(l->picked[i]))
			l->picked[n++] = l->picked[i];
	return l->n = n;
}

static bytea *
empty_bytea(void)
{
	bytea	   *b = palloc(VARHDRSZ);

	SET_VARSIZE(b, VARHDRSZ);
	return b;
}

static Datum
field(const FoldEntry *e, Field f)
{
	switch (f)
	{
		case RELAY:
			return Int32GetDatum(e->relay_id);
		case AUTHOR:
			return Int32GetDatum(e->info->author);
		case KIND:
			return Int32GetDatum(e->info->kind);
		case D:
			return PointerGetDatum(nostr_kind_is_addressable(e->info->kind) ? e->info->d : empty_bytea());
		case KEY:
			return Int64GetDatum(e->key);
		case TIME:
			return Int64GetDatum(e->info->created_at);
		case SIGN:
			return Int32GetDatum(e->sign);
		case ID:
			return PointerGetDatum(e->info->id);
	}
	return (Datum) 0;
}

static Datum
column(const Lists *l, Field f)
{
	static const Oid types[] = {
		[RELAY] = INT4OID, [AUTHOR] = INT4OID, [KIND] = INT4OID, [D] = BYTEAOID,
		[KEY] = INT8OID, [TIME] = INT8OID, [SIGN] = INT4OID, [ID] = BYTEAOID
	};
	Datum	   *d = palloc_extended(sizeof(Datum) * Max(l->n, 1), MCXT_ALLOC_HUGE);
	Datum		array;

	for (int i = 0; i < l->n; i++)
		d[i] = field(l->picked[i], f);
	array = archive_array(d, NULL, l->n, types[f]);
	pfree(d);
	return array;
}

/* Runs a statement over columns of what is picked. */
static void
run_over(const Lists *l, FoldPlan plan, const Field *fields, int n)
{
	Datum		args[8];

	CHECK_FOR_INTERRUPTS();
	if (l->n == 0)
		return;
	for (int i = 0; i < n; i++)
		args[i] = column(l, fields[i]);
	fold_run(plan, args);
	for (int i = 0; i < n; i++)
		pfree(DatumGetPointer(args[i]));
}

#define RUN(l, plan, ...) \
	run_over(l, plan, (const Field[]) {__VA_ARGS__}, lengthof(((const Field[]) {__VA_ARGS__})))

static void
find_touched(Lists *l)
{
	if (!l->s->removals)
		return;
	l->touched = palloc_extended(sizeof(int64) * Max(l->s->n, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < l->s->n; i++)
		if (l->s->entries[i].sign < 0 && l->s->entries[i].info != NULL)
			l->touched[l->ntouched++] = l->s->entries[i].key;
	qsort(l->touched, l->ntouched, sizeof(int64), key_cmp);
}

static void
networks(Lists *l)
{
	Datum		args[3];

	(void) pick(l, EVENTS | ADDED | UNTOUCHED);
	args[2] = column(l, KEY);
	if (pick(l, OBSERVATIONS | ADDED | UNTOUCHED) == 0 && DatumGetArrayTypeP(args[2])->ndim == 0)
		return;
	args[0] = column(l, RELAY);
	args[1] = column(l, KEY);
	fold_run(FOLD_NETWORKS, args);
}

/* Keys of which something was removed, in slices that lie close together. */
static void
networks_again(Lists *l)
{
	Datum	   *keys = palloc_extended(sizeof(Datum) * Max(l->ntouched, 1), MCXT_ALLOC_HUGE);
	int			n = 0;
	int64		events = 0;
	Datum		args[3];

	for (int i = 0; i < l->s->n; i++)
		if (l->s->entries[i].info != NULL && l->s->entries[i].relay_id == 0 &&
			touched(l, l->s->entries[i].key))
			events += l->s->entries[i].sign;
	for (int i = 0; i < l->ntouched; i++)
		if (i == 0 || l->touched[i] != l->touched[i - 1])
			keys[n++] = Int64GetDatum(l->touched[i]);
	if (n == 0)
		return;
	args[0] = archive_array(keys, NULL, n, INT8OID);
	args[1] = Int64GetDatum(events);
	fold_run(FOLD_REMOVED_NETWORKS, args);
	for (int i = 0; i < n; i += FOLD_LOOKUP)
	{
		int			m = Min(FOLD_LOOKUP, n - i);

		CHECK_FOR_INTERRUPTS();
		args[0] = archive_array(keys + i, NULL, m, INT8OID);
		args[1] = keys[i];
		args[2] = keys[i + m - 1];
		fold_run(FOLD_REMOVED_NETWORKS_AGAIN, args);
	}
}

static void
removed_bounds(Lists *l)
{
	if (pick(l, EVENTS | REMOVED) > 0)
	{
		int64		lo = PG_INT64_MAX;
		int64		hi = PG_INT64_MIN;
		Datum		args[2];

		for (int i = 0; i < l->n; i++)
		{
			lo = Min(lo, l->picked[i]->info->created_at);
			hi = Max(hi, l->picked[i]->info->created_at);
		}
		RUN(l, FOLD_REMOVED_AUTHORS, AUTHOR, TIME);
		args[0] = Int64GetDatum(lo);
		args[1] = Int64GetDatum(hi);
		fold_run(FOLD_REMOVED_TOTAL, args);
	}
	if (pick(l, OBSERVATIONS | REMOVED) > 0)
	{
		RUN(l, FOLD_REMOVED_RELAY_AUTHORS, RELAY, AUTHOR, KIND, TIME);
		RUN(l, FOLD_REMOVED_RELAYS, RELAY, TIME);
	}
}

static void
clean(Lists *l)
{
	if (pick(l, EVENTS | REMOVED) > 0)
	{
		RUN(l, FOLD_CLEAN_AUTHOR_KIND, AUTHOR);
		RUN(l, FOLD_CLEAN_DAY_AUTHOR, AUTHOR, TIME);
		RUN(l, FOLD_CLEAN_DAY_KIND, TIME);
		RUN(l, FOLD_CLEAN_TIME, TIME);
		fold_run(FOLD_CLEAN_KIND, NULL);
		fold_run(FOLD_CLEAN_DAY, NULL);
	}
	if (pick(l, OBSERVATIONS | REMOVED) > 0)
	{
		RUN(l, FOLD_CLEAN_RELAY_AUTHOR, RELAY, AUTHOR);
		RUN(l, FOLD_CLEAN_RELAY_KIND, RELAY);
		RUN(l, FOLD_CLEAN_NETWORK_AUTHOR, AUTHOR);
		fold_run(FOLD_CLEAN_RELAY, NULL);
		fold_run(FOLD_CLEAN_NETWORK_KIND, NULL);
	}
}

void
fold_apply(FoldStep *s)
{
	Lists		l = {0};

	l.s = s;
	l.picked = palloc_extended(sizeof(FoldEntry *) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	find_touched(&l);

	(void) pick(&l, EVENTS | ADDED | REMOVED);
	RUN(&l, FOLD_EVENTS, AUTHOR, KIND, TIME, SIGN);
	RUN(&l, FOLD_DAYS, AUTHOR, KIND, TIME, SIGN);
	RUN(&l, FOLD_TIMES, TIME, SIGN);
	(void) pick(&l, OBSERVATIONS | ADDED | REMOVED);
	RUN(&l, FOLD_RELAYS, RELAY, AUTHOR, KIND, TIME, SIGN);
	networks(&l);
	(void) pick_latest(&l, EVENTS | ADDED);
	RUN(&l, FOLD_LATEST, AUTHOR, KIND, D, KEY, TIME, ID);
	if (!s->removals)
		return;

	networks_again(&l);
	removed_bounds(&l);
	(void) pick_latest(&l, EVENTS | REMOVED);
	RUN(&l, FOLD_REMOVED_LATEST, AUTHOR, KIND, D);
	RUN(&l, FOLD_LATEST_AGAIN, AUTHOR, KIND, D);
	clean(&l);
}
