/*
 * sync_recheck.h
 *
 * The rotating re-check: what was proved complete is asked for again, from
 * the newest to the oldest, some events in each pass.  It finds what was
 * published with an old date and measures the share of a relay's events that
 * had been missed (relay.recall).
 *
 * Inside a transaction of the caller, SPI not connected.
 */
#ifndef BB_SYNC_RECHECK_H
#define BB_SYNC_RECHECK_H

#include "postgres.h"

#include "pg/coverage.h"

#define RECHECK_MAX_WINDOWS		8	/* in one pass */
#define RECHECK_EVENTS			5000	/* in one pass, when they must be paged */
#define RECHECK_EVENTS_NEGENTROPY	100000

/* The windows of this pass, newest first; begins and ends rounds.  Returns
 * how many there are, at most RECHECK_MAX_WINDOWS. */
extern int	recheck_windows(int32 relay_id, int32 filter_id, bool negentropy, BbWindow *out);

/* A window was re-checked: the relay showed held events, missed of them had
 * not been observed.  Intervals of coverage that begin in it are passed. */
extern void recheck_done(int32 relay_id, int32 filter_id, int64 since, int64 until, int64 held, int64 missed);
/* It could not be; given up for this round after three times. */
extern void recheck_failed(int32 relay_id, int64 since);

#endif
