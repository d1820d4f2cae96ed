/*
 * coverage.c
 *
 * Which windows of created_at were asked of a relay, and with what result.
 *
 * Guarantees that the intervals of one relay and filter never overlap, also
 * with several writers: the relay's row is locked first.
 */
#include "postgres.h"

#include "pg/archive.h"
#include "pg/archive_plan.h"
#include "utils/builtins.h"

static Datum
text_or_null(const char *s, char *null)
{
	if (s != NULL)
		return CStringGetTextDatum(s);
	*null = 'n';
	return (Datum) 0;
}

void
coverage_record(int32 relay_id, const char *filter, int64 since, int64 until,
				const char *state, const char *proof, const char *reason)
{
	Datum		args[7];
	char		nulls[8] = "       ";

	if (since > until)
		return;
	SPI_connect();
	args[0] = Int32GetDatum(relay_id);
	archive_plan_run(BB_PLAN_COVERAGE_LOCK, args, NULL);
	args[1] = CStringGetTextDatum(filter);
	args[2] = Int64GetDatum(since);
	args[3] = Int64GetDatum(until < PG_INT64_MAX ? until + 1 : 0);
	if (until == PG_INT64_MAX)
		nulls[3] = 'n';
	args[4] = CStringGetTextDatum(state);
	args[5] = text_or_null(proof, &nulls[5]);
	args[6] = text_or_null(reason, &nulls[6]);
	archive_plan_run(BB_PLAN_COVERAGE_RECORD, args, nulls);
	SPI_finish();
}

int
coverage_missing(int32 relay_id, const char *filter, int64 since, int max, BbWindow **out)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		args[4];
	int			n;

	SPI_connect();
	args[0] = Int32GetDatum(relay_id);
	args[1] = CStringGetTextDatum(filter);
	args[2] = Int64GetDatum(since);
	args[3] = Int64GetDatum(max);
	archive_plan_run(BB_PLAN_COVERAGE_MISSING, args, NULL);
	n = (int) SPI_processed;
	*out = MemoryContextAlloc(caller, sizeof(BbWindow) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		HeapTuple	t = SPI_tuptable->vals[i];
		bool		isnull;

		(*out)[i].since = DatumGetInt64(SPI_getbinval(t, SPI_tuptable->tupdesc, 1, &isnull));
		(*out)[i].until = DatumGetInt64(SPI_getbinval(t, SPI_tuptable->tupdesc, 2, &isnull)) - 1;
		if (isnull)
			(*out)[i].until = PG_INT64_MAX;
	}
	SPI_finish();
	return n;
}
