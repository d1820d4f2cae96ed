/*
 * scheduler.c
 *
 * One per database: decides what is due, starts the services as dynamic
 * workers and supervises them.
 *
 * Guarantees: services run only while extension and library have the same
 * version; a service that fails is restarted after 1 s, doubling to 60 s;
 * table bigbrotr.service records when each started and how it ended; the
 * number of synchronizers changes only after all old ones have stopped, so
 * that two never own the same relay.  When the scheduler exits, so do its
 * services.  Must survive: an extension that does not exist (yet), an archive
 * that is being restored, an exhausted worker table, services that die at
 * once.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/guc.h"
#include "pg/guc_monitor.h"
#include "pg/partitions.h"
#include "pg/restoring.h"
#include "pg/shmem.h"
#include "pg/worker.h"
#include "pg/worker_start.h"

#define MAX_CHILDREN	(5 + 64)
#define BACKOFF_MIN		1000
#define BACKOFF_MAX		60000
#define NO_SLOT_WAIT	10000
#define LONGEST_WAIT	60000
#define RESTORE_WAIT	2000		/* nobody tells us when a restore has ended */

typedef struct Child
{
	BbService	service;
	int			index;
	BackgroundWorkerHandle *handle;
	bool		stopping;
	bool		requested;		/* started by bigbrotr.run(), paused or not */
	bool		failed;			/* short-lived: its last run must be repeated */
	TimestampTz started;
	TimestampTz next_start;
	int			backoff;
} Child;

typedef struct ServiceRow
{
	bool		paused;
	int64		age;			/* s since the last start; -1 never */
} ServiceRow;

extern PGDLLEXPORT void bb_scheduler_main(Datum main_arg);

static Child children[MAX_CHILDREN];
static ServiceRow rows[BB_SERVICE_COUNT];
static uint32 run_mask = 0;		/* asked for by bigbrotr.run() */
static int	sync_workers = 0;	/* the number the running ones know */
static bool extension_there = false;	/* and its archive whole */
static bool restoring = false;

/* Services that run for one cycle and end, and how often; -1: not one. */
static int
cycle_of(BbService service)
{
	return service == BB_SEEDER ? bb_seeder_interval :
		service == BB_FINDER ? bb_finder_interval :
		service == BB_REFRESHER ? bb_refresher_interval : -1;
}

static void
stop_child(Child *c)
{
	if (c->handle && !c->stopping)
	{
		TerminateBackgroundWorker(c->handle);
		c->stopping = true;
	}
}

static void
stop_all(int code, Datum arg)
{
	for (int i = 0; i < MAX_CHILDREN; i++)
		stop_child(&children[i]);
}

static void
read_state(void)
{
	for (int i = 0; i < BB_SERVICE_COUNT; i++)
	{
		rows[i].paused = false;
		rows[i].age = -1;
	}
	bb_tx_begin("looking for what is due");
	extension_there = bb_extension_matches(true);
	restoring = extension_there && bb_restoring();
	extension_there = extension_there && !restoring;
	if (extension_there)
	{
		SPI_connect();
		if (SPI_execute("SELECT name, coalesce(paused, false), coalesce(extract(epoch from "
						"now() - last_started_at)::bigint, -1) FROM bigbrotr.service",
						true, 0) != SPI_OK_SELECT)
			elog(ERROR, "could not read bigbrotr.service");
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			HeapTuple	tup = SPI_tuptable->vals[i];
			TupleDesc	desc = SPI_tuptable->tupdesc;
			char	   *name = SPI_getvalue(tup, desc, 1);
			int			service = name ? bb_service_by_name(name) : -1;
			bool		isnull;

			if (service < 0)
				continue;
			rows[service].paused = DatumGetBool(SPI_getbinval(tup, desc, 2, &isnull));
			rows[service].age = DatumGetInt64(SPI_getbinval(tup, desc, 3, &isnull));
		}
		SPI_finish();
	}
	bb_tx_end();
}

/* Runs one statement on the row of a service; $1 its name, $2 a text. */
static void
record(BbService service, const char *sql, const char *text)
{
	Oid			types[2] = {TEXTOID, TEXTOID};
	Datum		values[2];
	char		nulls[2] = {' ', text ? ' ' : 'n'};

	bb_tx_begin("recording the state of a service");
	values[0] = CStringGetTextDatum(bb_service_name(service));
	values[1] = text ? CStringGetTextDatum(text) : (Datum) 0;
	SPI_connect();
	if (SPI_execute_with_args(sql, 2, types, values, nulls, false, 0) < 0)
		elog(ERROR, "could not write bigbrotr.service");
	SPI_finish();
	bb_tx_end();
}

/* An UPDATE first: the table's trigger for pg_restore would take an INSERT
 * of a row that exists for the state to restore. */
static void
record_start(BbService service)
{
	record(service,
		   "WITH known AS (UPDATE bigbrotr.service SET last_started_at = now(), "
		   "runs = runs + 1 WHERE name = $1 RETURNING name) "
		   "INSERT INTO bigbrotr.service (name, last_started_at, runs) "
		   "SELECT $1, now(), 1 WHERE $2 IS NULL AND NOT EXISTS (SELECT FROM known)", NULL);
}

/* error: NULL when it did what it should. */
static void
record_end(BbService service, const char *error)
{
	record(service,
		   "UPDATE bigbrotr.service SET last_finished_at = now(), last_error = $2, "
		   "failures = failures + ($2 IS NOT NULL)::int WHERE name = $1", error);
}

/* It was stopped, which says nothing about how it worked. */
static void
record_stop(BbService service)
{
	record(service,
		   "UPDATE bigbrotr.service SET last_finished_at = now() "
		   "WHERE name = $1 AND $2 IS NULL", NULL);
}

/* Looks whether a child has ended, and how. */
static void
reap(Child *c, TimestampTz now)
{
	pid_t		pid;
	int			code = 1;
	char		error[BB_ERROR_LEN] = "";
	bool		asked = c->stopping;
	bool		failed;

	if (c->handle == NULL || GetBackgroundWorkerPid(c->handle, &pid) != BGWH_STOPPED)
		return;
	pfree(c->handle);
	c->handle = NULL;
	c->stopping = false;

	/* no slot: it left before it took one, so there is nothing to tell */
	if (!bb_slot_reap(MyDatabaseId, c->service, c->index, &code, error))
		strlcpy(error, "the worker could not start", BB_ERROR_LEN);
	else if (error[0] == '\0')
		strlcpy(error, "the worker ended unexpectedly", BB_ERROR_LEN);
	failed = code != 0 && !asked;
	c->failed = failed;

	if (asked || TimestampDifferenceExceeds(c->started, now, 60000) ||
		(cycle_of(c->service) >= 0 && !failed))
		c->backoff = BACKOFF_MIN;
	c->next_start = asked ? now : TimestampTzPlusMilliseconds(now, c->backoff);
	if (failed || cycle_of(c->service) < 0)
		c->backoff = Min(c->backoff * 2, BACKOFF_MAX);
	if (!extension_there)
		return;
	if (asked)
		record_stop(c->service);
	else
		record_end(c->service, failed ? error : NULL);
}

static bool
is_due(Child *c)
{
	bool		run = (run_mask & (1u << c->service)) != 0;

	if (!extension_there || !bb_enabled)
		return false;
	switch (c->service)
	{
		case BB_SEEDER:
		case BB_FINDER:
		case BB_REFRESHER:
			if (run)
				return true;
			if (c->handle)		/* once started it ends by itself */
				return c->requested || !rows[c->service].paused;
			if (rows[c->service].paused || cycle_of(c->service) == 0)
				return false;
			return c->failed || rows[c->service].age < 0 ||
				rows[c->service].age >= cycle_of(c->service);
		case BB_VALIDATOR:
			return !rows[BB_VALIDATOR].paused && bb_validator_interval > 0;
		case BB_MONITOR:
			return !rows[BB_MONITOR].paused && bb_monitor_interval > 0;
		case BB_SYNCHRONIZER:
			return !rows[BB_SYNCHRONIZER].paused && bb_synchronizer_interval > 0 &&
				sync_workers == bb_synchronizer_workers && c->index < sync_workers;
		default:
			return false;
	}
}

static void
keep(Child *c, TimestampTz now)
{
	BbWorkerArgs args = {0};
	char		error[BB_ERROR_LEN];
	int			code;

	if (!is_due(c))
	{
		stop_child(c);
		return;
	}
	if (c->handle || now < c->next_start || bb_blocked(MyDatabaseId) ||
		bb_slot_alive(MyDatabaseId, c->service, c->index))
		return;

	/* the end of one that an earlier scheduler did not see */
	(void) bb_slot_reap(MyDatabaseId, c->service, c->index, &code, error);

	args.dboid = MyDatabaseId;
	args.index = c->index;
	args.nworkers = c->service == BB_SYNCHRONIZER ? sync_workers : 1;
	args.run = (run_mask & (1u << c->service)) != 0;
	if (!bb_worker_start(c->service, &args, &c->handle))
	{
		/* nobody tells us when a slot becomes free */
		c->next_start = TimestampTzPlusMilliseconds(now, NO_SLOT_WAIT);
		return;
	}
	c->started = now;
	c->requested = args.run;
	record_start(c->service);
	rows[c->service].age = 0;
	if (cycle_of(c->service) >= 0)
		run_mask &= ~(1u << c->service);
}

/* A new number takes effect when all of the old workers have stopped. */
static void
adjust_synchronizers(void)
{
	if (sync_workers == bb_synchronizer_workers)
		return;
	for (int i = 0; i < MAX_CHILDREN; i++)
		if (children[i].service == BB_SYNCHRONIZER && children[i].handle)
			return;
	sync_workers = bb_synchronizer_workers;
}

static long
next_wait(TimestampTz now)
{
	long		wait = restoring ? RESTORE_WAIT : LONGEST_WAIT;

	for (int i = 0; i < MAX_CHILDREN; i++)
	{
		Child	   *c = &children[i];

		if (c->handle || !is_due(c))
			continue;
		if (c->next_start > now)
			wait = Min(wait, TimestampDifferenceMilliseconds(now, c->next_start) + 1);
		else
			wait = Min(wait, BACKOFF_MIN);	/* its old slot is still taken */
	}
	for (int s = 0; s < BB_SERVICE_COUNT; s++)
		if (rows[s].age >= 0 && cycle_of(s) > 0 && extension_there)
			wait = Min(wait, Max(1, cycle_of(s) - rows[s].age) * 1000);
	return wait;
}

void
bb_scheduler_main(Datum main_arg)
{
	MemoryContext context;
	TimestampTz partitions = 0; /* when to see to them */
	int			n = 0;

	bb_worker_init(BB_SCHEDULER, main_arg, NULL);
	before_shmem_exit(stop_all, (Datum) 0);

	children[n++].service = BB_SEEDER;
	children[n++].service = BB_FINDER;
	children[n++].service = BB_REFRESHER;
	children[n++].service = BB_VALIDATOR;
	children[n++].service = BB_MONITOR;
	for (int i = 0; n < MAX_CHILDREN; i++)
	{
		children[n].service = BB_SYNCHRONIZER;
		children[n++].index = i;
	}
	for (int i = 0; i < n; i++)
		children[i].backoff = BACKOFF_MIN;
	sync_workers = bb_synchronizer_workers;

	/* handles of workers live as long as this process */
	context = AllocSetContextCreate(TopMemoryContext, "bigbrotr scheduler",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);

	for (;;)
	{
		(void) bb_interrupts();
		run_mask |= bb_slot_take_run_mask();
		read_state();
		if (extension_there && GetCurrentTimestamp() >= partitions)
			partitions = bb_partitions_ensure();
		for (int i = 0; i < MAX_CHILDREN; i++)
			reap(&children[i], GetCurrentTimestamp());
		adjust_synchronizers();
		for (int i = 0; i < MAX_CHILDREN; i++)
			keep(&children[i], GetCurrentTimestamp());
		/* validators and synchronizers that run were told directly */
		run_mask &= 1u << BB_SEEDER | 1u << BB_FINDER | 1u << BB_REFRESHER;
		bb_idle(extension_there ? "supervising" :
				restoring ? "waiting for a restore to end" : "waiting for the extension");
		bb_wait(next_wait(GetCurrentTimestamp()));
	}
}
