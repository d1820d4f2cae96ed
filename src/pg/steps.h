/*
 * steps.h
 *
 * Procedures that run in steps and commit each.
 */
#ifndef BB_STEPS_H
#define BB_STEPS_H

#include "postgres.h"

#include "fmgr.h"

/* An error inside of a transaction block; connects SPI. */
extern void bb_steps_begin(FunctionCallInfo fcinfo);

/*
 * Calls bigbrotr.FUNCTION(value), which returns a boolean, until it is false.
 * The value is one that outlives a transaction.  Ends SPI.
 */
extern void bb_steps_run(const char *function, Oid type, Datum value);

#endif
