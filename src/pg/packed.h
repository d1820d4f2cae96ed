/*
 * packed.h
 *
 * Reads the compact tier: tables observation_by_event and
 * observation_by_relay, whose rows are blocks of packed observations
 * (nostr/obspack.h).  Blocks of one form (and relay) never overlap.
 *
 * A block that is not what pack writes is an ERROR (ERRCODE_DATA_CORRUPTED).
 */
#ifndef BB_PACKED_H
#define BB_PACKED_H

#include "postgres.h"

#include "nostr/obspack.h"
#include "storage/itemptr.h"
#include "utils/snapshot.h"

/* What fits so that four rows fill a page of 8 kB. */
#define BB_PACKED_BLOCK	1980

typedef struct BbPacked BbPacked;

typedef struct BbBlock
{
	int64		first_key;
	int64		last_key;
	int32		relay_id;		/* 0 in the form by event */
	int			size;			/* bytes of its items */
	const NostrObs *items;		/* ascending; valid until the next call */
	int			n;
} BbBlock;

extern const char *packed_table(NostrObsForm form);

/* In the current memory context; the snapshot outlives the scan. */
extern BbPacked *packed_begin(NostrObsForm form, Snapshot snapshot);

/* From now on: what has lo <= key <= hi (and is of relay_id, by relay; 0 is
 * all of them, unordered), by ascending or descending key. */
extern void packed_seek(BbPacked *p, int32 relay_id, int64 lo, int64 hi, bool descending);

/* false: that was all. */
extern bool packed_next_block(BbPacked *p, BbBlock *b);
extern bool packed_next(BbPacked *p, NostrObs *out);
extern void packed_end(BbPacked *p);

/* Unpacks into a buffer that grows, *cap items at first; how many. */
extern int	packed_items(const bytea *data, int64 first_key, int32 relay_id,
						 NostrObs **items, int *cap);

/* Pages of the table: its size for the planner. */
extern BlockNumber packed_pages(NostrObsForm form);

#endif
