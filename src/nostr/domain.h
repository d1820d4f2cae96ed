/*
 * domain.h
 *
 * Who controls a host, for limits: the registrable domain by the public
 * suffix list (the part of the registries; names handed out below one by a
 * provider count as the provider's), for a numeric address its network (/24,
 * /48), for an overlay name the part that is a key.
 */
#ifndef NOSTR_DOMAIN_H
#define NOSTR_DOMAIN_H

#include "relay_url.h"

#define NOSTR_DOMAIN_MAX	(NOSTR_HOST_MAX + 4)

/* out holds NOSTR_DOMAIN_MAX + 1 bytes.  Needs no file; thread-safe. */
extern void nostr_domain(const NostrRelayUrl *u, char *out);

#endif
