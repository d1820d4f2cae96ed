/*
 * coverage.h
 *
 * Which windows of created_at a relay was asked for with which filter, and
 * what is proved (table coverage).
 *
 * Like archive.h: inside a transaction of the caller, SPI not connected.
 * Times are Unix seconds; a window without upper end has until =
 * PG_INT64_MAX.
 */
#ifndef BB_COVERAGE_H
#define BB_COVERAGE_H

#include "postgres.h"

typedef enum BbCoverageState	/* the values travel as WireWindowState */
{
	BB_COVERAGE_OPEN,
	BB_COVERAGE_PAGED,
	BB_COVERAGE_COMPLETE,
	BB_COVERAGE_STATES
} BbCoverageState;

typedef struct BbWindow
{
	int64		since;
	int64		until;			/* inclusive */
} BbWindow;

/* -1: there is no such state */
extern int	coverage_state_by_name(const char *name);

/* The number of a filter (canonical text); made when there is none yet. */
extern int32 coverage_filter_id(const char *filter);

/*
 * What is known of [since, until] from now on.  Replaces what was known of
 * it, keeps the rest, merges neighbours that say the same.  A proof reaches
 * up over what was paged right above its end.  proof: complete only; reason:
 * open only; "unknown" when NULL.
 */
extern void coverage_record(int32 relay_id, int32 filter_id, int64 since, int64 until,
							BbCoverageState state, const char *proof, const char *reason);

/*
 * What is still to be asked for in [since, until], newest first, at most max
 * windows; palloc'ed: what is neither complete nor paged, and the lowest second
 * of what is paged with nothing to ask for below.  So passes against a relay
 * that answers end with everything complete, whatever the table held.  What is
 * complete for any filter that lets through all that this one does counts.
 */
extern int	coverage_missing(int32 relay_id, const char *filter, int64 since, int64 until,
							 int max, BbWindow **out);

#endif
