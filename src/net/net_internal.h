/*
 * net_internal.h
 *
 * What the files of src/net share; nobody outside includes it.
 *
 * The state of a connection changes in one place only, ws_step(), which runs
 * from the loop (an idle handle, started on demand) and never from inside a
 * libwebsockets or c-ares callback.  Those callbacks record what happened and
 * put the connection on the net's ready list.
 */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include <libwebsockets.h>

#include "../nostr/buf.h"
#include "dns.h"
#include "net.h"
#include "socks.h"
#include "ws.h"

#define WS_PROTOCOL_NAME "bigbrotr-ws"

struct Net
{
	uv_loop_t  *loop;
	NetConfig	config;
	struct lws_context *lws;
	struct lws_vhost *vhost_deflate;
	struct lws_vhost *vhost_plain;
	Dns		   *dns;
	Dns		   *dns_as_is;		/* for measuring */
	struct Http *http;
	SocksDoor  *door;			/* NULL: no network had a proxy */
	struct HttpGet *gets;		/* all, oldest last */
	uv_idle_t	tick;
	bool		tick_open;
	bool		closing;
	uint32_t	nopen[NOSTR_NETWORK_COUNT]; /* begun and not yet over */
	WsConn	   *conns;			/* all, also those that only wait for DNS */
	WsConn	   *ready;			/* wait for ws_step, oldest first */
	WsConn	  **ready_tail;
};

typedef enum WsPhase
{
	WS_NEW,
	WS_RESOLVING,
	WS_PROXYING,
	WS_CONNECTING,
	WS_TLS,
	WS_UPGRADING,
	WS_OPEN
} WsPhase;

typedef struct WsOut
{
	struct WsOut *next;
	size_t		len;
	uint8_t		data[];			/* LWS_PRE bytes, then the message */
} WsOut;

struct WsConn
{
	Net		   *net;
	WsConn	   *prev;
	WsConn	   *next;
	WsConn	   *ready_next;
	bool		ready;			/* on net->ready */
	NostrRelayUrl url;
	WsCallbacks cb;
	void	   *user;

	WsPhase		phase;
	bool		counted;		/* in net->nopen */
	bool		queued;			/* until its network has room */
	bool		ended;			/* failure and reason are final */
	bool		told;			/* closed() was called */
	bool		again;			/* ws_step is to try (the next address) */
	bool		paused;
	bool		no_deflate;		/* the server dislikes the offer */
	bool		no_next;		/* do not go on to the next address */
	bool		slow;			/* this address used up its share of time */
	bool		dns_pending;	/* c-ares still holds our pointer */
	bool		timer_open;
	NetFailure	failure;
	char		reason[192];

	struct lws *wsi;
	bool		wsi_live;		/* between connect and WSI_DESTROY */
	int			fd_dup;			/* of a plain socket until open, for TCP_INFO */
	char		error[128];		/* libwebsockets' words for this attempt */
	int			connect_error;	/* errno of the last attempt; 0: unknown */
	int			http_status;
	int			tls_verdict;	/* first X509_V_ERR_ of this attempt */

	NostrAddr	addr[DNS_MAX_ADDRESSES];
	int			n_addr;
	int			next_addr;
	SocksBridge *socks;
	char		host_header[NOSTR_HOST_MAX + 16];

	uv_timer_t	timer;
	uint32_t	timeout_ms;		/* 0: the network's */
	uint64_t	deadline;		/* of the whole handshake, uv_now() ms */
	uint32_t	idle_ms;		/* before a ping; 0: none is sent */
	uint32_t	answer_ms;		/* for the answer to it */
	uint64_t	heard;			/* uv_now() of the peer's last word */
	uint64_t	pinged;			/* since then; 0: not */
	bool		ping_due;		/* waits for the socket */
	bool		given_up;		/* unless something has come by now */
	uint64_t	mark;			/* start of the phase, uv_hrtime() ns */
	uint64_t	arrived;		/* what is being handled, uv_hrtime() ns; 0: now */
	uint64_t	sent;			/* our latest message */
	WsTimings	timings;
	uint64_t	bytes_received;
	NetSeen    *seen;			/* NULL: nobody asked */

	NostrBuf	in;				/* the message being assembled */
	size_t		in_max;			/* limit for it, taken when it begins */
	int			close_status;	/* of our close frame, 0: normal */
	bool		in_message;
	WsOut	   *out;
	WsOut	  **out_tail;
	size_t		out_bytes;
};

/* net.c */
extern void net_tick(uv_idle_t *handle);

/* guard.c: keeps the addresses that may be connected to, returns how many; why
 * (>= 128 bytes) names the first that may not, "" when there is none */
extern int	net_guard(const Net *net, NostrAddr *addr, int n, char *why, size_t size);

/* ws.c */
extern void ws_run_ready(Net *net);
extern void ws_end(WsConn *c, NetFailure failure, const char *reason);
extern void ws_enter(WsConn *c, WsPhase phase);	/* also takes the timing */
extern void ws_heard(WsConn *c);	/* a word of the peer */
extern void ws_attempt_over(WsConn *c);	/* the wsi is gone */

/* ws_lws.c */
extern bool ws_peer_spoke(WsConn *c);
extern int	ws_lws_callback(struct lws *wsi, enum lws_callback_reasons reason,
							void *user, void *in, size_t len);
extern void ws_lws_connect(WsConn *c, const char *address, uint16_t port);
extern void ws_lws_kill(WsConn *c);
extern void ws_classify(WsConn *c);

/* ws_tls.c */
extern void ws_tls_setup(Net *net, void *ssl_ctx);
extern int	ws_tls_verify(WsConn *c, void *x509_store_ctx, int preverify_ok);
extern const char *ws_tls_verdict_text(int verdict);

#endif
