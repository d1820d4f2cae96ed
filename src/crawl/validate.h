/*
 * validate.h
 *
 * Does this address speak Nostr?  Opens a connection, subscribes with an id
 * of its own ({"kinds":[1],"limit":1}) and waits for an answer to *that*
 * subscription: EVENT, EOSE or CLOSED, or an AUTH challenge.  A server that
 * merely accepts WebSocket is not a relay.  Of one that is, the information
 * document is asked for too; that it has none, or not in time, is no failure.
 */
#ifndef CRAWL_VALIDATE_H
#define CRAWL_VALIDATE_H

#include "../net/ws.h"
#include "identity.h"

typedef struct ValidateResult
{
	bool		is_relay;
	NetFailure	failure;		/* when not */
	char		reason[512];	/* why not, or which answer proved it */
	WsTimings	timings;
	uint32_t	first_answer_us;
	uint64_t	bytes_received;
	Identity	identity;		/* of a relay */
} ValidateResult;

typedef void (*ValidateDone) (void *user, const ValidateResult *r);

typedef struct Validate Validate;

/* done() is called exactly once, never from inside. */
extern Validate *validate_start(Net *net, const NostrRelayUrl *url,
								ValidateDone done, void *user);
extern void validate_cancel(Validate *v);	/* done() still comes */

#endif
