/*
 * sync_job.h
 *
 * One sync job: a Sync (src/crawl) and the Delivery of what it finds, and the
 * frames that belong to it.
 */
#ifndef NETD_SYNC_JOB_H
#define NETD_SYNC_JOB_H

#include "../crawl/sync.h"
#include "../wire/messages.h"

typedef struct SyncJob SyncJob;

/* The fields of SYNC behind the URL; window has room for WIRE_MAX_WINDOWS.
 * Texts point into the frame.  false: malformed. */
extern bool sync_job_read(WireReader *r, SyncSpec *spec, SyncWindow *window);
/* gone() comes once, from the loop, after RESULT is out; the job is freed when
 * it returns.  NULL: out of memory, or the filter is not an object. */
extern SyncJob *sync_job_start(Net *net, uint32_t id, const NostrRelayUrl *url,
							   const SyncSpec *spec, void (*gone) (void *user), void *user);
/* ANSWER and SET.  false: malformed.  job may be NULL: over, only checked. */
extern bool sync_job_frame(SyncJob *job, const WireFrame *f);
extern void sync_job_pause(SyncJob *job, bool paused);	/* all jobs are, or not */
extern void sync_job_cancel(SyncJob *job);

#endif
