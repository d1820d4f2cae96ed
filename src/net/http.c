/*
 * http.c
 *
 * The life of a GET: resolve, guard, connect to one address after the other,
 * answer, redirect (and again from the start), done.
 *
 * Guarantees: done() exactly once, last, and only from the loop; nothing
 * outlives the deadline; an address is connected to only by number and only
 * after the guard, on every hop; overlay names and names behind a proxy never
 * reach the resolver (except the proxy's own).
 *
 * Race closed here: the resolver may hold our pointer after done() or
 * http_cancel, so the memory goes when it and the timers let go.
 */
#include "../nostr/pgfree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"
#include "net_internal.h"

static void
release(HttpGet *g)
{
	if (!g->told || g->dns_pending || g->handles > 0)
		return;
	nostr_buf_free(&g->headers);
	nostr_buf_free(&g->body);
	free(g->accept);
	free(g->if_none_match);
	free(g->if_modified_since);
	free(g);
}

static void
handle_closed(uv_handle_t *h)
{
	HttpGet    *g = h->data;

	g->handles--;
	release(g);
}

/* No step, no attempt and no callback after this. */
static void
leave(HttpGet *g)
{
	g->told = true;
	g->ended = true;
	http_curl_stop(g);
	if (g->prev != NULL)
		g->prev->next = g->next;
	else
		g->net->gets = g->next;
	if (g->next != NULL)
		g->next->prev = g->prev;
	uv_close((uv_handle_t *) &g->soon, handle_closed);
	uv_close((uv_handle_t *) &g->timer, handle_closed);
}

static void
finish(HttpGet *g)
{
	HttpResult	r = {
		.failure = g->failure,.reason = g->reason,.status = g->status,.cut = g->cut,
		.body = g->body.data,.len = g->body.len,
		.headers = (const char *) g->headers.data,.headers_len = g->headers.len,
		.url = g->url.url,.redirects = g->redirects,.timings = g->timings
	};

	leave(g);
	g->done(g->user, &r);		/* g lives until its handles are closed */
}

static void hop(HttpGet *g);

static void
on_soon(uv_timer_t *t)
{
	HttpGet    *g = t->data;

	if (g->ended)
		finish(g);
	else
		hop(g);
}

static void
end(HttpGet *g, NetFailure failure, const char *reason)
{
	if (g->ended)
		return;
	g->ended = true;
	g->failure = failure;
	snprintf(g->reason, sizeof(g->reason), "%s", reason);
	http_curl_stop(g);
	uv_timer_start(&g->soon, on_soon, 0, 0);
}

static void
on_deadline(uv_timer_t *t)
{
	HttpGet    *g = t->data;

	http_curl_look(g);
	end(g, NET_TIMEOUT, g->dns_pending ? "timeout while resolving" :
		!g->connected ? (g->url.tls ? "timeout in the connection or its TLS handshake" :
						 "timeout while connecting") :
		g->status == 0 ? "timeout before an answer" : "timeout in the answer");
}

/* Connects to the next address; each has an equal share of what is left. */
static void
attempt(HttpGet *g)
{
	uint64_t	now = uv_now(g->net->loop);
	uint64_t	left = g->deadline > now ? g->deadline - now : 1;
	const char *why;

	if (!g->proxied)
	{
		g->peer = g->addr[g->next_addr++];
		g->peer_port = g->url.port;
		left = left / (uint64_t) (g->n_addr - g->next_addr + 1) + 1;
	}
	why = http_curl_start(g, (uint32_t) left);
	if (why != NULL)
		end(g, NET_RESOURCES, why);
}

static void
guard(HttpGet *g)
{
	char		why[160];

	g->n_addr = net_guard(g->net, g->addr, g->n_addr, why, sizeof(why));
	g->next_addr = 0;
	if (g->n_addr == 0)
		end(g, NET_ADDRESS_REFUSED, why);
}

static void
resolved(void *user, NetFailure failure, const char *reason, const NostrAddr *addr, int n)
{
	HttpGet    *g = user;

	g->dns_pending = false;
	if (g->ended)
	{
		release(g);
		return;
	}
	g->timings.dns = (uint32_t) ((dns_arrived(g->net->dns) - g->mark) / 1000) + 1;
	if (failure != NET_OK)
	{
		end(g, failure, reason);
		return;
	}
	memcpy(g->addr, addr, sizeof(*addr) * (size_t) n);
	g->n_addr = n;
	guard(g);
	if (!g->ended)
		attempt(g);
}

static void
proxy_resolved(void *user, NetFailure failure, const char *reason, const NostrAddr *addr, int n)
{
	HttpGet    *g = user;

	(void) n;
	g->dns_pending = false;
	if (g->ended)
		release(g);
	else if (failure != NET_OK)
		end(g, NET_PROXY_FAILED, reason);
	else
	{
		g->peer = addr[0];
		attempt(g);
	}
}

static void
resolve(HttpGet *g, const char *host, DnsCallback cb)
{
	g->mark = uv_hrtime();
	if (dns_resolve(g->net->dns, host, cb, g))
		g->dns_pending = true;
	else
		end(g, NET_RESOURCES, "too many names are being resolved");
}

static void
start_proxy(HttpGet *g, const char *proxy)
{
	char		host[256];

	g->proxied = true;
	if (!socks_parse(proxy, host, sizeof(host), &g->peer_port))
		end(g, NET_PROXY_FAILED, "the proxy setting is not valid");
	else if (nostr_addr_parse(host, &g->peer))
		attempt(g);
	else
		resolve(g, host, proxy_resolved);
}

/* One hop from its start: g->url is what to get. */
static void
hop(HttpGet *g)
{
	const NetNetworkConfig *network = &g->net->config.network[g->url.host.network];

	memset(&g->timings, 0, sizeof(g->timings));
	g->connected = false;
	g->proxied = false;
	g->headers_seen = 0;
	g->status = 0;
	if (!g->started)
	{
		g->started = true;
		uv_update_time(g->net->loop);
		if (g->timeout_ms == 0)
			g->timeout_ms = network->timeout_ms;
		g->deadline = uv_now(g->net->loop) + g->timeout_ms;
		uv_timer_start(&g->timer, on_deadline, g->timeout_ms, 0);
	}
	if (g->bad_url != NULL)
		end(g, NET_ADDRESS_REFUSED, g->bad_url);
	else if (!network->enabled ||
			 (g->url.host.network != NOSTR_CLEARNET && network->proxy[0] == '\0'))
		end(g, NET_NETWORK_DISABLED,
			network->enabled ? "the network has no proxy" : "the network is disabled");
	else if (g->url.host.ip_literal)
	{
		g->n_addr = nostr_addr_parse(g->url.host.text, &g->addr[0]) ? 1 : 0;
		guard(g);
	}
	if (g->ended)
		return;
	if (network->proxy[0] != '\0')
		start_proxy(g, network->proxy);
	else if (g->url.host.ip_literal)
		attempt(g);
	else
		resolve(g, g->url.host.text, resolved);
}

static void
redirect(HttpGet *g, const char *to, size_t len)
{
	HttpUrl		url;
	char		location[HTTP_MAX_URL + 1];
	char		why[256];
	const char *bad;

	if (g->redirects >= g->max_redirects)
	{
		snprintf(why, sizeof(why), "status %d, and %d redirects were followed",
				 g->status, g->redirects);
		end(g, NET_HTTP_STATUS, why);
		return;
	}
	if (len > HTTP_MAX_URL)
		len = HTTP_MAX_URL + 1;
	snprintf(location, sizeof(location), "%.*s", (int) len, to);
	if (len > HTTP_MAX_URL)
		bad = "the URL is too long";
	else
		bad = http_url_parse(location, g->url.url, g->net->config.allow.n > 0, &url);
	if (bad == NULL && g->url.tls && !url.tls)
		bad = "it leaves https";
	if (bad == NULL && url.host.network != g->network)
		bad = "it leads to another network";
	if (bad != NULL)
	{
		snprintf(why, sizeof(why), "redirect refused: %s", bad);
		end(g, NET_ADDRESS_REFUSED, why);
		return;
	}
	g->redirects++;
	g->url = url;
	nostr_buf_reset(&g->body);
	uv_timer_start(&g->soon, on_soon, 0, 0);
}

bool
http_is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void
answered(HttpGet *g)
{
	HttpResult	r = {.headers = (const char *) g->headers.data,.headers_len = g->headers.len};
	const char *location;
	size_t		len;
	char		why[64];

	location = http_header(&r, "location", &len);
	if (http_is_redirect(g->status) && location != NULL)
		redirect(g, location, len);
	else if (g->cut)
		end(g, NET_TOO_LARGE, "the body is larger than allowed and was cut");
	else if ((g->status >= 200 && g->status < 300) ||
			 (g->status == 304 && (g->if_none_match != NULL || g->if_modified_since != NULL)))
		end(g, NET_OK, "");
	else
	{
		snprintf(why, sizeof(why), "status %d", g->status);
		end(g, NET_HTTP_STATUS, why);
	}
}

static NetFailure
classify(const HttpGet *g, CURLcode code, long os_error)
{
	switch (code)
	{
		case CURLE_COULDNT_CONNECT:
			if (g->proxied)
				return NET_PROXY_FAILED;
			return os_error == ECONNREFUSED ? NET_CONNECT_REFUSED : NET_CONNECT_FAILED;
		case CURLE_PROXY:
		case CURLE_COULDNT_RESOLVE_PROXY:
			return NET_PROXY_FAILED;
		case CURLE_OPERATION_TIMEDOUT:
			return NET_TIMEOUT;
		case CURLE_PEER_FAILED_VERIFICATION:
			return NET_TLS_CERTIFICATE;
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_SSL_CIPHER:
			return NET_TLS_FAILED;
		case CURLE_GOT_NOTHING:
		case CURLE_RECV_ERROR:
		case CURLE_SEND_ERROR:
		case CURLE_PARTIAL_FILE:
			return NET_DISCONNECTED;
		case CURLE_OUT_OF_MEMORY:
		case CURLE_FAILED_INIT:
			return NET_RESOURCES;
		default:
			return NET_PROTOCOL;
	}
}

void
http_attempt_over(HttpGet *g, CURLcode code, long os_error)
{
	if (g->body.failed || g->headers.failed)
		end(g, NET_RESOURCES, "out of memory");
	else if (g->headers_over)
		end(g, NET_TOO_LARGE, "the headers are larger than allowed");
	else if (code == CURLE_OK || g->cut || (code == CURLE_WRITE_ERROR && http_is_redirect(g->status)))
		answered(g);
	else if (!g->connected && !g->proxied && g->next_addr < g->n_addr &&
			 uv_now(g->net->loop) < g->deadline)
		attempt(g);
	else
		end(g, classify(g, code, os_error),
			g->error[0] != '\0' ? g->error : curl_easy_strerror(code));
}

/* What goes into a header of ours holds nothing that could end it. */
static char *
header_copy(const char *value)
{
	size_t		len = value != NULL ? strlen(value) : 0;

	if (len == 0 || len > HTTP_MAX_VALUE)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if ((uint8_t) value[i] < ' ' || (uint8_t) value[i] == 0x7f)
			return NULL;
	return strdup(value);
}

HttpGet *
http_get(Net *net, const HttpSpec *spec, HttpCallback done, void *user)
{
	HttpGet    *g;

	if (net->closing || (g = calloc(1, sizeof(*g))) == NULL)
		return NULL;
	g->net = net;
	g->done = done;
	g->user = user;
	g->bad_url = http_url_parse(spec->url, NULL, net->config.allow.n > 0, &g->url);
	g->network = g->url.host.network;
	g->accept = header_copy(spec->accept);
	g->if_none_match = header_copy(spec->if_none_match);
	g->if_modified_since = header_copy(spec->if_modified_since);
	g->max_body = spec->max_body;
	g->timeout_ms = spec->timeout_ms;
	g->max_redirects = spec->max_redirects;
	nostr_buf_init(&g->headers, HTTP_MAX_HEADERS);
	nostr_buf_init(&g->body, spec->max_body + 1);
	uv_timer_init(net->loop, &g->soon);
	uv_timer_init(net->loop, &g->timer);
	g->soon.data = g;
	g->timer.data = g;
	g->handles = 2;
	g->next = net->gets;
	if (g->next != NULL)
		g->next->prev = g;
	net->gets = g;
	uv_timer_start(&g->soon, on_soon, 0, 0);
	return g;
}

void
http_cancel(HttpGet *g)
{
	leave(g);
}

void
http_close(Net *net)
{
	while (net->gets != NULL)
	{
		HttpGet    *g = net->gets;

		end(g, NET_CANCELLED, "shutting down");
		finish(g);
	}
	http_curl_close(net->http);
}

static bool
same_name(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		char		x = a[i] >= 'A' && a[i] <= 'Z' ? (char) (a[i] | 0x20) : a[i];
		char		y = b[i] >= 'A' && b[i] <= 'Z' ? (char) (b[i] | 0x20) : b[i];

		if (x != y)
			return false;
	}
	return true;
}

const char *
http_header(const HttpResult *r, const char *name, size_t *len)
{
	const char *p = r->headers;
	const char *stop = p != NULL ? p + r->headers_len : NULL;
	size_t		n = strlen(name);

	while (p != NULL && p < stop)
	{
		const char *eol = memchr(p, '\n', (size_t) (stop - p));
		const char *v = p + n + 1;
		const char *last = eol != NULL ? eol : stop;

		if ((size_t) (last - p) > n && p[n] == ':' && same_name(p, name, n))
		{
			while (v < last && (*v == ' ' || *v == '\t'))
				v++;
			while (last > v && (last[-1] == ' ' || last[-1] == '\t' || last[-1] == '\r'))
				last--;
			*len = (size_t) (last - v);
			return v;
		}
		p = eol != NULL ? eol + 1 : stop;
	}
	*len = 0;
	return NULL;
}
