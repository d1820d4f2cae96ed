/*
 * monitor_publish.h
 *
 * Jobs that publish: our events to the relays in bigbrotr.monitor_publish,
 * and announcements of the monitor itself, which bigbrotr-net has to sign
 * first.
 *
 * They run beside the checks: a slow or unreachable target never delays one.
 * Inside a transaction of the caller, SPI not connected.
 */
#ifndef BB_MONITOR_PUBLISH_H
#define BB_MONITOR_PUBLISH_H

#include "postgres.h"

#include "pg/monitor_jobs.h"
#include "wire/messages.h"

extern bool monitor_publishing(void);	/* is there a key, and a relay for it? */

/* Starts what is due; lowers *wait_ms to when something is. */
extern void monitor_publish_start(long *wait_ms);

/* PUBLISHED and SIGNED; false: malformed. */
extern bool monitor_published(const WireFrame *f, const MonitorJob *j, int me);
extern bool monitor_signed(const WireFrame *f, const MonitorJob *j);

#endif
