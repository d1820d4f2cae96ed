/*
 * shmem.c
 *
 * Slots of workers and blocked databases in shared memory.
 *
 * Guarantees: a slot never outlives its process (before_shmem_exit), and a
 * block never outlives its transaction (lifecycle.c).  Must survive: workers
 * that are killed at any point, a table that is full, and being loaded
 * without shared_preload_libraries (then bb_shmem_ready is false).
 */
#include "pg/compat.h"

#include <signal.h>

#include "mb/pg_wchar.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "pg/shmem.h"

typedef struct BbBlock
{
	Oid			dboid;			/* InvalidOid: free */
	int			pid;
} BbBlock;

typedef struct BbCheckRequest
{
	Oid			dboid;			/* InvalidOid: free */
	int32		relay_id;
} BbCheckRequest;

typedef struct BbShared
{
	LWLock	   *lock;
	BbBlock		blocks[BB_MAX_BLOCKS];
	BbCheckRequest checks[BB_MAX_CHECKS];
	BbSlot		slots[BB_MAX_SLOTS];
} BbShared;

static BbShared *shared = NULL;
static BbSlot *my_slot = NULL;

static shmem_startup_hook_type prev_startup_hook = NULL;
#if PG_VERSION_NUM >= 150000
static shmem_request_hook_type prev_request_hook = NULL;
#endif

static void
request_memory(void)
{
#if PG_VERSION_NUM >= 150000
	if (prev_request_hook)
		prev_request_hook();
#endif
	RequestAddinShmemSpace(MAXALIGN(sizeof(BbShared)));
	RequestNamedLWLockTranche("bigbrotr", 1);
}

static void
startup_memory(void)
{
	bool		found;

	if (prev_startup_hook)
		prev_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("bigbrotr", sizeof(BbShared), &found);
	if (!found)
	{
		memset(shared, 0, sizeof(BbShared));
		shared->lock = &(GetNamedLWLockTranche("bigbrotr"))->lock;
	}
	LWLockRelease(AddinShmemInitLock);
}

void
bb_shmem_install(void)
{
	prev_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_memory;
#if PG_VERSION_NUM >= 150000
	prev_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
#else
	request_memory();
#endif
}

bool
bb_shmem_ready(void)
{
	return shared != NULL;
}

static BbSlot *
find_slot(Oid dboid, BbService service, int index)
{
	for (int i = 0; i < BB_MAX_SLOTS; i++)
	{
		BbSlot	   *s = &shared->slots[i];

		if (s->state != BB_SLOT_FREE && s->dboid == dboid &&
			s->service == service && s->index == index)
			return s;
	}
	return NULL;
}

/* A free slot; else one whose exit nobody came to ask for. */
static BbSlot *
new_slot(void)
{
	for (int i = 0; i < BB_MAX_SLOTS; i++)
		if (shared->slots[i].state == BB_SLOT_FREE)
			return &shared->slots[i];
	for (int i = 0; i < BB_MAX_SLOTS; i++)
		if (shared->slots[i].state == BB_SLOT_EXITED)
			return &shared->slots[i];
	return NULL;
}

static bool
blocked_locked(Oid dboid)
{
	if (!OidIsValid(dboid))
		return false;
	for (int i = 0; i < BB_MAX_BLOCKS; i++)
		if (shared->blocks[i].dboid == dboid)
			return true;
	return false;
}

static void
detach(int code, Datum arg)
{
	if (my_slot == NULL)
		return;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	my_slot->pid = 0;
	my_slot->latch = NULL;
	my_slot->exit_code = code;
	/* the launcher and schedulers are supervised by other means */
	my_slot->state = my_slot->service <= BB_SCHEDULER ? BB_SLOT_FREE : BB_SLOT_EXITED;
	my_slot = NULL;
	LWLockRelease(shared->lock);
}

bool
bb_slot_attach(Oid dboid, BbService service, int index)
{
	BbSlot	   *s;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	s = find_slot(dboid, service, index);
	if (s == NULL)
		s = new_slot();
	if (s == NULL || s->pid != 0 || blocked_locked(dboid))
	{
		LWLockRelease(shared->lock);
		return false;
	}
	memset(s, 0, sizeof(*s));
	s->dboid = dboid;
	s->service = service;
	s->index = index;
	s->pid = MyProcPid;
	s->state = BB_SLOT_STARTING;
	s->started_at = GetCurrentTimestamp();
	s->latch = &MyProc->procLatch;
	my_slot = s;
	LWLockRelease(shared->lock);
	before_shmem_exit(detach, (Datum) 0);
	return true;
}

void
bb_slot_running(void)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	my_slot->state = BB_SLOT_RUNNING;
	LWLockRelease(shared->lock);
}

/* Called while an error is reported: takes no lock.  The only reader looks
 * after this process has ended. */
void
bb_slot_error(const char *message)
{
	if (my_slot && message)
		strlcpy(my_slot->error, message, pg_mbcliplen(message, strlen(message), BB_ERROR_LEN - 1) + 1);
}

bool
bb_slot_take_run_request(void)
{
	bool		result;

	if (my_slot == NULL || !my_slot->run_requested)
		return false;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	result = my_slot->run_requested;
	my_slot->run_requested = false;
	LWLockRelease(shared->lock);
	return result;
}

uint32
bb_slot_take_run_mask(void)
{
	uint32		result;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	result = my_slot->run_mask;
	my_slot->run_mask = 0;
	LWLockRelease(shared->lock);
	return result;
}

bool
bb_slot_reap(Oid dboid, BbService service, int index, int *exit_code, char *error)
{
	BbSlot	   *s;
	bool		result = false;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	s = find_slot(dboid, service, index);
	if (s && s->state == BB_SLOT_EXITED)
	{
		*exit_code = s->exit_code;
		strlcpy(error, s->error, BB_ERROR_LEN);
		s->state = BB_SLOT_FREE;
		result = true;
	}
	LWLockRelease(shared->lock);
	return result;
}

bool
bb_slot_alive(Oid dboid, BbService service, int index)
{
	BbSlot	   *s;
	bool		result;

	LWLockAcquire(shared->lock, LW_SHARED);
	s = find_slot(dboid, service, index);
	result = s != NULL && s->pid != 0;
	LWLockRelease(shared->lock);
	return result;
}

int
bb_slots_copy(Oid dboid, BbSlot *out, int max)
{
	int			n = 0;

	LWLockAcquire(shared->lock, LW_SHARED);
	for (int i = 0; i < BB_MAX_SLOTS && n < max; i++)
	{
		BbSlot	   *s = &shared->slots[i];

		if (s->state != BB_SLOT_FREE && (!OidIsValid(dboid) || s->dboid == dboid))
			out[n++] = *s;
	}
	LWLockRelease(shared->lock);
	return n;
}

int
bb_slots_signal(Oid dboid, int sig, int *pids, int max)
{
	int			n = 0;

	/* a worker needs the lock to give up its slot: these pids are alive */
	LWLockAcquire(shared->lock, LW_SHARED);
	for (int i = 0; i < BB_MAX_SLOTS && n < max; i++)
	{
		BbSlot	   *s = &shared->slots[i];

		if (s->pid != 0 && s->pid != MyProcPid && s->dboid == dboid &&
			s->service != BB_LAUNCHER)
		{
			if (sig != 0)
				kill(s->pid, sig);
			pids[n++] = s->pid;
		}
	}
	LWLockRelease(shared->lock);
	return n;
}

void
bb_wake(Oid dboid)
{
	if (shared == NULL)
		return;
	LWLockAcquire(shared->lock, LW_SHARED);
	for (int i = 0; i < BB_MAX_SLOTS; i++)
	{
		BbSlot	   *s = &shared->slots[i];

		if (s->pid != 0 && (s->service == BB_LAUNCHER ||
							(s->service == BB_SCHEDULER && s->dboid == dboid)))
			SetLatch(s->latch);
	}
	LWLockRelease(shared->lock);
}

bool
bb_run_request(Oid dboid, BbService service)
{
	bool		result = false;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < BB_MAX_SLOTS; i++)
	{
		BbSlot	   *s = &shared->slots[i];

		if (s->pid == 0 || s->dboid != dboid)
			continue;
		if (s->service == service)
			s->run_requested = true;
		else if (s->service == BB_SCHEDULER)
		{
			s->run_mask |= 1u << service;
			result = true;
		}
		else
			continue;
		SetLatch(s->latch);
	}
	LWLockRelease(shared->lock);
	return result;
}

bool
bb_block(Oid dboid)
{
	bool		result = false;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < BB_MAX_BLOCKS && !result; i++)
	{
		BbBlock    *b = &shared->blocks[i];

		if (b->dboid == dboid && b->pid == MyProcPid)
			result = true;
	}
	for (int i = 0; i < BB_MAX_BLOCKS && !result; i++)
	{
		BbBlock    *b = &shared->blocks[i];

		if (!OidIsValid(b->dboid))
		{
			b->dboid = dboid;
			b->pid = MyProcPid;
			result = true;
		}
	}
	LWLockRelease(shared->lock);
	return result;
}

void
bb_unblock_mine(void)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < BB_MAX_BLOCKS; i++)
		if (shared->blocks[i].pid == MyProcPid)
		{
			shared->blocks[i].dboid = InvalidOid;
			shared->blocks[i].pid = 0;
		}
	LWLockRelease(shared->lock);
}

bool
bb_blocked(Oid dboid)
{
	bool		result;

	LWLockAcquire(shared->lock, LW_SHARED);
	result = blocked_locked(dboid);
	LWLockRelease(shared->lock);
	return result;
}

bool
bb_check_request(Oid dboid, int32 relay_id)
{
	bool		taken = false;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < BB_MAX_CHECKS && !taken; i++)
	{
		BbCheckRequest *c = &shared->checks[i];

		taken = c->dboid == dboid && c->relay_id == relay_id;
	}
	for (int i = 0; i < BB_MAX_CHECKS && !taken; i++)
	{
		BbCheckRequest *c = &shared->checks[i];

		if (OidIsValid(c->dboid))
			continue;
		c->dboid = dboid;
		c->relay_id = relay_id;
		taken = true;
	}
	LWLockRelease(shared->lock);
	return taken && bb_run_request(dboid, BB_MONITOR);
}

int
bb_check_take(Oid dboid, int32 *relay_ids, int max)
{
	int			n = 0;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < BB_MAX_CHECKS && n < max; i++)
	{
		BbCheckRequest *c = &shared->checks[i];

		if (c->dboid != dboid)
			continue;
		relay_ids[n++] = c->relay_id;
		c->dboid = InvalidOid;
	}
	LWLockRelease(shared->lock);
	return n;
}
