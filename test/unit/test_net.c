/*
 * test_net.c
 *
 * The network layer against servers on the same loop, on loopback only: an
 * echo server by libwebsockets (plain and TLS, with deflate), raw TCP servers
 * that speak canned bytes, and a small SOCKS5 proxy.
 */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/net/socks.h"
#include "../../src/net/ws.h"
#include "netcheck.h"

static uv_loop_t loop;
static Net *net;
static NetConfig config;
static struct lws_context *server;
static int	echo_port;
static int	tls_port;
static char dir[] = "/tmp/test_net.XXXXXX";

/* ---- the echo server ---- */

static int
echo_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	static unsigned char buf[LWS_PRE + 300000];
	static size_t have;
	static size_t frames;

	(void) user;
	if (reason == LWS_CALLBACK_RECEIVE)
	{
		if (lws_is_first_fragment(wsi))
			have = 0;
		memcpy(buf + LWS_PRE + have, in, len);
		have += len;
		if (lws_is_final_fragment(wsi))
		{
			frames = 1;
			if (have == 4 && memcmp(buf + LWS_PRE, "BIG!", 4) == 0)
			{
				have = 200000;
				memset(buf + LWS_PRE, 'x', have);
			}
			lws_callback_on_writable(wsi);
		}
	}
	else if (reason == LWS_CALLBACK_SERVER_WRITEABLE && frames > 0)
	{
		bool		binary = have == 3 && memcmp(buf + LWS_PRE, "bin", 3) == 0;

		frames = 0;
		lws_write(wsi, buf + LWS_PRE, have, binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
	}
	return 0;
}

static const struct lws_protocols echo_protocols[] = {
	{.name = "echo",.callback = echo_callback,.rx_buffer_size = 65536},
	{.name = NULL}
};
static const struct lws_extension echo_extensions[] = {
	{"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate"},
	{NULL, NULL, NULL}
};

static void
start_echo(void)
{
	struct lws_context_creation_info info;
	void	   *loops[1] = {&loop};
	char		cmd[512];
	char		crt[128];
	char		key[128];
	struct lws_vhost *v;

	memset(&info, 0, sizeof(info));
	info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
		LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
	info.foreign_loops = loops;
	server = lws_create_context(&info);
	info.protocols = echo_protocols;
	info.extensions = echo_extensions;
	info.iface = "127.0.0.1";
	info.vhost_name = "echo";
	v = lws_create_vhost(server, &info);
	CHECK(v != NULL);
	echo_port = lws_get_vhost_listen_port(v);

	snprintf(crt, sizeof(crt), "%s/crt", dir);
	snprintf(key, sizeof(key), "%s/key", dir);
	snprintf(cmd, sizeof(cmd), "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
			 "-nodes -days 2 -subj /CN=relay -addext subjectAltName=IP:127.0.0.1,DNS:relay.onion "
			 "-keyout %s -out %s 2>/dev/null", key, crt);
	CHECK(system(cmd) == 0);
	info.ssl_cert_filepath = crt;
	info.ssl_private_key_filepath = key;
	info.vhost_name = "echo-tls";
	v = lws_create_vhost(server, &info);
	CHECK(v != NULL);
	tls_port = lws_get_vhost_listen_port(v);
}

/* ---- raw servers ---- */

typedef struct Raw
{
	uv_tcp_t	listener;
	const char *answer;			/* NULL: hang up; "": say nothing */
	const char *second;			/* answer for the second connection */
	int			socks_to;		/* port to pipe to, 0: not a proxy */
	int			connections;
	int			port;
	char		request[2048];
	size_t		request_len;
} Raw;

typedef struct RawPeer
{
	uv_tcp_t	tcp;
	uv_tcp_t	up;
	bool		up_open;
	Raw		   *raw;
	bool		answered;
	int			stage;
	uv_connect_t connect;
	char		data[65536];
	int			handles;
} RawPeer;

static RawPeer *peers[64];
static int	n_peers;

typedef struct Write
{
	uv_write_t	req;
	char		data[];
} Write;

static void
write_done(uv_write_t *req, int status)
{
	(void) status;
	free(req);
}

static void
put(uv_tcp_t *to, const char *data, size_t len)
{
	Write	   *w = malloc(sizeof(*w) + len);
	uv_buf_t	buf = uv_buf_init(w->data, (unsigned) len);

	memcpy(w->data, data, len);
	if (uv_write(&w->req, (uv_stream_t *) to, &buf, 1, write_done) != 0)
		free(w);
}

static void
peer_closed(uv_handle_t *h)
{
	RawPeer    *p = h->data;

	if (--p->handles > 0)
		return;
	for (int i = 0; i < n_peers; i++)
		if (peers[i] == p)
			peers[i] = peers[--n_peers];
	free(p);
}

static void
peer_close(RawPeer *p)
{
	if (!uv_is_closing((uv_handle_t *) &p->tcp))
		uv_close((uv_handle_t *) &p->tcp, peer_closed);
	if (p->up_open && !uv_is_closing((uv_handle_t *) &p->up))
		uv_close((uv_handle_t *) &p->up, peer_closed);
}

static void
raw_alloc(uv_handle_t *h, size_t n, uv_buf_t *buf)
{
	(void) n;
	*buf = uv_buf_init(((RawPeer *) h->data)->data, 65536);
}

static void
up_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	RawPeer    *p = s->data;

	if (n < 0)
		peer_close(p);
	else
		put(&p->tcp, buf->base, (size_t) n);
}

static void raw_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf);

static void
up_connected(uv_connect_t *req, int status)
{
	RawPeer    *p = req->data;

	if (status != 0)
		return;
	put(&p->tcp, "\5\0\0\1\0\0\0\0\0\0", 10);
	uv_read_start((uv_stream_t *) &p->up, raw_alloc, up_read);
	uv_read_start((uv_stream_t *) &p->tcp, raw_alloc, raw_read);
}

static void
raw_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	RawPeer    *p = s->data;
	Raw		   *raw = p->raw;
	struct sockaddr_in sin;

	if (n < 0)
	{
		peer_close(p);
		return;
	}
	if (raw->socks_to != 0 && p->stage == 0)
	{
		put(&p->tcp, "\5\0", 2);
		p->stage = 1;
	}
	else if (raw->socks_to != 0 && p->stage == 1)
	{
		memcpy(raw->request, buf->base, (size_t) n);
		raw->request_len = (size_t) n;
		p->stage = 2;
		if (raw->socks_to < 0)
		{
			put(&p->tcp, "\5\4\0\1\0\0\0\0\0\0", 10);
			return;
		}
		uv_read_stop(s);
		uv_tcp_init(&loop, &p->up);
		p->up.data = p;
		p->up_open = true;
		p->handles++;
		p->connect.data = p;
		uv_ip4_addr("127.0.0.1", raw->socks_to, &sin);
		uv_tcp_connect(&p->connect, &p->up, (struct sockaddr *) &sin, up_connected);
	}
	else if (raw->socks_to != 0)
		put(&p->up, buf->base, (size_t) n);
	else if (!p->answered)
	{
		const char *a = raw->connections > 1 && raw->second ? raw->second : raw->answer;

		p->answered = true;
		memcpy(raw->request, buf->base, (size_t) (n < 2000 ? n : 2000));
		raw->request[n < 2000 ? n : 2000] = '\0';
		if (a == NULL)
			peer_close(p);
		else if (a[0] != '\0')
			put(&p->tcp, a, strlen(a));
	}
}

static void
raw_accept(uv_stream_t *s, int status)
{
	RawPeer    *p = calloc(1, sizeof(*p));

	(void) status;
	p->raw = s->data;
	p->raw->connections++;
	uv_tcp_init(&loop, &p->tcp);
	p->tcp.data = p;
	p->handles = 1;
	peers[n_peers++] = p;
	uv_accept(s, (uv_stream_t *) &p->tcp);
	uv_read_start((uv_stream_t *) &p->tcp, raw_alloc, raw_read);
}

static void
raw_open(Raw *raw, const char *answer)
{
	struct sockaddr_in sin;
	int			len = sizeof(sin);

	memset(raw, 0, sizeof(*raw));
	raw->answer = answer;
	uv_tcp_init(&loop, &raw->listener);
	raw->listener.data = raw;
	uv_ip4_addr("127.0.0.1", 0, &sin);
	uv_tcp_bind(&raw->listener, (struct sockaddr *) &sin, 0);
	uv_listen((uv_stream_t *) &raw->listener, 8, raw_accept);
	uv_tcp_getsockname(&raw->listener, (struct sockaddr *) &sin, &len);
	raw->port = ntohs(sin.sin_port);
}

static void
raw_close(Raw *raw)
{
	for (int i = 0; i < n_peers; i++)
		peer_close(peers[i]);
	uv_close((uv_handle_t *) &raw->listener, NULL);
	for (int i = 0; i < 5; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

/* ---- the client ---- */

typedef struct Got
{
	const char *send;
	bool		keep;			/* do not close after the first message */
	int			opened;
	int			messages;
	int			closed;
	char		text[64];
	size_t		len;
	NetFailure	failure;
	char		reason[200];
	WsTimings	timings;
} Got;

static void
on_opened(WsConn *c, void *user)
{
	Got		   *g = user;

	g->opened++;
	if (g->send != NULL)
		CHECK(ws_send(c, g->send, strlen(g->send)));
}

static void
on_message(WsConn *c, void *user, const char *data, size_t len)
{
	Got		   *g = user;

	g->messages++;
	g->len = len;
	snprintf(g->text, sizeof(g->text), "%.*s", (int) (len < 60 ? len : 60), data);
	if (!g->keep)
		ws_close(c, NET_OK, "");
}

static void
on_closed(WsConn *c, void *user, NetFailure failure, const char *reason)
{
	Got		   *g = user;

	g->closed++;
	g->failure = failure;
	g->timings = *ws_timings(c);
	snprintf(g->reason, sizeof(g->reason), "%s", reason);
}

static const WsCallbacks callbacks = {on_opened, on_message, on_closed};

static WsConn *
begin(Got *g, const char *text)
{
	return ws_connect(net, netcheck_url(text), &callbacks, g);
}

static void
wait_closed(const Got *g)
{
	WAIT_FOR(&loop, g->closed > 0);
	CHECK(g->closed == 1);
}

static Got
run(const char *what, const char *scheme, const char *host, int port, const char *send)
{
	Got			g;
	char		text[128];

	memset(&g, 0, sizeof(g));
	g.send = send;
	snprintf(text, sizeof(text), "%s://%s:%d", scheme, host, port);
	begin(&g, text);
	CHECK(g.closed == 0);
	wait_closed(&g);
	printf("%-22s %-16s %s [%u %u %u %u]\n", what, net_failure_name(g.failure), g.reason,
		   g.timings.dns, g.timings.tcp, g.timings.tls, g.timings.upgrade);
	return g;
}

static void
test_plain(void)
{
	Got			g = run("echo", "ws", "127.0.0.1", echo_port, "hello");
	Raw			raw;

	CHECK(g.opened == 1 && g.messages == 1 && strcmp(g.text, "hello") == 0);
	CHECK(g.failure == NET_OK && g.timings.tcp > 0 && g.timings.upgrade > 0 && g.timings.tls == 0);

	g = run("large", "ws", "127.0.0.1", echo_port, "BIG!");
	CHECK(g.messages == 1 && g.len == 200000);
	config.max_message_size = 100000;
	net_reconfigure(net, &config);
	g = run("too large", "ws", "127.0.0.1", echo_port, "BIG!");
	CHECK(g.messages == 0 && g.failure == NET_TOO_LARGE);
	g = run("binary", "ws", "127.0.0.1", echo_port, "bin");
	CHECK(g.messages == 0 && g.failure == NET_PROTOCOL);

	raw_open(&raw, "");
	raw_close(&raw);
	g = run("refused", "ws", "127.0.0.1", raw.port, NULL);
	CHECK(g.opened == 0 && g.failure == NET_CONNECT_REFUSED);

	config.allow.n = 0;
	net_reconfigure(net, &config);
	g = run("guard", "ws", "127.0.0.1", echo_port, NULL);
	CHECK(g.failure == NET_ADDRESS_REFUSED && g.timings.tcp == 0);
	config.allow.n = 2;
	net_reconfigure(net, &config);
	/* Nobody answers at the configured DNS server. */
	g = run("no dns", "ws", "relay.bigbrotr.dev", echo_port, NULL);
	CHECK(g.failure == NET_DNS_FAILED && g.timings.tcp == 0);
}

static Got
canned(const char *what, const char *answer)
{
	Raw			raw;
	Got			g;

	raw_open(&raw, answer);
	g = run(what, "ws", "127.0.0.1", raw.port, NULL);
	raw_close(&raw);
	return g;
}

static void
test_upgrade(void)
{
	Got			g = canned("404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	Raw			raw;

	CHECK(g.failure == NET_HTTP_STATUS && strstr(g.reason, "404") != NULL);
	g = canned("301", "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
	CHECK(g.failure == NET_HTTP_STATUS && strstr(g.reason, "301") != NULL);
	g = canned("200", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
	CHECK(g.failure == NET_HTTP_STATUS && strstr(g.reason, "200") != NULL);
	g = canned("bad accept", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			   "Connection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n");
	CHECK(g.failure == NET_NOT_WEBSOCKET);
	g = canned("ssh banner", "SSH-2.0-OpenSSH_9.2\r\n\r\n");
	CHECK(g.failure == NET_NOT_WEBSOCKET);
	g = canned("hang up", NULL);
	CHECK(g.failure == NET_DISCONNECTED);

	config.network[NOSTR_CLEARNET].timeout_ms = 300;
	net_reconfigure(net, &config);
	g = canned("silent", "");
	CHECK(g.failure == NET_TIMEOUT && strstr(g.reason, "upgrade") != NULL);
	config.network[NOSTR_CLEARNET].timeout_ms = 5000;
	net_reconfigure(net, &config);

	/* The deflate offer is dropped for the second try. */
	raw_open(&raw, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
	raw.second = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
	g = run("400 then 403", "ws", "127.0.0.1", raw.port, NULL);
	CHECK(raw.connections == 2 && strstr(g.reason, "403") != NULL);
	CHECK(strstr(raw.request, "permessage-deflate") == NULL);
	CHECK(strstr(raw.request, "User-Agent: bigbrotr\r\n") != NULL);
	CHECK(strstr(raw.request, "Origin") == NULL);
	raw_close(&raw);
}

static void
test_tls(void)
{
	Got			g = run("self-signed", "wss", "127.0.0.1", tls_port, "hello");

	CHECK(g.opened == 0 && g.failure == NET_TLS_CERTIFICATE);
	config.insecure_tls = true;
	net_reconfigure(net, &config);
	g = run("insecure", "wss", "127.0.0.1", tls_port, "hello");
	CHECK(g.failure == NET_OK && g.messages == 1 && g.timings.tls > 0);
	config.insecure_tls = false;
	net_reconfigure(net, &config);
	g = canned("plain", "");
	g = run("TLS to plain", "wss", "127.0.0.1", echo_port, NULL);
	CHECK(g.failure == NET_TLS_FAILED);
}

static void
test_socks(void)
{
	const char *host = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion";
	Raw			raw;
	Got			g;

	g = run("no proxy", "ws", host, 80, "hello");
	CHECK(g.failure == NET_NETWORK_DISABLED);
	raw_open(&raw, "");
	raw.socks_to = echo_port;
	config.network[NOSTR_TOR].enabled = true;
	config.network[NOSTR_TOR].timeout_ms = 5000;
	snprintf(config.network[NOSTR_TOR].proxy, 256, "socks5h://127.0.0.1:%d", raw.port);
	net_reconfigure(net, &config);
	g = run("socks", "ws", host, 8080, "hello");
	CHECK(g.failure == NET_OK && g.messages == 1);
	CHECK(raw.request_len == 7 + strlen(host) && raw.request[3] == 3 &&
		  memcmp(raw.request + 5, host, strlen(host)) == 0);
	g = run("socks large", "ws", host, 8080, "BIG!");
	CHECK(g.failure == NET_TOO_LARGE);
	raw.socks_to = -1;
	g = run("socks says no", "ws", host, 8080, "hello");
	CHECK(g.failure == NET_PROXY_FAILED && strstr(g.reason, "unreachable") != NULL);
	raw_close(&raw);
	g = run("no proxy there", "ws", host, 8080, "hello");
	CHECK(g.failure == NET_PROXY_FAILED);
}

/* Nobody but us comes through the door of the bridges. */
static void
test_door(void)
{
	SocksDoor  *door = socks_door_open(&loop);
	struct sockaddr_in sin;
	ssize_t		n = -1;
	char		byte;
	int			fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(door != NULL);
	uv_ip4_addr("127.0.0.1", socks_door_port(door), &sin);
	CHECK(connect(fd, (struct sockaddr *) &sin, sizeof(sin)) == 0);
	for (int i = 0; i < 1000 && n < 0; i++)
	{
		uv_run(&loop, UV_RUN_NOWAIT);
		n = recv(fd, &byte, 1, MSG_DONTWAIT);
		usleep(1000);
	}
	CHECK(n == 0);
	close(fd);
	socks_door_close(door);
	netcheck_settle(&loop);
}

static void
test_close(void)
{
	Got			a;
	Got			b;
	Got			many[20];
	char		text[64];

	/* Closed before anything happened, and while open. */
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	memset(many, 0, sizeof(many));
	snprintf(text, sizeof(text), "ws://127.0.0.1:%d", echo_port);
	ws_close(begin(&a, text), NET_RATE, "mine");
	CHECK(a.closed == 0);
	wait_closed(&a);
	CHECK(a.failure == NET_RATE && strcmp(a.reason, "mine") == 0);

	b.keep = true;
	begin(&b, text);
	for (int i = 0; i < 20; i++)
	{
		many[i].keep = true;
		many[i].send = "x";
		begin(&many[i], text);
	}
	WAIT_FOR(&loop, b.opened > 0);
	net_close(net);
	CHECK(b.closed == 1 && b.failure == NET_CANCELLED);
	for (int i = 0; i < 20; i++)
		CHECK(many[i].closed == 1);
}

/* A network has room for two: the others wait, in order, and may give up. */
static void
test_places(void)
{
	uint32_t	before = config.network[NOSTR_CLEARNET].max_connections;
	char		text[64];
	Got			g[5];
	WsConn	   *c[5];

	config.network[NOSTR_CLEARNET].max_connections = 2;
	net_reconfigure(net, &config);
	snprintf(text, sizeof(text), "ws://127.0.0.1:%d", echo_port);
	memset(g, 0, sizeof(g));
	for (int i = 0; i < 5; i++)
	{
		c[i] = begin(&g[i], text);
	}
	WAIT_FOR(&loop, g[0].opened == 1);
	WAIT_FOR(&loop, g[1].opened == 1);
	CHECK(g[2].opened == 0 && g[3].opened == 0 && g[4].opened == 0);
	ws_close(c[3], NET_OK, "");
	wait_closed(&g[3]);
	CHECK(g[3].opened == 0);
	ws_close(c[0], NET_OK, "");
	WAIT_FOR(&loop, g[2].opened == 1);
	CHECK(g[0].closed == 1 && g[4].opened == 0);
	ws_close(c[1], NET_OK, "");
	WAIT_FOR(&loop, g[4].opened == 1);
	ws_close(c[2], NET_OK, "");
	ws_close(c[4], NET_OK, "");
	wait_closed(&g[1]);
	wait_closed(&g[2]);
	wait_closed(&g[4]);
	config.network[NOSTR_CLEARNET].max_connections = before;
	net_reconfigure(net, &config);
}

int
main(void)
{
	size_t		bad;
	char		cmd[64];

	CHECK(mkdtemp(dir) != NULL);
	uv_loop_init(&loop);
	netcheck_config(&config, 5000);
	CHECK(nostr_cidr_list_parse("127.0.0.0/8, ::1", &config.allow, &bad));
	net = netcheck_open(&loop, &config);
	start_echo();
	test_plain();
	test_upgrade();
	test_tls();
	test_socks();
	test_door();
	test_places();
	test_close();
	lws_context_destroy(server);
	netcheck_settle(&loop);
	lws_context_destroy(server);
	netcheck_settle(&loop);
	CHECK(uv_loop_close(&loop) == 0);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	CHECK(system(cmd) == 0);
	return check_done();
}
