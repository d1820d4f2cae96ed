/*
 * relay_url.h
 *
 * Canonical relay addresses: one relay, one string.
 *
 * Follows RFC 3986 normalisation with Nostr's choices: scheme ws or wss,
 * lower-case host (IDNA as A-labels), no default port, no trailing slash, no
 * userinfo, query or fragment (they are refused, not dropped), unreserved
 * percent-escapes decoded, others upper-cased, dot segments removed.  The
 * default port of the scheme as written is dropped first, then the scheme is
 * forced: ws for overlay networks, wss for clearnet.  So ws://h, ws://h:80,
 * ws://h:443 and wss://h are one relay, wss://h:80 is another.  Special-use
 * names (RFC 6761 and successors) and literal special addresses are refused.
 * Idempotent: normalising a canonical address gives the same bytes.
 */
#ifndef NOSTR_RELAY_URL_H
#define NOSTR_RELAY_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOSTR_RELAY_URL_MAX		2048
#define NOSTR_HOST_MAX			253

typedef enum NostrNetwork
{
	NOSTR_CLEARNET,
	NOSTR_TOR,
	NOSTR_I2P,
	NOSTR_LOKI
} NostrNetwork;
#define NOSTR_NETWORK_COUNT 4

typedef enum NostrUrlReject
{
	NOSTR_URL_OK = 0,
	NOSTR_URL_EMPTY,
	NOSTR_URL_TOO_LONG,
	NOSTR_URL_BAD_CHARACTER,	/* control, space, backslash, bad UTF-8 */
	NOSTR_URL_NO_SCHEME,
	NOSTR_URL_BAD_SCHEME,
	NOSTR_URL_NO_HOST,
	NOSTR_URL_BAD_HOST,
	NOSTR_URL_BAD_PORT,
	NOSTR_URL_BAD_PATH,
	NOSTR_URL_USERINFO,
	NOSTR_URL_QUERY,
	NOSTR_URL_FRAGMENT,
	NOSTR_URL_BAD_OVERLAY,		/* .onion, .i2p, .loki name of the wrong shape */
	NOSTR_URL_SPECIAL_NAME,		/* localhost, .local, .internal, .test, ... */
	NOSTR_URL_SPECIAL_ADDRESS,	/* literal loopback, private, documentation, ... */
	NOSTR_URL_REJECT_COUNT
} NostrUrlReject;

typedef struct NostrRelayUrl
{
	char		url[NOSTR_RELAY_URL_MAX + 1];	/* canonical, terminated */
	NostrNetwork network;
	bool		tls;			/* wss */
	bool		ip_literal;
	char		host[NOSTR_HOST_MAX + 1];	/* without brackets */
	uint16_t	port;			/* effective */
	const char *path;			/* into url, "" when none */
} NostrRelayUrl;

/*
 * allow_special (for tests and for operators who set bigbrotr.allow_networks):
 * literal special addresses and localhost names are accepted, and keep their
 * scheme and port as written (minus the default port).
 */
extern NostrUrlReject nostr_relay_url_parse(const char *raw, size_t len,
											bool allow_special, NostrRelayUrl *out);
extern const char *nostr_url_reject_name(NostrUrlReject r);
extern const char *nostr_url_reject_text(NostrUrlReject r);
extern const char *nostr_network_name(NostrNetwork n);	/* clearnet tor i2p loki */

#endif
