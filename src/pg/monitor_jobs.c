/*
 * monitor_jobs.c
 *
 * See monitor_jobs.h.  Numbers of jobs are not used again for a long time: a
 * late frame never meets another job.
 */
#include "pg/compat.h"

#include <time.h>

#include "utils/memutils.h"

#include "pg/monitor_jobs.h"
#include "pg/suspects.h"

static MonitorJob jobs[MONITOR_MAX_JOBS];
static uint32 turn[MONITOR_MAX_JOBS];	/* how often each place was used */
static int	njobs;
static int	nchecks;
static int	nchecks_of[NOSTR_NETWORK_COUNT];

MonitorJob *
monitor_job_new(MonitorJobType type, const char *name, int32 relay_id, NostrNetwork network)
{
	MonitorJob *j;
	int			i = 0;

	while (i < MONITOR_MAX_JOBS && jobs[i].id != 0)
		i++;
	if (i == MONITOR_MAX_JOBS)
		return NULL;
	turn[i] = turn[i] % (PG_UINT32_MAX / MONITOR_MAX_JOBS - 1) + 1;
	j = &jobs[i];
	memset(j, 0, sizeof(*j));
	j->id = turn[i] * MONITOR_MAX_JOBS + i;
	j->type = type;
	j->name = MemoryContextStrdup(TopMemoryContext, name);
	j->started = (int64) time(NULL);
	j->relay_id = relay_id;
	j->network = network;
	njobs++;
	if (type == MONITOR_CHECK)
	{
		nchecks++;
		nchecks_of[network]++;
	}
	return j;
}

MonitorJob *
monitor_job_find(uint32 id)
{
	MonitorJob *j = &jobs[id % MONITOR_MAX_JOBS];

	return id != 0 && j->id == id ? j : NULL;
}

static void
free_text(const char **text)
{
	if (*text != NULL)
		pfree((char *) *text);
	*text = NULL;
}

void
monitor_job_free(MonitorJob *j)
{
	if (j->type == MONITOR_CHECK)
	{
		nchecks--;
		nchecks_of[j->network]--;
	}
	free_text(&j->why.open);
	free_text(&j->why.read);
	free_text(&j->why.write);
	pfree(j->name);
	njobs--;
	j->id = 0;
}

void
monitor_jobs_forget(bool quick)
{
	BbCheckReasons why = {.open = BB_SUSPECT_REASON};

	suspects_begin(quick);
	for (int i = 0; i < MONITOR_MAX_JOBS; i++)
	{
		BbSample	lost = {.at = jobs[i].started,.failure = BB_SUSPECT_CLASS};

		if (jobs[i].id == 0)
			continue;
		if (jobs[i].type == MONITOR_CHECK && suspects_add(jobs[i].relay_id))
			check_store_sample(jobs[i].relay_id, &lost, &why);
		monitor_job_free(&jobs[i]);
	}
	suspects_end();
}

bool
monitor_job_runs(MonitorJobType type, int32 relay_id, const char *name)
{
	for (int i = 0; i < MONITOR_MAX_JOBS; i++)
	{
		if (jobs[i].id != 0 && jobs[i].type == type && jobs[i].relay_id == relay_id &&
			(name == NULL || strcmp(jobs[i].name, name) == 0))
			return true;
	}
	return false;
}

int
monitor_job_names(MonitorJobType type, char **names, int max)
{
	int			n = 0;

	for (int i = 0; i < MONITOR_MAX_JOBS && n < max; i++)
		if (jobs[i].id != 0 && jobs[i].type == type)
			names[n++] = jobs[i].name;
	return n;
}

int
monitor_jobs_count(void)
{
	return njobs;
}

int
monitor_checks_count(void)
{
	return nchecks;
}

int
monitor_checks_of(NostrNetwork network)
{
	return nchecks_of[network];
}
