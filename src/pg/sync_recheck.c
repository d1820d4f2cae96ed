/*
 * sync_recheck.c
 *
 * See sync_recheck.h.
 *
 * Guarantees that a round ends: its position only moves down, and a window
 * that cannot be re-checked is skipped.  The size of a window follows from
 * what the archive observed there; a few rows of an index are read for it.
 */
#include "postgres.h"

#include "pg/archive_plan.h"
#include "pg/guc.h"
#include "pg/retention.h"
#include "pg/sync_recheck.h"
#include "utils/builtins.h"

static int64
get(int column, bool *isnull)
{
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
									   column, isnull));
}

/* Where the round of this relay is; false: none runs, and none is due. */
static bool
place(int32 relay_id, int32 filter_id, int64 *below)
{
	Datum		args[3] = {Int32GetDatum(relay_id), Int32GetDatum(bb_synchronizer_recheck)};
	bool		isnull;
	bool		due;

	archive_plan_run(BB_PLAN_RECHECK_PLACE, args, NULL);
	if (SPI_processed == 0)
		return false;
	*below = get(1, &isnull);
	if (!isnull)
		return true;
	due = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	if (isnull || !due)
		return false;
	args[1] = Int32GetDatum(filter_id);
	archive_plan_run(BB_PLAN_RECHECK_BEGIN, args, NULL);
	if (SPI_processed == 0)
		return false;
	*below = get(1, &isnull);
	return !isnull;
}

/* The next complete interval below; cut so that it holds about *room events. */
static bool
next_window(int32 relay_id, int32 filter_id, int64 below, int64 *room, BbWindow *w)
{
	int64		floor = retention_floor();
	Datum		args[4] = {Int32GetDatum(relay_id), Int32GetDatum(filter_id), Int64GetDatum(below)};
	bool		isnull;

	archive_plan_run(BB_PLAN_RECHECK_WINDOW, args, NULL);
	if (SPI_processed == 0)
		return false;
	w->since = get(1, &isnull);
	w->until = Min(get(2, &isnull), below) - 1;
	if (w->until < floor)
		return false;
	w->since = Max(w->since, floor);
	args[1] = Int64GetDatum(w->since);
	args[2] = Int64GetDatum(w->until);
	args[3] = Int64GetDatum(*room);
	archive_plan_run(BB_PLAN_RECHECK_CUT, args, NULL);
	*room -= get(1, &isnull);
	if (*room <= 0)
		w->since = Max(w->since, Min(get(2, &isnull), w->until));
	return true;
}

int
recheck_windows(int32 relay_id, int32 filter_id, bool negentropy, BbWindow *out)
{
	int64		room = negentropy ? RECHECK_EVENTS_NEGENTROPY : RECHECK_EVENTS;
	int64		below;
	int			n = 0;

	if (bb_synchronizer_recheck == 0)
		return 0;
	SPI_connect();
	if (place(relay_id, filter_id, &below))
	{
		while (n < RECHECK_MAX_WINDOWS && room > 0 &&
			   next_window(relay_id, filter_id, below, &room, &out[n]))
			below = out[n++].since;
		if (n == 0)
		{
			Datum		args[1] = {Int32GetDatum(relay_id)};

			archive_plan_run(BB_PLAN_RECHECK_END, args, NULL);
		}
	}
	SPI_finish();
	return n;
}

void
recheck_done(int32 relay_id, int32 filter_id, int64 since, int64 until, int64 held, int64 missed)
{
	Datum		args[4] = {Int32GetDatum(relay_id), Int64GetDatum(since),
	Int64GetDatum(held), Int64GetDatum(missed)};
	Datum		window[4] = {Int32GetDatum(relay_id), Int32GetDatum(filter_id),
	Int64GetDatum(since), Int64GetDatum(until)};

	SPI_connect();
	archive_plan_run(BB_PLAN_RECHECK_DONE, args, NULL);
	archive_plan_run(BB_PLAN_RECHECK_CHECKED, window, NULL);
	SPI_finish();
}

void
recheck_failed(int32 relay_id, int64 since)
{
	Datum		args[2] = {Int32GetDatum(relay_id), Int64GetDatum(since)};

	SPI_connect();
	archive_plan_run(BB_PLAN_RECHECK_FAILED, args, NULL);
	SPI_finish();
}
