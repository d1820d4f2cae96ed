/*
 * host.h
 *
 * The host of a relay address: decoding, IDNA (UTS 46 non-transitional),
 * canonical text, network and special-use names.  Internal to relay_url.
 */
#ifndef NOSTR_HOST_H
#define NOSTR_HOST_H

#include "relay_url.h"

typedef struct NostrHost
{
	char		text[NOSTR_HOST_MAX + 1];	/* canonical, without brackets */
	NostrNetwork network;
	bool		ip_literal;
	bool		v6;
	bool		special;		/* accepted only because of allow_special */
} NostrHost;

/* The host as written, without the brackets of an IPv6 literal. */
extern NostrUrlReject nostr_host_parse(const char *raw, size_t len, bool bracketed,
									   bool allow_special, NostrHost *out);
/* The octet of "%XX" at s, or -1 when there is none. */
extern int	nostr_host_unescape(const char *s, size_t len);

#endif
