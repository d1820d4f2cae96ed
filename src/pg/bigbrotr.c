/*
 * bigbrotr.c
 *
 * The entry point of the library.
 *
 * Guarantees: nothing starts during pg_upgrade; the settings exist even if
 * the library is loaded by LOAD or by a function call; hooks, shared memory
 * and the launcher are set up only through shared_preload_libraries.
 */
#include "pg/compat.h"

#include "fmgr.h"

#include "pg/guc.h"
#include "pg/lifecycle.h"
#include "pg/query.h"
#include "pg/shmem.h"
#include "pg/worker_start.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	if (IsBinaryUpgrade)
		return;

	bb_guc_define();
	MarkGUCPrefixReserved("bigbrotr");
	bb_plan_hook_install();

	if (!process_shared_preload_libraries_in_progress)
		return;

	bb_shmem_install();
	bb_lifecycle_install();
	bb_launcher_register();
}
