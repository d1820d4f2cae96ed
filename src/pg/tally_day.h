/*
 * tally_day.h
 *
 * The day of a time, as the tallies count it: from 1970-01-01.  Any time has
 * one: those that no date can hold share one day at each end.
 */
#ifndef BB_TALLY_DAY_H
#define BB_TALLY_DAY_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* The days that a date can hold. */
#define TALLY_DAY_LAST	(DATE_END_JULIAN - UNIX_EPOCH_JDATE - 1)
#define TALLY_DAY_FIRST	(DATETIME_MIN_JULIAN - UNIX_EPOCH_JDATE)
/* All beyond. */
#define TALLY_DAY_AFTER	(TALLY_DAY_LAST + 1)
#define TALLY_DAY_BEFORE (TALLY_DAY_FIRST - 1)

static inline int32
tally_day(int64 created_at)
{
	return (int32) Max(Min(created_at / SECS_PER_DAY, TALLY_DAY_AFTER), TALLY_DAY_BEFORE);
}

#endif
