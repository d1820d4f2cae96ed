/*
 * sync_news.h
 *
 * PASSED and RESULT frames: what they mean for the job and for the relay's
 * state.
 */
#ifndef BB_SYNC_NEWS_H
#define BB_SYNC_NEWS_H

#include "postgres.h"

#include "pg/sync_jobs.h"
#include "wire/messages.h"

/* Inside a transaction, SPI not connected; RESULT frees the job.  false: the
 * frame is malformed. */
extern bool sync_news(const WireFrame *f, SyncJob *job, int me);

#endif
