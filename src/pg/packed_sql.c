/*
 * packed_sql.c
 *
 * packed_unpack: the items of one block, for checks and for the curious.
 * Must survive any bytea: what is not a block is an error.
 */
#include "pg/compat.h"

#include "funcapi.h"
#include "utils/tuplestore.h"

#include "pg/packed.h"
#include "pg/srf.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_packed_unpack(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_packed_unpack);

Datum
bigbrotr_packed_unpack(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsi = (ReturnSetInfo *) fcinfo->resultinfo;
	NostrObs   *items = NULL;
	int			cap = 0;
	int			n = packed_items(PG_GETARG_BYTEA_PP(2), PG_GETARG_INT64(0), PG_GETARG_INT32(1), &items, &cap);

	bb_srf_begin(fcinfo);
	for (int i = 0; i < n; i++)
	{
		Datum		values[3] = {Int64GetDatum(items[i].key), Int32GetDatum(items[i].relay_id),
		Int32GetDatum(items[i].seen_at)};
		bool		nulls[3] = {false, false, false};

		tuplestore_putvalues(rsi->setResult, rsi->setDesc, values, nulls);
	}
	return (Datum) 0;
}
