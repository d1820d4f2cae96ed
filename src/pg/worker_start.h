/*
 * worker_start.h
 *
 * How one process of bigbrotr starts another, and what is passed in
 * bgw_extra.  For launcher and scheduler.
 */
#ifndef BB_WORKER_START_H
#define BB_WORKER_START_H

#include "postgres.h"

#include "postmaster/bgworker.h"

#include "pg/worker.h"

typedef struct BbWorkerArgs
{
	Oid			dboid;
	int32		index;
	int32		nworkers;
	bool		run;			/* as if bigbrotr.run() had been called */
} BbWorkerArgs;

/* False when max_worker_processes has no free slot: warned about once. */
extern bool bb_worker_start(BbService service, const BbWorkerArgs *args,
							BackgroundWorkerHandle **handle);
extern void bb_launcher_register(void); /* from _PG_init */
/* Signal handlers, slot; before any connection. */
extern void bb_worker_signals(void);
/* Settings every session of ours needs, after the connection. */
extern void bb_session_settings(void);
/* Reloads without telling the caller; the next bb_interrupts does. */
extern void bb_serve_interrupts(void);
/* Inside a transaction: is the extension there at the library's version? */
extern bool bb_extension_matches(bool warn);

#endif
