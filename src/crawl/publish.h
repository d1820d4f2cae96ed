/*
 * publish.h
 *
 * Sends signed events to one relay over one connection and reports its answer
 * to each (NIP-01 EVENT, OK).
 *
 * answer() comes once per event, in any order, done() once and last.  An
 * event counts as accepted only if the relay says so: OK with true.  What is
 * refused for lack of authentication (NIP-42) is sent once more after
 * authenticating with our key; a connection authenticates at most once.
 */
#ifndef CRAWL_PUBLISH_H
#define CRAWL_PUBLISH_H

#include "../net/ws.h"

#define PUBLISH_MAX_EVENTS	256		/* of one job */
#define PUBLISH_WINDOW		16		/* sent and not yet answered */

typedef struct PublishEvent
{
	uint8_t		id[32];
	const char *json;			/* the event object; valid until done() */
	size_t		len;
} PublishEvent;

typedef enum PublishOutcome		/* the values travel */
{
	PUBLISH_TAKEN = 0,			/* OK true, "duplicate:" included */
	PUBLISH_REFUSED = 1,		/* OK false */
	PUBLISH_UNANSWERED = 2		/* not sent, or no OK came */
} PublishOutcome;

typedef struct PublishCallbacks
{
	void		(*answer) (void *user, int i, PublishOutcome outcome, const char *reason);
	void		(*done) (void *user, NetFailure failure, const char *reason);
} PublishCallbacks;

typedef struct Publish Publish;

/* events is copied (not what it points to).  seckey: 32 bytes to authenticate with, copied;
 * NULL: never.  NULL: out of memory. */
extern Publish *publish_start(Net *net, const NostrRelayUrl *url, const PublishEvent *events, int n,
							  const uint8_t *seckey, const PublishCallbacks *cb, void *user);
extern void publish_cancel(Publish *p);	/* done() still comes */

#endif
