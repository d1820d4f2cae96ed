/*
 * retention_task.c
 *
 * Carries out the policies of table retention, a batch at a time.
 *
 * Guarantees that the floor of a policy is committed before the first event
 * below it is removed: whoever writes refuses them from then on.  Months that
 * a policy for all kinds has emptied are truncated when no snapshot is left
 * that sees their rows.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/xid8.h"

#include "pg/partition_empty.h"
#include "pg/retention.h"

#define BATCH 2000				/* events in a step */
#define STEPS_IN_A_RUN 200

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
	"AND r.max_bytes < (SELECT sum(q.bytes) FROM bigbrotr.archive_partitions() AS q) "
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

/* Removes a batch of what one policy does not keep in one partition. */
static int64
remove_batch(const char *policy, const char *partition, int64 below, Datum kinds, bool all_kinds)
{
	Oid			types[3] = {INT8OID, INT4ARRAYOID, TEXTOID};
	Datum		values[3] = {Int64GetDatum(below), kinds, CStringGetTextDatum(policy)};
	char		nulls[3] = {' ', all_kinds ? 'n' : ' ', ' '};
	char	   *table = psprintf("event_%s", partition);
	char	   *sql;
	bool		isnull;
	int64		n;

	sql = psprintf("SELECT bigbrotr.event_delete(k.keys) FROM (SELECT array_agg(e.key) AS keys FROM "
				   "(SELECT e.key FROM bigbrotr.%s AS e WHERE e.key < $1 AND $3 IS NOT NULL %s LIMIT %d) AS e) AS k "
				   "WHERE k.keys IS NOT NULL",
				   quote_identifier(table),
				   all_kinds ? "AND $2 IS NULL" : "AND e.kind = ANY ($2)", BATCH);
	if (SPI_execute_with_args(sql, 3, types, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not remove events");
	if (SPI_processed == 0)
		return 0;
	n = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	values[0] = Int64GetDatum(n);
	if (SPI_execute_with_args("UPDATE bigbrotr.retention AS r SET removed = r.removed + $1, "
							  "removed_xid = pg_catalog.pg_current_xact_id(), last_removed_at = pg_catalog.now() "
							  "WHERE r.name = $3 AND ($2 IS NULL OR true)",
							  3, types, values, nulls, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not write bigbrotr.retention");
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
