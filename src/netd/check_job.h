/*
 * check_job.h
 *
 * The monitor's jobs (check a relay, publish events to one, sign an event)
 * and their frames.
 */
#ifndef NETD_CHECK_JOB_H
#define NETD_CHECK_JOB_H

#include "../crawl/check.h"
#include "../crawl/publish.h"
#include "../wire/messages.h"

typedef struct CheckJob CheckJob;

/* Reads the fields of CHECK or PUBLISH behind the URL and starts.  gone()
 * comes once, from the loop, behind the job's last frame but RESULT, which is
 * the caller's.  false: malformed.  *job NULL: out of memory. */
extern bool check_job_start(Net *net, const WireFrame *f, WireReader *r, const NostrRelayUrl *url,
							const Geo *geo, const uint8_t *seckey,
							void (*gone) (void *user, NetFailure failure, const char *reason),
							void *user, CheckJob **job);
extern void check_job_cancel(CheckJob *job);

/* SIGN: answers at once with SIGNED; *why (static) when it cannot.  false:
 * malformed. */
extern bool check_job_sign(const WireFrame *f, const uint8_t *seckey, const char **why);

#endif
