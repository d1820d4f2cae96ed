/*
 * refresh_peer.c
 *
 * Task of the refresher: reads what other monitors report
 * (src/schema/29_peer.sql).
 */
#include "postgres.h"

#include "executor/spi.h"

#include "pg/refresh.h"

#define PEER_BATCH 2000

static int64
call(const char *function)
{
	bool		isnull;
	char	   *sql = psprintf("SELECT bigbrotr.%s(%d)", function, PEER_BATCH);

	if (SPI_execute(sql, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "bigbrotr.%s gave no number", function);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

bool
refresh_peers(int64 *done)
{
	int64		expired = 0;

	SPI_connect();
	*done = call("peer_fold");
	if (*done == 0)
		expired = call("peer_expire");
	SPI_finish();
	return *done >= PEER_BATCH || expired >= PEER_BATCH;
}
