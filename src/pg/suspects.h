/*
 * suspects.h
 *
 * Which jobs may be to blame when bigbrotr-net is lost.
 *
 * A relay that can kill the process at once would keep all others waiting,
 * since the back-off grows and all jobs restart together.  So whatever was in
 * flight at two quick losses in a row is postponed like any failure; those
 * who were there by chance succeed the next time, without that relay.  In
 * memory of this process; a key is whatever identifies a job of its service.
 */
#ifndef BB_SUSPECTS_H
#define BB_SUSPECTS_H

#include "postgres.h"

#define BB_SUSPECTS_MAX	1024
#define BB_SUSPECT_CLASS	"process_lost"
#define BB_SUSPECT_REASON	"bigbrotr-net ended twice while it was asked"

/* For each loss: begin (quick as netd_lost_quickly says), one call for each
 * job in flight, end.  True: it was in flight at the quick loss before, too. */
extern void suspects_begin(bool quick);
extern bool suspects_add(uint64 key);
extern void suspects_end(void);

#endif
