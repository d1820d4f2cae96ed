/*
 * analytics_sql.c
 *
 * refresh(), rebuild() and verify().
 *
 * All three hold the lock of the refresher's task until the transaction ends,
 * so that nobody counts at the same time; ingest is never held up.  Each can be
 * cancelled, and then has done nothing.  verify and rebuild see the archive and
 * the queue under one snapshot, so they are exact while others write.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "pg/analytics.h"
#include "pg/compat.h"
#include "pg/fold.h"
#include "pg/refresh.h"
#include "pg/srf.h"

extern PGDLLEXPORT Datum bigbrotr_refresh(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_refresh);
extern PGDLLEXPORT Datum bigbrotr_rebuild(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_rebuild);
extern PGDLLEXPORT Datum bigbrotr_verify(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_verify);

#define VERIFY_COLUMNS 6

/* The name of a view, or NULL for all. */
static const char *
view_argument(FunctionCallInfo fcinfo)
{
	char	   *name;

	if (PG_ARGISNULL(0))
		return NULL;
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	for (int i = 0; i < bb_view_count; i++)
		if (strcmp(bb_views[i].name, name) == 0)
			return bb_views[i].name;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("analytics view \"%s\" does not exist", name),
			 errhint("See bigbrotr.analytics_status for the available views.")));
}

static int64
last_queued(void)
{
	bool		isnull;
	Datum		d;

	if (SPI_execute("SELECT max(q.id) FROM bigbrotr.ingest_delta AS q", false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read bigbrotr.ingest_delta");
	d = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? 0 : DatumGetInt64(d);
}

/* Counts the queue up to a row. */
static int64
count_up_to(int64 last, int64 *done)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "bigbrotr refresh",
												  ALLOCSET_DEFAULT_SIZES);
	int64		taken = 0;
	bool		more = true;

	while (more && taken < last)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		int64		row;

		CHECK_FOR_INTERRUPTS();
		row = fold_some(done, &more);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
		if (row == 0)
			break;
		taken = row;
	}
	MemoryContextDelete(context);
	return taken;
}

/* The step of a task that is run by hand: all of it. */
static bool
refresh_all(int64 *done)
{
	SPI_connect();
	fold_begin();
	(void) count_up_to(last_queued(), done);
	fold_end();
	SPI_finish();
	return false;
}

Datum
bigbrotr_refresh(PG_FUNCTION_ARGS)
{
	const BbTask task = {BB_TASK_ANALYTICS, NULL, refresh_all, NULL};
	int64		done;

	(void) view_argument(fcinfo);
	(void) bb_task_step(&task, true, &done);
	PG_RETURN_INT64(done);
}

static bool
rebuild_all(int64 *done)
{
	bool		isnull;

	SPI_connect();
	fold_begin();
	for (int i = 0; bb_rebuild[i] != NULL; i++)
	{
		CHECK_FOR_INTERRUPTS();
		fold_run_text(bb_rebuild[i], bb_rebuild[i][0] == 'D' ? SPI_OK_DELETE : SPI_OK_INSERT);
	}
	fold_run_text("SELECT t.events FROM bigbrotr.tally_total AS t", SPI_OK_SELECT);
	*done = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	fold_end();
	SPI_finish();
	return false;
}

Datum
bigbrotr_rebuild(PG_FUNCTION_ARGS)
{
	const BbTask task = {BB_TASK_ANALYTICS, NULL, rebuild_all, NULL};
	int64		done;

	(void) view_argument(fcinfo);
	(void) bb_task_step(&task, true, &done);
	PG_RETURN_INT64(done);
}

/* One row of verify. */
static void
compare(const BbView *v, ReturnSetInfo *rsi)
{
	Datum		values[VERIFY_COLUMNS];
	bool		nulls[VERIFY_COLUMNS] = {false};
	char	   *sql;

	values[0] = CStringGetTextDatum(v->name);
	/* of rows that both have but differ, the columns; keys may be null */
	sql = psprintf("WITH shown AS MATERIALIZED (SELECT %s FROM bigbrotr.%s), "
				   "truth (%s) AS MATERIALIZED (%s), "
				   "missing AS MATERIALIZED (SELECT * FROM truth EXCEPT ALL SELECT * FROM shown), "
				   "surplus AS MATERIALIZED (SELECT * FROM shown EXCEPT ALL SELECT * FROM truth) "
				   "SELECT (SELECT count(*) FROM shown), (SELECT count(*) FROM missing), (SELECT count(*) FROM surplus), "
				   "(SELECT string_agg(DISTINCT c.key, ', ' ORDER BY c.key) "
				   "FROM (SELECT jsonb_build_array(%s) AS k, to_jsonb(missing) AS j FROM missing) AS m "
				   "JOIN (SELECT jsonb_build_array(%s) AS k, to_jsonb(surplus) AS j FROM surplus) AS s ON s.k = m.k, "
				   "LATERAL jsonb_each(m.j) AS c WHERE c.value IS DISTINCT FROM s.j -> c.key), "
				   "coalesce((SELECT 'missing ' || row_to_json(missing)::text FROM missing LIMIT 1), "
				   "(SELECT 'surplus ' || row_to_json(surplus)::text FROM surplus LIMIT 1))",
				   v->shown != NULL ? v->shown : v->columns, v->name, v->columns, v->truth, v->key, v->key);
	fold_run_text(sql, SPI_OK_SELECT);
	for (int i = 1; i < VERIFY_COLUMNS; i++)
		values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i, &nulls[i]);
	tuplestore_putvalues(rsi->setResult, rsi->setDesc, values, nulls);
	SPI_freetuptable(SPI_tuptable);
}

static ReturnSetInfo *verify_result;
static const char *verify_name;

static bool
verify_all(int64 *done)
{
	SPI_connect();
	fold_begin();
	(void) count_up_to(PG_INT64_MAX, done);
	for (int i = 0; i < bb_view_count; i++)
		if (verify_name == NULL || verify_name == bb_views[i].name)
			compare(&bb_views[i], verify_result);
	fold_end();
	SPI_finish();
	return false;
}

Datum
bigbrotr_verify(PG_FUNCTION_ARGS)
{
	const BbTask task = {BB_TASK_ANALYTICS, NULL, verify_all, NULL};
	int64		done;

	verify_name = view_argument(fcinfo);
	bb_srf_begin(fcinfo);
	verify_result = (ReturnSetInfo *) fcinfo->resultinfo;
	(void) bb_task_step(&task, true, &done);
	PG_RETURN_NULL();
}
