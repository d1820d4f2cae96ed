/*
 * ruling.h
 *
 * bigbrotr.ruling: for the code of what is said about an event
 * (nostr/ruling.h), the keys of the events that may say it.
 *
 * An entry is a hint: the event may be gone by now.  No entry is missing for
 * those partitions of event that are covered (ruling_cover.c).
 */
#ifndef BB_RULING_H
#define BB_RULING_H

#include "postgres.h"

/*
 * Runs func, which inserts many events: their entries are written together at
 * its end.  When it fails, it must be undone.
 */
extern void bb_ruling_batch(void (*func) (void *), void *arg);

/* Keys [lo, hi] of partitions whose entries may be incomplete. */
typedef struct BbKeyRange
{
	int64		lo;
	int64		hi;
} BbKeyRange;

/*
 * What is not covered, as the active snapshot sees it: all keys but those of
 * covered partitions, ascending.  How many; *range is made in the current
 * memory context.
 */
extern int	bb_ruling_uncovered(BbKeyRange **range);

/* A code that is looked up: entries from key lo on, but that of key "own". */
typedef struct BbRulingAsk
{
	int64		code;
	int64		lo;
	int64		own;			/* -1: none */
	int			found;			/* entries; at most the limit */
} BbRulingAsk;

/*
 * Keys of at most "limit" entries of each, the newest; 0: of all.  How many;
 * *key (key_list.h) is made in the current memory context, NULL if there is none.
 */
extern int	bb_ruling_find(BbRulingAsk *ask, int64 n, int limit, Datum **key);

#endif
