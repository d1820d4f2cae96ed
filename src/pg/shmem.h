/*
 * shmem.h
 *
 * What the processes of bigbrotr know of each other: one slot per worker,
 * and the databases that are blocked because a command needs them alone.
 *
 * One LWLock guards everything.  A slot is written by its worker only, except
 * run_requested / run_mask (set by any backend) and the reset of an exited
 * slot (by its scheduler).  Nothing raises an error while the lock is held.
 */
#ifndef BB_SHMEM_H
#define BB_SHMEM_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "storage/latch.h"

#include "pg/worker.h"

#define BB_MAX_SLOTS	512
#define BB_MAX_BLOCKS	64
#define BB_ERROR_LEN	256
#define BB_MAX_CHECKS	64		/* relays that somebody waits for */

typedef enum BbSlotState
{
	BB_SLOT_FREE,
	BB_SLOT_STARTING,
	BB_SLOT_RUNNING,
	BB_SLOT_EXITED				/* exit_code and error wait for the scheduler */
} BbSlotState;

typedef struct BbSlot
{
	Oid			dboid;			/* InvalidOid: the launcher */
	BbService	service;
	int			index;
	int			pid;			/* 0 when not alive */
	BbSlotState state;
	TimestampTz started_at;
	bool		run_requested;	/* bigbrotr.run() asked this worker */
	uint32		run_mask;		/* scheduler: services somebody asked for */
	int			exit_code;
	char		error[BB_ERROR_LEN];	/* last ERROR of this worker */
	Latch	   *latch;			/* in shared memory, same address everywhere */
} BbSlot;

extern void bb_shmem_install(void); /* from _PG_init while preloading */
extern bool bb_shmem_ready(void);

/* Takes the slot of this process and releases it at exit.  False when the
 * database is blocked or another process has that slot. */
extern bool bb_slot_attach(Oid dboid, BbService service, int index);
extern void bb_slot_running(void);
extern void bb_slot_error(const char *message);
extern bool bb_slot_take_run_request(void);
extern uint32 bb_slot_take_run_mask(void);

/* Has this worker ended?  Then its exit code and last error; frees the slot. */
extern bool bb_slot_reap(Oid dboid, BbService service, int index,
						 int *exit_code, char *error);
/* Is it alive? */
extern bool bb_slot_alive(Oid dboid, BbService service, int index);
/* Copies of all used slots of a database (InvalidOid: all); returns how many. */
extern int	bb_slots_copy(Oid dboid, BbSlot *out, int max);
/* Signals every live worker of a database except this process. */
extern int	bb_slots_signal(Oid dboid, int sig, int *pids, int max);

/* Sets the latches of the launcher and of the scheduler of that database. */
extern void bb_wake(Oid dboid);
/* False: no scheduler runs there. */
extern bool bb_run_request(Oid dboid, BbService service);

/* A relay to be checked now; wakes the monitor.  False: too many wait. */
extern bool bb_check_request(Oid dboid, int32 relay_id);
/* Takes those of a database; how many. */
extern int	bb_check_take(Oid dboid, int32 *relay_ids, int max);

extern bool bb_block(Oid dboid);	/* false: table full */
extern void bb_unblock_mine(void);
extern bool bb_blocked(Oid dboid);

#endif
