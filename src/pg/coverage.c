/*
 * coverage.c
 *
 * Guarantees that the intervals of one relay and filter never overlap, also
 * with several writers (the relay's row is locked first), that neighbours
 * which say the same are one row, and that each change touches only the rows
 * beside it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nostr/filter.h"
#include "pg/archive_plan.h"
#include "pg/coverage.h"
#include "utils/builtins.h"

/*
 * Gaps that are the relay's own way and will not go away by asking at once
 * again.  All others come from passes that failed: the relay's back-off is
 * theirs.
 */
static const char *const stubborn[] = {
	"dense_second", "too_many_gaps", "not_newest_first", "too_many_unordered",
	"until_ignored", "since_ignored", "limit_ignored", "filter_ignored", "unreadable_events",
	"contradictory_answers", "hidden_events", "more_but_empty", "unanswered"
};

static const char *const state_names[BB_COVERAGE_STATES] = {"open", "paged", "complete"};

int
coverage_state_by_name(const char *name)
{
	for (int i = 0; i < BB_COVERAGE_STATES; i++)
		if (strcmp(state_names[i], name) == 0)
			return i;
	return -1;
}

static Datum
result(uint64 row, int column)
{
	bool		isnull;

	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
}

int32
coverage_filter_id(const char *filter)
{
	Datum		args[1] = {CStringGetTextDatum(filter)};
	int32		id = 0;

	SPI_connect();
	/* get, add, get: somebody else may add it in between */
	for (int i = 0; i < 3 && id == 0; i++)
	{
		archive_plan_run(i == 1 ? BB_PLAN_COVERAGE_FILTER_ADD : BB_PLAN_COVERAGE_FILTER,
						 args, NULL);
		if (i != 1 && SPI_processed > 0)
			id = DatumGetInt32(result(0, 1));
	}
	SPI_finish();
	if (id == 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("filter is being added by another transaction")));
	return id;
}

/* Where a proof up to end (exclusive) reaches over what was paged before. */
static int64
reach_over_paged(int32 relay_id, int32 filter_id, int64 end, bool *unbounded)
{
	Datum		args[3] = {Int32GetDatum(relay_id), Int32GetDatum(filter_id), Int64GetDatum(end)};
	bool		isnull;
	Datum		upper;

	archive_plan_run(BB_PLAN_COVERAGE_PAGED_ABOVE, args, NULL);
	if (SPI_processed == 0)
		return end;
	upper = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	*unbounded = isnull;
	return isnull ? end : DatumGetInt64(upper);
}

void
coverage_record(int32 relay_id, int32 filter_id, int64 since, int64 until,
				BbCoverageState state, const char *proof, const char *reason)
{
	Datum		args[7];
	char		nulls[8] = "       ";
	bool		unbounded = until == PG_INT64_MAX;
	int64		end = unbounded ? 0 : until + 1;

	if (since > until)
		return;
	SPI_connect();
	args[0] = Int32GetDatum(relay_id);
	archive_plan_run(BB_PLAN_COVERAGE_LOCK, args, NULL);
	if (state == BB_COVERAGE_COMPLETE && !unbounded)
		end = reach_over_paged(relay_id, filter_id, end, &unbounded);
	args[1] = Int32GetDatum(filter_id);
	args[2] = Int64GetDatum(since);
	args[3] = Int64GetDatum(end);
	nulls[3] = unbounded ? 'n' : ' ';
	args[4] = CStringGetTextDatum(state_names[state]);
	args[5] = CStringGetTextDatum(proof != NULL ? proof : "unknown");
	nulls[5] = state == BB_COVERAGE_COMPLETE ? ' ' : 'n';
	args[6] = CStringGetTextDatum(reason != NULL ? reason : "unknown");
	nulls[6] = state == BB_COVERAGE_OPEN ? ' ' : 'n';
	archive_plan_run(BB_PLAN_COVERAGE_RECORD, args, nulls);
	SPI_finish();
}

/* Canonical texts: equal ones are the same filter. */
static bool
filter_covers(const char *wide, const char *narrow)
{
	NostrFilter w;
	NostrFilter n;
	bool		covers;

	if (strcmp(wide, narrow) == 0)
		return true;
	covers = nostr_filter_parse(wide, strlen(wide), &w, NULL) == NOSTR_FILTER_OK;
	if (covers)
	{
		covers = nostr_filter_parse(narrow, strlen(narrow), &n, NULL) == NOSTR_FILTER_OK &&
			nostr_filter_covers(&w, &n);
		nostr_filter_free(&n);
	}
	nostr_filter_free(&w);
	return covers;
}

/* The filters whose coverage speaks for this one, as an array; *own: its own
 * number, 0 if it has none. */
static Datum
speaking_filters(const char *filter, int32 *own)
{
	Datum	   *ids;
	int			n = 0;

	*own = 0;
	archive_plan_run(BB_PLAN_COVERAGE_FILTERS, NULL, NULL);
	ids = palloc(sizeof(Datum) * Max(SPI_processed, 1));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		wide = result(i, 2);

		if (!filter_covers(TextDatumGetCString(wide), filter))
			continue;
		if (strcmp(TextDatumGetCString(wide), filter) == 0)
			*own = DatumGetInt32(result(i, 1));
		ids[n++] = result(i, 1);
	}
	return archive_array(ids, NULL, n, INT4OID);
}

int
coverage_missing(int32 relay_id, const char *filter, int64 since, int64 until,
				 int max, BbWindow **out)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		args[7];
	Datum		reasons[lengthof(stubborn)];
	char		nulls[8] = "       ";
	int32		own;
	int			n;

	*out = NULL;
	if (since > until)
		return 0;
	SPI_connect();
	for (int i = 0; i < (int) lengthof(stubborn); i++)
		reasons[i] = CStringGetTextDatum(stubborn[i]);
	args[0] = Int32GetDatum(relay_id);
	args[1] = speaking_filters(filter, &own);
	args[2] = Int64GetDatum(since);
	args[3] = Int64GetDatum(until == PG_INT64_MAX ? 0 : until + 1);
	nulls[3] = until == PG_INT64_MAX ? 'n' : ' ';
	args[4] = archive_array(reasons, NULL, lengthof(stubborn), TEXTOID);
	args[5] = Int64GetDatum(max);
	args[6] = Int32GetDatum(own);
	archive_plan_run(BB_PLAN_COVERAGE_MISSING, args, nulls);
	n = (int) SPI_processed;
	*out = MemoryContextAlloc(caller, sizeof(BbWindow) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		(*out)[i].since = DatumGetInt64(result(i, 1));
		(*out)[i].until = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
													  SPI_tuptable->tupdesc, 2, &isnull)) - 1;
		if (isnull)
			(*out)[i].until = PG_INT64_MAX;
	}
	SPI_finish();
	return n;
}
