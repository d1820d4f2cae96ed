/*
 * synchronizer.c
 *
 * Archives what relays publish: gives bigbrotr-net the windows of each relay
 * that coverage still misses, several relays at once, and writes what comes
 * back.
 *
 * With several workers each owns the relays whose id modulo their number is
 * its own: no locks, no leases.  All frames that are ready are one
 * transaction: events, observations, and the coverage that speaks for them
 * become true together.  A job in flight when this process or its child dies
 * is due again at once, and coverage says where it goes on.
 */
#include "postgres.h"

#include <time.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/archive.h"
#include "pg/coverage.h"
#include "pg/foreign_text.h"
#include "pg/guc.h"
#include "pg/netd.h"
#include "pg/networks.h"
#include "pg/sync_batch.h"
#include "pg/worker.h"

#define SYNC_MAX_JOBS		256
#define SYNC_FRAMES_PER_TX	64	/* bounds one transaction */

extern PGDLLEXPORT void bb_synchronizer_main(Datum main_arg);

typedef struct SyncJob
{
	uint32		id;				/* 0 = free */
	int32		relay_id;
	int64		started;		/* unix seconds */
	NostrNetwork network;
	int32		filter_id;		/* coverage_filter.id */
	SyncCounts	counts;
} SyncJob;

static SyncJob jobs[SYNC_MAX_JOBS];
static int	njobs = 0;
static int	njobs_of[NOSTR_NETWORK_COUNT];
static uint32 next_job = 1;
static int	me;
static int	nworkers;

static SyncJob *
job_find(uint32 id)
{
	for (int i = 0; i < SYNC_MAX_JOBS; i++)
	{
		if (jobs[i].id == id)
			return &jobs[i];
	}
	return NULL;
}

static bool
relay_running(int32 relay_id)
{
	for (int i = 0; i < SYNC_MAX_JOBS; i++)
	{
		if (jobs[i].id != 0 && jobs[i].relay_id == relay_id)
			return true;
	}
	return false;
}

static void
job_free(SyncJob *job)
{
	njobs_of[job->network]--;
	njobs--;
	memset(job, 0, sizeof(*job));
}

static void
forget_all_jobs(void)
{
	for (int i = 0; i < SYNC_MAX_JOBS; i++)
	{
		if (jobs[i].id != 0)
			job_free(&jobs[i]);
	}
}

static void
job_start(int32 relay_id, const char *url, NostrNetwork network)
{
	SyncJob    *job = job_find(0);
	BbWindow   *windows;
	int			n;
	size_t		mark;
	NostrBuf   *out = netd_out();

	if (job == NULL)
		return;
	n = coverage_missing(relay_id, bb_synchronizer_filter, bb_synchronizer_since,
						 PG_INT64_MAX, WIRE_MAX_WINDOWS, &windows);
	if (n == 0)
		return;
	job->id = next_job++;
	if (next_job == 0)
		next_job = 1;
	job->relay_id = relay_id;
	job->network = network;
	job->started = (int64) time(NULL);
	job->filter_id = coverage_filter_id(bb_synchronizer_filter);
	njobs++;
	njobs_of[network]++;

	mark = wire_begin(out, WIRE_SYNC, job->id);
	wire_put_str(out, url);
	wire_put_str(out, bb_synchronizer_filter);
	wire_put_u32(out, bb_synchronizer_slice);
	wire_put_u32(out, 0);		/* tail_ms */
	wire_put_u32(out, 0);		/* timeout_ms */
	wire_put_u32(out, bb_synchronizer_page);
	wire_put_u32(out, 0);		/* known_cap */
	wire_put_u32(out, 0);		/* max_reqs_per_minute */
	wire_put_u8(out, WIRE_SUPPORT_REFUSED);
	wire_put_u8(out, WIRE_SYNC_AUTH);
	wire_put_u64(out, 0);		/* held */
	wire_put_u16(out, n);
	for (int i = 0; i < n; i++)
	{
		wire_put_u64(out, (uint64) windows[i].since);
		wire_put_u64(out, (uint64) windows[i].until);
		wire_put_u8(out, WIRE_FETCH);
	}
	wire_end(out, mark);
}

/*
 * Starts relays that are due, oldest first, as far as their networks have
 * room.  Returns how long to wait for the next one, in ms.
 */
static long
start_due(void)
{
	long		next = (long) bb_synchronizer_interval * 1000;
	uint64		n;
	SPITupleTable *rows;

	bb_tx_begin("looking for relays");
	SPI_connect();
	SPI_execute(psprintf("SELECT id, url, network, "
						 "pg_catalog.ceil(extract(epoch FROM next_sync_at - pg_catalog.now()) * 1000)::bigint "
						 "FROM bigbrotr.relay WHERE id %% %d = %d AND state IN ('live', 'degraded', 'dead') "
						 "AND network = ANY ('%s'::text[]) "
						 "ORDER BY next_sync_at LIMIT %d",
						 nworkers, me, bb_enabled_networks(), SYNC_MAX_JOBS * 2), true, 0);
	n = SPI_processed;
	rows = SPI_tuptable;
	for (uint64 i = 0; i < n && njobs < SYNC_MAX_JOBS; i++)
	{
		bool		isnull;
		int32		id = DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
		char	   *url = SPI_getvalue(rows->vals[i], rows->tupdesc, 2);
		int64		ms = DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 4, &isnull));
		NostrNetwork network;

		if (ms > 0)
		{
			next = Min(next, Max(ms, 100));
			break;
		}
		if (!bb_network_by_name(SPI_getvalue(rows->vals[i], rows->tupdesc, 3), &network) ||
			relay_running(id) ||
			njobs_of[network] >= bb_network[network].max_connections)
			continue;
		job_start(id, url, network);
	}
	SPI_finish();
	bb_tx_end();
	netd_flush();
	return next;
}

/*
 * The end of a job.  A relay that answered is due again after the interval
 * (at once when only its slice was over); one that failed after a back-off
 * that doubles up to a day.
 */
static void
handle_result(const WireFrame *f, SyncJob *job, bool *malformed)
{
	static const char *const sql =
		"UPDATE bigbrotr.relay SET "
		"last_ok_at = CASE WHEN $2 THEN pg_catalog.now() ELSE last_ok_at END, "
		"last_failed_at = CASE WHEN $2 THEN last_failed_at ELSE pg_catalog.now() END, "
		"failures = CASE WHEN $2 THEN 0 ELSE failures + 1 END, "
		"failure = $3, reason = $4, "
		"events_received = events_received + $5, "
		"next_sync_at = pg_catalog.now() + CASE WHEN $2 "
		"THEN pg_catalog.make_interval(secs => $6) "
		"ELSE LEAST(pg_catalog.make_interval(days => 1), pg_catalog.make_interval("
		"secs => GREATEST($6, 60) * pg_catalog.power(2, LEAST(failures, 16)))) "
		"* (0.95 + pg_catalog.random() * 0.1) END WHERE id = $1";
	Oid			types[6] = {INT4OID, BOOLOID, TEXTOID, TEXTOID, INT8OID, FLOAT8OID};
	Datum		values[6];
	char		nulls[6] = {' ', ' ', ' ', ' ', ' ', ' '};
	WireReader	r;
	uint8		outcome;
	size_t		class_len;
	size_t		reason_len;
	const uint8_t *class;
	const uint8_t *reason;
	bool		ok;
	int64		received;

	wire_reader(&r, f);
	outcome = wire_get_u8(&r);
	class = wire_get_bytes(&r, WIRE_MAX_TEXT, &class_len);
	reason = wire_get_bytes(&r, WIRE_MAX_TEXT, &reason_len);
	for (int i = 0; i < 5; i++)
		(void) wire_get_u32(&r);	/* timings: the monitor's business */
	received = (int64) wire_get_u64(&r);
	(void) wire_get_u64(&r);	/* bytes */
	(void) wire_get_u32(&r);	/* reqs */
	(void) wire_get_u32(&r);	/* max_page */
	(void) wire_get_u8(&r);		/* negentropy */
	(void) wire_get_u8(&r);		/* auth */
	(void) wire_get_u32(&r);	/* retry_after_ms */
	(void) wire_get_u32(&r);	/* max_reqs_per_minute */
	if (!wire_done(&r))
	{
		*malformed = true;
		return;
	}
	ok = outcome == WIRE_OUTCOME_OK || outcome == WIRE_OUTCOME_AGAIN;
	values[0] = Int32GetDatum(job->relay_id);
	values[1] = BoolGetDatum(ok);
	values[2] = CStringGetTextDatum(bb_foreign_text(class, class_len));
	values[3] = CStringGetTextDatum(bb_foreign_text(reason, reason_len));
	if (ok)
		nulls[2] = nulls[3] = 'n';
	values[4] = Int64GetDatum(Max(received, 0));
	values[5] = Float8GetDatum(outcome == WIRE_OUTCOME_AGAIN ? 0.0 : (double) bb_synchronizer_interval);
	SPI_connect();
	SPI_execute_with_args(sql, 6, types, values, nulls, false, 0);
	SPI_finish();
	archive_count("synchronizer", me, ok ? "passes" : "failures", 1);
	if (f->type == WIRE_RESULT)
		job_free(job);
}

static bool
handle_frame(const WireFrame *f, SyncCounts *counts)
{
	SyncJob    *job = f->job == 0 ? NULL : job_find(f->job);
	bool		malformed = false;

	if (job == NULL)
		return false;
	switch (f->type)
	{
		case WIRE_OFFER:
			return sync_batch_offer(f, job->relay_id, counts);
		case WIRE_EVENTS:
			return sync_batch_events(f, job->relay_id, counts);
		case WIRE_REJECTED:
			return sync_batch_rejected(f, job->relay_id, counts);
		case WIRE_WINDOW:
			return sync_batch_window(f, job->relay_id, job->filter_id, job->started,
									 bb_synchronizer_overlap);
		case WIRE_SET_REQUEST:
			return sync_batch_set(f, job->relay_id);
		case WIRE_PASSED:
		case WIRE_RESULT:
			handle_result(f, job, &malformed);
			return !malformed;
		default:
			return false;
	}
}

static void
count(const char *name, int64 n)
{
	if (n > 0)
		archive_count("synchronizer", me, name, n);
}

/* All frames that are ready, up to a bound, are one transaction. */
static bool
handle_frames(void)
{
	WireFrame	f;
	SyncCounts	counts = {0};
	int			n = 0;
	const char *malformed = NULL;

	while (n < SYNC_FRAMES_PER_TX && netd_next(&f))
	{
		if (n++ == 0)
			bb_tx_begin("writing the archive");
		if (!handle_frame(&f, &counts))
		{
			malformed = "frame of a synchronizer";
			break;
		}
	}
	if (n == 0)
		return false;
	count("events", counts.events);
	count("observations", counts.observations);
	count("duplicates", counts.duplicates);
	count("rejected", counts.rejected);
	bb_tx_end();
	/* Answers leave only now: what they call known is committed. */
	netd_flush();
	if (malformed != NULL)
		netd_malformed(malformed);
	return n == SYNC_FRAMES_PER_TX;
}

void
bb_synchronizer_main(Datum main_arg)
{
	long		wait = 1000;
	bool		look = true;

	me = bb_worker_init(BB_SYNCHRONIZER, main_arg, &nworkers);
	netd_start();

	for (;;)
	{
		int			before;

		if (bb_interrupts())
		{
			netd_reconfigure();
			look = true;
		}
		if (bb_run_requested())
			look = true;
		if (netd_lost())
		{
			forget_all_jobs();
			look = true;
		}
		if (look && netd_ready())
			wait = start_due();
		bb_idle(njobs > 0 ? "synchronizing" : "idle");
		before = njobs;
		look = !netd_poll(netd_ready() ? wait : 1000);
		while (handle_frames())
			CHECK_FOR_INTERRUPTS();
		/* A job that ended made room. */
		if (njobs < before)
			look = true;
	}
}
