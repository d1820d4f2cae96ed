/*
 * validator.c
 *
 * Takes candidates that are due, asks bigbrotr-net whether they speak Nostr,
 * and promotes those that do to relays.
 *
 * Promotion and removal of the candidate are one transaction; the time of
 * discovery survives it.  A failure is classified and retried with a back-off
 * that doubles, from minutes to weeks, by class: a name that does not exist
 * is not asked again within the hour.  All state is in bigbrotr.candidate: a
 * job in flight when this process or its child dies is simply due again.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/archive.h"
#include "pg/foreign_text.h"
#include "pg/guc.h"
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
	char		url[WIRE_MAX_URL + 1];
} ValidatorJob;

static ValidatorJob *jobs;
static int	njobs = 0;
static uint32 next_job = 1;
static int	me;
static int	workers;

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

static bool
job_running(const char *url)
{
	for (int i = 0; i < VALIDATOR_MAX_JOBS; i++)
	{
		if (jobs[i].id != 0 && strcmp(jobs[i].url, url) == 0)
			return true;
	}
	return false;
}

static void
job_start(const char *url)
{
	ValidatorJob *job = job_find(0);
	size_t		mark;

	if (job == NULL || strlen(url) > WIRE_MAX_URL)
		return;
	job->id = next_job++;
	if (next_job == 0)
		next_job = 1;
	strlcpy(job->url, url, sizeof(job->url));
	njobs++;
	mark = wire_begin(netd_out(), WIRE_VALIDATE, job->id);
	wire_put_str(netd_out(), url);
	wire_end(netd_out(), mark);
}

/*
 * Starts candidates that are due, as many as there is room for.  Returns how
 * long to wait for the next one, in ms.
 */
static long
start_due(void)
{
	int			room = Min(bb_validator_concurrency, VALIDATOR_MAX_JOBS) - njobs;
	long		next = (long) bb_validator_interval * 1000;
	char	   *sql;
	uint64		n;

	if (room <= 0)
		return next;
	bb_tx_begin("looking for candidates");
	SPI_connect();

	/* Those in flight are still due in the table: read that many more. */
	sql = psprintf("SELECT url, next_attempt_at <= pg_catalog.now(), "
				   "pg_catalog.ceil(extract(epoch FROM next_attempt_at - pg_catalog.now()) * 1000)::bigint "
				   "FROM bigbrotr.candidate WHERE network = ANY ('%s'::text[]) "
				   "ORDER BY next_attempt_at LIMIT %d",
				   bb_enabled_networks(),
				   room + njobs + 1);
	SPI_execute(sql, true, 0);
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		HeapTuple	tup = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		char	   *url = SPI_getvalue(tup, desc, 1);

		if (!DatumGetBool(SPI_getbinval(tup, desc, 2, &isnull)))
		{
			int64		ms = DatumGetInt64(SPI_getbinval(tup, desc, 3, &isnull));

			next = Min(next, Max(ms, 100));
			break;
		}
		if (room > 0 && !job_running(url))
		{
			job_start(url);
			room--;
		}
	}
	SPI_finish();
	bb_tx_end();
	netd_flush();
	return next;
}

/* The candidate speaks Nostr: it becomes a relay. */
static void
promote(const char *url)
{
	static const char *const sql =
		"WITH gone AS (DELETE FROM bigbrotr.candidate WHERE url = $1 "
		"RETURNING url, network, discovered_at) "
		"INSERT INTO bigbrotr.relay (url, network, discovered_at, promoted_at, last_ok_at) "
		"SELECT url, network, discovered_at, pg_catalog.now(), pg_catalog.now() FROM gone "
		"ON CONFLICT (url) DO NOTHING";
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(url)};

	SPI_execute_with_args(sql, 1, types, values, NULL, false, 0);
}

/*
 * Not a relay, or not now.  First retry after 10 minutes; after an hour when
 * the answer was definite (no such name, not Nostr, not a WebSocket, address
 * refused); doubling each time up to two weeks, with a tenth of jitter.  A
 * failure of ours (resources, cancelled) costs no attempt.
 */
static void
postpone(const char *url, const char *class, const char *reason)
{
	static const char *const sql =
		"UPDATE bigbrotr.candidate SET attempts = attempts + $4, "
		"last_attempt_at = pg_catalog.now(), failure = $2, reason = $3, "
		"next_attempt_at = pg_catalog.now() + "
		"LEAST(pg_catalog.make_interval(days => 14), "
		"pg_catalog.make_interval(secs => (CASE WHEN $2 = ANY "
		"('{dns_nxdomain,address_refused,not_nostr,not_websocket,http_status,tls_certificate}'::text[]) "
		"THEN 3600 ELSE 600 END) * pg_catalog.power(2, LEAST(attempts, 16)))) "
		"* (0.95 + pg_catalog.random() * 0.1) WHERE url = $1";
	Oid			types[4] = {TEXTOID, TEXTOID, TEXTOID, INT4OID};
	Datum		values[4];
	bool		ours = strcmp(class, "resources") == 0 || strcmp(class, "cancelled") == 0;

	values[0] = CStringGetTextDatum(url);
	values[1] = CStringGetTextDatum(class);
	values[2] = CStringGetTextDatum(reason);
	values[3] = Int32GetDatum(ours ? 0 : 1);
	SPI_execute_with_args(sql, 4, types, values, NULL, false, 0);
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
		promote(job->url);
	else
		postpone(job->url, bb_foreign_text(class_text, class_len),
				 bb_foreign_text(reason_text, reason_len));
	SPI_finish();
	archive_count("validator", me, outcome == WIRE_OUTCOME_OK ? "relays" : "failures", 1);
	job->id = 0;
	njobs--;
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
			postpone(jobs[i].url, BB_SUSPECT_CLASS, BB_SUSPECT_REASON);
	}
	suspects_end();
	SPI_finish();
	bb_tx_end();
	memset(jobs, 0, sizeof(ValidatorJob) * VALIDATOR_MAX_JOBS);
	njobs = 0;
}

/* All results that are ready go into one transaction. */
static void
handle_frames(void)
{
	WireFrame	f;
	bool		open = false;
	bool		promoted = false;

	while (netd_next(&f))
	{
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
}

void
bb_validator_main(Datum main_arg)
{
	long		wait = 0;
	bool		look = true;

	me = bb_worker_init(BB_VALIDATOR, main_arg, &workers);
	jobs = MemoryContextAllocZero(TopMemoryContext, sizeof(ValidatorJob) * VALIDATOR_MAX_JOBS);
	netd_start();

	for (;;)
	{
		if (bb_interrupts())
		{
			netd_reconfigure();
			look = true;
		}
		if (bb_run_requested())
			look = true;
		if (netd_lost())
		{
			forget_jobs();
			look = true;
		}
		if (look && netd_ready())
			wait = start_due();
		bb_idle(njobs > 0 ? "validating" : "idle");
		look = !netd_poll(wait > 0 ? wait : 1000);
		handle_frames();
		/* Fill the room that results made, in steps: not a query for each. */
		if (njobs <= Min(bb_validator_concurrency, VALIDATOR_MAX_JOBS) / 2)
			look = true;
	}
}
