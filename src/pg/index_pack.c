/*
 * index_pack.c
 *
 * Task of the refresher: rebuilds the indexes of months that have ended and
 * become quiet, so that pages are full instead of half full, as events in
 * random order leave them.
 *
 * Guarantees that no reader or writer waits for it: REINDEX CONCURRENTLY, and
 * only if no transaction is so old that it would have to wait long.  Must
 * survive being killed at any time: a half-built index is dropped by a later
 * step.
 */
#include "pg/compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "parser/parse_node.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

#include "pg/closed.h"
#include "pg/compact.h"
#include "pg/guc.h"
#include "pg/index_pack.h"
#include "pg/partition_empty.h"
#include "pg/refresh.h"
#include "pg/worker.h"

#define LOCK_TIMEOUT	"5s"
#define MAX_INDEXES		16		/* of a partition; more stay as they are */

/* GIN lists are denser as they grow: only btrees. */
#define BTREES(oid) \
	"pg_catalog.pg_index AS x JOIN pg_catalog.pg_class AS n ON n.oid = x.indexrelid " \
	"JOIN pg_catalog.pg_am AS a ON a.oid = n.relam AND a.amname = 'btree' WHERE x.indrelid = " oid " AND x.indisvalid"

static const char look_sql[] =
	"INSERT INTO bigbrotr.index_pack AS k (partition, inserts_seen, looked_at) "
	"SELECT c.name, pg_catalog.pg_stat_get_tuples_inserted(c.oid), pg_catalog.now() "
	"FROM " BB_CLOSED("event") " AS c WHERE pg_catalog.pg_relation_size(c.oid) >= 262144 "
	"ON CONFLICT (partition) DO UPDATE SET inserts_seen = excluded.inserts_seen, "
	"quiet = excluded.inserts_seen - k.inserts_seen BETWEEN 0 AND 999, looked_at = excluded.looked_at "
	"WHERE k.looked_at < pg_catalog.now() - '10 minutes'::interval";

/* Never built anew, or a fifth larger since. */
static const char due_sql[] =
	"SELECT c.name, s.bytes FROM " BB_CLOSED("event") " AS c JOIN bigbrotr.index_pack AS k ON k.partition = c.name, "
	"LATERAL (SELECT sum(pg_catalog.pg_relation_size(n.oid))::bigint AS bytes FROM " BTREES("c.oid") ") AS s "
	"WHERE k.quiet AND s.bytes > coalesce(k.bytes, 0) * 1.2 "
	"AND (k.tried_at IS NULL OR k.tried_at < pg_catalog.now() - '10 minutes'::interval) "
	"AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS t WHERE t.datname = pg_catalog.current_database() "
	"AND t.pid <> pg_catalog.pg_backend_pid() AND t.backend_xmin IS NOT NULL "
	"AND t.xact_start < pg_catalog.now() - '5 seconds'::interval) "
	"ORDER BY c.name LIMIT 1";

static const char activity[] = "building indexes of a closed month anew";
static char partition[NAMEDATALEN];	/* chosen by the step; "": none */

/* nargs 1: $1 is the age in seconds of what is closed. */
static void
run(const char *sql, int nargs, int expected)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(Max(bb_compact_after, BB_COMPACT_MIN_AGE_S))};

	if (SPI_execute_with_args(sql, nargs, types, values, NULL, false, 0) != expected)
		elog(ERROR, "could not run: %s", sql);
}

/* One index that REINDEX CONCURRENTLY left unfinished; false: none, or not now. */
static bool
drop_unfinished(void)
{
	char	   *table;
	char	   *index;

	run("SELECT t.relname, n.relname FROM pg_catalog.pg_index AS x "
		"JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = x.indrelid "
		"AND i.inhparent = 'bigbrotr.event'::pg_catalog.regclass "
		"JOIN pg_catalog.pg_class AS t ON t.oid = x.indrelid "
		"JOIN pg_catalog.pg_class AS n ON n.oid = x.indexrelid "
		"WHERE NOT x.indisvalid AND n.relname ~ '_cc(new|old)[0-9]*$' LIMIT 1", 0, SPI_OK_SELECT);
	if (SPI_processed == 0)
		return false;
	table = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	index = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	if (!lock_soon(table, "ACCESS EXCLUSIVE"))
		return false;
	run(psprintf("DROP INDEX bigbrotr.%s", quote_identifier(index)), 0, SPI_OK_UTILITY);
	return true;
}

bool
index_pack_step(int64 *done)
{
	bool		more;

	partition[0] = '\0';
	if (bb_compact_after == 0)
		return false;
	SPI_connect();
	more = drop_unfinished();
	run(look_sql, 1, SPI_OK_INSERT);
	run(due_sql, 1, SPI_OK_SELECT);
	if (SPI_processed > 0 && !more)
	{
		strlcpy(partition, SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1), sizeof(partition));
		run(psprintf("UPDATE bigbrotr.index_pack AS k SET tried_at = pg_catalog.now() "
					 "WHERE k.partition = %s", quote_literal_cstr(partition)), 0, SPI_OK_UPDATE);
		*done = more = true;
	}
	SPI_finish();
	return more;
}

/* In a transaction: names of the indexes, which outlive it. */
static int
indexes_of(const char *table, NameData *name)
{
	int			n;

	SPI_connect();
	run(psprintf("SELECT n.relname::text FROM " BTREES("'bigbrotr.%s'::pg_catalog.regclass") " ORDER BY 1",
				 quote_identifier(table)), 0, SPI_OK_SELECT);
	n = (int) Min(SPI_processed, MAX_INDEXES);
	for (int i = 0; i < n; i++)
		namestrcpy(&name[i], SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	SPI_finish();
	return n;
}

/* In a transaction, and in another one afterwards. */
static void
reindex(char *index)
{
	ReindexStmt *stmt = makeNode(ReindexStmt);

	stmt->kind = REINDEX_OBJECT_INDEX;
	stmt->relation = makeRangeVar("bigbrotr", index, -1);
	stmt->params = list_make1(makeDefElem("concurrently", NULL, -1));
	ExecReindex(make_parsestate(NULL), stmt, true);
}

static void
pack(void)
{
	NameData	name[MAX_INDEXES];
	int			n;

	bb_tx_begin(activity);
	n = indexes_of(partition, name);
	bb_tx_end();
	for (int i = 0; i < n; i++)
	{
		bb_tx_begin(activity);
		reindex(NameStr(name[i]));
		bb_tx_end();
	}
	bb_tx_begin(activity);
	SPI_connect();
	run(psprintf("UPDATE bigbrotr.index_pack AS k SET packed_at = pg_catalog.clock_timestamp(), bytes = s.bytes "
				 "FROM (SELECT sum(pg_catalog.pg_relation_size(n.oid))::bigint AS bytes FROM "
				 BTREES("'bigbrotr.%s'::pg_catalog.regclass") ") AS s WHERE k.partition = %s",
				 quote_identifier(partition), quote_literal_cstr(partition)), 0, SPI_OK_UPDATE);
	SPI_finish();
	bb_tx_end();
}

void
index_pack_after(void)
{
	MemoryContext context = CurrentMemoryContext;
	MemoryContext portal = PortalContext;
	ErrorData  *volatile error = NULL;

	if (partition[0] == '\0')
		return;
	PG_TRY();
	{
		/* where REINDEX keeps what outlives its transactions */
		PortalContext = context;
		SetConfigOption("lock_timeout", LOCK_TIMEOUT, PGC_SUSET, PGC_S_SESSION);
		pack();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		AbortCurrentTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	PortalContext = portal;
	/* outside of any transaction: an abort would bring it back */
	SetConfigOption("lock_timeout", "0", PGC_SUSET, PGC_S_SESSION);
	debug_query_string = NULL;
	bb_idle(NULL);
	/* somebody's transaction lasts longer: tried again later */
	if (error != NULL && error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
		ReThrowError(error);
}
