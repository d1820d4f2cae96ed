/*
 * fatal.h
 *
 * What the network process does when memory is exhausted, decided once: it
 * exits.
 *
 * A job cannot fail alone, because the remaining memory may not suffice to
 * tell the worker, and nothing is lost by exiting: the worker knows this exit
 * status, logs it with the setting that limits memory, starts a new process
 * after its back-off, and all jobs in flight are due again.
 */
#ifndef NETD_FATAL_H
#define NETD_FATAL_H

/* _exit with WIRE_EXIT_NO_MEMORY; needs no memory itself. */
extern void fatal_no_memory(void) __attribute__((noreturn));

#endif
