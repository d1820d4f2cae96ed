/*
 * guc_monitor.h
 *
 * The settings of the monitor.  Units are in the comments.
 */
#ifndef BB_GUC_MONITOR_H
#define BB_GUC_MONITOR_H

#include "postgres.h"

extern int	bb_monitor_interval;	/* s between two checks of a relay; 0 = off */
extern int	bb_monitor_concurrency;	/* checks at once */
extern int	bb_monitor_timeout;	/* ms for one whole check */
extern char *bb_monitor_checks;	/* names, see bb_monitor_mask */
extern char *bb_monitor_store;	/* names of those whose documents are kept */
extern bool bb_monitor_write;	/* publish a probe event */
extern int	bb_monitor_probe_kind;
extern int	bb_monitor_max_pow;	/* bits */
extern int	bb_monitor_document_size;	/* kB of a NIP-11 document */
extern int	bb_monitor_precision;	/* characters of a geohash */
extern char *bb_monitor_city_file;	/* MaxMind databases; '' = none */
extern char *bb_monitor_asn_file;
extern char *bb_monitor_publish;	/* relays to publish to; '' = none */
extern int	bb_monitor_announce_interval;	/* s; 0 = never */
extern char *bb_monitor_profile;	/* content of kind 0, JSON */
extern char *bb_monitor_geohash;	/* where the monitor is; '' = not told */

/* Bit per check (CheckType of src/crawl/check.h) of a list of names. */
extern uint32 bb_monitor_mask(const char *names);

extern void bb_guc_define_monitor(void);

#endif
