/*
 * each_row.c
 *
 * One fetch of the cursor is in memory at a time.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "pg/each_row.h"

#define FETCH_ROWS	1000

void
bb_each_row(const char *query, int nargs, Oid *types, Datum *args, BbRowFunc func, void *state)
{
	MemoryContext context = CurrentMemoryContext;
	Portal		portal;

	SPI_connect();
	portal = SPI_cursor_open_with_args(NULL, query, nargs, types, args, NULL, true, CURSOR_OPT_NO_SCROLL);
	for (;;)
	{
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		old = MemoryContextSwitchTo(context);
		for (uint64 r = 0; r < SPI_processed; r++)
			func(state, SPI_tuptable->vals[r], SPI_tuptable->tupdesc);
		MemoryContextSwitchTo(old);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	SPI_finish();
}
