/*
 * compat.h
 *
 * Every difference between PostgreSQL 14 and 18 that bigbrotr must bridge,
 * and nowhere else.  Guarantees that the rest of src/pg and bgworkers can be
 * written once; must survive minor releases (no private structures).
 */
#ifndef BB_COMPAT_H
#define BB_COMPAT_H

#include "postgres.h"

#include "access/genam.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"
#include "fmgr.h"

#if PG_VERSION_NUM < 140000
#error "bigbrotr needs PostgreSQL 14 or newer"
#endif

/* The library is built with hidden visibility; PGDLLEXPORT is empty before 16. */
#if PG_VERSION_NUM < 160000 && !defined(WIN32)
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* 18 moved WaitEventSet out of latch.h */
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif

/* The number of the current transaction in this process. */
static inline LocalTransactionId
bb_local_xid(void)
{
#if PG_VERSION_NUM >= 170000
	return MyProc->vxid.lxid;
#else
	return MyProc->lxid;
#endif
}

/* A wait event set that lives as long as the process. */
static inline WaitEventSet *
bb_create_wait_set(int nevents)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(NULL, nevents);
#else
	return CreateWaitEventSet(TopMemoryContext, nevents);
#endif
}

/* Names of waits exist from 17 on; before, all extensions share one. */
static inline uint32
bb_wait_event(uint32 *cache, const char *name)
{
#if PG_VERSION_NUM >= 170000
	if (*cache == 0)
		*cache = WaitEventExtensionNew(name);
	return *cache;
#else
	return PG_WAIT_EXTENSION;
#endif
}

static inline bool
bb_owns_database(Oid dboid)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(DatabaseRelationId, dboid, GetUserId());
#else
	return pg_database_ownercheck(dboid, GetUserId());
#endif
}

static inline bool
bb_owns_extension(Oid extoid)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(ExtensionRelationId, extoid, GetUserId());
#else
	return pg_extension_ownercheck(extoid, GetUserId());
#endif
}

static inline bool
bb_may_execute(Oid function)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK;
#else
	return pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK;
#endif
}

static inline IndexScanDesc
bb_index_beginscan(Relation table, Relation index, Snapshot snapshot, int nkeys)
{
#if PG_VERSION_NUM >= 180000
	return index_beginscan(table, index, snapshot, NULL, nkeys, 0);
#else
	return index_beginscan(table, index, snapshot, nkeys, 0);
#endif
}

/* In a check hook: the new value becomes a copy of "text"; false: no memory. */
static inline bool
bb_guc_replace(char **newval, const char *text)
{
#if PG_VERSION_NUM >= 160000
	char	   *copy = guc_strdup(LOG, text);

	if (copy != NULL)
		guc_free(*newval);
#else
	char	   *copy = strdup(text);

	if (copy != NULL)
		free(*newval);
#endif
	if (copy == NULL)
		return false;
	*newval = copy;
	return true;
}

#endif
