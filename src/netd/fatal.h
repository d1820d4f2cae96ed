/*
 * fatal.h
 *
 * Out of memory in the network process, decided once: it ends.  A job cannot
 * fail alone, because what is left is not enough to say so to the worker, and
 * nothing is lost by ending: the worker knows this status, logs it with the
 * setting that bounds the memory, starts a new process after its back-off, and
 * all jobs in flight are due again.
 */
#ifndef NETD_FATAL_H
#define NETD_FATAL_H

/* _exit with WIRE_EXIT_NO_MEMORY; needs no memory itself. */
extern void fatal_no_memory(void) __attribute__((noreturn));

#endif
