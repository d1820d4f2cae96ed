/*
 * http_curl.c
 *
 * libcurl's multi interface on the loop, and one attempt: a GET to an address
 * that is already known and checked.
 *
 * Guarantees: libcurl never resolves a name (its resolver would start a
 * thread, which the sandbox forbids): it gets the address by number, and
 * open_socket refuses every other; nothing is sent that is not set here;
 * headers and body stop at their limits.  The certificates are loaded once,
 * before the sandbox, and shared by all connections.
 *
 * No function of libcurl is called from inside one of its callbacks; what
 * ended is told to http.c from the loop, in check_info().
 */
#include "../nostr/pgfree.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "arrival.h"
#include "http_internal.h"
#include "net_internal.h"

struct Http
{
	uv_loop_t  *loop;
	CURLM	   *multi;
	uv_timer_t	timer;
	X509_STORE *store;
};

void
http_curl_look(HttpGet *g)
{
	long		status = 0;
	curl_off_t	tcp = 0;
	curl_off_t	tls = 0;
	curl_off_t	pre = 0;
	curl_off_t	first = 0;

	if (g->easy == NULL)
		return;
	curl_easy_getinfo(g->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(g->easy, CURLINFO_CONNECT_TIME_T, &tcp);
	curl_easy_getinfo(g->easy, CURLINFO_APPCONNECT_TIME_T, &tls);
	curl_easy_getinfo(g->easy, CURLINFO_PRETRANSFER_TIME_T, &pre);
	curl_easy_getinfo(g->easy, CURLINFO_STARTTRANSFER_TIME_T, &first);
	g->status = (int) status;
	g->connected = tcp > 0;
	g->timings.tcp = (uint32_t) tcp;
	g->timings.tls = tls > tcp ? (uint32_t) (tls - tcp) : 0;
	if (first > pre)			/* 0 means not reached */
		g->timings.first_byte = first - pre > (curl_off_t) g->late ?
			(uint32_t) (first - pre - (curl_off_t) g->late) : 1;
}

static void
check_info(Http *http)
{
	CURLMsg    *m;
	int			left;

	while ((m = curl_multi_info_read(http->multi, &left)) != NULL)
	{
		HttpGet    *g;
		long		os_error = 0;
		CURLcode	code = m->data.result;

		if (m->msg != CURLMSG_DONE ||
			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **) &g) != CURLE_OK)
			continue;
		curl_easy_getinfo(g->easy, CURLINFO_OS_ERRNO, &os_error);
		http_curl_look(g);
		http_curl_stop(g);
		http_attempt_over(g, code, os_error);
	}
}

/* --- the loop --- */

static void
on_timer(uv_timer_t *t)
{
	Http	   *http = t->data;
	int			running;

	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	check_info(http);
}

static int
set_timer(CURLM *multi, long ms, void *user)
{
	Http	   *http = user;

	(void) multi;
	if (ms < 0)
		uv_timer_stop(&http->timer);
	else
		uv_timer_start(&http->timer, on_timer, (uint64_t) ms, 0);
	return 0;
}

typedef struct HttpPoll
{
	uv_poll_t	poll;
	Http	   *http;
	curl_socket_t fd;
} HttpPoll;

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	HttpPoll   *p = poll->data;
	Http	   *http = p->http;
	int			what = 0;
	int			running;

	if (status < 0)
		what = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		what |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		what |= CURL_CSELECT_OUT;
	curl_multi_socket_action(http->multi, p->fd, what, &running);
	check_info(http);
}

static void
poll_closed(uv_handle_t *h)
{
	free(h->data);
}

static int
set_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_user)
{
	Http	   *http = user;
	HttpPoll   *p = socket_user;

	(void) easy;
	if (what == CURL_POLL_REMOVE)
	{
		if (p != NULL)
		{
			curl_multi_assign(http->multi, fd, NULL);
			uv_poll_stop(&p->poll);
			uv_close((uv_handle_t *) &p->poll, poll_closed);
		}
		return 0;
	}
	if (p == NULL)
	{
		p = calloc(1, sizeof(*p));
		if (p == NULL)
			return -1;
		if (uv_poll_init(http->loop, &p->poll, fd) != 0)
		{
			free(p);
			return -1;
		}
		p->poll.data = p;
		p->http = http;
		p->fd = fd;
		curl_multi_assign(http->multi, fd, p);
	}
	uv_poll_start(&p->poll, (what & CURL_POLL_IN ? UV_READABLE : 0) |
				  (what & CURL_POLL_OUT ? UV_WRITABLE : 0), on_poll);
	return 0;
}

/* --- one attempt --- */

static curl_socket_t
open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *a)
{
	HttpGet    *g = user;
	const void *bytes = NULL;
	uint16_t	port = 0;

	if (purpose == CURLSOCKTYPE_IPCXN && a->family == AF_INET && !g->peer.v6)
	{
		bytes = &((struct sockaddr_in *) &a->addr)->sin_addr;
		port = ((struct sockaddr_in *) &a->addr)->sin_port;
	}
	else if (purpose == CURLSOCKTYPE_IPCXN && a->family == AF_INET6 && g->peer.v6)
	{
		bytes = &((struct sockaddr_in6 *) &a->addr)->sin6_addr;
		port = ((struct sockaddr_in6 *) &a->addr)->sin6_port;
	}
	if (bytes == NULL || memcmp(bytes, g->peer.bytes, g->peer.v6 ? 16 : 4) != 0 ||
		ntohs(port) != g->peer_port)
		return CURL_SOCKET_BAD;
	g->fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	if (g->fd >= 0)
		arrival_watch(g->fd);
	return g->fd;
}

static size_t
on_header(char *data, size_t size, size_t n, void *user)
{
	HttpGet    *g = user;

	n *= size;
	if (n > HTTP_MAX_HEADERS - g->headers_seen)
	{
		g->headers_over = true;
		return 0;
	}
	g->headers_seen += n;
	if (n >= 5 && memcmp(data, "HTTP/", 5) == 0)
	{
		nostr_buf_reset(&g->headers);	/* 100 Continue is not the answer */
		if (g->late == 0 && g->arrived != 0)
			g->late = (uv_hrtime() - g->arrived) / 1000;
	}
	nostr_buf_append(&g->headers, data, n);
	return g->headers.failed ? 0 : n;
}

static size_t
on_body(char *data, size_t size, size_t n, void *user)
{
	HttpGet    *g = user;

	n *= size;
	http_curl_look(g);
	if (http_is_redirect(g->status))
		return 0;				/* where it leads to is in the headers */
	if (n > g->max_body - g->body.len)
	{
		g->cut = true;
		nostr_buf_append(&g->body, data, g->max_body - g->body.len);
		return 0;
	}
	nostr_buf_append(&g->body, data, n);
	return g->body.failed ? 0 : n;
}

/* Before each read: when did that arrive? */
static long
look_at_clock(BIO *bio, int what, const char *data, size_t len, int i, long l, int ret, size_t *done)
{
	HttpGet    *g = (HttpGet *) BIO_get_callback_arg(bio);
	uint64_t	at;

	(void) data, (void) len, (void) i, (void) l, (void) done;
	if (what == BIO_CB_READ && g->fd >= 0 && (at = arrival_peek(g->fd)) != 0)
		g->arrived = at;
	return ret;
}

static void
on_ssl_info(const SSL *ssl, int where, int ret)
{
	HttpGet    *g = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	(void) ret;
	if (!(where & SSL_CB_HANDSHAKE_START) || g->arrived != 0)
		return;
	BIO_set_callback_arg(SSL_get_rbio(ssl), (char *) g);
	BIO_set_callback_ex(SSL_get_rbio(ssl), look_at_clock);
}

static CURLcode
on_ssl_ctx(CURL *easy, void *ssl_ctx, void *user)
{
	HttpGet    *g = user;

	(void) easy;
	SSL_CTX_set1_cert_store(ssl_ctx, g->net->http->store);
	SSL_CTX_set_app_data((SSL_CTX *) ssl_ctx, g);
	SSL_CTX_set_info_callback((SSL_CTX *) ssl_ctx, on_ssl_info);
	return CURLE_OK;
}

static bool
add_header(HttpGet *g, const char *name, const char *value)
{
	char		line[HTTP_MAX_VALUE + 64];
	struct curl_slist *more;

	if (value == NULL)
		return true;
	snprintf(line, sizeof(line), "%s: %s", name, value);
	more = curl_slist_append(g->send, line);
	if (more != NULL)
		g->send = more;
	return more != NULL;
}

/* Where to connect: by number, whatever the name is. */
static bool
set_peer(HttpGet *g)
{
	char		addr[64];
	char		text[128];

	nostr_addr_format(&g->peer, addr);
	if (g->proxied)
	{
		snprintf(text, sizeof(text), g->peer.v6 ? "socks5h://[%s]:%u" : "socks5h://%s:%u",
				 addr, g->peer_port);
		return curl_easy_setopt(g->easy, CURLOPT_PROXY, text) == CURLE_OK;
	}
	/* "::" matches every host and port */
	snprintf(text, sizeof(text), g->peer.v6 ? "::[%s]:%u" : "::%s:%u", addr, g->peer_port);
	g->connect_to = curl_slist_append(NULL, text);
	return g->connect_to != NULL &&
		curl_easy_setopt(g->easy, CURLOPT_PROXY, "") == CURLE_OK &&
		curl_easy_setopt(g->easy, CURLOPT_CONNECT_TO, g->connect_to) == CURLE_OK;
}

#define SET(option, value) (rc = rc != CURLE_OK ? rc : curl_easy_setopt(g->easy, option, value))

static bool
set_options(HttpGet *g, uint32_t connect_ms)
{
	CURLcode	rc = CURLE_OK;
	long		verify = g->net->config.insecure_tls ? 0 : 1;

	SET(CURLOPT_URL, g->url.url);
	SET(CURLOPT_PRIVATE, (char *) g);
	SET(CURLOPT_ERRORBUFFER, g->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_HTTP09_ALLOWED, 0L);
	SET(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
	SET(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_FRESH_CONNECT, 1L);
	SET(CURLOPT_FORBID_REUSE, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long) connect_ms);
	SET(CURLOPT_USERAGENT, g->net->config.user_agent);
	SET(CURLOPT_HTTPHEADER, g->send);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, g);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, g);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, g);
	SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, verify);
	SET(CURLOPT_SSL_VERIFYHOST, verify * 2);
	SET(CURLOPT_CAINFO, NULL);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	SET(CURLOPT_SSL_CTX_DATA, g);
	return rc == CURLE_OK && set_peer(g);
}

const char *
http_curl_start(HttpGet *g, uint32_t connect_ms)
{
	g->error[0] = '\0';
	g->fd = -1;
	g->arrived = g->late = 0;
	nostr_buf_reset(&g->headers);
	g->easy = curl_easy_init();
	if (g->easy == NULL || !add_header(g, "Accept", g->accept) ||
		!add_header(g, "If-None-Match", g->if_none_match) ||
		!add_header(g, "If-Modified-Since", g->if_modified_since) ||
		!set_options(g, connect_ms) ||
		curl_multi_add_handle(g->net->http->multi, g->easy) != CURLM_OK)
	{
		if (g->easy != NULL)
			curl_easy_cleanup(g->easy);
		g->easy = NULL;
		http_curl_stop(g);
		return "libcurl refused the request";
	}
	return NULL;
}

void
http_curl_stop(HttpGet *g)
{
	if (g->easy != NULL)
	{
		curl_multi_remove_handle(g->net->http->multi, g->easy);
		curl_easy_cleanup(g->easy);
	}
	g->easy = NULL;
	curl_slist_free_all(g->send);
	g->send = NULL;
	curl_slist_free_all(g->connect_to);
	g->connect_to = NULL;
}

/* --- open and close --- */

static void
timer_closed(uv_handle_t *h)
{
	free(h->data);
}

Http *
http_open(Net *net, const char *ca_file, const char **why)
{
	Http	   *http = calloc(1, sizeof(*http));

	*why = "could not initialise libcurl";
	if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
	{
		free(http);
		return NULL;
	}
	http->loop = net->loop;
	uv_timer_init(net->loop, &http->timer);
	http->timer.data = http;
	http->multi = curl_multi_init();
	http->store = X509_STORE_new();
	if (http->store != NULL && X509_STORE_load_file(http->store, ca_file) != 1)
	{
		*why = "could not load the CA certificates";
		X509_STORE_free(http->store);
		http->store = NULL;
	}
	if (http->multi == NULL || http->store == NULL)
	{
		http_curl_close(http);
		return NULL;
	}
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long) CURLPIPE_NOTHING);
	return http;
}

void
http_curl_close(Http *http)
{
	if (http == NULL)
		return;
	if (http->multi != NULL)
		curl_multi_cleanup(http->multi);
	X509_STORE_free(http->store);
	curl_global_cleanup();
	uv_close((uv_handle_t *) &http->timer, timer_closed);
}
