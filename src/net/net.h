/*
 * net.h
 *
 * The network: one libuv loop that carries libwebsockets and c-ares, its
 * settings, and the clock.  Single-threaded; everything here is called on
 * the loop's thread.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <uv.h>

#include "../nostr/relay_url.h"
#include "../nostr/special_addr.h"
#include "failure.h"

typedef struct NetNetworkConfig	/* one per NostrNetwork */
{
	bool		enabled;
	char		proxy[256];		/* "socks5h://host:port", "" = none (clearnet only);
								 * host is an IP literal or a local name */
	uint32_t	max_connections;	/* WebSockets beyond it wait for their turn */
	uint32_t	timeout_ms;		/* connect + handshake, and each answer after it */
} NetNetworkConfig;

typedef struct NetConfig
{
	NetNetworkConfig network[NOSTR_NETWORK_COUNT];
	NostrCidrList allow;		/* special ranges that may be connected to */
	bool		insecure_tls;	/* go on with an invalid certificate */
	uint32_t	max_message_size;	/* bytes of one WebSocket message after inflation */
	char		ca_file[1024];	/* "" = the system's bundle */
	char		dns_servers[256];	/* "ip[:port],..."; "" = the system's */
	char		user_agent[128];
	char		mmdb_city[1024];	/* MaxMind databases, "" = none */
	char		mmdb_asn[1024];
	char		key_file[1024];	/* secret key for NIP-42, "" = ephemeral ones */
} NetConfig;

typedef struct Net Net;

extern void net_config_default(NetConfig *c);
/* Opens files it needs (CA bundle, resolv.conf) and all library contexts, so
 * that the caller may enter the sandbox afterwards.  NULL: *why is static. */
extern Net *net_open(uv_loop_t *loop, const NetConfig *c, const char **why);
/* Whether a network that is enabled has one. */
extern bool net_config_wants_proxy(const NetConfig *c);
/* Settings that can change while running: all but ca_file, dns_servers,
 * key_file and the MaxMind databases, and the first proxy. */
extern void net_reconfigure(Net *net, const NetConfig *c);
extern const NetConfig *net_config(const Net *net);
extern uv_loop_t *net_loop(const Net *net);
extern struct Dns *net_dns_as_is(const Net *net);	/* for dns_query */
/* Ends every connection (their closed() is called), then frees. */
extern void net_close(Net *net);

#endif
