/*
 * announce.h
 *
 * Builds the relay discovery event (NIP-66, kind 30166) for what a check
 * found.
 *
 * Only for relays that opened: there is nothing to announce about the
 * others.  A requirement (R) is claimed, in either sense, only if the relay
 * declared it or the check showed it; where the two differ, what was shown
 * wins.  A kind (k) is claimed as accepted if the relay serves it or accepted
 * one from us, and as not accepted (!) if it refused one of ours for its
 * kind.
 */
#ifndef CRAWL_ANNOUNCE_H
#define CRAWL_ANNOUNCE_H

#include "check.h"
#include "nip11.h"

#define ANNOUNCE_KIND			30166
#define ANNOUNCE_MAX_CONTENT	(64 * 1024)	/* bytes; a longer document is left out */
#define ANNOUNCE_MAX_LIST		100		/* of each list in the NIP-11 document */
#define ANNOUNCE_MAX_VALUE		256		/* bytes of a tag's value; what is longer is left out */

/* Appends the signed event as JSON, and gives its id.  Of spec: the key, the kind that was
 * written, and the kinds known before.  false: not open, no key, or out of memory. */
extern bool announce_relay(NostrBuf *out, uint8_t id[32], const NostrRelayUrl *url,
						   const CheckSpec *spec, const CheckResult *r, const Nip11 *nip11);

#endif
