/*
 * compact.h
 *
 * The compact tier: rows of observation that have become cold move, a slice
 * at a time, into packed blocks, and late observations of the same events are
 * merged into them later.
 *
 * A slice is one transaction: it deletes rows of one partition and writes
 * both forms of the blocks.  Readers (view observation_all) see every
 * observation once, before and after.  Writers of cold observations hold
 * COMPACT_LOCK shared until they commit and look into the blocks after they
 * have it; a slice holds it exclusively.  So no observation is in both tiers.
 *
 * The partition that a slice has emptied is truncated in a later step, when
 * no snapshot is left that still sees the rows there.
 */
#ifndef BB_COMPACT_H
#define BB_COMPACT_H

#include "postgres.h"

#include "nostr/obspack.h"
#include "pg/archive_row.h"

/* Younger events are never packed; writers need not ask for those younger
 * than half of it. */
#define BB_COMPACT_MIN_AGE_S	86400

/* Task of the refresher (refresh.h): one slice. */
extern bool compact_task(int64 *done);

/*
 * o is sorted by (key, relay_id).  Sets o[i].packed for those that
 * are in the compact tier, and until the end of the transaction no other will
 * come there.
 */
extern void compact_mark(BbObservation *o, int n);

/* For a transaction that packs: exclusive, or waits as long as lock_timeout
 * says. */
extern void compact_lock(bool exclusive);

/*
 * SPI connected.  Merges o[0..n), sorted by event, into the blocks of both
 * forms; how many were there already.  Sorts o anew.
 */
extern int64 compact_merge(NostrObs *o, int n);

/* SPI connected, the lock held exclusively.  Removes o[0..n), sorted by event
 * and all of them packed, from both forms.  Sorts o anew. */
extern void compact_remove(NostrObs *o, int n);

#endif
