/*
 * monitor_due.h
 *
 * Which relays are checked next.  Inside a transaction of the caller, SPI not
 * connected.
 */
#ifndef BB_MONITOR_DUE_H
#define BB_MONITOR_DUE_H

#include "postgres.h"

/* Starts what is due, as far as there is room; lowers *wait_ms to when
 * something is.  all: looks at the whole table, else goes on with what was
 * read before. */
extern void monitor_due_start(bool all, long *wait_ms);
/* Would it, without all, start anything? */
extern bool monitor_due_possible(void);

#endif
