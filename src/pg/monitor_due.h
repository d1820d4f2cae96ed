/*
 * monitor_due.h
 *
 * Which relays are checked now.  Inside a transaction of the caller, SPI not
 * connected.
 */
#ifndef BB_MONITOR_DUE_H
#define BB_MONITOR_DUE_H

/* Starts what is due, as far as there is room; lowers *wait_ms to when
 * something is. */
extern void monitor_due_start(long *wait_ms);

#endif
