/*
 * ws.c
 *
 * The life of a connection: resolve, guard, (proxy,) connect to one address
 * after the other, TLS, upgrade, open, closed.
 *
 * Guarantees: closed() exactly once, last, and only from ws_step(), which
 * runs from the loop and never inside ws_connect or a library's callback; no
 * attempt outlives its deadline, whatever libwebsockets does; an address is
 * connected to only by number and only after the guard; overlay names and
 * names behind a proxy never reach the resolver (except the proxy's own).
 *
 * Races closed here: the resolver may hold our pointer after closed(), so the
 * memory goes when it lets go; libwebsockets may drop a connection without
 * any error, or destroy it inside the connect call that then returns NULL:
 * ws_attempt_over() counts the first report of either.
 */
#include "../nostr/pgfree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net_internal.h"

#define CLOSE_GRACE_MS 1000		/* for the closing handshake */

static void
ws_free(WsConn *c)
{
	WsOut	   *out;

	if (!c->told || c->dns_pending || c->timer_open)
		return;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		c->net->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	while ((out = c->out) != NULL)
	{
		c->out = out->next;
		free(out);
	}
	nostr_buf_free(&c->in);
	free(c);
}

static void
timer_closed(uv_handle_t *handle)
{
	WsConn	   *c = handle->data;

	c->timer_open = false;
	ws_free(c);
}

/* ws_step soon */
static void
ws_ready(WsConn *c)
{
	Net		   *net = c->net;

	if (c->ready || c->told)
		return;
	c->ready = true;
	c->ready_next = NULL;
	*net->ready_tail = c;
	net->ready_tail = &c->ready_next;
	uv_idle_start(&net->tick, net_tick);
}

void
ws_enter(WsConn *c, WsPhase phase)
{
	uint64_t	now = uv_hrtime();
	bool		known = c->arrived >= c->mark && c->arrived <= now;
	uint32_t	us = (uint32_t) (((known ? c->arrived : now) - c->mark) / 1000);

	if (us == 0)
		us = 1;					/* 0 means not reached */
	switch (c->phase)
	{
		case WS_RESOLVING:
			/* A name for the proxy is not resolved here. */
			if (!c->url.ip_literal && phase != WS_PROXYING)
				c->timings.dns = us;
			break;
		case WS_PROXYING:
			c->timings.tcp = us;
			break;
		case WS_CONNECTING:
			/* Behind a proxy this is only the way to our own bridge. */
			if (c->socks == NULL)
				c->timings.tcp = us;
			break;
		case WS_TLS:
			if (c->timings.tls == 0)	/* else ws_tls.c saw its end */
				c->timings.tls = us;
			break;
		case WS_UPGRADING:
			c->timings.upgrade = us;
			break;
		default:
			break;
	}
	c->phase = phase;
	c->mark = now;
	c->arrived = 0;
}

static void keep_alive(WsConn *c);

static void
timeout_cb(uv_timer_t *timer)
{
	static const char *const texts[] = {
		[WS_NEW] = "timeout", [WS_RESOLVING] = "timeout while resolving",
		[WS_PROXYING] = "timeout in the proxy", [WS_CONNECTING] = "timeout while connecting",
		[WS_TLS] = "timeout in the TLS handshake", [WS_UPGRADING] = "timeout in the upgrade",
		[WS_OPEN] = "timeout"
	};
	WsConn	   *c = timer->data;

	if (c->ended)
	{
		if (c->wsi_live)
			ws_lws_kill(c);
	}
	else if (c->phase == WS_OPEN && c->idle_ms > 0)
		keep_alive(c);
	else if (c->phase == WS_CONNECTING && uv_now(c->net->loop) < c->deadline)
	{
		c->slow = true;			/* the next address gets its share */
		ws_lws_kill(c);
	}
	else if (c->phase != WS_OPEN && uv_now(c->net->loop) < c->deadline)
		uv_timer_start(timer, timeout_cb, c->deadline - uv_now(c->net->loop), 0);
	else if (c->phase == WS_UPGRADING && !c->url.tls && ws_peer_spoke(c))
		ws_end(c, NET_NOT_WEBSOCKET, "the answer is not HTTP");
	else
		ws_end(c, NET_TIMEOUT, texts[c->phase]);
}

static void
arm_timer(WsConn *c, uint64_t ms)
{
	uv_timer_start(&c->timer, timeout_cb, ms, 0);
}

void
ws_heard(WsConn *c)
{
	c->heard = uv_now(c->net->loop);
	c->pinged = 0;
	c->given_up = false;
}

/* The peer has been silent for the time that the timer ran, or longer. */
static void
keep_alive(WsConn *c)
{
	uint64_t	now = uv_now(c->net->loop);

	if (c->paused)
		ws_heard(c);			/* it could not be */
	if (c->pinged == 0 && now >= c->heard + c->idle_ms)
	{
		c->pinged = now;
		c->ping_due = true;
		lws_callback_on_writable(c->wsi);
	}
	if (c->pinged == 0)
		arm_timer(c, c->heard + c->idle_ms - now);
	else if (now < c->pinged + c->answer_ms)
		arm_timer(c, c->pinged + c->answer_ms - now);
	else if (!c->given_up)
	{
		/* if we stood still, the answer may wait in the socket */
		c->given_up = true;
		arm_timer(c, 1);
	}
	else
		ws_end(c, NET_TIMEOUT, "no answer to a ping");
}

void
ws_keep_alive(WsConn *c, uint32_t idle_ms, uint32_t answer_ms)
{
	if (c->ended || c->phase != WS_OPEN)
		return;
	c->idle_ms = idle_ms;
	c->answer_ms = answer_ms;
	ws_heard(c);
	arm_timer(c, idle_ms);
}

void
ws_end(WsConn *c, NetFailure failure, const char *reason)
{
	if (c->ended)
		return;
	c->ended = true;
	c->failure = failure;
	snprintf(c->reason, sizeof(c->reason), "%s", reason == NULL ? "" : reason);
	if (!c->wsi_live)
	{
		ws_ready(c);
		return;
	}
	if (c->phase == WS_OPEN)
	{
		/* The close frame goes out when the socket is writable; the peer
		 * may never make it so, hence the timer. */
		lws_rx_flow_control(c->wsi, 1);
		lws_callback_on_writable(c->wsi);
		arm_timer(c, CLOSE_GRACE_MS);
	}
	else
		ws_lws_kill(c);
}

void
ws_attempt_over(WsConn *c)
{
	if (!c->wsi_live)
		return;
	c->wsi_live = false;
	c->wsi = NULL;
	if (!c->ended)
		ws_classify(c);
	if (c->fd_dup >= 0)
		close(c->fd_dup);
	c->fd_dup = -1;
	ws_ready(c);
}

static void
guard(WsConn *c)
{
	char		why[160];

	c->n_addr = net_guard(c->net, c->addr, c->n_addr, why, sizeof(why));
	c->again = true;
	ws_ready(c);
	if (c->n_addr == 0 && why[0] != '\0')
		ws_end(c, NET_ADDRESS_REFUSED, why);
}

static void
resolved(void *user, NetFailure failure, const char *reason, const NostrAddr *addr, int n)
{
	WsConn	   *c = user;

	c->dns_pending = false;
	if (c->ended)
	{
		ws_free(c);				/* only if closed() was called */
		return;
	}
	if (failure != NET_OK)
	{
		ws_end(c, failure, reason);
		return;
	}
	memcpy(c->addr, addr, sizeof(*addr) * (size_t) n);
	c->n_addr = n;
	c->arrived = dns_arrived(c->net->dns);
	guard(c);
}

static void
proxied(void *user, NetFailure failure, const char *reason)
{
	WsConn	   *c = user;

	if (c->ended)
		return;
	if (failure != NET_OK)
	{
		ws_end(c, failure, reason);
		return;
	}
	c->again = true;
	ws_ready(c);
}

static void
open_bridge(WsConn *c, const NostrAddr *proxy, uint16_t port)
{
	ws_enter(c, WS_PROXYING);
	if (c->net->door == NULL)
	{
		ws_end(c, NET_RESOURCES, "cannot listen for the bridge to the proxy");
		return;
	}
	c->socks = socks_open(c->net->door, proxy, port, c->url.host, c->url.port, proxied, c);
	if (c->socks == NULL)
		ws_end(c, NET_RESOURCES, "out of memory");
}

static void
proxy_resolved(void *user, NetFailure failure, const char *reason, const NostrAddr *addr, int n)
{
	WsConn	   *c = user;
	char		host[256];
	uint16_t	port;

	(void) n;
	c->dns_pending = false;
	if (c->ended)
		ws_free(c);
	else if (failure != NET_OK)
		ws_end(c, NET_PROXY_FAILED, reason);
	else if (socks_parse(c->net->config.network[c->url.network].proxy, host, sizeof(host), &port))
		open_bridge(c, &addr[0], port);
	else
		ws_end(c, NET_PROXY_FAILED, "the proxy setting is not valid");
}

static void
start_proxy(WsConn *c, const char *proxy)
{
	char		host[256];
	uint16_t	port;
	NostrAddr	addr;

	if (!socks_parse(proxy, host, sizeof(host), &port))
	{
		ws_end(c, NET_PROXY_FAILED, "the proxy setting is not valid");
		return;
	}
	if (nostr_addr_parse(host, &addr))
		open_bridge(c, &addr, port);
	else if (dns_resolve(c->net->dns, host, proxy_resolved, c))
		c->dns_pending = true;
	else
		ws_end(c, NET_RESOURCES, "too many names are being resolved");
}

static void
start(WsConn *c)
{
	const NetNetworkConfig *network = &c->net->config.network[c->url.network];

	c->mark = uv_hrtime();
	c->phase = WS_RESOLVING;
	uv_update_time(c->net->loop);
	if (c->deadline == 0)		/* a second try must not get more time */
	{
		uint32_t	ms = c->timeout_ms > 0 ? c->timeout_ms : network->timeout_ms;

		c->deadline = uv_now(c->net->loop) + ms;
		arm_timer(c, ms);
	}
	if (!network->enabled ||
		(c->url.network != NOSTR_CLEARNET && network->proxy[0] == '\0'))
	{
		ws_end(c, NET_NETWORK_DISABLED,
			   network->enabled ? "the network has no proxy" : "the network is disabled");
		return;
	}
	if (c->url.ip_literal)
	{
		c->n_addr = 1;
		if (!nostr_addr_parse(c->url.host, &c->addr[0]))
		{
			ws_end(c, NET_ADDRESS_REFUSED, "the address is not valid");
			return;
		}
		guard(c);
		if (c->ended || network->proxy[0] == '\0')
			return;
		c->again = false;
	}
	if (network->proxy[0] != '\0')
		start_proxy(c, network->proxy);
	else if (dns_resolve(c->net->dns, c->url.host, resolved, c))
		c->dns_pending = true;
	else
		ws_end(c, NET_RESOURCES, "too many names are being resolved");
}

static void
attempt(WsConn *c)
{
	uint64_t	now = uv_now(c->net->loop);
	uint64_t	left = c->deadline > now ? c->deadline - now : 0;
	char		text[64];

	if (left == 0)
	{
		ws_end(c, NET_TIMEOUT, "timeout while connecting");
		return;
	}
	if (c->phase != WS_CONNECTING)
		ws_enter(c, WS_CONNECTING);
	if (c->socks != NULL)
	{
		arm_timer(c, left);
		ws_lws_connect(c, "127.0.0.1", socks_door_port(c->net->door));
		return;
	}
	if (c->seen != NULL)
	{
		c->seen->has_address = true;
		c->seen->address = c->addr[c->next_addr];
	}
	nostr_addr_format(&c->addr[c->next_addr++], text);
	/* Each address has an equal share of what is left; TLS and upgrade then
	 * run until the deadline (timeout_cb arms the rest). */
	arm_timer(c, left / (uint64_t) (c->n_addr - c->next_addr + 1) + 1);
	ws_lws_connect(c, text, c->url.port);
}

/* A network has at most max_connections; those beyond wait, first come first
 * served, and their time begins when they begin. */
static bool
take_place(WsConn *c)
{
	uint32_t	max = c->net->config.network[c->url.network].max_connections;

	if (!c->counted && c->net->nopen[c->url.network] >= max)
	{
		c->queued = true;
		return false;
	}
	if (!c->counted)
		c->net->nopen[c->url.network]++;
	c->counted = true;
	c->queued = false;
	return true;
}

static void
leave_place(WsConn *c)
{
	WsConn	   *next = NULL;

	if (!c->counted)
		return;
	c->counted = false;
	c->net->nopen[c->url.network]--;
	/* the list begins with the newest */
	for (WsConn *o = c->net->conns; o != NULL; o = o->next)
		if (o->queued && !o->ended && o->url.network == c->url.network)
			next = o;
	if (next != NULL)
		ws_ready(next);
}

static void
finish(WsConn *c)
{
	c->told = true;
	leave_place(c);
	if (c->socks != NULL)
		socks_close(c->socks);
	c->socks = NULL;
	c->cb.closed(c, c->user, c->failure, c->reason);
	uv_close((uv_handle_t *) &c->timer, timer_closed);
}

static void
ws_step(WsConn *c)
{
	if (c->told || c->wsi_live)
		return;
	if (c->ended)
		finish(c);
	else if (c->phase == WS_NEW && take_place(c))
		start(c);
	else if (c->again)
	{
		c->again = false;
		attempt(c);
	}
}

void
ws_run_ready(Net *net)
{
	WsConn	   *c;

	while ((c = net->ready) != NULL)
	{
		net->ready = c->ready_next;
		if (net->ready == NULL)
			net->ready_tail = &net->ready;
		c->ready = false;
		ws_step(c);
	}
}

WsConn *
ws_connect(Net *net, const NostrRelayUrl *url, const WsCallbacks *cb, void *user)
{
	WsConn	   *c;
	size_t		path = strlen(url->url) - strlen(url->path);

	if (net->closing || (c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->net = net;
	c->url = *url;
	c->url.path = c->url.url + path;	/* the path is the end of the URL */
	c->cb = *cb;
	c->user = user;
	c->fd_dup = -1;
	c->out_tail = &c->out;
	uv_timer_init(net->loop, &c->timer);
	c->timer.data = c;
	c->timer_open = true;
	c->next = net->conns;
	if (c->next != NULL)
		c->next->prev = c;
	net->conns = c;
	ws_ready(c);
	return c;
}

void
ws_observe(WsConn *c, NetSeen *seen)
{
	c->seen = seen;
}

void
ws_set_timeout(WsConn *c, uint32_t ms)
{
	c->timeout_ms = ms;
}

void
ws_close(WsConn *c, NetFailure failure, const char *reason)
{
	ws_end(c, failure, reason);
}

const WsTimings *
ws_timings(const WsConn *c)
{
	return &c->timings;
}

uint64_t
ws_answer_ns(const WsConn *c)
{
	uint64_t	at = c->arrived != 0 ? c->arrived : uv_hrtime();

	return at > c->sent ? at - c->sent : 0;
}

uint64_t
ws_bytes_received(const WsConn *c)
{
	return c->bytes_received;
}
