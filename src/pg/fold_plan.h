/*
 * fold_plan.h
 *
 * The statements that keep the tallies, and the snapshot they run under.
 */
#ifndef BB_FOLD_PLAN_H
#define BB_FOLD_PLAN_H

#include "postgres.h"

#include "executor/spi.h"

typedef enum FoldPlan
{
	FOLD_PEEK,
	FOLD_TAKE,
	FOLD_ANY_REMOVAL_LEFT,
	FOLD_REMOVALS_LEFT,
	FOLD_LOOKUP_FRESH,
	FOLD_LOOKUP_SEEN,
	FOLD_AUTHORS,
	FOLD_AUTHORS_NUMBER,
	FOLD_AUTHORS_NEW,
	FOLD_POSITION,
	FOLD_ORPHANS_ADD,
	FOLD_ORPHANS_DROP,
	FOLD_ANY_ORPHAN,
	FOLD_ORPHANS_ADOPT,
	FOLD_TOTAL,
	FOLD_RELAY_AUTHOR_KINDS,
	FOLD_RELAY_NETWORKS,
	FOLD_NETWORK,
	FOLD_CLEARNET_SEEN,
	FOLD_CLEARNET_UNSEEN,
	FOLD_NETWORK_SEEN,
	FOLD_LATEST_NEWER,
	FOLD_LATEST_FIRST,
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
/* The same for a text made at run time, without arguments, over the whole
 * archive: it may sort and hash in maintenance_work_mem. */
extern void fold_run_text(const char *sql, int expect);
/* The same for a statement that finds each row of its arrays by an index; the
 * plan is kept in *plan. */
extern void fold_run_by_key(SPIPlanPtr *plan, const char *sql, int nargs, Oid *types, Datum *args,
							int expect);

/* Of row r of SPI_tuptable. */
extern Datum fold_value(uint64 r, int column, bool *isnull);
extern int64 fold_int8(uint64 r, int column);

#endif
