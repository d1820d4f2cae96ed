/*
 * sync_batch.h
 *
 * Takes the frames of sync jobs in the order they came and makes them true
 * in the database, inside a transaction of the caller.
 */
#ifndef BB_SYNC_BATCH_H
#define BB_SYNC_BATCH_H

#include "postgres.h"

#include "pg/mention_store.h"
#include "pg/sync_jobs.h"
#include "wire/messages.h"

typedef struct SyncCounts		/* since the last sync_batch_counts_flush */
{
	int64		events;			/* new in the archive */
	int64		observations;
	int64		duplicates;
	int64		rejected;
	BbMentionCounts mentions;
} SyncCounts;

/* false: the frame is malformed (nothing of it was done). */
extern bool sync_batch_offer(const WireFrame *f, int32 relay_id, SyncCounts *c);
extern bool sync_batch_events(const WireFrame *f, int32 relay_id, SyncCounts *c);
extern bool sync_batch_set(const WireFrame *f, int32 relay_id);
extern bool sync_batch_rejected(const WireFrame *f, int32 relay_id, SyncCounts *c);
extern bool sync_batch_window(const WireFrame *f, SyncJob *job, int overlap);

#endif
