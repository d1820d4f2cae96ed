/*
 * auth_event.h
 *
 * The answer to a relay's challenge (NIP-42): ["AUTH", signed event of kind
 * 22242], which names that relay and that challenge.
 */
#ifndef CRAWL_AUTH_EVENT_H
#define CRAWL_AUTH_EVENT_H

#include "../nostr/buf.h"

#define AUTH_EVENT_KIND		22242
#define AUTH_MAX_CHALLENGE	1024	/* bytes with the end; a longer challenge is none */

/* Appends the message and gives the id that its OK will name.  false: no valid
 * key, or out of memory. */
extern bool auth_event_message(NostrBuf *msg, uint8_t id[32], const char *relay_url,
							   const char *challenge, const uint8_t seckey[32]);

/* Keeps a challenge; one that is empty, too long or holds U+0000 is not kept. */
extern bool auth_event_challenge(char challenge[AUTH_MAX_CHALLENGE], const char *text, size_t len);

#endif
