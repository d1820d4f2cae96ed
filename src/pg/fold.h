/*
 * fold.h
 *
 * Counts what bigbrotr.ingest_delta holds into the tallies
 * (src/schema/28_tally.sql).  Internal to src/pg/fold*.c and refresh*.c.
 *
 * Everything below runs with SPI connected, under one snapshot per step
 * (fold_begin): what the step takes from the queue, what it looks up in the
 * archive and what is still in the queue belong together.  Only one process
 * at a time folds: the caller holds the lock of the task (refresh.h).
 */
#ifndef BB_FOLD_H
#define BB_FOLD_H

#include "postgres.h"

#include "executor/spi.h"

/* Keys taken in one step, roughly; bounds its time and memory. */
#define FOLD_KEYS	50000
/* Rows of the queue in one step. */
#define FOLD_ROWS	2000
/* Keys in one look-up. */
#define FOLD_LOOKUP	1000

#define FOLD_NOW	PG_INT64_MAX

/* What is known of an event. */
typedef struct FoldInfo
{
	int64		key;
	int64		until;			/* row of the queue that took it away; FOLD_NOW: it is in
								 * the archive */
	int64		created_at;
	int32		kind;
	int32		author;			/* tally_author.id */
	bool		gone;			/* that row took the event itself away, not only
								 * observations of it */
	bytea	   *pubkey;
	bytea	   *id;				/* of replaceable and addressable ones in the archive */
	bytea	   *d;				/* of addressable ones; NULL: unknown (light archive) */
} FoldInfo;

/* One change: an event (relay_id 0) or an observation came or went. */
typedef struct FoldEntry
{
	int64		key;
	int64		row;			/* ingest_delta.id */
	int32		relay_id;
	int32		sign;			/* 1 or -1 */
	FoldInfo   *info;			/* NULL: nobody knows the event */
} FoldEntry;

typedef struct FoldStep
{
	FoldEntry  *entries;
	int			n;
	int			max;
	FoldInfo   *infos;			/* sorted by (key, until) */
	int			ninfos;
	int			max_infos;
	bool		removals;		/* there is an entry with sign -1 */
	bool		more;			/* the queue has more */
	int64		taken;			/* last row taken; 0: none */
} FoldStep;

/* --- fold_plan.c: the statements ------------------------------------------ */
typedef enum FoldPlan
{
	FOLD_PEEK,
	FOLD_TAKE,
	FOLD_REMOVALS_LEFT,
	FOLD_LOOKUP_EVENTS,
	FOLD_LOOKUP_WINNERS,
	FOLD_AUTHORS,
	FOLD_POSITION,
	FOLD_ORPHANS_ADD,
	FOLD_ORPHANS_DROP,
	FOLD_ORPHANS_ADOPT,
	FOLD_EVENTS,
	FOLD_DAYS,
	FOLD_TIMES,
	FOLD_RELAYS,
	FOLD_NETWORKS,
	FOLD_LATEST,
	FOLD_REMOVED_NETWORKS,
	FOLD_REMOVED_NETWORKS_AGAIN,
	FOLD_REMOVED_AUTHORS,
	FOLD_REMOVED_TOTAL,
	FOLD_REMOVED_RELAY_AUTHORS,
	FOLD_REMOVED_RELAYS,
	FOLD_REMOVED_LATEST,
	FOLD_LATEST_AGAIN,
	FOLD_CLEAN_AUTHOR_KIND,
	FOLD_CLEAN_KIND,
	FOLD_CLEAN_DAY,
	FOLD_CLEAN_DAY_AUTHOR,
	FOLD_CLEAN_DAY_KIND,
	FOLD_CLEAN_TIME,
	FOLD_CLEAN_RELAY,
	FOLD_CLEAN_RELAY_KIND,
	FOLD_CLEAN_RELAY_AUTHOR,
	FOLD_CLEAN_NETWORK_AUTHOR,
	FOLD_CLEAN_NETWORK_KIND,
	FOLD_PLAN_N
} FoldPlan;

/* One snapshot for all that follows, until fold_end. */
extern void fold_begin(void);
extern void fold_end(void);
/* Rows in SPI_tuptable.  An error unless it is the kind of statement it was
 * written as. */
extern void fold_run(FoldPlan plan, Datum *args);
/* The same for a text made at run time, without arguments. */
extern void fold_run_text(const char *sql, int expect);

/* --- fold_take.c: from the queue to entries -------------------------------- */
extern void fold_take(FoldStep *s);

/* --- fold_apply.c: entries into the tallies --------------------------------- */
extern void fold_apply(FoldStep *s);

/* --- fold.c ----------------------------------------------------------------- */
/* A step (refresh.h: fold_step) between fold_begin and fold_end; returns the last row taken, 0 when
 * the queue is empty. */
extern int64 fold_some(int64 *done, bool *more);

#endif
