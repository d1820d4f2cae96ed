/*
 * sync_jobs.c
 *
 * See sync_jobs.h.  Numbers of jobs are not used again for a long time: a
 * late frame never meets another job.
 */
#include "postgres.h"

#include <time.h>

#include "pg/netd.h"
#include "pg/relay_life.h"
#include "pg/suspects.h"
#include "pg/sync_jobs.h"
#include "utils/timestamp.h"
#include "wire/messages.h"

static SyncJob jobs[SYNC_MAX_JOBS];
static uint32 turn[SYNC_MAX_JOBS];	/* how often each place was used */
static int	njobs = 0;

SyncJob *
sync_job_new(int32 relay_id, NostrNetwork network, bool priority)
{
	int			i = 0;

	while (i < SYNC_MAX_JOBS && jobs[i].id != 0)
		i++;
	if (i == SYNC_MAX_JOBS)
		return NULL;
	turn[i] = turn[i] % (PG_UINT32_MAX / SYNC_MAX_JOBS - 1) + 1;
	memset(&jobs[i], 0, sizeof(SyncJob));
	jobs[i].id = turn[i] * SYNC_MAX_JOBS + i;
	jobs[i].relay_id = relay_id;
	jobs[i].network = network;
	jobs[i].priority = priority;
	jobs[i].started = (int64) time(NULL);
	njobs++;
	return &jobs[i];
}

SyncJob *
sync_job_find(uint32 id)
{
	SyncJob    *job = &jobs[id % SYNC_MAX_JOBS];

	return id != 0 && job->id == id ? job : NULL;
}

SyncJob *
sync_job_of_relay(int32 relay_id)
{
	for (int i = 0; i < SYNC_MAX_JOBS; i++)
		if (jobs[i].id != 0 && jobs[i].relay_id == relay_id)
			return &jobs[i];
	return NULL;
}

void
sync_job_free(SyncJob *job)
{
	job->id = 0;
	njobs--;
}

/* A tail had worked; it is nobody's suspect. */
void
sync_jobs_forget(bool quick)
{
	suspects_begin(quick);
	for (int i = 0; i < SYNC_MAX_JOBS; i++)
	{
		RelayNews	news = {.relay_id = jobs[i].relay_id};

		if (jobs[i].id != 0 && jobs[i].tail_since == 0 && suspects_add(jobs[i].relay_id))
			relay_life_failed(&news, BB_SUSPECT_CLASS, BB_SUSPECT_REASON, false, 0);
		jobs[i].id = 0;
	}
	suspects_end();
	njobs = 0;
}

int
sync_jobs_count(void)
{
	return njobs;
}

int
sync_jobs_busy(void)
{
	int			n = 0;

	for (int i = 0; i < SYNC_MAX_JOBS; i++)
		n += jobs[i].id != 0 && jobs[i].tail_since == 0;
	return n;
}

SyncSlots
sync_jobs_slots(NostrNetwork network)
{
	SyncSlots	s = {0};

	for (int i = 0; i < SYNC_MAX_JOBS; i++)
	{
		if (jobs[i].id == 0 || jobs[i].network != network)
			continue;
		if (jobs[i].priority)
			s.priority++;
		else
			s.ordinary++;
		if (jobs[i].cancelled)
			s.cancelled++;
		else if (jobs[i].tail_since != 0)
			s.tails++;
	}
	return s;
}

SyncJob *
sync_jobs_oldest_tail(NostrNetwork network, bool priority)
{
	SyncJob    *oldest = NULL;

	for (int i = 0; i < SYNC_MAX_JOBS; i++)
	{
		SyncJob    *j = &jobs[i];

		if (j->id != 0 && j->network == network && j->priority == priority &&
			j->tail_since != 0 && !j->cancelled &&
			(oldest == NULL || j->tail_since < oldest->tail_since))
			oldest = j;
	}
	return oldest;
}

void
sync_job_cancel(SyncJob *job)
{
	size_t		mark = wire_begin(netd_out(), WIRE_CANCEL, job->id);

	wire_end(netd_out(), mark);
	job->cancelled = true;
}
