/*
 * compact.c
 *
 * See compact.h: which partition is due, one slice of it, and the truncation
 * of what is empty.
 *
 * A partition is due when all of it is older than bigbrotr.compact_after and
 * few rows have come between two looks, or after a day all the same.  A lock
 * that is not to be had at once is waited for briefly and left for the next
 * run: nobody who writes stands behind it for longer.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/xid8.h"

#include "pg/closed.h"
#include "pg/compact.h"
#include "pg/guc.h"
#include "pg/packed.h"
#include "pg/partition_empty.h"

extern PGDLLEXPORT Datum bigbrotr_compact_step(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_compact_step);

#define SLICE_ROWS		100000
#define SLICE_MAX_ROWS	10000000
#define SLICES_IN_A_RUN	50

static const char look_sql[] =
	"INSERT INTO bigbrotr.compaction AS k (partition, inserts_seen, looked_at, waiting_since) "
	"SELECT c.name, pg_catalog.pg_stat_get_tuples_inserted(c.oid), pg_catalog.now(), pg_catalog.now() "
	"FROM " BB_CLOSED("observation") " AS c WHERE pg_catalog.pg_relation_size(c.oid) >= 65536 "
	"ON CONFLICT (partition) DO UPDATE SET inserts_seen = excluded.inserts_seen, "
	"quiet = k.waiting_since IS NOT NULL AND excluded.inserts_seen - k.inserts_seen BETWEEN 0 AND 999, "
	"looked_at = excluded.looked_at, waiting_since = coalesce(k.waiting_since, excluded.looked_at) "
	"WHERE k.looked_at < pg_catalog.now() - '10 minutes'::interval";

static const char due_sql[] =
	"SELECT c.name, coalesce(k.position, 0) FROM " BB_CLOSED("observation") " AS c "
	"LEFT JOIN bigbrotr.compaction AS k ON k.partition = c.name "
	"WHERE pg_catalog.pg_relation_size(c.oid) > 0 AND ($2 OR k.position IS NOT NULL OR k.quiet "
	"OR k.waiting_since < pg_catalog.now() - '1 day'::interval) "
	"ORDER BY k.position IS NULL, c.hi LIMIT 1000";

static const char record_sql[] =
	"INSERT INTO bigbrotr.compaction AS k (partition, position, observations, duplicates, slices, "
	"started_at, finished_at, moved_xid) VALUES ($1, $2, $3, $4, 1, pg_catalog.now(), "
	"CASE WHEN $2 IS NULL THEN pg_catalog.clock_timestamp() END, "
	"CASE WHEN $3 > 0 THEN pg_catalog.pg_current_xact_id() END) "
	"ON CONFLICT (partition) DO UPDATE SET position = excluded.position, "
	"observations = k.observations + excluded.observations, duplicates = k.duplicates + excluded.duplicates, "
	"slices = k.slices + 1, started_at = CASE WHEN k.position IS NULL THEN pg_catalog.now() ELSE k.started_at END, "
	"finished_at = coalesce(excluded.finished_at, k.finished_at), "
	"moved_xid = coalesce(excluded.moved_xid, k.moved_xid), "
	"waiting_since = CASE WHEN $2 IS NOT NULL THEN k.waiting_since END, "
	"quiet = k.quiet AND $2 IS NOT NULL";

static int64
get(uint64 row, int column, bool *isnull)
{
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull));
}

/* sql with parameters $1 and $2, int8. */
static void
run(const char *sql, int64 one, int64 two, int expected)
{
	Oid			types[2] = {INT8OID, INT8OID};
	Datum		values[2] = {Int64GetDatum(one), Int64GetDatum(two)};

	if (SPI_execute_with_args(sql, 2, types, values, NULL, false, 0) != expected)
		elog(ERROR, "could not run: %s", sql);
}

static bool
has_rows(const char *partition)
{
	SPI_execute(psprintf("SELECT FROM bigbrotr.%s AS o WHERE o.relay_id > 0 AND o.key >= 0 ORDER BY o.key LIMIT 1",
						 quote_identifier(partition)), false, 1);
	return SPI_processed > 0;
}

/* The rows that SPI has returned: key, relay_id, seen_at. */
static NostrObs *
fetched(void)
{
	NostrObs   *o = palloc_extended(sizeof(*o) * Max(SPI_processed, 1), MCXT_ALLOC_HUGE);

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		TupleDesc	d = SPI_tuptable->tupdesc;
		HeapTuple	t = SPI_tuptable->vals[i];

		o[i].key = DatumGetInt64(SPI_getbinval(t, d, 1, &isnull));
		o[i].relay_id = DatumGetInt32(SPI_getbinval(t, d, 2, &isnull));
		o[i].seen_at = DatumGetInt32(SPI_getbinval(t, d, 3, &isnull));
	}
	return o;
}

/* Where a slice from position on ends, not included; *last: at the end. */
static int64
slice_end(const char *partition, int64 position, int rows, bool *last)
{
	bool		isnull;
	int64		end;

	run(psprintf("SELECT o.key FROM bigbrotr.%s AS o WHERE o.key >= $1 ORDER BY o.key OFFSET $2 LIMIT 1",
				 quote_identifier(partition)),
		position, rows, SPI_OK_SELECT);
	*last = SPI_processed == 0;
	if (*last)
		return PG_INT64_MAX;
	end = get(0, 1, &isnull);
	/* one event that more relays have than a slice holds */
	return end > position ? end : end + 1;
}

/* Moves one slice; how many rows. */
static int64
slice(const char *partition, int64 position, int rows)
{
	bool		last;
	int64		end = slice_end(partition, position, rows, &last);
	int			n;
	int64		duplicates = 0;
	Oid			types[4] = {TEXTOID, INT8OID, INT8OID, INT8OID};
	Datum		values[4];
	char		nulls[4] = {' ', last ? 'n' : ' ', ' ', ' '};

	run(psprintf("DELETE FROM bigbrotr.%s AS o WHERE o.key >= $1 AND o.key < $2 AND o.relay_id > 0 "
				 "RETURNING o.key, o.relay_id, o.seen_at", quote_identifier(partition)),
		position, end, SPI_OK_DELETE_RETURNING);
	n = (int) SPI_processed;
	if (n > 0)
	{
		NostrObs   *o = fetched();

		SPI_freetuptable(SPI_tuptable);
		qsort(o, n, sizeof(*o), nostr_obs_cmp_event);
		duplicates = compact_merge(o, n);
		pfree(o);
	}
	values[0] = CStringGetTextDatum(partition);
	values[1] = Int64GetDatum(end);
	values[2] = Int64GetDatum(n);
	values[3] = Int64GetDatum(duplicates);
	if (SPI_execute_with_args(record_sql, 4, types, values, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write bigbrotr.compaction");
	return n;
}

/* One slice of the first partition that is due; false: none, or no lock. */
static bool
step(bool force, int rows, int64 *done)
{
	Oid			types[2] = {INT8OID, BOOLOID};
	Datum		values[2] = {Int64GetDatum(Max(bb_compact_after, BB_COMPACT_MIN_AGE_S)), BoolGetDatum(force)};
	SPITupleTable *due;
	uint64		ndue;

	if (SPI_execute_with_args(due_sql, 2, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for partitions to pack");
	due = SPI_tuptable;
	ndue = SPI_processed;
	for (uint64 i = 0; i < ndue; i++)
	{
		char	   *name = SPI_getvalue(due->vals[i], due->tupdesc, 1);
		bool		isnull;
		int64		position = DatumGetInt64(SPI_getbinval(due->vals[i], due->tupdesc, 2, &isnull));

		/* packed and not truncated yet */
		if (position == 0 && !has_rows(name))
			continue;
		if (!lock_soon(NULL, NULL))
			return false;
		*done += slice(name, position, rows);
		return true;
	}
	return false;
}

/* One in a transaction, as the lock keeps readers out; false: none. */
static bool
truncate_empty(void)
{
	SPITupleTable *list;
	uint64		n;

	if (SPI_execute("SELECT k.partition, k.moved_xid FROM bigbrotr.compaction AS k WHERE k.moved_xid IS NOT NULL AND k.position IS NULL", false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read bigbrotr.compaction");
	list = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		char	   *name = SPI_getvalue(list->vals[i], list->tupdesc, 1);
		Datum		moved = SPI_getbinval(list->vals[i], list->tupdesc, 2, &isnull);

		if (!partition_truncate_empty(name, DatumGetFullTransactionId(moved)))
			continue;
		SPI_execute(psprintf("UPDATE bigbrotr.compaction AS k SET moved_xid = NULL WHERE k.partition = %s",
							 quote_literal_cstr(name)), false, 0);
		return true;
	}
	return false;
}

static bool
compact(bool force, int rows, int64 *done)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(Max(bb_compact_after, BB_COMPACT_MIN_AGE_S))};
	bool		more;

	SPI_connect();
	if (SPI_execute_with_args(look_sql, 1, types, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not look at the partitions");
	more = step(force, rows, done) || truncate_empty();
	SPI_finish();
	return more;
}

bool
compact_task(int64 *done)
{
	static int	steps = 0;		/* of this run: the analytics wait for its end */

	return bb_compact_after > 0 && compact(false, SLICE_ROWS, done) && ++steps % SLICES_IN_A_RUN != 0;
}

Datum
bigbrotr_compact_step(PG_FUNCTION_ARGS)
{
	int32		rows = PG_GETARG_INT32(1);
	int64		done = 0;

	if (rows < 1 || rows > SLICE_MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_rows must be between 1 and %d", SLICE_MAX_ROWS)));
	PG_RETURN_BOOL(compact(PG_GETARG_BOOL(0), rows, &done));
}
