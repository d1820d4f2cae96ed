/*
 * launcher.c
 *
 * The only static worker: keeps a scheduler running in each database that is
 * named in bigbrotr.databases, exists, is not a template and allows
 * connections.
 *
 * Guarantees: it is connected to no database, so it never blocks DROP
 * DATABASE; a scheduler that exits is restarted after 5 s, doubling to 60 s;
 * none is started in a database that a command has blocked.  Must survive:
 * names that do not exist (yet), databases that are dropped, renamed and
 * created again under the same name, reloads, a full worker table.
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "pg/guc.h"
#include "pg/shmem.h"
#include "pg/worker.h"
#include "pg/worker_start.h"

#define BACKOFF_MIN		5000
#define BACKOFF_MAX		60000
#define HEALTHY_MS		60000	/* that long alive: back-off starts anew */

typedef struct Database
{
	NameData	name;
	Oid			oid;			/* what the name means now; InvalidOid: nothing */
	Oid			running_oid;	/* where the scheduler was started */
	bool		listed;
	bool		stopping;
	bool		was_blocked;
	bool		told;			/* that it is missing */
	BackgroundWorkerHandle *handle;
	TimestampTz started;
	TimestampTz next_start;
	int			backoff;		/* ms */
} Database;

extern PGDLLEXPORT void bb_launcher_main(Datum main_arg);

static Database databases[BB_MAX_DATABASES];
static int	ndatabases = 0;

static Database *
find_database(const char *name)
{
	for (int i = 0; i < ndatabases; i++)
		if (strcmp(NameStr(databases[i].name), name) == 0)
			return &databases[i];
	return NULL;
}

/* The list from the setting; entries that left it stay until they stopped. */
static void
read_names(void)
{
	char	   *raw = pstrdup(bb_databases ? bb_databases : "");
	List	   *names = NIL;
	ListCell   *lc;

	for (int i = 0; i < ndatabases; i++)
		databases[i].listed = false;
	if (bb_enabled && SplitIdentifierString(raw, ',', &names))
	{
		foreach(lc, names)
		{
			const char *name = lfirst(lc);
			Database   *d = find_database(name);

			if (d == NULL)
			{
				if (ndatabases == BB_MAX_DATABASES)
				{
					ereport(LOG,
							(errmsg("bigbrotr runs in at most %d databases, not in \"%s\"",
									BB_MAX_DATABASES, name)));
					continue;
				}
				d = &databases[ndatabases++];
				memset(d, 0, sizeof(*d));
				namestrcpy(&d->name, name);
				d->backoff = BACKOFF_MIN;
			}
			d->listed = true;
		}
	}
	list_free(names);
	pfree(raw);
}

/* A name that is misspelt would else be noticed by nobody. */
static void
tell_missing(void)
{
	for (int i = 0; i < ndatabases; i++)
	{
		Database   *d = &databases[i];

		if (OidIsValid(d->oid))
			d->told = false;
		else if (d->listed && !d->told && !d->handle)
		{
			d->told = true;
			ereport(LOG,
					(errmsg("bigbrotr is waiting for database \"%s\", which does not exist or does not allow connections",
							NameStr(d->name)),
					 errhint("Create the database, or correct bigbrotr.databases.")));
		}
	}
}

/* Which of the names are databases that may be connected to? */
static void
look_up(void)
{
	Relation	rel;
	TableScanDesc scan;
	HeapTuple	tup;

	for (int i = 0; i < ndatabases; i++)
		databases[i].oid = InvalidOid;

	bb_tx_begin("looking for databases");
	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(rel, 0, NULL);
	while (HeapTupleIsValid(tup = heap_getnext(scan, ForwardScanDirection)))
	{
		Form_pg_database db = (Form_pg_database) GETSTRUCT(tup);
		Database   *d = find_database(NameStr(db->datname));

		/* datconnlimit -2: a DROP DATABASE was interrupted */
		if (d && db->datallowconn && !db->datistemplate && db->datconnlimit != -2)
			d->oid = db->oid;
	}
	table_endscan(scan);
	table_close(rel, AccessShareLock);
	bb_tx_end();
}

static void
reap(Database *d, TimestampTz now)
{
	pid_t		pid;

	if (d->handle == NULL || GetBackgroundWorkerPid(d->handle, &pid) != BGWH_STOPPED)
		return;
	pfree(d->handle);
	d->handle = NULL;
	if (d->stopping)
	{
		d->stopping = false;
		d->backoff = BACKOFF_MIN;
		d->next_start = now;
		return;
	}
	if (TimestampDifferenceExceeds(d->started, now, HEALTHY_MS))
		d->backoff = BACKOFF_MIN;
	d->next_start = TimestampTzPlusMilliseconds(now, d->backoff);
	d->backoff = Min(d->backoff * 2, BACKOFF_MAX);
}

static void
keep(Database *d, TimestampTz now)
{
	BbWorkerArgs args = {0};
	bool		wanted = d->listed && OidIsValid(d->oid);

	reap(d, now);
	if (d->handle)
	{
		if (!d->stopping && (!wanted || d->running_oid != d->oid))
		{
			TerminateBackgroundWorker(d->handle);
			d->stopping = true;
		}
		return;
	}
	if (!wanted)
		return;
	if (bb_blocked(d->oid))
	{
		d->was_blocked = true;
		return;
	}
	if (d->was_blocked)
	{
		/* stopped by a command that is over now, not by a failure */
		d->was_blocked = false;
		d->backoff = BACKOFF_MIN;
		d->next_start = now;
	}
	if (now < d->next_start || bb_slot_alive(d->oid, BB_SCHEDULER, 0))
		return;

	args.dboid = d->oid;
	args.nworkers = 1;
	if (bb_worker_start(BB_SCHEDULER, &args, &d->handle))
	{
		d->running_oid = d->oid;
		d->started = now;
	}
	else
		d->next_start = TimestampTzPlusMilliseconds(now, 10000);
}

/* How long may we sleep? */
static long
next_wait(TimestampTz now)
{
	long		wait = 300000;

	for (int i = 0; i < ndatabases; i++)
	{
		Database   *d = &databases[i];

		if (!d->listed || d->handle)
			continue;
		if (!OidIsValid(d->oid) || d->was_blocked)
			wait = Min(wait, 60000);
		else if (d->next_start > now)
			wait = Min(wait, TimestampDifferenceMilliseconds(now, d->next_start) + 1);
		else
			wait = Min(wait, 1000); /* its old slot is still taken */
	}
	return wait;
}

static void
forget_unlisted(void)
{
	int			n = 0;

	for (int i = 0; i < ndatabases; i++)
		if (databases[i].listed || databases[i].handle)
			databases[n++] = databases[i];
	ndatabases = n;
}

/* No scheduler without launcher: the next one starts its own. */
static void
stop_all(int code, Datum arg)
{
	for (int i = 0; i < ndatabases; i++)
		if (databases[i].handle)
			TerminateBackgroundWorker(databases[i].handle);
}

void
bb_launcher_main(Datum main_arg)
{
	MemoryContext context;

	bb_worker_signals();
	if (!bb_slot_attach(InvalidOid, BB_LAUNCHER, 0))
		proc_exit(1);
	before_shmem_exit(stop_all, (Datum) 0);
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	bb_session_settings();
	bb_slot_running();

	/* handles of workers live as long as this process */
	context = AllocSetContextCreate(TopMemoryContext, "bigbrotr launcher",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);

	for (;;)
	{
		TimestampTz now;

		(void) bb_interrupts();
		read_names();
		if (ndatabases > 0)
		{
			look_up();
			tell_missing();
		}
		now = GetCurrentTimestamp();
		for (int i = 0; i < ndatabases; i++)
			keep(&databases[i], now);
		forget_unlisted();
		bb_idle("watching databases");
		bb_wait(next_wait(GetCurrentTimestamp()));
	}
}
