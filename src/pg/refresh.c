/*
 * refresh.c
 *
 * The list of maintenance tasks, and one step of one of them.
 *
 * Guarantees: a step and its record in bigbrotr.maintenance commit together;
 * two processes are never in steps of the same task, because each holds the
 * lock of the task's row until it commits.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "pg/compact.h"
#include "pg/index_pack.h"
#include "pg/refresh.h"
#include "pg/retention.h"

const BbTask bb_tasks[] = {
	{"peers", "reading what other monitors say", refresh_peers, NULL},
	{"retention", "removing what is not to be kept", retention_task, retention_after},
	{"compact", "packing cold observations", compact_task, NULL},
	{BB_TASK_ANALYTICS, "counting what was archived", fold_step, NULL},
	{"orphans", "removing what belongs to nothing", refresh_orphans, NULL},
	{"indexes", "looking for indexes to build anew", index_pack_step, index_pack_after},
	{NULL, NULL, NULL, NULL}
};
const int	bb_task_count = lengthof(bb_tasks) - 1;

/* A statement that uses $1, and of the others what it wants. */
static void
run(const char *sql, const char *name, int64 done, bool flag, const char *text, int expected)
{
	Oid			types[4] = {TEXTOID, INT8OID, BOOLOID, TEXTOID};
	Datum		values[4];
	char		nulls[4] = {' ', ' ', ' ', text ? ' ' : 'n'};

	values[0] = CStringGetTextDatum(name);
	values[1] = Int64GetDatum(done);
	values[2] = BoolGetDatum(flag);
	values[3] = text ? CStringGetTextDatum(text) : (Datum) 0;
	if (SPI_execute_with_args(sql, 4, types, values, nulls, false, 0) != expected)
		elog(ERROR, "could not write bigbrotr.maintenance");
}

/* The row may be new: what a conflict waits for is committed when we go on. */
static void
lock_task(const char *name)
{
	run("INSERT INTO bigbrotr.maintenance (task) SELECT $1 "
		"WHERE NOT EXISTS (SELECT FROM bigbrotr.maintenance AS m WHERE m.task = $1) "
		"ON CONFLICT DO NOTHING",
		name, 0, false, NULL, SPI_OK_INSERT);
	run("SELECT FROM bigbrotr.maintenance AS m WHERE m.task = $1 FOR UPDATE",
		name, 0, false, NULL, SPI_OK_SELECT);
}

bool
bb_task_step(const BbTask *task, bool first, int64 *done)
{
	bool		more;

	*done = 0;
	SPI_connect();
	lock_task(task->name);
	SPI_finish();

	more = task->step(done);

	SPI_connect();
	run("UPDATE bigbrotr.maintenance AS m SET "
		"started_at = CASE WHEN $3 THEN pg_catalog.now() ELSE m.started_at END, "
		"finished_at = CASE WHEN $4 IS NULL THEN pg_catalog.clock_timestamp() END, "
		"steps = m.steps + 1, last_done = CASE WHEN $3 THEN 0 ELSE m.last_done END + $2, "
		"done = m.done + $2, last_error = NULL WHERE m.task = $1",
		task->name, *done, first, more ? "" : NULL, SPI_OK_UPDATE);
	SPI_finish();
	return more;
}

void
bb_task_failed(const BbTask *task, const char *error)
{
	SPI_connect();
	lock_task(task->name);
	run("UPDATE bigbrotr.maintenance AS m SET failures = m.failures + 1, last_error = $4, "
		"failed_at = pg_catalog.now() WHERE m.task = $1",
		task->name, 0, false, error, SPI_OK_UPDATE);
	SPI_finish();
}
