/*
 * refresh_orphan.c
 *
 * Task of the refresher: removes what nothing refers to any more
 * (src/schema/66_orphan.sql).
 */
#include "postgres.h"

#include "executor/spi.h"

#include "pg/refresh.h"

#define BATCH		20000
#define MAX_STEPS	20			/* in a run: a round may take many runs */

bool
refresh_orphans(int64 *done)
{
	static int	steps = 0;
	bool		isnull;

	SPI_connect();
	if (SPI_execute(psprintf("SELECT bigbrotr.orphan_clean(false, %d)", BATCH), false, 0) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "bigbrotr.orphan_clean gave no number");
	*done = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return *done >= BATCH && ++steps % MAX_STEPS != 0;
}
