/*
 * ruling_find.c
 *
 * Looks codes up in bigbrotr.ruling: one index lookup each, newest entries
 * first.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "jit/jit.h"
#include "optimizer/cost.h"
#include "pg/archive_plan.h"
#include "pg/ruling.h"
#include "utils/memutils.h"

/* LIMIT NULL: all */
static const char find_sql[] =
	"SELECT a.i, x.key FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) "
	"WITH ORDINALITY AS a (code, lo, own, i), LATERAL ("
	"SELECT r.key FROM bigbrotr.ruling AS r WHERE r.code OPERATOR(pg_catalog.=) a.code "
	"AND r.key OPERATOR(pg_catalog.>=) a.lo AND r.key OPERATOR(pg_catalog.<>) a.own "
	"ORDER BY r.key DESC LIMIT $4) AS x";

static SPIPlanPtr plan;

static void
prepare(void)
{
	Oid			types[4] = {INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8OID};

	if (plan != NULL)
		return;
	plan = SPI_prepare_cursor(find_sql, 4, types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "could not prepare the look into ruling: %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
}

static void
run(Datum *args, const char *nulls)
{
	bool		seqscan = enable_seqscan;
	bool		bitmapscan = enable_bitmapscan;
	bool		jit = jit_enabled;
	int			rc = 0;

	PG_TRY();
	{
		/* for the planner, which knows nothing of how many codes there are */
		enable_seqscan = enable_bitmapscan = jit_enabled = false;
		rc = SPI_execute_plan(plan, args, nulls, true, 0);
	}
	PG_FINALLY();
	{
		enable_seqscan = seqscan;
		enable_bitmapscan = bitmapscan;
		jit_enabled = jit;
	}
	PG_END_TRY();
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "look into ruling: %s", SPI_result_code_string(rc));
}

int
bb_ruling_find(BbRulingAsk *ask, int64 n, int limit, Datum **key)
{
	Datum	   *column[3];
	Datum		args[4];
	int			found;

	for (int c = 0; c < 3; c++)
		column[c] = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * Max(n, 1));
	for (int64 i = 0; i < n; i++)
	{
		column[0][i] = Int64GetDatum(ask[i].code);
		column[1][i] = Int64GetDatum(ask[i].lo);
		column[2][i] = Int64GetDatum(ask[i].own);
		ask[i].found = 0;
	}
	for (int c = 0; c < 3; c++)
	{
		args[c] = archive_array(column[c], NULL, (int) n, INT8OID);
		pfree(column[c]);
	}
	args[3] = Int64GetDatum(limit);
	prepare();
	run(args, limit == 0 ? "   n" : "    ");
	found = (int) SPI_processed;
	*key = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * Max(found, 1));
	for (int r = 0; r < found; r++)
	{
		bool		isnull;

		ask[DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 1, &isnull)) - 1].found++;
		(*key)[r] = Int64GetDatum(DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 2, &isnull)));
	}
	SPI_freetuptable(SPI_tuptable);
	for (int c = 0; c < 3; c++)
		pfree(DatumGetPointer(args[c]));
	return found;
}
