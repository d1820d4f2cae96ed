/*
 * monitor_jobs.h
 *
 * The jobs that the monitor has given to bigbrotr-net.  In memory only: what
 * is forgotten is due again.
 */
#ifndef BB_MONITOR_JOBS_H
#define BB_MONITOR_JOBS_H

#include "postgres.h"

#include "nostr/relay_url.h"
#include "pg/check_store.h"

#define MONITOR_MAX_JOBS	2048

typedef enum MonitorJobType
{
	MONITOR_CHECK, MONITOR_PUBLISH, MONITOR_SIGN
} MonitorJobType;

typedef struct MonitorJob
{
	uint32		id;				/* 0 = free */
	MonitorJobType type;
	int32		relay_id;		/* CHECK */
	NostrNetwork network;
	int64		started;		/* unix seconds */
	BbSample	sample;
	BbCheckReasons why;			/* in TopMemoryContext, or NULL */
	bool		checked;		/* CHECKED came */
	char	   *name;			/* CHECK: relay, PUBLISH: target, SIGN: slot */
} MonitorJob;

/* NULL: there are MONITOR_MAX_JOBS.  relay_id 0: not a check. */
extern MonitorJob *monitor_job_new(MonitorJobType type, const char *name, int32 relay_id,
								   NostrNetwork network);
extern MonitorJob *monitor_job_find(uint32 id);
extern void monitor_job_free(MonitorJob *j);
extern bool monitor_job_runs(MonitorJobType type, int32 relay_id, const char *name);
/* The targets of jobs of that type, at most max; how many. */
extern int	monitor_job_names(MonitorJobType type, char **names, int max);
extern int	monitor_jobs_count(void);
extern int	monitor_checks_count(void);
extern int	monitor_checks_of(NostrNetwork network);

/*
 * The child was lost.  What was being checked is due again, but for relays
 * that were in flight at two quick losses in a row: one may be to blame.
 * Inside a transaction.
 */
extern void monitor_jobs_forget(bool quick);

#endif
