/*
 * archive_delta.h
 *
 * Tells the refresher what a transaction added to the archive
 * (docs/analytics.md): keys of new events, keys and relays of new
 * observations, packed into few rows of bigbrotr.ingest_delta.
 */
#ifndef BB_ARCHIVE_DELTA_H
#define BB_ARCHIVE_DELTA_H

#include "postgres.h"

/* Entries of each of the two lists in one row: it stays inline and two fit a
 * page. */
#define BB_DELTA_ENTRIES	190

typedef struct BbDelta
{
	int64	   *keys;			/* new events */
	int			nkeys;
	int64	   *seen_keys;		/* new observations */
	int32	   *seen_relays;
	int			nseen;
} BbDelta;

/* Lists for at most so many entries, in the current context. */
extern void archive_delta_init(BbDelta *d, int max_keys, int max_seen);

static inline void
archive_delta_event(BbDelta *d, int64 key)
{
	d->keys[d->nkeys++] = key;
}

static inline void
archive_delta_seen(BbDelta *d, int64 key, int32 relay_id)
{
	d->seen_keys[d->nseen] = key;
	d->seen_relays[d->nseen++] = relay_id;
}

/* Writes them, in the transaction that wrote the rows, and frees the lists. */
extern void archive_delta_write(BbDelta *d);

#endif
