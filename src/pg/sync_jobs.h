/*
 * sync_jobs.h
 *
 * The sync jobs that this process has handed to bigbrotr-net, and how many
 * connections they take.  In memory only: a forgotten job is due again, and
 * coverage tells where it continues.
 */
#ifndef BB_SYNC_JOBS_H
#define BB_SYNC_JOBS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "nostr/relay_url.h"

#define SYNC_MAX_JOBS	1024

typedef struct SyncJob
{
	uint32		id;				/* 0 = free */
	int32		relay_id;
	int32		filter_id;		/* coverage_filter.id, as of the start */
	int64		started;		/* unix seconds */
	NostrNetwork network;
	bool		priority;
	bool		more;			/* there were more windows than fit */
	bool		cancelled;
	bool		recheck_failed; /* told once in a job */
	TimestampTz tail_since;		/* 0: not in its live tail */
	int64		received;		/* events that PASSED counted already */
	int64		observed;		/* new observations, not yet told to relay */
	int64		fresh;			/* new observations since the last window was closed */
} SyncJob;

typedef struct SyncSlots		/* jobs of one network */
{
	int			ordinary;
	int			priority;
	int			tails;			/* of them, in their tail and not cancelled */
	int			cancelled;
} SyncSlots;

/* NULL: there are SYNC_MAX_JOBS. */
extern SyncJob *sync_job_new(int32 relay_id, NostrNetwork network, bool priority);
extern SyncJob *sync_job_find(uint32 id);
extern SyncJob *sync_job_of_relay(int32 relay_id);
extern void sync_job_free(SyncJob *job);
/* The child was lost: all are due again, save those that may be why (see
 * suspects.h).  Inside a transaction. */
extern void sync_jobs_forget(bool quick);
extern int	sync_jobs_count(void);
extern int	sync_jobs_busy(void);	/* not in their tail */
extern SyncSlots sync_jobs_slots(NostrNetwork network);
/* The oldest tail that is not cancelled; NULL: none. */
extern SyncJob *sync_jobs_oldest_tail(NostrNetwork network, bool priority);
/* Asks bigbrotr-net to end it; its RESULT still comes. */
extern void sync_job_cancel(SyncJob *job);

#endif
