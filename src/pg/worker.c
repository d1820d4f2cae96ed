/*
 * worker.c
 *
 * What all background workers share: start-up, transactions, waiting.
 *
 * Guarantees: a worker runs only while its database is not blocked and the
 * extension has the library's version; SIGTERM ends it at the next interrupt
 * check (never inside a handler); user settings of timeouts and search_path
 * do not reach it.  Must survive: being started for a database that is gone,
 * a slot that is still taken, reloads at any time.
 */
#include "pg/compat.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/snapmgr.h"

#include "pg/guc.h"
#include "pg/shmem.h"
#include "pg/worker.h"
#include "pg/worker_start.h"

static const char *const service_names[BB_SERVICE_COUNT] = {
	"launcher", "scheduler", "seeder", "finder", "validator", "synchronizer", "monitor",
	"refresher"
};

static const char *const service_functions[BB_SERVICE_COUNT] = {
	"bb_launcher_main", "bb_scheduler_main", "bb_seeder_main", "bb_finder_main",
	"bb_validator_main", "bb_synchronizer_main", "bb_monitor_main",
	"bb_refresher_main"
};

static bool reloaded = false;
static bool run_at_start = false;
static MemoryContext caller_context = NULL;
static emit_log_hook_type prev_log_hook = NULL;
static uint32 wait_event_idle = 0;

const char *
bb_service_name(BbService s)
{
	return (int) s >= 0 && s < BB_SERVICE_COUNT ? service_names[s] : "unknown";
}

int
bb_service_by_name(const char *name)
{
	for (int i = BB_SEEDER; i < BB_SERVICE_COUNT; i++)
		if (strcmp(service_names[i], name) == 0)
			return i;
	return -1;
}

static void
describe(BackgroundWorker *w, BbService service)
{
	memset(w, 0, sizeof(*w));
	w->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	w->bgw_start_time = BgWorkerStart_RecoveryFinished;
	w->bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(w->bgw_library_name, "bigbrotr", sizeof(w->bgw_library_name));
	strlcpy(w->bgw_function_name, service_functions[service], sizeof(w->bgw_function_name));
	snprintf(w->bgw_type, BGW_MAXLEN, "bigbrotr %s", service_names[service]);
	strlcpy(w->bgw_name, w->bgw_type, BGW_MAXLEN);
}

void
bb_launcher_register(void)
{
	BackgroundWorker w;

	describe(&w, BB_LAUNCHER);
	w.bgw_restart_time = 5;
	RegisterBackgroundWorker(&w);
}

bool
bb_worker_start(BbService service, const BbWorkerArgs *args,
				BackgroundWorkerHandle **handle)
{
	static bool warned = false;
	BackgroundWorker w;

	describe(&w, service);
	StaticAssertStmt(sizeof(BbWorkerArgs) <= BGW_EXTRALEN, "arguments fit");
	snprintf(w.bgw_name, BGW_MAXLEN, "bigbrotr %s %d of database %u",
			 service_names[service], args->index, args->dboid);
	memcpy(w.bgw_extra, args, sizeof(*args));
	w.bgw_main_arg = ObjectIdGetDatum(args->dboid);
	w.bgw_notify_pid = MyProcPid;

	if (RegisterDynamicBackgroundWorker(&w, handle))
	{
		warned = false;
		return true;
	}
	if (!warned)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("could not start bigbrotr %s: out of background worker slots",
						service_names[service]),
				 errhint("Increase max_worker_processes (now %d) and restart the server. Until then bigbrotr retries periodically.",
						 max_worker_processes)));
	warned = true;
	return false;
}

/* Keeps the text of the last error for the scheduler. */
static void
remember_error(ErrorData *edata)
{
	if (edata->elevel >= ERROR)
		bb_slot_error(edata->message);
	if (prev_log_hook)
		prev_log_hook(edata);
}

void
bb_worker_signals(void)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();

	if (!bb_shmem_ready())
		proc_exit(0);
	prev_log_hook = emit_log_hook;
	emit_log_hook = remember_error;
}

static void
set_override(const char *name, const char *value)
{
	SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE);
}

void
bb_session_settings(void)
{
	static const char *const settings[][2] = {
		{"role", "none"},
		{"search_path", ""},
		{"statement_timeout", "0"},
		{"lock_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"idle_session_timeout", "0"},
#if PG_VERSION_NUM >= 170000
		{"transaction_timeout", "0"},
#endif
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_read_only", "off"},
		{"row_security", "off"},
		{"standard_conforming_strings", "on"},
		/* our statements are short; compiling them takes longer than they do */
		{"jit", "off"},
	};

	for (int i = 0; i < lengthof(settings); i++)
		set_override(settings[i][0], settings[i][1]);
	set_override("synchronous_commit", bb_synchronous_commit ? "on" : "off");
	pgstat_report_appname(MyBgworkerEntry->bgw_name);
}

int
bb_worker_init(BbService service, Datum main_arg, int *nworkers)
{
	BbWorkerArgs args;

	memcpy(&args, MyBgworkerEntry->bgw_extra, sizeof(args));
	bb_worker_signals();

	/* before connecting: a command that wants the database sees us at once */
	if (!bb_slot_attach(args.dboid, service, args.index))
		proc_exit(0);

	BackgroundWorkerInitializeConnectionByOid(args.dboid, InvalidOid, 0);
	bb_session_settings();

	if (service > BB_SCHEDULER)
	{
		bool		ok;

		bb_tx_begin("checking the version of the extension");
		ok = bb_extension_matches(false);
		bb_tx_end();
		if (!ok)
			proc_exit(0);
	}
	run_at_start = args.run;
	bb_slot_running();
	if (nworkers)
		*nworkers = args.nworkers;
	bb_idle("starting");
	return args.index;
}

bool
bb_extension_matches(bool warn)
{
	static char warned_for[64] = "";
	char		version[64] = "";

	SPI_connect();
	if (SPI_execute("SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'bigbrotr'",
					true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look up the extension");
	if (SPI_processed == 1)
	{
		char	   *v = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);

		if (v)
			strlcpy(version, v, sizeof(version));
	}
	SPI_finish();

	if (strcmp(version, BB_VERSION) == 0)
	{
		warned_for[0] = '\0';
		return true;
	}
	if (warn && version[0] != '\0' && strcmp(version, warned_for) != 0)
	{
		strlcpy(warned_for, version, sizeof(warned_for));
		ereport(WARNING,
				(errmsg("bigbrotr is waiting: extension has version %s, but library has version %s",
						version, BB_VERSION),
				 errhint("Run ALTER EXTENSION bigbrotr UPDATE, or restart the server after installing the library.")));
	}
	return false;
}

void
bb_tx_begin(const char *activity)
{
	caller_context = CurrentMemoryContext;
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	debug_query_string = activity;
	pgstat_report_activity(STATE_RUNNING, activity);
}

void
bb_tx_end(void)
{
	/* a command that commits by itself leaves none */
	if (ActiveSnapshotSet())
		PopActiveSnapshot();
	CommitTransactionCommand();
	debug_query_string = NULL;
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	/* commit leaves us in TopMemoryContext */
	if (caller_context)
		MemoryContextSwitchTo(caller_context);
}

void
bb_idle(const char *activity)
{
	pgstat_report_activity(STATE_IDLE, activity);
}

void
bb_serve_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
		set_override("synchronous_commit", bb_synchronous_commit ? "on" : "off");
		reloaded = true;
	}
}

bool
bb_interrupts(void)
{
	bool		result;

	bb_serve_interrupts();
	result = reloaded;
	reloaded = false;
	return result;
}

void
bb_wait(long timeout_ms)
{
	int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;

	if (timeout_ms >= 0)
		events |= WL_TIMEOUT;
	(void) WaitLatch(MyLatch, events, timeout_ms,
					 bb_wait_event(&wait_event_idle, "BigbrotrIdle"));
	ResetLatch(MyLatch);
	bb_serve_interrupts();
}

bool
bb_run_requested(void)
{
	bool		result = run_at_start;

	run_at_start = false;
	return bb_slot_take_run_request() || result;
}
