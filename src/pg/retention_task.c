/*
 * retention_task.c
 *
 * Carries out the policies of table retention, a batch at a time.
 *
 * Guarantees that the floor of a policy is committed before the first event
 * below it is removed, so that writers refuse such events from then on; and
 * that writers wait for at most one batch, about BATCH_MS, and get as long in
 * between.  Months that a policy for all kinds has emptied are truncated when
 * no snapshot remains that sees their rows.
 */
#include "pg/compat.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "portability/instr_time.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/xid8.h"

#include "pg/partition_empty.h"
#include "pg/retention.h"
#include "pg/worker.h"

#define BATCH_MS		40			/* writers wait for a batch */
#define BATCH_FIRST		200			/* events; then what BATCH_MS lets */
#define BATCH_MIN		50
#define BATCH_MAX		5000
#define STEPS_IN_A_RUN	200

static int	batch = BATCH_FIRST;
static char scanned[NAMEDATALEN];	/* of this table all is gone up to ... */
static int64 scanned_key;
static double pause_ms;			/* after this step */

static const char age_sql[] =
	"UPDATE bigbrotr.retention AS r SET floor = f.floor FROM "
	"(SELECT t.name, extract(epoch FROM pg_catalog.now() - t.max_age)::bigint AS floor "
	"FROM bigbrotr.retention AS t WHERE t.enabled AND t.max_age IS NOT NULL) AS f "
	"WHERE f.name = r.name AND (r.floor IS NULL OR abs(r.floor - f.floor) >= 60)";

/* One more of the oldest months that have ended and hold something. */
static const char size_sql[] =
	"UPDATE bigbrotr.retention AS r SET floor = p.hi >> 29 FROM "
	"(SELECT q.hi FROM bigbrotr.archive_partitions() AS q WHERE q.bytes > 262144 "
	"AND q.hi <= bigbrotr.partition_bound(pg_catalog.now()) "
	"AND EXISTS (SELECT FROM bigbrotr.event AS e WHERE e.key >= q.lo AND e.key < q.hi) "
	"ORDER BY q.lo LIMIT 1) AS p "
	"WHERE r.enabled AND r.max_bytes IS NOT NULL AND coalesce(r.floor, 0) < p.hi >> 29 "
	"AND r.max_bytes < bigbrotr.archive_bytes() "
	/* what was removed and not given back yet comes first */
	"AND NOT EXISTS (SELECT FROM bigbrotr.archive_partitions() AS q "
	"WHERE q.hi <= coalesce(r.floor, 0) << 29 AND q.bytes > 262144)";

/* Each policy with each pair of partitions that it reaches, oldest first. */
static const char work_sql[] =
	"SELECT r.name, p.name, r.floor << 29, r.kinds, p.hi <= r.floor << 29 AND r.kinds IS NULL, r.removed_xid "
	"FROM bigbrotr.retention AS r, bigbrotr.archive_partitions() AS p "
	"WHERE r.enabled AND r.floor > 0 AND p.lo < least(r.floor, 17179869183) << 29 AND p.bytes > 0 "
	"ORDER BY p.lo, r.name";

static void
execute(const char *sql, int expected)
{
	if (SPI_execute(sql, false, 0) != expected)
		elog(ERROR, "could not run: %s", sql);
}

/* Keys of a batch of what one policy does not keep in one partition; (Datum) 0:
 * none.  By an index that forgets what was removed, save when old snapshots
 * see it: so not again from the beginning. */
static Datum
find_batch(const char *table, int64 below, Datum kinds, bool all_kinds)
{
	Oid			types[4] = {INT8OID, INT8OID, INT8OID, INT4ARRAYOID};
	Datum		values[4] = {Int64GetDatum(below), 0, Int64GetDatum(batch), kinds};
	bool		isnull;
	Datum		keys;

	if (!all_kinds || strcmp(scanned, table) != 0)
		scanned_key = -1;
	strlcpy(scanned, table, sizeof(scanned));
	execute("SET LOCAL enable_seqscan = off", SPI_OK_UTILITY);
	execute("SET LOCAL enable_bitmapscan = off", SPI_OK_UTILITY);
	for (;;)
	{
		values[1] = Int64GetDatum(scanned_key);
		if (SPI_execute_with_args(psprintf("SELECT array_agg(k.key), max(k.key) FROM (SELECT e.key FROM bigbrotr.%s AS e "
										   "WHERE e.key < $1 AND e.key > $2 AND %s LIMIT $3) AS k", quote_identifier(table),
										   all_kinds ? "true ORDER BY e.key" : "e.kind = ANY ($4)"),
								  all_kinds ? 3 : 4, types, values, NULL, false, 0) != SPI_OK_SELECT)
			elog(ERROR, "could not look for events to remove");
		keys = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		if (!isnull && all_kinds)
			scanned_key = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
		else if (isnull && scanned_key >= 0)
		{
			/* what came in late behind us */
			scanned_key = -1;
			continue;
		}
		return isnull ? (Datum) 0 : keys;
	}
}

/* Does somebody wait for the lock that a removal takes? */
static bool
have_waiters(void)
{
	Relation	rel = table_open(get_relname_relid("observation", get_namespace_oid("bigbrotr", false)), NoLock);
	bool		result = LockHasWaitersRelation(rel, ShareRowExclusiveLock);

	table_close(rel, NoLock);
	return result;
}

/* The locks of event_delete, in its order. */
static bool
lock_out_writers(void)
{
	return lock_soon(NULL, NULL) && lock_soon("observation", "SHARE ROW EXCLUSIVE");
}

/* Removes a batch of what one policy does not keep in one partition; -1: a
 * transaction that writes is open, this is not the moment. */
static int64
remove_batch(const char *policy, const char *partition, int64 below, Datum kinds, bool all_kinds)
{
	Oid			types[2] = {INT8ARRAYOID, TEXTOID};
	Datum		values[2] = {find_batch(psprintf("event_%s", partition), below, kinds, all_kinds),
	CStringGetTextDatum(policy)};
	instr_time	start;
	instr_time	took;
	double		ms;
	bool		isnull;
	int64		n;

	if (values[0] == (Datum) 0)
		return 0;
	if (!lock_out_writers())
	{
		scanned_key = -1;
		return -1;
	}
	INSTR_TIME_SET_CURRENT(start);
	if (SPI_execute_with_args("WITH d AS MATERIALIZED (SELECT bigbrotr.event_delete($1) AS n) "
							  "UPDATE bigbrotr.retention AS r SET removed = r.removed + d.n, "
							  "removed_xid = pg_catalog.pg_current_xact_id(), last_removed_at = pg_catalog.now() "
							  "FROM d WHERE r.name = $2 RETURNING d.n",
							  2, types, values, NULL, false, 0) != SPI_OK_UPDATE_RETURNING)
		elog(ERROR, "could not remove events");
	/* no such policy any more */
	if (SPI_processed != 1)
		return 0;
	n = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	INSTR_TIME_SET_CURRENT(took);
	INSTR_TIME_SUBTRACT(took, start);
	ms = Max(INSTR_TIME_GET_MILLISEC(took), 0.1);
	pause_ms = have_waiters() ? Min(ms, BATCH_MS) : 0;
	batch = (int) Max(Min(Min(batch * BATCH_MS / ms, batch * 2.0), BATCH_MAX), BATCH_MIN);
	return n;
}

/* Gives the space of an empty pair back; false: not now, or nothing to give. */
static bool
give_back(const char *policy, const char *partition, FullTransactionId removed)
{
	static const char *const parents[] = {"event", "observation"};
	bool		any = false;

	for (int i = 0; i < 2; i++)
		any |= partition_truncate_empty(psprintf("%s_%s", parents[i], partition), removed);
	if (any)
		execute(psprintf("UPDATE bigbrotr.retention AS r SET partitions = r.partitions + 1 WHERE r.name = %s",
						 quote_literal_cstr(policy)), SPI_OK_UPDATE);
	return any;
}

static bool
work(int64 *done)
{
	SPITupleTable *list;
	uint64		n;

	execute(work_sql, SPI_OK_SELECT);
	list = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		TupleDesc	d = list->tupdesc;
		HeapTuple	t = list->vals[i];
		bool		isnull;
		bool		all_kinds;
		bool		no_xid;
		char	   *policy = SPI_getvalue(t, d, 1);
		char	   *partition = SPI_getvalue(t, d, 2);
		int64		below = DatumGetInt64(SPI_getbinval(t, d, 3, &isnull));
		Datum		kinds = SPI_getbinval(t, d, 4, &all_kinds);
		bool		whole = DatumGetBool(SPI_getbinval(t, d, 5, &isnull));
		Datum		xid = SPI_getbinval(t, d, 6, &no_xid);
		int64		removed = remove_batch(policy, partition, below, kinds, all_kinds);

		if (removed < 0)
			return false;
		*done += removed;
		if (removed > 0)
			return true;
		if (whole && !no_xid && give_back(policy, partition, DatumGetFullTransactionId(xid)))
			return true;
	}
	return false;
}

bool
retention_task(int64 *done)
{
	static int	steps = 0;		/* of this run: the analytics wait for its end */
	bool		moved;
	bool		more;

	SPI_connect();
	execute(age_sql, SPI_OK_UPDATE);
	moved = SPI_processed > 0;
	/* what writers refuse is committed first */
	more = moved || work(done);
	if (!more)
	{
		execute(size_sql, SPI_OK_UPDATE);
		more = SPI_processed > 0;
	}
	SPI_finish();
	return more && ++steps % STEPS_IN_A_RUN != 0;
}

/* Who waits for the removal gets as long for itself. */
void
retention_after(void)
{
	/* what is removed counts in archive_bytes() at once */
	pgstat_report_stat(true);
	if (pause_ms >= 1)
		bb_wait((long) pause_ms);
	pause_ms = 0;
}
