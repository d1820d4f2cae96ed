/*
 * sync_batch.h
 *
 * Handles all frames of sync jobs that are ready in one transaction of the
 * caller.
 *
 * They are collected first; then all their events and observations are
 * written in one order (see archive.h); then the consequences of each frame
 * are applied in the order in which the frames came.
 */
#ifndef BB_SYNC_BATCH_H
#define BB_SYNC_BATCH_H

#include "postgres.h"

#include "pg/archive.h"
#include "pg/mention_store.h"
#include "pg/sync_jobs.h"
#include "wire/messages.h"

#define SYNC_BATCH_FRAMES	64	/* bounds one transaction */

typedef struct SyncCounts
{
	int64		events;			/* new in the archive */
	int64		observations;
	int64		duplicates;
	int64		rejected;
	BbMentionCounts mentions;
} SyncCounts;

typedef struct SyncFrame
{
	WireFrame	f;
	int			first;			/* its part of the batch's offers or events */
	int			n;
	WireReader	mentions;		/* EVENTS: what is behind them */
} SyncFrame;

typedef struct SyncBatch
{
	SyncFrame	frame[SYNC_BATCH_FRAMES];
	int			nframes;
	BbArchiveEvent *events;
	int			nevents;
	int			max_events;
	BbOffer    *offers;
	int			noffers;
	int			max_offers;
	BbRejects  *rejects;
	SyncCounts	counts;
} SyncBatch;

extern void sync_batch_begin(SyncBatch *b);
/* false: the frame is malformed, and not in the batch.  There must be room. */
extern bool sync_batch_add(SyncBatch *b, const WireFrame *f);
extern void sync_batch_store(SyncBatch *b);
/* What follows from frame i of a stored batch, for worker number me; false:
 * it is malformed (nothing follows). */
extern bool sync_batch_take(SyncBatch *b, int i, int me);

#endif
