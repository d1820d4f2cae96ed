/*
 * fold_removed.c
 *
 * What cannot be subtracted: oldest and newest times, newest events, and the
 * networks of an event are looked up in the archive again after a removal.
 *
 * That may see what later rows of the queue bring; those rows then change
 * nothing there, so that all is exact when the queue is empty.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "pg/archive_plan.h"
#include "pg/fold.h"
#include "pg/key_list.h"

/* Which entries a list is made of. */
typedef enum Which
{
	EVENTS = 1,
	OBSERVATIONS = 2,
	ADDED = 4,
	REMOVED = 8
} Which;

/* A column of a list. */
typedef enum Field
{
	RELAY, AUTHOR, KIND, D, TIME
} Field;

typedef struct Lists
{
	const FoldStep *s;
	const FoldEntry **picked;
	int			n;
} Lists;

static bool
matches(const Lists *l, const FoldEntry *e, int which)
{
	return e->info != NULL &&
		(which & (e->relay_id == 0 ? EVENTS : OBSERVATIONS)) != 0 &&
		(which & (e->sign > 0 ? ADDED : REMOVED)) != 0;
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

static int
pick_latest(Lists *l, int which)
{
	int			n = 0;

	(void) pick(l, which);
	for (int i = 0; i < l->n; i++)
		if (fold_in_latest(l->picked[i]))
			l->picked[n++] = l->picked[i];
	return l->n = n;
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
			return PointerGetDatum(fold_latest_d(e));
		case TIME:
			return Int64GetDatum(e->info->created_at);
	}
	return (Datum) 0;
}

static Datum
column(const Lists *l, Field f)
{
	static const Oid types[] = {
		[RELAY] = INT4OID, [AUTHOR] = INT4OID, [KIND] = INT4OID, [D] = BYTEAOID,
		[TIME] = INT8OID
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

/* Sorted keys of which something is removed, each once; how many. */
static int
removed_keys(const FoldStep *s, Datum *keys)
{
	int			n = 0;

	for (int i = 0; i < s->n; i++)
		if (s->entries[i].sign < 0 && s->entries[i].info != NULL)
			keys[n++] = Int64GetDatum(s->entries[i].key);
	return bb_keys_distinct(keys, n);
}

void
fold_touch(FoldStep *s)
{
	Datum	   *keys;
	int			n;

	if (!s->removals)
		return;
	keys = palloc_extended(sizeof(Datum) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	n = removed_keys(s, keys);
	for (int i = 0; i < s->n; i++)
	{
		Datum		key = Int64GetDatum(s->entries[i].key);

		s->entries[i].touched = n > 0 && bsearch(&key, keys, n, sizeof(Datum), bb_key_cmp) != NULL;
	}
	pfree(keys);
}

/* In slices that lie close together. */
static void
networks_again(const FoldStep *s)
{
	Datum	   *keys = palloc_extended(sizeof(Datum) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	int			n = removed_keys(s, keys);
	int64		events = 0;
	Datum		args[3];

	for (int i = 0; i < s->n; i++)
		if (s->entries[i].touched && s->entries[i].info != NULL && s->entries[i].relay_id == 0)
			events += s->entries[i].sign;
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
	pfree(keys);
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
fold_removed(FoldStep *s)
{
	Lists		l = {0};

	l.s = s;
	l.picked = palloc_extended(sizeof(FoldEntry *) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	networks_again(s);
	removed_bounds(&l);
	(void) pick_latest(&l, EVENTS | REMOVED);
	RUN(&l, FOLD_REMOVED_LATEST, AUTHOR, KIND, D);
	RUN(&l, FOLD_LATEST_AGAIN, AUTHOR, KIND, D);
	clean(&l);
}
