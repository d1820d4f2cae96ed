/*
 * fold_info.c
 *
 * Finds out which events the entries of a step refer to.
 *
 * What was added is looked up in the archive.  If it has been removed in the
 * meantime, the row that removed it describes it; such a row always comes
 * later in the queue.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "pg/archive_plan.h"
#include "pg/fold.h"
#include "pg/grow.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

FoldInfo *
fold_info_add(FoldStep *s, int64 key, int64 until, bool gone, Datum pubkey, int32 kind, int64 created_at)
{
	const bytea *p = DatumGetByteaPP(pubkey);
	FoldInfo   *i;

	if (VARSIZE_ANY_EXHDR(p) != sizeof(i->pubkey))
		elog(ERROR, "the key of an author has %d bytes", (int) VARSIZE_ANY_EXHDR(p));
	BB_GROW(s->infos, s->ninfos, s->max_infos);
	i = &s->infos[s->ninfos++];
	memset(i, 0, sizeof(*i));
	i->key = key;
	i->until = until;
	i->gone = gone;
	i->kind = kind;
	i->created_at = created_at;
	memcpy(i->pubkey, VARDATA_ANY(p), sizeof(i->pubkey));
	return i;
}

static int
info_cmp(const void *a, const void *b)
{
	const FoldInfo *x = a;
	const FoldInfo *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->until == y->until ? 0 : x->until < y->until ? -1 : 1;
}

/* What the event of that key was at that row: as the row itself says, or as
 * the first that took it away afterwards, or as it is now. */
FoldInfo *
fold_info_find(const FoldStep *s, int64 key, int64 row)
{
	int			lo = 0;
	int			hi = s->ninfos;

	while (lo < hi)
	{
		int			mid = lo + (hi - lo) / 2;
		FoldInfo   *i = &s->infos[mid];

		if (i->key < key || (i->key == key && i->until < row))
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < s->ninfos && s->infos[lo].key == key; lo++)
		if (s->infos[lo].until == row || s->infos[lo].gone || s->infos[lo].until == FOLD_NOW)
			return &s->infos[lo];
	return NULL;
}

/* A key that is looked up; fresh: the step adds its event. */
typedef struct Wanted
{
	int64		key;
	bool		fresh;
} Wanted;

static int
wanted_cmp(const void *a, const void *b)
{
	const Wanted *x = a;
	const Wanted *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (int) y->fresh - (int) x->fresh;
}

/* What later rows of the queue have removed, of these keys. */
static void
removed_later(FoldStep *s, Datum *keys, int n)
{
	Datum		args[2];
	bool		isnull;

	args[0] = Int64GetDatum(s->taken);
	fold_run(FOLD_ANY_REMOVAL_LEFT, args);
	SPI_freetuptable(SPI_tuptable);
	if (SPI_processed == 0)
		return;
	args[1] = archive_array(keys, NULL, n, INT8OID);
	fold_run(FOLD_REMOVALS_LEFT, args);
	for (uint64 r = 0; r < SPI_processed; r++)
		(void) fold_info_add(s, fold_int8(r, 2), fold_int8(r, 1), true, fold_value(r, 3, &isnull),
							 DatumGetInt32(fold_value(r, 4, &isnull)), fold_int8(r, 5));
	SPI_freetuptable(SPI_tuptable);
}

/* keys are sorted: a slice of them lies in few partitions. */
static void
look_up(FoldStep *s, bool fresh, Datum *keys, int n)
{
	for (int i = 0; i < n; i += FOLD_LOOKUP)
	{
		int			m = Min(FOLD_LOOKUP, n - i);
		Datum		args[3];
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		args[0] = archive_array(keys + i, NULL, m, INT8OID);
		args[1] = keys[i];
		args[2] = keys[i + m - 1];
		fold_run(fresh ? FOLD_LOOKUP_FRESH : FOLD_LOOKUP_SEEN, args);
		for (uint64 r = 0; r < SPI_processed; r++)
		{
			FoldInfo   *info = fold_info_add(s, fold_int8(r, 1), FOLD_NOW, false, fold_value(r, 2, &isnull),
											 DatumGetInt32(fold_value(r, 3, &isnull)), fold_int8(r, 4));
			Datum		d;

			if (!fresh)
				continue;
			d = fold_value(r, 5, &isnull);
			info->id = isnull ? NULL : DatumGetByteaPCopy(d);
			d = fold_value(r, 6, &isnull);
			info->d = isnull ? NULL : DatumGetByteaPCopy(d);
		}
		SPI_freetuptable(SPI_tuptable);
		pfree(DatumGetPointer(args[0]));
	}
}

/* Keys of what was added or seen: each once, and once for all that is asked of it. */
static void
look_up_all(FoldStep *s)
{
	Wanted	   *w = palloc_extended(sizeof(Wanted) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	Datum	   *keys = palloc_extended(sizeof(Datum) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	int			n = 0;
	int			m = 0;

	for (int i = 0; i < s->n; i++)
		if (s->entries[i].sign > 0 || s->entries[i].relay_id != 0)
		{
			w[n].key = s->entries[i].key;
			w[n++].fresh = s->entries[i].relay_id == 0;
		}
	qsort(w, n, sizeof(Wanted), wanted_cmp);
	for (int i = 0; i < n; i++)
		if (m == 0 || w[m - 1].key != w[i].key)
			w[m++] = w[i];
	for (int i = 0; i < m; i++)
		keys[i] = Int64GetDatum(w[i].key);
	if (m > 0)
		removed_later(s, keys, m);
	for (int fresh = 0; fresh < 2; fresh++)
	{
		n = 0;
		for (int i = 0; i < m; i++)
			if (w[i].fresh == (fresh != 0))
				keys[n++] = Int64GetDatum(w[i].key);
		look_up(s, fresh != 0, keys, n);
	}
	pfree(w);
	pfree(keys);
}

void
fold_know(FoldStep *s)
{
	look_up_all(s);
	if (s->ninfos > 0)
		qsort(s->infos, s->ninfos, sizeof(FoldInfo), info_cmp);
	fold_authors(s);
	for (int i = 0; i < s->n; i++)
		s->entries[i].info = fold_info_find(s, s->entries[i].key, s->entries[i].row);
}
