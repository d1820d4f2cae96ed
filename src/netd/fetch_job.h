/*
 * fetch_job.h
 *
 * The finder's job: GET a JSON text from the web.  The text is parsed here
 * and rewritten (nostr/json_clean.h), so the server never parses foreign
 * text.
 */
#ifndef NETD_FETCH_JOB_H
#define NETD_FETCH_JOB_H

#include "../net/http.h"
#include "../wire/messages.h"

typedef struct FetchJob FetchJob;

/* GET.  gone() comes once, from the loop, behind the job's last frame but
 * RESULT, which is the caller's.  false: malformed.  *job NULL: out of
 * memory. */
extern bool fetch_job_start(Net *net, const WireFrame *f,
							void (*gone) (void *user, NetFailure failure, const char *reason),
							void *user, FetchJob **job);
/* gone() is still called. */
extern void fetch_job_cancel(FetchJob *job);

#endif
