/*
 * socks.h
 *
 * Tunnels through a SOCKS5 proxy (RFC 1928, no authentication).  Our build of
 * libwebsockets speaks no SOCKS, so a bridge talks to the proxy, which also
 * resolves the name, and libwebsockets connects to the bridge, through a door:
 * one listener on 127.0.0.1 that every bridge shares and that lets in only
 * connections of this process that a bridge expects.  The sandbox forbids to
 * listen, and sockets that are not of the Internet (the server's own is one):
 * the door is opened before it.
 */
#ifndef NET_SOCKS_H
#define NET_SOCKS_H

#include "net.h"

typedef struct SocksBridge SocksBridge;
typedef struct SocksDoor SocksDoor;

/* NET_OK: the proxy has connected; socks_expect follows.  Called exactly once
 * unless socks_close comes first, never from inside socks_open. */
typedef void (*SocksCallback) (void *user, NetFailure failure, const char *reason);

/* NULL: no descriptor, or not allowed. */
extern SocksDoor *socks_door_open(uv_loop_t *loop);
extern uint16_t socks_door_port(const SocksDoor *d);	/* of 127.0.0.1 */
extern void socks_door_close(SocksDoor *d);	/* when no bridge is left */

/* "socks5h://host:port"; host is without brackets; localhost is 127.0.0.1. */
extern bool socks_parse(const char *proxy, char *host, size_t host_size, uint16_t *port);
/* NULL: out of memory.  host is sent as a name unless it is an address. */
extern SocksBridge *socks_open(SocksDoor *door, const NostrAddr *proxy,
							   uint16_t proxy_port, const char *host, uint16_t port,
							   SocksCallback cb, void *user);
/* What comes to the door from that port of 127.0.0.1 is piped through. */
extern void socks_expect(SocksBridge *b, uint16_t local_port);
/* No callback after this. */
extern void socks_close(SocksBridge *b);

#endif
