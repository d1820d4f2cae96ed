/*
 * archive_plan.h
 *
 * The saved plans of the archive.  Internal to src/pg/archive*.c,
 * coverage.c, sync_*.c, compact*.c and ingest.c.
 */
#ifndef BB_ARCHIVE_PLAN_H
#define BB_ARCHIVE_PLAN_H

#include "postgres.h"

#include "executor/spi.h"
#include "nostr/buf.h"

typedef enum BbPlan
{
	BB_PLAN_LOOKUP,
	BB_PLAN_INSERT_EVENT,
	BB_PLAN_INSERT_EVENT_ALL,
	BB_PLAN_INSERT_OBSERVATION,
	BB_PLAN_INSERT_OBSERVATION_ALL,
	BB_PLAN_PEER_NEWS,
	BB_PLAN_INSERT_DELTA,
	BB_PLAN_REJECT,
	BB_PLAN_COUNT,
	BB_PLAN_COVERAGE_LOCK,
	BB_PLAN_COVERAGE_FILTER,
	BB_PLAN_COVERAGE_FILTER_ADD,
	BB_PLAN_COVERAGE_FILTERS,
	BB_PLAN_COVERAGE_PAGED_ABOVE,
	BB_PLAN_COVERAGE_RECORD,
	BB_PLAN_COVERAGE_MISSING,
	BB_PLAN_RECHECK_PLACE,
	BB_PLAN_RECHECK_BEGIN,
	BB_PLAN_RECHECK_WINDOW,
	BB_PLAN_RECHECK_CUT,
	BB_PLAN_RECHECK_DONE,
	BB_PLAN_RECHECK_CHECKED,
	BB_PLAN_RECHECK_FAILED,
	BB_PLAN_RECHECK_END,
	BB_PLAN_SET_KEYS,
	BB_PLAN_SET_EVENTS,
	BB_PLAN_PACKED_ADD_EVENT,
	BB_PLAN_PACKED_ADD_RELAY,
	BB_PLAN_PACKED_DROP_EVENT,
	BB_PLAN_PACKED_DROP_RELAY,
	BB_PLAN_RETENTION,
	BB_PLAN_RELAY_GET,
	BB_PLAN_RELAY_ADD,
	BB_PLAN_PARTITION_CHECK,
	BB_PLAN_PARTITION_ENSURE,
	BB_PLAN_N
} BbPlan;

/* SPI must be connected.  Errors out unless the result is the expected one. */
extern void archive_plan_run(BbPlan plan, Datum *values, const char *nulls);

/* Oid of the type tags; an error when the extension is not there. */
extern Oid	archive_tags_type(void);

/* Makes the partitions when there are none yet.  SPI connected. */
extern void archive_partitions(void);

/*
 * One of two buffers that live as long as the process, emptied: an ERROR
 * between the calls loses no memory.  Contents are valid until the next call
 * with the same number.
 */
extern NostrBuf *bb_scratch(int which);

/* Array of int8, int4 ... from datums. */
extern Datum archive_array(Datum *d, bool *isnull, int n, Oid type);

#endif
