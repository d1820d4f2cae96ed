/*
 * identity.h
 *
 * Who answers at an address, according to its relay information document
 * (NIP-11): two addresses of one host with the same document, if the document
 * identifies the relay, are one relay.
 */
#ifndef CRAWL_IDENTITY_H
#define CRAWL_IDENTITY_H

#include "../net/http.h"
#include "../nostr/relay_url.h"

#define IDENTITY_MAX_DOCUMENT	(64 * 1024)	/* bytes; a longer one is none */
#define IDENTITY_MAX_LIMIT		INT32_MAX

typedef struct Identity
{
	bool		found;			/* there is a document; nothing below otherwise */
	bool		named;			/* it has a name or a key: it can tell relays apart */
	uint8_t		digest[32];		/* SHA-256 of its canonical form (document.h) */
	/* limits it names; 0: not told, or not a sensible number */
	uint32_t	max_limit;
	uint32_t	default_limit;
	uint32_t	max_subid_length;
	uint32_t	max_message_length;
	uint32_t	max_subscriptions;
} Identity;

/* Asks for the document; NULL: out of memory. */
extern HttpGet *identity_get(Net *net, const char *relay_url, HttpCallback done, void *user);
extern void identity_read(const HttpResult *r, Identity *out);

#endif
