/*
 * fold.h
 *
 * Counts what bigbrotr.ingest_delta holds into the tallies
 * (src/schema/28_tally.sql).  Internal to src/pg/fold*.c and analytics_sql.c.
 *
 * Everything below runs with SPI connected, under one snapshot per step
 * (fold_begin): what the step takes from the queue, what it looks up in the
 * archive and what is still in the queue belong together.  Only one process
 * at a time folds: the caller holds the lock of the task (refresh.h).
 */
#ifndef BB_FOLD_H
#define BB_FOLD_H

#include "postgres.h"

#include "pg/fold_plan.h"
#include "pg/fold_tally.h"

/*
 * Keys taken in one step, roughly; bounds its time (a second or so) and its
 * memory (some 150 bytes each).  The more, the fewer rows of the tallies are
 * written for each.
 */
#define FOLD_KEYS	200000
/* Rows of the queue in one step. */
#define FOLD_ROWS	20000
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
	bytea	   *id;				/* of replaceable and addressable ones in the archive, if the
								 * step adds them */
	bytea	   *d;				/* of addressable ones; NULL: unknown (light archive) */
	int32		kind;
	int32		author;			/* tally_author.id */
	bool		gone;			/* that row took the event itself away, not only
								 * observations of it */
	uint8		pubkey[32];
} FoldInfo;

/* One change: an event (relay_id 0) or an observation came or went. */
typedef struct FoldEntry
{
	int64		key;
	int64		row;			/* ingest_delta.id */
	FoldInfo   *info;			/* NULL: nobody knows the event */
	int32		relay_id;
	int8		sign;			/* 1 or -1 */
	bool		touched;		/* something of this key is removed in this step */
} FoldEntry;

/* An author who has a number but no row yet. */
typedef struct FoldAuthor
{
	int32		id;				/* tally_author.id */
	uint8		pubkey[32];
} FoldAuthor;

typedef struct FoldStep
{
	FoldEntry  *entries;
	int			n;
	int			max;
	FoldInfo   *infos;			/* sorted by (key, until) */
	int			ninfos;
	int			max_infos;
	FoldAuthor *authors;		/* new ones, by id */
	int			nauthors;
	bool		removals;		/* there is an entry with sign -1 */
	bool		more;			/* the queue has more */
	int64		taken;			/* last row taken; 0: none */
} FoldStep;

/* --- fold_take.c: from the queue to entries -------------------------------- */
extern void fold_take(FoldStep *s);
extern FoldEntry *fold_entry(FoldStep *s, int64 key, int64 row, int32 relay_id, int sign);

/* --- fold_info.c: which events the entries speak of ------------------------- */
extern FoldInfo *fold_info_add(FoldStep *s, int64 key, int64 until, bool gone, Datum pubkey,
							   int32 kind, int64 created_at);
extern FoldInfo *fold_info_find(const FoldStep *s, int64 key, int64 row);
extern void fold_know(FoldStep *s);

/* --- fold_author.c: numbers for authors ------------------------------------ */
extern void fold_authors(FoldStep *s);
/* Adds sums by author to their rows, and makes those of new ones; by how much
 * the number of authors with events has changed. */
extern int64 fold_authors_add(const FoldStep *s, const FoldSums *sums);

/* --- fold_orphan.c: observations of events that nobody knows ---------------- */
extern void fold_orphans(FoldStep *s);

/* --- fold_apply.c: entries into the tallies --------------------------------- */
extern void fold_apply(FoldStep *s);

/* --- fold_latest.c: the newest of what replaces -------------------------------- */
/* Has the entry a place among the newest events? */
extern bool fold_in_latest(const FoldEntry *e);
/* d_digest as tally_latest has it. */
extern bytea *fold_latest_d(const FoldEntry *e);
extern void fold_latest(const FoldStep *s);

/* --- fold_removed.c: what cannot be subtracted ---------------------------------- */
/* Says of each entry whether a removal of this step touches its key. */
extern void fold_touch(FoldStep *s);
extern void fold_removed(FoldStep *s);

/* --- fold.c ----------------------------------------------------------------- */
/* A step (refresh.h: fold_step) between fold_begin and fold_end; returns the last row taken, 0 when
 * the queue is empty. */
extern int64 fold_some(int64 *done, bool *more);

#endif
