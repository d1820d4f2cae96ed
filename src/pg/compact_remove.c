/*
 * compact_remove.c
 *
 * packed_delete: takes observations of some events out of the compact tier.
 *
 * Holds the lock of compact.h until commit, so that nothing of these events is
 * packed, or observed anew, in between.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "pg/compact.h"
#include "pg/grow.h"
#include "pg/key_list.h"
#include "pg/packed.h"
#include "pg/srf.h"

extern PGDLLEXPORT Datum bigbrotr_packed_delete(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_packed_delete);

#define MAX_KEYS 1000000

/* What is packed of these keys, sorted by event; relay_id 0: of any relay. */
static NostrObs *
find(Datum *keys, int n, int32 relay_id, int *found)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	BbPacked   *p = packed_begin(NOSTR_OBS_BY_EVENT, snapshot);
	int			cap = 1024;
	NostrObs   *o = palloc(sizeof(*o) * cap);

	*found = 0;
	n = bb_keys_distinct(keys, n);
	for (int i = 0; i < n; i++)
	{
		int64		key = DatumGetInt64(keys[i]);

		packed_seek(p, 0, key, key, false);
		while (packed_next(p, &o[*found]))
		{
			if (relay_id != 0 && o[*found].relay_id != relay_id)
				continue;
			++*found;
			BB_GROW(o, *found, cap);
		}
	}
	packed_end(p);
	UnregisterSnapshot(snapshot);
	return o;
}

Datum
bigbrotr_packed_delete(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsi = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum	   *keys;
	bool	   *nulls;
	int			n;
	NostrObs   *o;
	int			found;

	bb_srf_begin(fcinfo);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &keys, &nulls, &n);
	if (n > MAX_KEYS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot remove more than %d keys in one call", MAX_KEYS)));
	for (int i = 0; i < n; i++)
		if (nulls[i])
			keys[i] = Int64GetDatum(-1);
	compact_lock(true);
	if (n == 0 || packed_pages(NOSTR_OBS_BY_EVENT) == 0)
		return (Datum) 0;
	o = find(keys, n, PG_GETARG_INT32(1), &found);
	if (found > 0)
	{
		SPI_connect();
		compact_remove(o, found);
		SPI_finish();
	}
	for (int i = 0; i < found; i++)
	{
		Datum		values[2] = {Int64GetDatum(o[i].key), Int32GetDatum(o[i].relay_id)};
		bool		isnull[2] = {false, false};

		tuplestore_putvalues(rsi->setResult, rsi->setDesc, values, isnull);
	}
	return (Datum) 0;
}
