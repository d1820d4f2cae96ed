/*
 * test_http.c
 *
 * The HTTP client against a server on the same loop that misbehaves by path:
 * endless bodies, endless headers, bombs, silence, redirects to where nobody
 * may go.  Loopback only.
 */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/net/http.h"
#include "netcheck.h"

static uv_loop_t loop;
static Net *net;
static NetConfig config;
static int	port;
static char dir[] = "/tmp/test_http.XXXXXX";

/* ---- the server ---- */

typedef struct Peer
{
	uv_tcp_t	tcp;
	uv_write_t	write;
	uv_shutdown_t shutdown;
	uv_timer_t	timer;
	int			handles;
	const char *again;			/* sent for ever */
	size_t		again_len;
	int			socks;			/* steps of SOCKS5 done */
	char		in[8192];
	size_t		len;
} Peer;

static uv_tcp_t listener;
static char request[8192];		/* the latest */
static int	requests;
static char socks_request[300];	/* the latest */
static char *bomb;
static size_t bomb_len;
static char zeros[65536];

static void
peer_closed(uv_handle_t *h)
{
	Peer	   *p = h->data;

	if (--p->handles == 0)
		free(p);
}

static void
peer_close(Peer *p)
{
	if (uv_is_closing((uv_handle_t *) &p->tcp))
		return;
	uv_close((uv_handle_t *) &p->tcp, peer_closed);
	uv_close((uv_handle_t *) &p->timer, peer_closed);
}

static void on_written(uv_write_t *w, int status);

static void
say(Peer *p, const char *data, size_t len)
{
	uv_buf_t	b = uv_buf_init((char *) data, (unsigned) len);

	uv_write(&p->write, (uv_stream_t *) &p->tcp, &b, 1, on_written);
}

static void
on_written(uv_write_t *w, int status)
{
	Peer	   *p = w->handle->data;

	if (status != 0)
		peer_close(p);
	else if (p->again != NULL)
		say(p, p->again, p->again_len);
}

static void
on_drip(uv_timer_t *t)
{
	say(t->data, "x", 1);
}

/* What each path does.  The rest is closed without a word. */
static const struct
{
	const char *path;
	const char *answer;
	const char *again;
	int			drip_ms;
}			pages[] = {
	{"/ok", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: \"v1\"\r\nContent-Length: 4\r\n\r\n[1]\n", NULL, 0},
	{"/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", NULL, 0},
	{"/304", "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n", NULL, 0},
	{"/404", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", NULL, 0},
	{"/long", "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n", zeros, 0},
	{"/endless", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", zeros, 0},
	{"/headers", "HTTP/1.1 200 OK\r\n", "X-More: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n", 0},
	{"/continue", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\n", 0},
	{"/silent", "", NULL, 0},
	{"/drip", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", NULL, 20},
	{"/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", NULL, -1},
	{"/ssh", "SSH-2.0-OpenSSH_9.2\r\n\r\n", NULL, -1},
	{"/cookie", "HTTP/1.1 302 Found\r\nSet-Cookie: a=b\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", NULL, 0},
	{"/body302", "HTTP/1.1 302 Found\r\nLocation: ok\r\nConnection: close\r\n\r\n", zeros, 0},
	{"/loop", "HTTP/1.1 301 Moved\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n", NULL, 0},
	{"/private", "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/ok\r\nContent-Length: 0\r\n\r\n", NULL, 0},
	{"/metadata", "HTTP/1.1 302 Found\r\nLocation: http://2852039166/\r\nContent-Length: 0\r\n\r\n", NULL, 0},
	{"/six", "HTTP/1.1 302 Found\r\nLocation: //[::ffff:10.0.0.1]/\r\nContent-Length: 0\r\n\r\n", NULL, 0},
	{"/file", "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", NULL, 0},
	{"/gopher", "HTTP/1.1 302 Found\r\nLocation: gopher://127.0.0.1:70/\r\nContent-Length: 0\r\n\r\n", NULL, 0},
	{"/user", "HTTP/1.1 302 Found\r\nLocation: http://a:b@127.0.0.1/\r\nContent-Length: 0\r\n\r\n", NULL, 0},
	{"/onion", "HTTP/1.1 302 Found\r\nLocation: http://duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion/\r\nContent-Length: 0\r\n\r\n", NULL, 0},
	{"/encoding", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nxxxx", NULL, 0},
};

static void
answer(Peer *p)
{
	char		path[64] = "";

	memcpy(request, p->in, p->len + 1);
	requests++;
	sscanf(p->in, "GET %60s", path);
	if (strcmp(path, "/bomb") == 0)
	{
		say(p, bomb, bomb_len);
		return;
	}
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
	{
		if (strcmp(path, pages[i].path) != 0)
			continue;
		p->again = pages[i].again;
		p->again_len = p->again == zeros ? sizeof(zeros) : p->again != NULL ? strlen(p->again) : 0;
		if (pages[i].answer[0] != '\0')
			say(p, pages[i].answer, strlen(pages[i].answer));
		if (pages[i].drip_ms > 0)
			uv_timer_start(&p->timer, on_drip, 20, 20);
		if (pages[i].drip_ms < 0)
			uv_shutdown(&p->shutdown, (uv_stream_t *) &p->tcp, NULL);
		return;
	}
	peer_close(p);
}

static void
on_alloc(uv_handle_t *h, size_t n, uv_buf_t *buf)
{
	Peer	   *p = h->data;

	(void) n;
	*buf = uv_buf_init(p->in + p->len, (unsigned) (sizeof(p->in) - 1 - p->len));
}

static void
on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	Peer	   *p = s->data;

	(void) buf;
	if (n < 0)
	{
		peer_close(p);
		return;
	}
	p->len += (size_t) n;
	p->in[p->len] = '\0';
	if (p->in[0] == 5 && p->socks < 2)	/* a proxy that leads to this server itself */
	{
		memcpy(socks_request, p->in, sizeof(socks_request));
		say(p, p->socks == 0 ? "\5\0" : "\5\0\0\1\0\0\0\0\0\0", p->socks == 0 ? 2 : 10);
		p->socks++;
		p->len = 0;
	}
	else if (strstr(p->in, "\r\n\r\n") != NULL)
	{
		answer(p);
		p->len = 0;
	}
}

static void
on_accept(uv_stream_t *s, int status)
{
	Peer	   *p = calloc(1, sizeof(*p));

	(void) status;
	uv_tcp_init(&loop, &p->tcp);
	uv_timer_init(&loop, &p->timer);
	p->tcp.data = p;
	p->timer.data = p;
	p->handles = 2;
	uv_accept(s, (uv_stream_t *) &p->tcp);
	uv_read_start((uv_stream_t *) &p->tcp, on_alloc, on_read);
}

static void
start_server(void)
{
	struct sockaddr_in sin;
	int			len = sizeof(sin);
	FILE	   *f;
	size_t		n;

	uv_tcp_init(&loop, &listener);
	uv_ip4_addr("127.0.0.1", 0, &sin);
	uv_tcp_bind(&listener, (struct sockaddr *) &sin, 0);
	uv_listen((uv_stream_t *) &listener, 16, on_accept);
	uv_tcp_getsockname(&listener, (struct sockaddr *) &sin, &len);
	port = ntohs(sin.sin_port);

	bomb = malloc(1024 * 1024);
	f = popen("head -c 200000000 /dev/zero | gzip -9", "r");
	n = fread(bomb + 512, 1, 1024 * 1024 - 512, f);
	pclose(f);
	CHECK(n > 100000 && n < 1000000);
	bomb_len = (size_t) sprintf(bomb, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", n);
	memmove(bomb + bomb_len, bomb + 512, n);
	bomb_len += n;
}

/* ---- the client ---- */

typedef struct Got
{
	int			done;
	NetFailure	failure;
	char		reason[300];
	int			status;
	bool		cut;
	size_t		len;
	char		body[32];
	char		etag[32];
	char		url[128];
	int			redirects;
	HttpTimings timings;
} Got;

static void
on_done(void *user, const HttpResult *r)
{
	Got		   *g = user;
	size_t		n;
	const char *etag = http_header(r, "etag", &n);

	g->done++;
	g->failure = r->failure;
	g->status = r->status;
	g->cut = r->cut;
	g->len = r->len;
	g->redirects = r->redirects;
	g->timings = r->timings;
	snprintf(g->reason, sizeof(g->reason), "%s", r->reason);
	snprintf(g->body, sizeof(g->body), "%.*s", (int) (r->len < 30 ? r->len : 30), (const char *) r->body);
	snprintf(g->etag, sizeof(g->etag), "%.*s", (int) n, etag != NULL ? etag : "");
	snprintf(g->url, sizeof(g->url), "%s", r->url);
}

static Got
get_url(const char *url, HttpSpec spec)
{
	Got			g;

	memset(&g, 0, sizeof(g));
	spec.url = url;
	CHECK(http_get(net, &spec, on_done, &g) != NULL);
	CHECK(g.done == 0);
	WAIT_FOR(&loop, g.done > 0);
	CHECK(g.done == 1);
	printf("%-40.60s %-16s %d %s\n", url, net_failure_name(g.failure), g.status, g.reason);
	return g;
}

static const HttpSpec usual = {.max_body = 100000,.timeout_ms = 5000,.max_redirects = 3};

static Got
get(const char *path)
{
	char		url[128];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
	return get_url(url, usual);
}

static void
test_answers(void)
{
	HttpSpec	spec = usual;
	char		url[128];
	Got			g = get("/ok");

	CHECK(g.failure == NET_OK && g.status == 200 && !g.cut);
	CHECK_STR(g.body, "[1]\n");
	CHECK_STR(g.etag, "\"v1\"");
	CHECK(g.timings.tcp > 0 && g.timings.tls == 0);
	CHECK(strstr(request, "User-Agent: bigbrotr\r\n") != NULL);
	g = get("/chunked");
	CHECK(g.failure == NET_OK);
	CHECK_STR(g.body, "abcde");
	g = get("/404");
	CHECK(g.failure == NET_HTTP_STATUS && g.status == 404);
	CHECK_STR(g.body, "gone");
	g = get("/304");			/* nobody asked whether it changed */
	CHECK(g.failure == NET_HTTP_STATUS);

	spec.accept = "application/nostr+json";
	spec.if_none_match = "\"v1\"";
	spec.if_modified_since = "x\r\nX-Injected: 1";
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/304", port);
	g = get_url(url, spec);
	CHECK(g.failure == NET_OK && g.status == 304 && g.len == 0);
	CHECK(strstr(request, "If-None-Match: \"v1\"\r\n") != NULL);
	CHECK(strstr(request, "Accept: application/nostr+json\r\n") != NULL);
	CHECK(strstr(request, "Injected") == NULL && strstr(request, "Modified-Since") == NULL);
}

static void
test_limits(void)
{
	HttpSpec	spec = usual;
	char		url[128];
	Got			g = get("/long");

	CHECK(g.failure == NET_TOO_LARGE && g.cut && g.len == 100000 && g.status == 200);
	g = get("/endless");
	CHECK(g.failure == NET_TOO_LARGE && g.cut && g.len == 100000);
	g = get("/bomb");
	CHECK(g.failure == NET_TOO_LARGE && g.cut && g.len == 100000);
	g = get("/headers");
	CHECK(g.failure == NET_TOO_LARGE && !g.cut && g.len == 0);
	g = get("/continue");
	CHECK(g.failure == NET_TOO_LARGE && g.len == 0);
	g = get("/encoding");
	CHECK(g.failure == NET_PROTOCOL);
	spec.max_body = 4;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/ok", port);
	g = get_url(url, spec);
	CHECK(g.failure == NET_OK && g.len == 4 && !g.cut);
	spec.max_body = 3;
	g = get_url(url, spec);
	CHECK(g.failure == NET_TOO_LARGE && g.len == 3 && g.cut);

	spec = usual;
	spec.timeout_ms = 300;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/silent", port);
	g = get_url(url, spec);
	CHECK(g.failure == NET_TIMEOUT && strstr(g.reason, "before an answer") != NULL);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/drip", port);
	g = get_url(url, spec);
	CHECK(g.failure == NET_TIMEOUT && strstr(g.reason, "in the answer") != NULL);
	g = get("/short");
	CHECK(g.failure == NET_DISCONNECTED);
	g = get("/hangup");
	CHECK(g.failure == NET_DISCONNECTED);
	g = get("/ssh");
	CHECK(g.failure == NET_PROTOCOL);
	g = get_url("http://127.0.0.1:1/", usual);
	CHECK(g.failure == NET_CONNECT_REFUSED);
}

static void
test_redirects(void)
{
	static const char *const refused[] = {"/private", "/metadata", "/six", "/file", "/gopher",
	"/user", "/onion"};
	Got			g = get("/cookie");

	CHECK(g.failure == NET_OK && g.redirects == 1 && strstr(g.url, "/ok") != NULL);
	CHECK(strstr(request, "Cookie") == NULL);
	CHECK_STR(g.body, "[1]\n");
	g = get("/body302");
	CHECK(g.failure == NET_OK && g.redirects == 1);
	CHECK_STR(g.body, "[1]\n");
	requests = 0;
	g = get("/loop");
	CHECK(g.failure == NET_HTTP_STATUS && requests == 4 && g.redirects == 3);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
	{
		requests = 0;
		g = get(refused[i]);
		CHECK(g.failure == NET_ADDRESS_REFUSED && requests == 1 && g.redirects <= 1);
	}
}

static void
test_refused(void)
{
	static const char *const urls[] = {"ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1:80",
		"http://", "http://a@127.0.0.1/", "http://[fe80::1%25eth0]/", "https:///x", "", "http://10.0.0.1/",
	"http://169.254.169.254/", "http://0x0a000001/", "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::10.0.0.1]/"};
	char		longer[HTTP_MAX_URL + 20];
	Got			g;

	requests = 0;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
	{
		g = get_url(urls[i], usual);
		CHECK(g.failure == NET_ADDRESS_REFUSED);
	}
	memset(longer, 'a', sizeof(longer) - 1);
	memcpy(longer, "http://h.example/", 17);
	longer[sizeof(longer) - 1] = '\0';
	g = get_url(longer, usual);
	CHECK(g.failure == NET_ADDRESS_REFUSED);
	config.allow.n = 0;
	net_reconfigure(net, &config);
	g = get("/ok");
	CHECK(g.failure == NET_ADDRESS_REFUSED && requests == 0);
	config.allow.n = 1;
	net_reconfigure(net, &config);
	g = get_url("http://page.bigbrotr.dev/", usual);
	CHECK(g.failure == NET_DNS_FAILED);
	g = get_url("http://duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion/", usual);
	CHECK(g.failure == NET_NETWORK_DISABLED);
	config.network[NOSTR_TOR].enabled = true;
	strcpy(config.network[NOSTR_TOR].proxy, "socks5h://localhost:1");
	net_reconfigure(net, &config);
	g = get_url("http://duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion/", usual);
	CHECK(g.failure == NET_PROXY_FAILED);

	/* the proxy gets the name, and nobody else does */
	snprintf(config.network[NOSTR_TOR].proxy, 256, "socks5h://localhost:%d", port);
	net_reconfigure(net, &config);
	g = get_url("http://duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion/ok", usual);
	CHECK(g.failure == NET_OK && g.timings.dns == 0);
	CHECK_STR(g.body, "[1]\n");
	CHECK(socks_request[3] == 3 && socks_request[4] == 62 &&
		  memcmp(socks_request + 5, "duckduckgogg", 12) == 0);
	g = get_url("http://duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion/private", usual);
	CHECK(g.failure == NET_ADDRESS_REFUSED);
}

static struct lws_context *
start_tls(int *tls_port)
{
	static const struct lws_protocols protocols[] = {{.name = "http",.callback = lws_callback_http_dummy}, {.name = NULL}};
	struct lws_context_creation_info info;
	struct lws_context *server;
	void	   *loops[1] = {&loop};
	char		crt[64];
	char		key[64];
	char		cmd[512];

	snprintf(crt, sizeof(crt), "%s/crt", dir);
	snprintf(key, sizeof(key), "%s/key", dir);
	snprintf(cmd, sizeof(cmd), "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
			 "-nodes -days 2 -subj /CN=list -addext subjectAltName=IP:127.0.0.1 "
			 "-keyout %s -out %s 2>/dev/null", key, crt);
	CHECK(system(cmd) == 0);
	memset(&info, 0, sizeof(info));
	info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
	info.foreign_loops = loops;
	server = lws_create_context(&info);
	info.protocols = protocols;
	info.iface = "127.0.0.1";
	info.vhost_name = "tls";
	info.ssl_cert_filepath = crt;
	info.ssl_private_key_filepath = key;
	*tls_port = lws_get_vhost_listen_port(lws_create_vhost(server, &info));
	return server;
}

static void
test_tls(void)
{
	int			tls_port;
	struct lws_context *server = start_tls(&tls_port);
	char		url[64];
	HttpSpec	spec = usual;
	Got			g;

	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", tls_port);
	g = get_url(url, usual);
	CHECK(g.failure == NET_TLS_CERTIFICATE && g.status == 0);
	config.insecure_tls = true;
	net_reconfigure(net, &config);
	g = get_url(url, usual);
	CHECK(g.failure == NET_HTTP_STATUS && g.status == 404 && g.timings.tls > 0);
	config.insecure_tls = false;
	net_close(net);

	/* trusted by the configured file */
	snprintf(config.ca_file, sizeof(config.ca_file), "%s/crt", dir);
	net = netcheck_open(&loop, &config);
	g = get_url(url, usual);
	CHECK(g.failure == NET_HTTP_STATUS && g.status == 404);
	/* a server that says nothing to a ClientHello */
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", port);
	spec.timeout_ms = 300;
	g = get_url(url, spec);
	CHECK(g.failure == NET_TIMEOUT && g.status == 0);
	lws_context_destroy(server);
	netcheck_settle(&loop);
	lws_context_destroy(server);
}

static void
test_cancel(void)
{
	Got			g[8];
	HttpGet    *h[8];
	HttpSpec	spec = usual;
	char		url[64];

	memset(g, 0, sizeof(g));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/silent", port);
	spec.url = url;
	requests = 0;
	for (int i = 0; i < 8; i++)
		h[i] = http_get(net, &spec, on_done, &g[i]);
	http_cancel(h[0]);			/* before anything */
	WAIT_FOR(&loop, requests >= 7);
	http_cancel(h[1]);			/* while it waits */
	spec.url = "http://page.bigbrotr.dev/";
	h[0] = http_get(net, &spec, on_done, &g[0]);
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_NOWAIT);
	http_cancel(h[0]);			/* while it resolves */
	net_close(net);
	CHECK(g[0].done == 0 && g[1].done == 0);
	for (int i = 2; i < 8; i++)
		CHECK(g[i].done == 1 && g[i].failure == NET_CANCELLED);
}

int
main(void)
{
	char		cmd[64];

	CHECK(mkdtemp(dir) != NULL);
	uv_loop_init(&loop);
	netcheck_config(&config, 15000);
	net = netcheck_open(&loop, &config);
	start_server();
	test_answers();
	test_limits();
	test_redirects();
	test_refused();
	test_tls();
	test_cancel();
	uv_close((uv_handle_t *) &listener, NULL);
	netcheck_settle(&loop);
	CHECK(uv_loop_close(&loop) == 0);
	free(bomb);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	CHECK(system(cmd) == 0);
	return check_done();
}
