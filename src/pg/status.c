/*
 * status.c
 *
 * SQL functions about the workers of the current database.
 *
 *   bigbrotr_worker_status()   SETOF (service text, worker int, pid int,
 *                              state text, started_at timestamptz)
 *   bigbrotr_run_service(text) runs a service now
 *   bigbrotr_wake()            settings in tables changed, look again
 *   bigbrotr_check_request(int) the monitor checks that relay now
 *
 * Must survive: being called without shared_preload_libraries (an error with
 * a hint; the status is empty).
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "pg/guc.h"
#include "pg/guc_monitor.h"
#include "pg/lifecycle.h"
#include "pg/shmem.h"
#include "pg/srf.h"

extern PGDLLEXPORT Datum bigbrotr_worker_status(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum bigbrotr_run_service(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum bigbrotr_wake(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum bigbrotr_check_request(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(bigbrotr_worker_status);
PG_FUNCTION_INFO_V1(bigbrotr_run_service);
PG_FUNCTION_INFO_V1(bigbrotr_wake);
PG_FUNCTION_INFO_V1(bigbrotr_check_request);

#define STATUS_COLUMNS 5

static const char *
state_name(BbSlotState s)
{
	switch (s)
	{
		case BB_SLOT_STARTING:
			return "starting";
		case BB_SLOT_RUNNING:
			return "running";
		case BB_SLOT_EXITED:
			return "exited";
		case BB_SLOT_FREE:
			break;
	}
	return "unknown";
}

Datum
bigbrotr_worker_status(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsi = (ReturnSetInfo *) fcinfo->resultinfo;
	BbSlot	   *slots;
	int			n;

	bb_srf_begin(fcinfo);
	if (!bb_shmem_ready())
		PG_RETURN_NULL();

	slots = palloc(sizeof(BbSlot) * BB_MAX_SLOTS);
	n = bb_slots_copy(InvalidOid, slots, BB_MAX_SLOTS);
	for (int i = 0; i < n; i++)
	{
		BbSlot	   *s = &slots[i];
		Datum		values[STATUS_COLUMNS];
		bool		nulls[STATUS_COLUMNS] = {false};

		if (s->dboid != MyDatabaseId && s->service != BB_LAUNCHER)
			continue;
		values[0] = CStringGetTextDatum(bb_service_name(s->service));
		values[1] = Int32GetDatum(s->index);
		values[2] = Int32GetDatum(s->pid);
		nulls[2] = s->pid == 0;
		values[3] = CStringGetTextDatum(state_name(s->state));
		values[4] = TimestampTzGetDatum(s->started_at);
		tuplestore_putvalues(rsi->setResult, rsi->setDesc, values, nulls);
	}
	pfree(slots);
	PG_RETURN_NULL();
}

static void
require_preload(void)
{
	if (!bb_shmem_ready())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("bigbrotr must be loaded via \"shared_preload_libraries\""),
				 errhint("Add bigbrotr to shared_preload_libraries and restart the server.")));
}

static bool
is_paused(const char *service)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(service)};
	bool		paused;

	SPI_connect();
	SPI_execute_with_args("SELECT FROM bigbrotr.service AS s WHERE s.name = $1 AND s.paused",
						  1, types, values, NULL, true, 1);
	paused = SPI_processed > 0;
	SPI_finish();
	return paused;
}

/* Services that run all the time only look again when they run: else nothing
 * would come of it.  The others run once, whatever their schedule says. */
static void
need_running(BbService service)
{
	const char *name = bb_service_name(service);
	int			interval = service == BB_VALIDATOR ? bb_validator_interval :
		service == BB_MONITOR ? bb_monitor_interval :
		service == BB_SYNCHRONIZER ? bb_synchronizer_interval : -1;

	if (interval < 0)
		return;
	if (is_paused(name))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("service \"%s\" is paused", name),
				 errhint("Run SELECT bigbrotr.resume('%s').", name)));
	if (interval == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("service \"%s\" is disabled", name),
				 errhint("Set bigbrotr.%s_interval to a value greater than 0.", name)));
}

static void
no_scheduler(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("no bigbrotr scheduler is running in this database"),
			 errhint("Check that bigbrotr.databases names this database, that bigbrotr.enabled is on, and that max_worker_processes is high enough.")));
}

Datum
bigbrotr_run_service(PG_FUNCTION_ARGS)
{
	char	   *name = PG_ARGISNULL(0) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			service = bb_service_by_name(name);

	if (service < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("service \"%s\" does not exist", name),
				 errhint("See bigbrotr.service for the available services.")));
	require_preload();
	if (!bb_slot_alive(MyDatabaseId, BB_SCHEDULER, 0))
		no_scheduler();
	need_running((BbService) service);
	if (!bb_run_request(MyDatabaseId, (BbService) service))
		no_scheduler();
	PG_RETURN_VOID();
}

Datum
bigbrotr_wake(PG_FUNCTION_ARGS)
{
	bb_wake_at_commit();
	PG_RETURN_VOID();
}

Datum
bigbrotr_check_request(PG_FUNCTION_ARGS)
{
	require_preload();
	if (!bb_slot_alive(MyDatabaseId, BB_MONITOR, 0))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("monitor is not running in this database"),
				 errhint("Check bigbrotr.monitor_interval, bigbrotr.databases, and whether the monitor is paused (bigbrotr.status).")));
	if (!bb_check_request(MyDatabaseId, PG_GETARG_INT32(0)))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many checks are waiting"),
				 errhint("At most %d checks can be requested at a time.", BB_MAX_CHECKS)));
	PG_RETURN_VOID();
}
