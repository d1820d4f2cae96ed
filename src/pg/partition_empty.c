/*
 * partition_empty.c
 *
 * See partition_empty.h.
 *
 * Must survive: transactions that hold locks, or old snapshots, for any
 * length of time.  TRUNCATE ignores snapshots, so it has to be certain that
 * none remains for which the table is not empty.
 */
#include "pg/compat.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "pg/attempt.h"
#include "pg/compact.h"
#include "pg/partition_empty.h"

#define LOCK_TIMEOUT	"300ms"

typedef struct Lock
{
	const char *table;			/* NULL: the compaction's own */
	const char *mode;
} Lock;

static void
lock(void *arg)
{
	const Lock *l = arg;
	int			level = NewGUCNestLevel();

	(void) set_config_option("lock_timeout", LOCK_TIMEOUT, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	if (l->table == NULL)
		compact_lock(true);
	else
		SPI_execute(psprintf("LOCK TABLE bigbrotr.%s IN %s MODE", quote_identifier(l->table), l->mode), false, 0);
	AtEOXact_GUC(false, level);
}

bool
lock_soon(const char *table, const char *mode)
{
	Lock		l = {table, mode};
	ErrorData  *error = bb_attempt(lock, &l);

	if (error == NULL)
		return true;
	if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
		ReThrowError(error);
	FreeErrorData(error);
	return false;
}

static bool
is_empty(const char *table)
{
	if (SPI_execute(psprintf("SELECT FROM bigbrotr.%s AS t ORDER BY t.key LIMIT 1", quote_identifier(table)),
					false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look into %s", table);
	return SPI_processed == 0;
}

/* Does it take space that every snapshot sees as unused? */
static bool
can_give_back(const char *table, FullTransactionId emptied)
{
	Oid			oid = get_relname_relid(table, get_namespace_oid("bigbrotr", false));
	Relation	rel;
	TransactionId horizon;
	uint64		age;
	bool		any;

	if (!OidIsValid(oid))
		return false;
	rel = table_open(oid, AccessShareLock);
	any = RelationGetNumberOfBlocks(rel) > 0;
	horizon = GetOldestNonRemovableTransactionId(rel);
	table_close(rel, AccessShareLock);
	age = U64FromFullTransactionId(ReadNextFullTransactionId()) - U64FromFullTransactionId(emptied);
	return any && (age > PG_INT32_MAX || TransactionIdPrecedes(XidFromFullTransactionId(emptied), horizon));
}

bool
partition_truncate_empty(const char *table, FullTransactionId emptied)
{
	if (!can_give_back(table, emptied) || !is_empty(table) || !lock_soon(table, "ACCESS EXCLUSIVE") || !is_empty(table))
		return false;
	if (SPI_execute(psprintf("TRUNCATE bigbrotr.%s", quote_identifier(table)), false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not truncate %s", table);
	return true;
}
