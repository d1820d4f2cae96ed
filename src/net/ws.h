/*
 * ws.h
 *
 * A WebSocket client connection (RFC 6455, permessage-deflate of RFC 7692)
 * to a relay, from name to last byte: resolve (c-ares), check every address
 * (special_addr.h), connect by number or through the network's SOCKS5 proxy
 * (which then resolves), TLS with verification, upgrade, text messages.
 *
 * Never calls back from inside ws_connect.  closed() is called exactly once
 * for every ws_connect that returned non-NULL, as the last callback, whatever
 * happened; the connection is gone when it returns.  No redirect is followed.
 */
#ifndef NET_WS_H
#define NET_WS_H

#include "net.h"
#include "seen.h"

typedef struct WsConn WsConn;

typedef struct WsTimings		/* microseconds, 0 = not reached or not applicable */
{
	uint32_t	dns;
	uint32_t	tcp;
	uint32_t	tls;
	uint32_t	upgrade;
} WsTimings;

typedef struct WsCallbacks
{
	void		(*opened) (WsConn *c, void *user);
	/* One whole text message; data is valid during the call, not terminated,
	 * and is not yet checked to be UTF-8.  A binary message ends the
	 * connection with NET_PROTOCOL. */
	void		(*message) (WsConn *c, void *user, const char *data, size_t len);
	/* failure NET_OK: we closed it.  reason is a short text for people. */
	void		(*closed) (WsConn *c, void *user, NetFailure failure, const char *reason);
} WsCallbacks;

/* The URL must be canonical.  NULL: out of memory only. */
extern WsConn *ws_connect(Net *net, const NostrRelayUrl *url,
						  const WsCallbacks *cb, void *user);
/* Fills *seen (seen_init'ed) with what the peer shows; right after
 * ws_connect.  Written to until closed() returns. */
extern void ws_observe(WsConn *c, NetSeen *seen);
/* Milliseconds for everything until opened(), instead of the network's.  Right
 * after ws_connect. */
extern void ws_set_timeout(WsConn *c, uint32_t ms);
/* Copies and queues one text message.  false: not open, or more than
 * WS_MAX_QUEUED bytes wait. */
#define WS_MAX_QUEUED (1024 * 1024)
extern bool ws_send(WsConn *c, const char *data, size_t len);
/*
 * For an open connection on which silence is no fault: after idle_ms without
 * a word of the peer it is sent a ping, and when nothing has come answer_ms
 * later the connection ends with NET_TIMEOUT.  Time in ws_pause is not counted.
 */
extern void ws_keep_alive(WsConn *c, uint32_t idle_ms, uint32_t answer_ms);
/* Stops reading from the peer (bytes stay in the kernel), and goes on. */
extern void ws_pause(WsConn *c, bool paused);
/* Ends it; closed() follows with NET_OK (or with the given failure). */
extern void ws_close(WsConn *c, NetFailure failure, const char *reason);
extern const WsTimings *ws_timings(const WsConn *c);
/* In message(): nanoseconds from our latest message, when it left, to this
 * one, when it arrived (of TLS connections that are observed; else when it is
 * looked at). */
extern uint64_t ws_answer_ns(const WsConn *c);
extern uint64_t ws_bytes_received(const WsConn *c);

#endif
