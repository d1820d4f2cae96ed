/*
 * lifecycle.c
 *
 * Commands that need a database, or the extension, without our workers.
 *
 * Guarantees: before such a command runs, the database is blocked (no worker
 * starts there) and its workers have exited, or 30 s have passed; the block
 * ends with the transaction, however that ends, and then the launcher is
 * woken.  Only users who may run the command can stop workers with it.  An
 * archive that contains events is not dropped by accident.  Must survive:
 * commands that fail, subtransactions, DROP through CASCADE, databases that
 * do not exist, other extensions' hooks.
 *
 * Race closed: a worker takes its slot before it connects and checks for the
 * block under the same lock.  So it is either seen and signalled here, or it
 * sees the block and leaves.
 */
#include "pg/compat.h"

#include <signal.h>

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "storage/procarray.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "pg/guc.h"
#include "pg/lifecycle.h"
#include "pg/shmem.h"

#define STOP_TIMEOUT_MS 30000

static ProcessUtility_hook_type prev_utility_hook = NULL;
static object_access_hook_type prev_object_access_hook = NULL;
static bool wake_pending = false;
static bool block_pending = false;
static uint32 wait_event_stop = 0;

static void
at_end(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PREPARE)
		return;
	if (block_pending)
		bb_unblock_mine();
	if (block_pending || (wake_pending && event != XACT_EVENT_ABORT))
		bb_wake(MyDatabaseId);
	block_pending = wake_pending = false;
}

/* One callback per session, not one per command. */
static void
watch_transaction(void)
{
	static bool registered = false;

	if (!registered)
		RegisterXactCallback(at_end, NULL);
	registered = true;
}

void
bb_wake_at_commit(void)
{
	if (!bb_shmem_ready())
		return;
	watch_transaction();
	wake_pending = true;
}

static bool
all_gone(const int *pids, int n)
{
	for (int i = 0; i < n; i++)
		if (BackendPidGetProc(pids[i]) != NULL)
			return false;
	return true;
}

/* Stops all workers of a database until the end of this transaction. */
static void
stop_workers(Oid dboid)
{
	TimestampTz start = GetCurrentTimestamp();
	int			pids[BB_MAX_SLOTS];
	int			n;

	if (!OidIsValid(dboid))
		return;
	watch_transaction();
	block_pending = true;
	if (!bb_block(dboid))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many commands are waiting for bigbrotr workers to stop"),
				 errhint("At most %d databases can be kept free of workers at a time. Try again later.",
						 BB_MAX_BLOCKS)));

	n = bb_slots_signal(dboid, SIGTERM, pids, BB_MAX_SLOTS);
	while (!all_gone(pids, n) || bb_slots_signal(dboid, 0, pids, BB_MAX_SLOTS) > 0)
	{
		if (TimestampDifferenceExceeds(start, GetCurrentTimestamp(), STOP_TIMEOUT_MS))
		{
			ereport(WARNING,
					(errmsg("bigbrotr workers did not stop within %d s", STOP_TIMEOUT_MS / 1000),
					 errhint("See pg_stat_activity. The command may fail because of them.")));
			return;
		}
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 20,
						 bb_wait_event(&wait_event_stop, "BigbrotrStop"));
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
stop_owned_database(const char *name)
{
	Oid			dboid = name ? get_database_oid(name, true) : InvalidOid;

	if (OidIsValid(dboid) && bb_owns_database(dboid))
		stop_workers(dboid);
}

static DefElem *
find_option(List *options, const char *name)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *d = lfirst_node(DefElem, lc);

		if (strcmp(d->defname, name) == 0)
			return d;
	}
	return NULL;
}

static bool
archive_has_events(void)
{
	Oid			nsp = get_namespace_oid("bigbrotr", true);
	bool		result;

	if (!OidIsValid(nsp) || !OidIsValid(get_relname_relid("event", nsp)))
		return false;
	SPI_connect();
	if (SPI_execute("SELECT 1 FROM bigbrotr.event LIMIT 1", false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look into the archive");
	result = SPI_processed > 0;
	SPI_finish();
	return result;
}

static void
refuse_loss(void)
{
	if (!bb_allow_drop && archive_has_events())
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop extension bigbrotr because its archive contains events"),
				 errdetail("Dropping the extension would destroy them."),
				 errhint("To drop it anyway, first run SET bigbrotr.allow_drop = on.")));
}

/* DROP EXTENSION bigbrotr, or DROP SCHEMA bigbrotr CASCADE. */
static bool
drops_extension(DropStmt *stmt)
{
	ListCell   *lc;

	if (stmt->removeType != OBJECT_EXTENSION &&
		!(stmt->removeType == OBJECT_SCHEMA && stmt->behavior == DROP_CASCADE))
		return false;
	foreach(lc, stmt->objects)
		if (strcmp(strVal(lfirst(lc)), "bigbrotr") == 0)
			return true;
	return false;
}

static void
before_drop(DropStmt *stmt)
{
	Oid			ext;

	if (!drops_extension(stmt))
		return;
	ext = get_extension_oid("bigbrotr", true);
	if (!OidIsValid(ext) || !bb_owns_extension(ext))
		return;
	refuse_loss();				/* cheap, before anything is stopped */
	stop_workers(MyDatabaseId);
	refuse_loss();				/* now nobody writes any more */
}

static void
before_alter_database(AlterDatabaseStmt *stmt)
{
	if (find_option(stmt->options, "tablespace"))
		stop_owned_database(stmt->dbname);
	bb_wake_at_commit();		/* ALLOW_CONNECTIONS, IS_TEMPLATE */
}

static void
before_create_database(CreatedbStmt *stmt)
{
	DefElem    *template = find_option(stmt->options, "template");

	/* others may copy only what is a template, where nothing of ours runs */
	if (template && template->arg)
		stop_owned_database(defGetString(template));
	bb_wake_at_commit();
}

static void
before_utility(Node *stmt)
{
	switch (nodeTag(stmt))
	{
		case T_CreateExtensionStmt:
			if (strcmp(((CreateExtensionStmt *) stmt)->extname, "bigbrotr") == 0)
				bb_wake_at_commit();
			break;
		case T_AlterExtensionStmt:
			if (strcmp(((AlterExtensionStmt *) stmt)->extname, "bigbrotr") == 0)
			{
				Oid			ext = get_extension_oid("bigbrotr", true);

				if (OidIsValid(ext) && bb_owns_extension(ext))
					stop_workers(MyDatabaseId);
			}
			break;
		case T_DropStmt:
			before_drop((DropStmt *) stmt);
			break;
		case T_DropdbStmt:
			stop_owned_database(((DropdbStmt *) stmt)->dbname);
			break;
		case T_CreatedbStmt:
			before_create_database((CreatedbStmt *) stmt);
			break;
		case T_AlterDatabaseStmt:
			before_alter_database((AlterDatabaseStmt *) stmt);
			break;
		case T_RenameStmt:
			if (((RenameStmt *) stmt)->renameType == OBJECT_DATABASE)
			{
				stop_owned_database(((RenameStmt *) stmt)->subname);
				bb_wake_at_commit();
			}
			break;
		default:
			break;
	}
}

static void
utility_hook(PlannedStmt *pstmt, const char *query, bool read_only_tree,
			 ProcessUtilityContext context, ParamListInfo params,
			 QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	/* outside a transaction (a failed block): only ROLLBACK comes */
	if (IsTransactionState() && bb_shmem_ready())
		before_utility(pstmt->utilityStmt);

	if (prev_utility_hook)
		prev_utility_hook(pstmt, query, read_only_tree, context, params, env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query, read_only_tree, context, params, env, dest, qc);
}

/* The ways to drop the extension that the statement does not show. */
static void
object_hook(ObjectAccessType access, Oid classid, Oid objectid, int subid, void *arg)
{
	if (prev_object_access_hook)
		prev_object_access_hook(access, classid, objectid, subid, arg);
	if (access == OAT_DROP && classid == ExtensionRelationId && bb_shmem_ready() &&
		objectid == get_extension_oid("bigbrotr", true))
		stop_workers(MyDatabaseId);
}

void
bb_lifecycle_install(void)
{
	prev_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = utility_hook;
	prev_object_access_hook = object_access_hook;
	object_access_hook = object_hook;
}
