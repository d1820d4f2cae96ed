/*
 * archive_set.c
 *
 * What the archive has observed of one relay in a window, newest first, a
 * bounded part at a time: the set that negentropy (NIP-77) reconciles.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nostr/event.h"
#include "pg/archive.h"
#include "pg/archive_plan.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* The keys of one second: the second is in the high bits (nostr_event_key). */
#define KEY_SHIFT	29
#define KEY_SECONDS INT64CONST(17179869184)

static int64
first_key(int64 second)
{
	return Min(Max(second, 0), KEY_SECONDS - 1) << KEY_SHIFT;
}

static Datum
get(uint64 row, int column)
{
	bool		isnull;

	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
}

int
archive_set(int32 relay_id, int64 since, int64 until, int64 below_key, BbHeld *out, int max,
			bool *last)
{
	Datum		args[4];
	Datum	   *keys;
	int			nkeys;
	int			n = 0;
	int64		above = first_key(until) + ((INT64CONST(1) << KEY_SHIFT) - 1);

	SPI_connect();
	args[0] = Int32GetDatum(relay_id);
	args[1] = Int64GetDatum(first_key(since));
	args[2] = Int64GetDatum(Min(above, below_key - 1));
	args[3] = Int64GetDatum(max);
	archive_plan_run(BB_PLAN_SET_KEYS, args, NULL);
	nkeys = (int) SPI_processed;
	*last = nkeys < max;
	if (nkeys > 0)
	{
		keys = palloc(sizeof(Datum) * nkeys);
		for (int i = 0; i < nkeys; i++)
			keys[i] = get(i, 1);
		args[0] = archive_array(keys, NULL, nkeys, INT8OID);
		args[1] = keys[nkeys - 1];
		args[2] = keys[0];
		SPI_freetuptable(SPI_tuptable);
		archive_plan_run(BB_PLAN_SET_EVENTS, args, NULL);
		for (uint64 i = 0; i < SPI_processed && n < max; i++)
		{
			bytea	   *id = DatumGetByteaPP(get(i, 3));

			out[n].key = DatumGetInt64(get(i, 1));
			out[n].created_at = DatumGetInt64(get(i, 2));
			memcpy(out[n].id, VARDATA_ANY(id), 32);
			/* times beyond what a key can hold share its last second */
			if (out[n].created_at >= since && out[n].created_at <= until)
				n++;
		}
	}
	SPI_finish();
	return n;
}
