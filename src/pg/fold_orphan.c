/*
 * fold_orphan.c
 *
 * Observations of events that nobody knows.
 *
 * The event was removed while a transaction that knew it was still running.
 * Such an observation is set aside, and counted if the event returns.  It may
 * also be removed, by a row that knows no more: both find the same event, or
 * none.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "pg/archive_plan.h"
#include "pg/fold.h"

static int
lost_cmp(const void *a, const void *b)
{
	const FoldEntry *x = *(FoldEntry *const *) a;
	const FoldEntry *y = *(FoldEntry *const *) b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->relay_id != y->relay_id)
		return x->relay_id < y->relay_id ? -1 : 1;
	return x->row == y->row ? 0 : x->row < y->row ? -1 : 1;
}

/* Events that came (back): what was put aside of them counts. */
static void
adopt(FoldStep *s)
{
	Datum	   *keys;
	Datum		args[1];
	int			n = 0;

	fold_run(FOLD_ANY_ORPHAN, NULL);
	SPI_freetuptable(SPI_tuptable);
	if (SPI_processed == 0)
		return;
	keys = palloc_extended(sizeof(Datum) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < s->n; i++)
		if (s->entries[i].relay_id == 0 && s->entries[i].sign > 0 && s->entries[i].info != NULL)
			keys[n++] = Int64GetDatum(s->entries[i].key);
	if (n > 0)
	{
		args[0] = archive_array(keys, NULL, n, INT8OID);
		fold_run(FOLD_ORPHANS_ADOPT, args);
		for (uint64 r = 0; r < SPI_processed; r++)
		{
			bool		isnull;
			int64		key = fold_int8(r, 1);
			FoldInfo   *info = fold_info_find(s, key, 0);

			if (info != NULL)
				fold_entry(s, key, 0, DatumGetInt32(fold_value(r, 2, &isnull)), 1)->info = info;
		}
		SPI_freetuptable(SPI_tuptable);
	}
	pfree(keys);
}

/*
 * Observations without an event: put aside, or forgotten.  After adopt():
 * that nobody knows the event says that it does not come back in this step,
 * though it may have come and gone before the observation.
 */
static void
put_aside(FoldStep *s)
{
	Datum	   *keys = palloc_extended(sizeof(Datum) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	Datum	   *relays = palloc_extended(sizeof(Datum) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	FoldEntry **lost = palloc_extended(sizeof(FoldEntry *) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	Datum		args[2];
	int			nlost = 0;

	for (int i = 0; i < s->n; i++)
		if (s->entries[i].info == NULL && s->entries[i].relay_id != 0)
			lost[nlost++] = &s->entries[i];
	qsort(lost, nlost, sizeof(FoldEntry *), lost_cmp);
	for (int sign = -1; sign <= 1; sign += 2)
	{
		int			n = 0;

		/* what came last of one observation is what holds */
		for (int i = 0; i < nlost; i++)
		{
			if (lost[i]->sign != sign ||
				(i + 1 < nlost && lost[i + 1]->key == lost[i]->key &&
				 lost[i + 1]->relay_id == lost[i]->relay_id))
				continue;
			keys[n] = Int64GetDatum(lost[i]->key);
			relays[n++] = Int32GetDatum(lost[i]->relay_id);
		}
		if (n == 0)
			continue;
		args[0] = archive_array(keys, NULL, n, INT8OID);
		args[1] = archive_array(relays, NULL, n, INT4OID);
		fold_run(sign > 0 ? FOLD_ORPHANS_ADD : FOLD_ORPHANS_DROP, args);
	}
	pfree(lost);
	pfree(keys);
	pfree(relays);
}

void
fold_orphans(FoldStep *s)
{
	adopt(s);
	put_aside(s);
}
