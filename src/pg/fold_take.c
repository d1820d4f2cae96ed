/*
 * fold_take.c
 *
 * Takes rows from the queue and unpacks them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

#include "pg/fold.h"
#include "pg/grow.h"

FoldEntry *
fold_entry(FoldStep *s, int64 key, int64 row, int32 relay_id, int sign)
{
	FoldEntry  *e;

	BB_GROW(s->entries, s->n, s->max);
	e = &s->entries[s->n++];
	memset(e, 0, sizeof(*e));
	e->key = key;
	e->row = row;
	e->relay_id = relay_id;
	e->sign = sign;
	return e;
}

/* Elements of an array column of the queue; NULL counts as empty. */
static int
elements(uint64 row, int column, Oid type, Datum **d, bool **nulls)
{
	bool		isnull;
	Datum		v = fold_value(row, column, &isnull);
	int			n = 0;

	*d = NULL;
	if (nulls)
		*nulls = NULL;
	if (isnull)
		return 0;
	switch (type)
	{
		case INT8OID:
			deconstruct_array(DatumGetArrayTypeP(v), INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, d, nulls, &n);
			break;
		case INT4OID:
			deconstruct_array(DatumGetArrayTypeP(v), INT4OID, 4, true, TYPALIGN_INT, d, nulls, &n);
			break;
		case BOOLOID:
			deconstruct_array(DatumGetArrayTypeP(v), BOOLOID, 1, true, TYPALIGN_CHAR, d, nulls, &n);
			break;
		default:
			deconstruct_array(DatumGetArrayTypeP(v), BYTEAOID, -1, false, TYPALIGN_INT, d, nulls, &n);
	}
	return n;
}

/* Columns of FOLD_TAKE: id, removed, keys, seen_keys, seen_relays, gone,
 * pubkeys, kinds, created_ats, ds. */
static void
unpack_row(FoldStep *s, uint64 r)
{
	bool		isnull;
	int64		row = fold_int8(r, 1);
	bool		removed = DatumGetBool(fold_value(r, 2, &isnull));
	int32		sign = removed ? -1 : 1;
	Datum	   *keys,
			   *seen,
			   *relays,
			   *gone,
			   *pubkeys,
			   *kinds,
			   *times,
			   *ds;
	bool	   *no_d;
	int			n = elements(r, 3, INT8OID, &keys, NULL);
	int			m = elements(r, 4, INT8OID, &seen, NULL);

	if (elements(r, 5, INT4OID, &relays, NULL) != m)
		elog(ERROR, "row " INT64_FORMAT " of ingest_delta is damaged", row);
	if (removed &&
		(elements(r, 6, BOOLOID, &gone, NULL) != n ||
		 elements(r, 7, BYTEAOID, &pubkeys, NULL) != n ||
		 elements(r, 8, INT4OID, &kinds, NULL) != n ||
		 elements(r, 9, INT8OID, &times, NULL) != n ||
		 elements(r, 10, BYTEAOID, &ds, &no_d) != n))
		elog(ERROR, "row " INT64_FORMAT " of ingest_delta is damaged", row);
	s->removals |= removed;
	for (int i = 0; i < n; i++)
	{
		int64		key = DatumGetInt64(keys[i]);

		if (removed)
		{
			FoldInfo   *info = fold_info_add(s, key, row, DatumGetBool(gone[i]), pubkeys[i],
											 DatumGetInt32(kinds[i]), DatumGetInt64(times[i]));

			info->d = no_d != NULL && no_d[i] ? NULL : DatumGetByteaPCopy(ds[i]);
		}
		if (!removed || DatumGetBool(gone[i]))
			(void) fold_entry(s, key, row, 0, sign);
	}
	for (int i = 0; i < m; i++)
		(void) fold_entry(s, DatumGetInt64(seen[i]), row, DatumGetInt32(relays[i]), sign);
}

/* Which rows; false: none. */
static bool
peek(FoldStep *s)
{
	Datum		args[1] = {Int64GetDatum(FOLD_ROWS + 1)};
	int64		sum = 0;
	uint64		r;

	fold_run(FOLD_PEEK, args);
	for (r = 0; r < SPI_processed && r < FOLD_ROWS && (r == 0 || sum < FOLD_KEYS); r++)
	{
		s->taken = fold_int8(r, 1);
		sum += fold_int8(r, 2);
	}
	s->more = r < SPI_processed;
	SPI_freetuptable(SPI_tuptable);
	return s->taken != 0;
}

void
fold_take(FoldStep *s)
{
	Datum		args[1];

	if (!peek(s))
		return;
	args[0] = Int64GetDatum(s->taken);
	fold_run(FOLD_TAKE, args);
	for (uint64 r = 0; r < SPI_processed; r++)
		unpack_row(s, r);
	SPI_freetuptable(SPI_tuptable);
	fold_know(s);
	fold_orphans(s);
}
