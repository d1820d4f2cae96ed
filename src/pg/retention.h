/*
 * retention.h
 *
 * Policies by which events are removed (table retention).
 *
 * What a policy has removed does not come back: events older than its floor
 * are refused, with the reason "retention", and if the policy applies to all
 * kinds, relays are not asked for that time.
 */
#ifndef BB_RETENTION_H
#define BB_RETENTION_H

#include "postgres.h"

/* NULL, or the reason for which the event is not stored; palloc'ed.  In a
 * transaction, SPI not connected.  Policies are read once in a second. */
extern const char *retention_refuses(int32 kind, int64 created_at);

/* Unix seconds: nothing older is kept, whatever its kind; 0: no such time. */
extern int64 retention_floor(void);

/* Task of the refresher (refresh.h). */
extern bool retention_task(int64 *done);
extern void retention_after(void);

#endif
