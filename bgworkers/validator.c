/*
 * validator.c
 *
 * Takes candidates that are due, asks bigbrotr-net whether they speak Nostr,
 * and promotes those that do to relays.
 *
 * Candidates that many authors mention come first, and each failure postpones
 * a candidate; the connections of each network are bounded.  All state is in
 * bigbrotr.candidate: a job in flight when this process or its child dies is
 * simply due again.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/archive.h"
#include "pg/candidate_life.h"
#include "pg/due_queue.h"
#include "pg/foreign_text.h"
#include "pg/guc.h"
#include "pg/net_service.h"
#include "pg/netd.h"
#include "pg/networks.h"
#include "pg/shmem.h"
#include "pg/suspects.h"
#include "pg/worker.h"

#define VALIDATOR_MAX_JOBS	1024

extern PGDLLEXPORT void bb_validator_main(Datum main_arg);

typedef struct ValidatorJob
{
	uint32		id;				/* 0 = free */
	NostrNetwork network;
	CandidateIdentity identity; /* when it was told */
	char		url[WIRE_MAX_URL + 1];
} ValidatorJob;

static ValidatorJob *jobs;
static int	njobs = 0;
static int	njobs_of[NOSTR_NETWORK_COUNT];
static uint32 next_job = 1;
static int	me;

static ValidatorJob *
job_find(uint32 id)
{
	for (int i = 0; i < VALIDATOR_MAX_JOBS; i++)
	{
		if (jobs[i].id == id)
			return &jobs[i];
	}
	return NULL;
}

static void
job_start(const char *url, NostrNetwork network)
{
	ValidatorJob *job = job_find(0);
	size_t		mark;

	if (job == NULL || strlen(url) > WIRE_MAX_URL)
		return;
	job->id = next_job++;
	if (next_job == 0)
		next_job = 1;
	job->network = network;
	job->identity.found = false;
	strlcpy(job->url, url, sizeof(job->url));
	njobs++;
	njobs_of[network]++;
	mark = wire_begin(netd_out(), WIRE_VALIDATE, job->id);
	wire_put_str(netd_out(), url);
	wire_end(netd_out(), mark);
}

static int
room_of(NostrNetwork network)
{
	int			all = Min(bb_validator_concurrency, VALIDATOR_MAX_JOBS) - njobs;

	return Min(all, bb_network[network].max_connections - njobs_of[network]);
}

static int
running_of(NostrNetwork network)
{
	return njobs_of[network];
}

static bool
runs(const DueEntry *e)
{
	for (int i = 0; i < VALIDATOR_MAX_JOBS; i++)
	{
		if (jobs[i].id != 0 && jobs[i].network == e->network && strcmp(jobs[i].url, e->url) == 0)
			return true;
	}
	return false;
}

static DueQueue queue = {
	.sql = "SELECT 0, c.url, 0::bigint FROM bigbrotr.candidate AS c "
	"WHERE c.network = $1 AND c.next_attempt_at <= pg_catalog.now() "
	"ORDER BY (c.authors + 1)::float8 / (c.attempts + 1) DESC, c.next_attempt_at LIMIT $2",
	.room = room_of,
	.running = running_of,
	.runs = runs
};

/* ms until a candidate is due that is not yet. */
static long
next_due(void)
{
	long		next = (long) bb_validator_interval * 1000;

	SPI_execute(psprintf("SELECT pg_catalog.ceil(extract(epoch FROM pg_catalog.min(c.next_attempt_at) "
						 "- pg_catalog.now()) * 1000)::bigint FROM bigbrotr.candidate AS c "
						 "WHERE c.network = ANY ('%s'::text[]) AND c.next_attempt_at > pg_catalog.now() "
						 "AND c.next_attempt_at < 'infinity'", bb_enabled_networks()), true, 1);
	if (SPI_processed > 0)
	{
		bool		isnull;
		int64		ms = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
													 SPI_tuptable->tupdesc, 1, &isnull));

		if (!isnull)
			next = Min(next, Max(ms, 100));
	}
	return next;
}

static long
start_due(bool all)
{
	long		wait = (long) bb_validator_interval * 1000;
	const DueEntry *e;

	if (!all && !due_possible(&queue))
		return wait;
	bb_tx_begin("looking for candidates");
	SPI_connect();
	if (all)
	{
		due_forget(&queue);
		wait = next_due();
	}
	while ((e = due_next(&queue, &wait)) != NULL)
		job_start(e->url, e->network);
	SPI_finish();
	bb_tx_end();
	netd_flush();
	return wait;
}

static void
handle_result(const WireFrame *f)
{
	WireReader	r;
	uint8		outcome;
	size_t		class_len;
	size_t		reason_len;
	const uint8 *class_text;
	const uint8 *reason_text;
	ValidatorJob *job;

	wire_reader(&r, f);
	outcome = wire_get_u8(&r);
	class_text = wire_get_bytes(&r, WIRE_MAX_TEXT, &class_len);
	reason_text = wire_get_bytes(&r, WIRE_MAX_TEXT, &reason_len);
	if (r.bad || outcome > WIRE_OUTCOME_CANCELLED || f->job == 0 ||
		(job = job_find(f->job)) == NULL)
	{
		netd_malformed("RESULT");
		return;
	}
	SPI_connect();
	if (outcome == WIRE_OUTCOME_OK)
		candidate_promote(job->url, &job->identity);
	else
		candidate_postpone(job->url, bb_foreign_text(class_text, class_len),
						   bb_foreign_text(reason_text, reason_len));
	SPI_finish();
	archive_count("validator", me, outcome == WIRE_OUTCOME_OK ? "relays" : "failures", 1);
	job->id = 0;
	njobs--;
	njobs_of[job->network]--;
}

static void
handle_identity(const WireFrame *f)
{
	ValidatorJob *job = f->job == 0 ? NULL : job_find(f->job);

	if (job == NULL || !candidate_read_identity(f, &job->identity))
		netd_malformed("IDENTITY");
}

/* The child was lost: all jobs are due again, save those that may be why. */
static void
forget_jobs(void)
{
	bb_tx_begin("forgetting jobs");
	SPI_connect();
	suspects_begin(netd_lost_quickly());
	for (int i = 0; i < VALIDATOR_MAX_JOBS; i++)
	{
		if (jobs[i].id != 0 &&
			suspects_add(hash_bytes_extended((const unsigned char *) jobs[i].url,
											 strlen(jobs[i].url), 0)))
			candidate_postpone(jobs[i].url, BB_SUSPECT_CLASS, BB_SUSPECT_REASON);
	}
	suspects_end();
	SPI_finish();
	bb_tx_end();
	memset(jobs, 0, sizeof(ValidatorJob) * VALIDATOR_MAX_JOBS);
	memset(njobs_of, 0, sizeof(njobs_of));
	njobs = 0;
}

/* All results that are ready go into one transaction. */
static bool
handle_frames(void)
{
	WireFrame	f;
	bool		open = false;
	bool		promoted = false;

	while (netd_next(&f))
	{
		if (f.type == WIRE_IDENTITY)
		{
			handle_identity(&f);
			continue;
		}
		if (f.type != WIRE_RESULT)
		{
			netd_malformed("unexpected frame type");
			break;
		}
		if (!open)
			bb_tx_begin("storing results");
		open = true;
		promoted |= f.len > 0 && f.payload[0] == WIRE_OUTCOME_OK;
		handle_result(&f);
	}
	if (open)
		bb_tx_end();
	if (promoted)
	{
		bb_run_request(MyDatabaseId, BB_SYNCHRONIZER);
		bb_run_request(MyDatabaseId, BB_MONITOR);
	}
	return false;
}

static int
busy(void)
{
	return njobs;
}

static const char *
activity(void)
{
	return njobs > 0 ? "validating" : "idle";
}

void
bb_validator_main(Datum main_arg)
{
	static const BbNetService service = {
		.forget = forget_jobs,.start = start_due,.frames = handle_frames,
		.busy = busy,.activity = activity
	};

	me = bb_worker_init(BB_VALIDATOR, main_arg, NULL);
	jobs = MemoryContextAllocZero(TopMemoryContext, sizeof(ValidatorJob) * VALIDATOR_MAX_JOBS);
	bb_net_service(&service);
}
