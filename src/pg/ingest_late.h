/*
 * ingest_late.h
 *
 * The part of ingest that happens only when its transaction commits:
 * rejections, mentions and counters go into rows that all writers share.
 * Written at once, their locks would be held by an open transaction, and
 * every worker would wait for it.
 *
 * Savepoints: counters follow them; rejections and mentions of one that was
 * rolled back are written all the same.
 */
#ifndef BB_INGEST_LATE_H
#define BB_INGEST_LATE_H

#include "postgres.h"

#include "pg/archive.h"
#include "pg/mention_store.h"

typedef struct BbIngestTotals
{
	int64		events;			/* new */
	int64		observations;	/* new */
	int64		known;			/* events */
	int64		invalid;
} BbIngestTotals;

/* Refusals of this transaction.  Written when it commits, as are the mentions
 * of mention_add and what is counted; by the user who is current now. */
extern BbRejects *ingest_late_rejects(void);

/* Adds to the counters of "ingest".  After ingest_late_rejects. */
extern void ingest_late_count(const BbIngestTotals *totals, const BbMentionCounts *found);

#endif
