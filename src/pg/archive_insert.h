/*
 * archive_insert.h
 *
 * Inserts distinct rows, some of which may already exist.  Internal to
 * src/pg/archive*.c.
 */
#ifndef BB_ARCHIVE_INSERT_H
#define BB_ARCHIVE_INSERT_H

#include "postgres.h"

typedef enum BbInsert
{
	BB_INSERT_EVENT,			/* arguments of BB_PLAN_INSERT_EVENT */
	BB_INSERT_OBSERVATION		/* of BB_PLAN_INSERT_OBSERVATION */
} BbInsert;

/*
 * n rows in a subtransaction.  *all: every one was new; else what the plan
 * returns of those that were is in SPI_tuptable.  Returns NULL, or the error
 * with which the server refused a row for its data: then none is inserted.
 * Other errors are thrown.  SPI is connected.
 */
extern ErrorData *archive_insert(BbInsert what, Datum *args, int n, bool *all);

#endif
