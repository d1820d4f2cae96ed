/*
 * worker.h
 *
 * What all background workers of bigbrotr share: start-up, the database
 * connection, signals, transactions, waiting.
 *
 * Rules (docs/architecture.md): no transaction, snapshot or lock while
 * waiting; interrupts are served within 50 ms; after an ERROR outside
 * archive_write the process ends with exit code 1 and the scheduler starts a
 * new one after its back-off: everything it needs is in the database.
 */
#ifndef BB_WORKER_H
#define BB_WORKER_H

#include "postgres.h"

#include "storage/latch.h"

typedef enum BbService
{
	BB_LAUNCHER,
	BB_SCHEDULER,
	BB_SEEDER,
	BB_FINDER,
	BB_VALIDATOR,
	BB_SYNCHRONIZER,
	BB_MONITOR,
	BB_REFRESHER,
	BB_SERVICE_COUNT
} BbService;

extern const char *bb_service_name(BbService s);	/* "seeder", ... */
extern int	bb_service_by_name(const char *name);	/* -1: no such service */

/*
 * First call in every service's entry point: unpacks bgw_main_arg / extra,
 * installs signal handlers, connects to the database, neutralises timeouts
 * and search_path, registers the slot in shared memory, and verifies that
 * the extension is present at the library's version (else exits 0).
 * Returns the number of this worker among its service's workers (from 0);
 * *nworkers is how many there are.
 */
extern int	bb_worker_init(BbService service, Datum main_arg, int *nworkers);

/* One short transaction with a snapshot.  activity is shown in
 * pg_stat_activity.  bb_tx_end commits and reports statistics. */
extern void bb_tx_begin(const char *activity);
extern void bb_tx_end(void);
extern void bb_idle(const char *activity);	/* pg_stat_activity while waiting */

/* CHECK_FOR_INTERRUPTS and reload of the configuration.  True when the
 * configuration was reloaded. */
extern bool bb_interrupts(void);

/* Waits on latch and postmaster death, at most timeout_ms (-1 for ever);
 * resets the latch and serves interrupts. */
extern void bb_wait(long timeout_ms);

/* True once after bigbrotr.run() asked for this service. */
extern bool bb_run_requested(void);

#endif
