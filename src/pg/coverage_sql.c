/*
 * coverage_sql.c
 *
 * coverage_record and coverage_missing for SQL.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "pg/compat.h"
#include "pg/coverage.h"
#include "pg/srf.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

extern PGDLLEXPORT Datum bigbrotr_coverage_record(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_coverage_record);
extern PGDLLEXPORT Datum bigbrotr_coverage_missing(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_coverage_missing);

#define MISSING_MAX 100000
/* Views show the beginning and the end of a window as timestamps. */
#define LAST_SECOND (END_TIMESTAMP / USECS_PER_SEC + \
					 (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (int64) SECS_PER_DAY - 2)

/* Argument i, or "no bound" when it is null or beyond what a timestamp holds. */
static int64
until_arg(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) || PG_GETARG_INT64(i) > LAST_SECOND ? PG_INT64_MAX : PG_GETARG_INT64(i);
}

static char *
text_arg(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

Datum
bigbrotr_coverage_record(PG_FUNCTION_ARGS)
{
	const char *name = text_arg(fcinfo, 4);
	int			state = name == NULL ? -1 : coverage_state_by_name(name);

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) ||
		PG_GETARG_INT64(2) < 0 || PG_GETARG_INT64(2) > Min(until_arg(fcinfo, 3), LAST_SECOND))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a window of coverage has a relay, a filter, and a beginning that is neither negative nor after its end")));
	if (state < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized coverage state: \"%s\"", name ? name : "null"),
				 errhint("Valid states are \"open\", \"paged\" and \"complete\".")));
	coverage_record(PG_GETARG_INT32(0), coverage_filter_id(text_arg(fcinfo, 1)),
					PG_GETARG_INT64(2), until_arg(fcinfo, 3), state,
					text_arg(fcinfo, 5), text_arg(fcinfo, 6));
	PG_RETURN_VOID();
}

Datum
bigbrotr_coverage_missing(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsi = (ReturnSetInfo *) fcinfo->resultinfo;
	BbWindow   *windows;
	int			n;

	bb_srf_begin(fcinfo);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	n = coverage_missing(PG_GETARG_INT32(0), text_arg(fcinfo, 1), PG_GETARG_INT64(2),
						 until_arg(fcinfo, 3), MISSING_MAX, &windows);
	for (int i = 0; i < n; i++)
	{
		Datum		v[2] = {Int64GetDatum(windows[i].since), Int64GetDatum(windows[i].until)};
		bool		isnull[2] = {false, windows[i].until == PG_INT64_MAX};

		tuplestore_putvalues(rsi->setResult, rsi->setDesc, v, isnull);
	}
	return (Datum) 0;
}
