/*
 * each_row.h
 *
 * Iterates over a result that is too large to hold in memory.
 */
#ifndef BB_EACH_ROW_H
#define BB_EACH_ROW_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"

/* Called in the memory context of the caller of bb_each_row. */
typedef void (*BbRowFunc) (void *state, HeapTuple row, TupleDesc desc);

/* Runs the query and calls func for every row, some thousand at a time from a
 * cursor.  Can be cancelled.  Uses SPI: not for callers that are connected. */
extern void bb_each_row(const char *query, int nargs, Oid *types, Datum *args, BbRowFunc func, void *state);

#endif
