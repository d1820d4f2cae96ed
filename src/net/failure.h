/*
 * failure.h
 *
 * Why talking to a relay failed: one short list, used for back-off, counters
 * and SQL.  The names (net_failure_name) are stable API.
 */
#ifndef NET_FAILURE_H
#define NET_FAILURE_H

typedef enum NetFailure
{
	NET_OK = 0,
	NET_CANCELLED,
	NET_TIMEOUT,				/* the whole attempt; which phase is in the reason */
	NET_DNS_NXDOMAIN,			/* the name does not exist, or has no address */
	NET_DNS_FAILED,				/* servers failed or did not answer */
	NET_ADDRESS_REFUSED,		/* all addresses are special and not allowed */
	NET_NETWORK_DISABLED,		/* its network (tor, i2p, ...) is off or has no proxy */
	NET_CONNECT_REFUSED,
	NET_CONNECT_FAILED,			/* unreachable, reset before the handshake */
	NET_PROXY_FAILED,			/* the SOCKS5 proxy itself, or it says no */
	NET_TLS_CERTIFICATE,		/* expired, wrong name, unknown issuer, ... */
	NET_TLS_FAILED,				/* any other handshake failure */
	NET_HTTP_STATUS,			/* upgrade answered with another status than 101 */
	NET_NOT_WEBSOCKET,			/* answer is not a valid upgrade */
	NET_PROTOCOL,				/* frames or UTF-8 that RFC 6455 forbids */
	NET_TOO_LARGE,				/* message over the limit */
	NET_DISCONNECTED,			/* peer went away */
	NET_RATE,					/* the peer sends faster or longer than we allow */
	NET_NOT_NOSTR,				/* WebSocket, but no answer to our subscription */
	NET_REFUSED,				/* CLOSED / NOTICE: refused, see reason */
	NET_AUTH_REQUIRED,
	NET_RATE_LIMITED,
	NET_RESOURCES,				/* ours: descriptors, memory */
	NET_FAILURE_COUNT
} NetFailure;

extern const char *net_failure_name(NetFailure f);	/* "dns_nxdomain", ... */

#endif
