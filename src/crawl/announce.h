/*
 * announce.h
 *
 * What a check found, as a relay discovery event (NIP-66, kind 30166).
 *
 * Only for relays that opened: there is nothing to discover about the others.
 * A requirement (R) is claimed, in either sense, only when the relay told it
 * or the check showed it.
 */
#ifndef CRAWL_ANNOUNCE_H
#define CRAWL_ANNOUNCE_H

#include "check.h"
#include "nip11.h"

#define ANNOUNCE_KIND			30166
#define ANNOUNCE_MAX_CONTENT	(64 * 1024)	/* bytes; a longer document is left out */
#define ANNOUNCE_MAX_LIST		100		/* of each list in the NIP-11 document */

/* Appends the signed event as JSON, and gives its id.  kinds: those that the relay was seen to
 * serve.  false: not open, no key, or out of memory. */
extern bool announce_relay(NostrBuf *out, uint8_t id[32], const NostrRelayUrl *url,
						   const CheckResult *r, const Nip11 *nip11, const uint16_t *kinds, int n_kinds,
						   const uint8_t seckey[32]);

#endif
