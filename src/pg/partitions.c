/*
 * partitions.c
 *
 * Guarantees: readers and writers of the archive never wait for new
 * partitions longer than LOCK_MS, nor do the services: events without a month
 * go to event_future.  Must survive: sessions that hold locks on the archive
 * for any length of time.
 */
#include "pg/compat.h"

#include "executor/spi.h"
#include "utils/timestamp.h"

#include "pg/attempt.h"
#include "pg/partitions.h"
#include "pg/worker.h"

#define LOCK_TIMEOUT	"SET LOCAL lock_timeout = '2s'"
#define EVERY_S			86400
#define AGAIN_S			600

static void
run(const char *sql, int expected)
{
	if (SPI_execute(sql, false, 0) != expected)
		elog(ERROR, "could not run: %s", sql);
}

static bool
there(void)
{
	bool		isnull;
	bool		result;

	SPI_connect();
	run("SELECT pg_catalog.to_regclass('bigbrotr.event_future') IS NOT NULL", SPI_OK_SELECT);
	result = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return result;
}

static void
make(void *arg)
{
	SPI_connect();
	run(LOCK_TIMEOUT, SPI_OK_UTILITY);
	run("SELECT bigbrotr.partition_ensure()", SPI_OK_SELECT);
	SPI_finish();
}

TimestampTz
bb_partitions_ensure(void)
{
	ErrorData  *error;
	int			wait_s = EVERY_S;

	bb_tx_begin("making partitions");
	error = bb_attempt(make, NULL);
	if (error != NULL)
	{
		if (!there())
			ReThrowError(error);
		ereport(LOG,
				(errmsg("could not create partitions in advance: %s", error->message),
				 errdetail("Events of months without a partition are stored in bigbrotr.event_future. The next attempt is in %d minutes.",
						   AGAIN_S / 60)));
		wait_s = AGAIN_S;
	}
	bb_tx_end();
	return TimestampTzPlusMilliseconds(GetCurrentTimestamp(), (int64) wait_s * 1000);
}
