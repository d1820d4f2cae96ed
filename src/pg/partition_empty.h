/*
 * partition_empty.h
 *
 * Truncates partitions that have become empty, which returns their space to
 * the system.
 */
#ifndef BB_PARTITION_EMPTY_H
#define BB_PARTITION_EMPTY_H

#include "postgres.h"

#include "access/transam.h"

/*
 * Takes a lock of a table in schema bigbrotr (mode as in LOCK TABLE), or that
 * of compact.h when it is NULL, but waits only briefly: whoever comes later
 * waits too, and a session with an open transaction may let go of its own in
 * hours.  false: not to be had.  SPI connected.
 */
extern bool lock_soon(const char *table, const char *mode);

/*
 * Truncates a table in schema bigbrotr that has no rows, when every snapshot
 * sees that transaction "emptied" is over; true: done.  The lock is held until
 * commit: one in a transaction, or few.  SPI connected.
 */
extern bool partition_truncate_empty(const char *table, FullTransactionId emptied);

#endif
