/*
 * query.c
 *
 * bigbrotr.query and bigbrotr.count.
 *
 * Guarantees: several filters are OR-ed without duplicates; newest first, of
 * one second the lowest id first.  The rows themselves are read last, by key,
 * in pieces: memory is about the keys of the answer.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pg/archive_plan.h"
#include "pg/query.h"
#include "pg/srf.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#define PIECE 100				/* rows that are read at once */

extern PGDLLEXPORT Datum bigbrotr_query(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_query);
extern PGDLLEXPORT Datum bigbrotr_count(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_count);

/* Answers of all filters in order, each event once. */
static BbHit *
all_hits(const BbQuery *q, int64 *n)
{
	BbHit	   *all = NULL;
	int64		kept = 0;

	*n = 0;
	for (int i = 0; i < q->n; i++)
	{
		int64		m;
		BbHit	   *hits = bb_query_hits(q, i, &m);

		if (q->n == 1)
		{
			*n = m;
			return hits;
		}
		all = all == NULL ? MemoryContextAllocHuge(CurrentMemoryContext, sizeof(BbHit) * Max(m, 1)) :
			repalloc_huge(all, sizeof(BbHit) * Max(*n + m, 1));
		memcpy(all + *n, hits, sizeof(BbHit) * m);
		*n += m;
		pfree(hits);
	}
	if (*n == 0)
		return all;
	qsort(all, *n, sizeof(BbHit), bb_hit_cmp);
	for (int64 i = 1; i < *n; i++)
		if (all[i].key != all[kept].key)
			all[++kept] = all[i];
	*n = kept + 1;
	return all;
}

/* Rows h[0..n) into the result, in that order. */
static void
put_rows(ReturnSetInfo *rsi, const BbHit *h, int n)
{
	Datum		keys[PIECE];
	HeapTuple	row[PIECE] = {0};
	int64		lo = h[0].key;
	int64		hi = h[0].key;

	for (int i = 0; i < n; i++)
	{
		keys[i] = Int64GetDatum(h[i].key);
		lo = Min(lo, h[i].key);
		hi = Max(hi, h[i].key);
	}
	bb_drive(BB_DRIVE_ROWS, lo >> NOSTR_KEY_ID_BITS, hi >> NOSTR_KEY_ID_BITS,
			 archive_array(keys, NULL, n, INT8OID), (Datum) 0, NULL);
	for (uint64 r = 0; r < SPI_processed; r++)
	{
		bool		isnull;
		int64		key = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 1, &isnull));

		for (int i = 0; i < n; i++)
			if (h[i].key == key)
				row[i] = SPI_tuptable->vals[r];
	}
	for (int i = 0; i < n; i++)
		if (row[i] != NULL)
			tuplestore_puttuple(rsi->setResult, row[i]);
	SPI_freetuptable(SPI_tuptable);
}

static BbQuery *
arguments(FunctionCallInfo fcinfo, int max_limit_at, int relay_at)
{
	return bb_query_read(PG_GETARG_JSONB_P(0), PG_GETARG_TEXT_PP(1),
						 max_limit_at >= 0 ? PG_GETARG_INT32(max_limit_at) : BB_QUERY_MAX_LIMIT,
						 PG_ARGISNULL(relay_at) ? NULL : PG_GETARG_TEXT_PP(relay_at));
}

static void
not_null(FunctionCallInfo fcinfo, int n)
{
	for (int i = 0; i < n; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("filters, mode and max_limit must not be null")));
}

Datum
bigbrotr_query(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsi = (ReturnSetInfo *) fcinfo->resultinfo;
	BbQuery    *q;
	BbHit	   *h;
	int64		n;

	not_null(fcinfo, 3);
	bb_srf_begin(fcinfo);
	SPI_connect();
	q = arguments(fcinfo, 2, 3);
	h = all_hits(q, &n);
	for (int64 i = 0; i < n; i += PIECE)
	{
		CHECK_FOR_INTERRUPTS();
		put_rows(rsi, h + i, (int) Min(PIECE, n - i));
	}
	SPI_finish();
	return (Datum) 0;
}

Datum
bigbrotr_count(PG_FUNCTION_ARGS)
{
	BbQuery    *q;
	int64		n = 0;

	not_null(fcinfo, 2);
	SPI_connect();
	q = arguments(fcinfo, -1, 2);
	for (int i = 0; i < q->n; i++)
		n += bb_query_count(q, i);
	SPI_finish();
	PG_RETURN_INT64(n);
}
