/*
 * netd.h
 *
 * The worker's side of bigbrotr-net: starts the private child process, sends
 * it settings, exchanges frames, and starts a new one when it dies.
 *
 * One per worker process.  If the child ends or speaks nonsense, netd_poll
 * logs one line, raises "lost" (all jobs in flight are due again), and starts
 * a new child after a back-off of 1 s doubling to 60 s (anew from 1 s after one
 * that worked for longer than it was waited for, and after a reload).
 */
#ifndef BB_NETD_H
#define BB_NETD_H

#include "postgres.h"

#include "wire/messages.h"

extern void netd_start(void);	/* remembers settings from the GUCs; starts the child */
extern void netd_reconfigure(void);		/* after a reload: sends CONFIG again */

/* Frames to the child: build with wire_* into this buffer, then flush.
 * Blocking is never needed: what the socket does not take stays queued. */
extern NostrBuf *netd_out(void);
extern void netd_flush(void);

/*
 * Waits at most timeout_ms for latch, socket or postmaster death, serves
 * interrupts, reads what there is (bounded) and writes what is queued.
 * Returns true when at least one frame is ready for netd_next; false after the
 * timeout, the latch, a loss, and when a new child became ready.
 */
extern bool netd_poll(long timeout_ms);
/* Next frame, valid until the next netd_poll.  HELLO and LOG are handled
 * inside.  A frame that the caller cannot parse: netd_malformed. */
extern bool netd_next(WireFrame *f);
extern void netd_malformed(const char *what);
/* A new child at once; jobs in flight are lost (netd_lost). */
extern void netd_replace(const char *why);
/* True once after the child was lost: forget all jobs. */
extern bool netd_lost(void);
/* Was the last loss a quick one: before the child had worked for as long as
 * it was waited for? */
extern bool netd_lost_quickly(void);
extern bool netd_ready(void);	/* a child is running and has said HELLO */

#endif
