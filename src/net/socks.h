/*
 * socks.h
 *
 * One tunnel through a SOCKS5 proxy (RFC 1928, no authentication), offered
 * to libwebsockets as a one-shot listener on an abstract unix socket: our
 * build of libwebsockets speaks no SOCKS, and this way the proxy resolves
 * the name and no TCP port is opened.
 */
#ifndef NET_SOCKS_H
#define NET_SOCKS_H

#include "net.h"

typedef struct SocksBridge SocksBridge;

/* NET_OK: the proxy has connected; the next connection to address (as
 * libwebsockets writes it, "+@name") is piped through.  Called exactly once
 * unless socks_close comes first, never from inside socks_open. */
typedef void (*SocksCallback) (void *user, NetFailure failure,
							   const char *reason, const char *address);

/* "socks5h://host:port"; host is without brackets; localhost is 127.0.0.1. */
extern bool socks_parse(const char *proxy, char *host, size_t host_size, uint16_t *port);
/* NULL: out of memory.  host is sent as a name unless it is an address. */
extern SocksBridge *socks_open(uv_loop_t *loop, const NostrAddr *proxy,
							   uint16_t proxy_port, const char *host, uint16_t port,
							   SocksCallback cb, void *user);
/* No callback after this. */
extern void socks_close(SocksBridge *b);

#endif
