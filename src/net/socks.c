/*
 * socks.c
 *
 * The bridge: proxy first (connect, greeting, request, reply), and only then
 * what comes through the door from the port that is expected.
 *
 * Guarantees: names go to the proxy as names (ATYP 3); each direction has one
 * buffer, and nothing is read while it is being written (back-pressure);
 * after socks_close no callback comes, and the memory goes when the last of
 * the two handles has closed.  A stranger at the door is let go at once: no
 * other process can have the port of a connection that we hold.  No deadline
 * here: ws.c has one.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* accept4 */
#endif
#include "../nostr/pgfree.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socks.h"

#define SOCKS_BUFFER (16 * 1024)
#define DOOR_BACKLOG 128

typedef enum SocksState
{
	SOCKS_CONNECT,
	SOCKS_GREETING,				/* waits for 2 bytes */
	SOCKS_REQUEST,				/* waits for the reply */
	SOCKS_READY,				/* for the connection that is expected */
	SOCKS_PIPE
} SocksState;

typedef struct SocksWay			/* one direction of the pipe */
{
	SocksBridge *bridge;
	uv_stream_t *from;
	uv_stream_t *to;
	uv_write_t	write;
	char		data[SOCKS_BUFFER];
} SocksWay;

struct SocksDoor
{
	uv_poll_t	poll;
	int			fd;
	uint16_t	port;
	SocksBridge *bridges;		/* that wait for a connection or will */
};

struct SocksBridge
{
	SocksDoor  *door;
	SocksBridge *prev;			/* at the door */
	SocksBridge *next;
	bool		at_door;
	uint16_t	expected;		/* local port, 0: none yet */
	SocksState	state;
	SocksCallback cb;			/* NULL once called or closed */
	void	   *user;
	bool		closed;
	int			handles;
	uv_tcp_t	proxy;
	uv_tcp_t	local;
	bool		local_open;
	uv_connect_t connect;
	uv_write_t	write;
	uint8_t		request[4 + 1 + 255 + 2];
	size_t		request_len;
	uint8_t		reply[4 + 1 + 255 + 2];
	size_t		reply_len;
	SocksWay	up;
	SocksWay	down;
};

static void way_start(SocksWay *w);

bool
socks_parse(const char *proxy, char *host, size_t host_size, uint16_t *port)
{
	const char *p;
	const char *end;
	const char *colon;
	char	   *rest;
	long		n;

	if (strncmp(proxy, "socks5h://", 10) == 0)
		p = proxy + 10;
	else if (strncmp(proxy, "socks5://", 9) == 0)
		p = proxy + 9;
	else
		return false;
	if (*p == '[')
	{
		p++;
		end = strchr(p, ']');
		colon = end != NULL ? end + 1 : NULL;
	}
	else
		end = colon = strrchr(p, ':');
	if (end == NULL || *colon != ':' || end == p || (size_t) (end - p) >= host_size)
		return false;
	n = strtol(colon + 1, &rest, 10);
	if (n < 1 || n > 65535 || (*rest != '\0' && strcmp(rest, "/") != 0))
		return false;
	memcpy(host, p, (size_t) (end - p));
	host[end - p] = '\0';
	if (strcmp(host, "localhost") == 0 && host_size > strlen("127.0.0.1"))
		strcpy(host, "127.0.0.1");	/* needs no resolver */
	*port = (uint16_t) n;
	return true;
}

static void
report(SocksBridge *b, NetFailure failure, const char *reason)
{
	SocksCallback cb = b->cb;

	b->cb = NULL;
	if (cb != NULL)
		cb(b->user, failure, reason);
}

static void
handle_closed(uv_handle_t *handle)
{
	SocksBridge *b = handle->data;

	if (--b->handles == 0)
		free(b);
}

static void
leave_door(SocksBridge *b)
{
	if (!b->at_door)
		return;
	b->at_door = false;
	if (b->prev != NULL)
		b->prev->next = b->next;
	else
		b->door->bridges = b->next;
	if (b->next != NULL)
		b->next->prev = b->prev;
}

void
socks_close(SocksBridge *b)
{
	if (b->closed)
		return;
	b->closed = true;
	b->cb = NULL;
	leave_door(b);
	if (b->local_open)
		uv_close((uv_handle_t *) &b->local, handle_closed);
	b->local_open = false;
	uv_close((uv_handle_t *) &b->proxy, handle_closed);
}

/* Ends the piping: libwebsockets sees its side closed, ws.c then frees us. */
static void
hang_up(SocksBridge *b)
{
	uv_read_stop((uv_stream_t *) &b->proxy);
	if (b->local_open)
	{
		b->local_open = false;
		uv_close((uv_handle_t *) &b->local, handle_closed);
	}
}

static void
way_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	SocksBridge *b = handle->data;
	SocksWay   *w = handle == (uv_handle_t *) &b->proxy ? &b->down : &b->up;

	(void) suggested;
	*buf = uv_buf_init(w->data, SOCKS_BUFFER);
}

static void
way_written(uv_write_t *req, int status)
{
	SocksWay   *w = req->data;

	if (w->bridge->closed || !w->bridge->local_open)
		return;
	if (status < 0)
		hang_up(w->bridge);
	else
		way_start(w);
}

static void
way_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	SocksBridge *b = stream->data;
	SocksWay   *w = stream == (uv_stream_t *) &b->proxy ? &b->down : &b->up;
	uv_buf_t	out;

	(void) buf;
	if (n == 0)
		return;
	/* Nothing is in flight while we read, so all that came was passed on. */
	if (n < 0)
	{
		hang_up(b);
		return;
	}
	uv_read_stop(stream);
	out = uv_buf_init(w->data, (unsigned int) n);
	if (uv_write(&w->write, w->to, &out, 1, way_written) != 0)
		hang_up(b);
}

static void
way_start(SocksWay *w)
{
	if (uv_read_start(w->from, way_alloc, way_read) != 0)
		hang_up(w->bridge);
}

static void
way_init(SocksWay *w, SocksBridge *b, void *from, void *to)
{
	w->bridge = b;
	w->from = from;
	w->to = to;
	w->write.data = w;
}

/* The door has the connection of this bridge. */
static void
let_in(SocksBridge *b, int fd)
{
	leave_door(b);
	uv_tcp_init(b->proxy.loop, &b->local);
	b->local.data = b;
	b->handles++;
	b->local_open = true;
	if (uv_tcp_open(&b->local, fd) != 0)
	{
		close(fd);
		hang_up(b);
		return;
	}
	b->state = SOCKS_PIPE;
	way_init(&b->up, b, &b->local, &b->proxy);
	way_init(&b->down, b, &b->proxy, &b->local);
	way_start(&b->up);
	way_start(&b->down);
}

static void
knock(uv_poll_t *poll, int status, int events)
{
	SocksDoor  *d = poll->data;
	struct sockaddr_in peer;
	socklen_t	len = sizeof(peer);
	SocksBridge *b = d->bridges;
	int			fd;

	(void) events;
	if (status < 0 || (fd = accept4(d->fd, (struct sockaddr *) &peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK)) < 0)
		return;
	while (b != NULL && (b->expected == 0 || b->expected != ntohs(peer.sin_port)))
		b = b->next;
	if (b != NULL && peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK))
		let_in(b, fd);
	else
		close(fd);
}

SocksDoor *
socks_door_open(uv_loop_t *loop)
{
	SocksDoor  *d = calloc(1, sizeof(*d));
	struct sockaddr_in sin = {.sin_family = AF_INET,.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t	len = sizeof(sin);

	if (d == NULL)
		return NULL;
	d->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->fd < 0 || bind(d->fd, (struct sockaddr *) &sin, sizeof(sin)) != 0 ||
		listen(d->fd, DOOR_BACKLOG) != 0 || getsockname(d->fd, (struct sockaddr *) &sin, &len) != 0 ||
		uv_poll_init(loop, &d->poll, d->fd) != 0)
	{
		if (d->fd >= 0)
			close(d->fd);
		free(d);
		return NULL;
	}
	d->port = ntohs(sin.sin_port);
	d->poll.data = d;
	uv_poll_start(&d->poll, UV_READABLE, knock);
	uv_unref((uv_handle_t *) &d->poll);	/* keeps no loop going */
	return d;
}

uint16_t
socks_door_port(const SocksDoor *d)
{
	return d->port;
}

static void
door_closed(uv_handle_t *h)
{
	SocksDoor  *d = h->data;

	close(d->fd);
	free(d);
}

void
socks_door_close(SocksDoor *d)
{
	if (d != NULL)
		uv_close((uv_handle_t *) &d->poll, door_closed);
}

static void
tunnel_ready(SocksBridge *b)
{
	uv_read_stop((uv_stream_t *) &b->proxy);
	b->state = SOCKS_READY;
	b->next = b->door->bridges;
	if (b->next != NULL)
		b->next->prev = b;
	b->door->bridges = b;
	b->at_door = true;
	report(b, NET_OK, "");
}

void
socks_expect(SocksBridge *b, uint16_t local_port)
{
	b->expected = local_port;
}

/* Length of the whole reply as far as it can be known, RFC 1928 section 6. */
static size_t
reply_size(const SocksBridge *b)
{
	if (b->state == SOCKS_GREETING)
		return 2;
	if (b->reply_len < 5)
		return 5;
	if (b->reply[3] == 1)
		return 10;
	if (b->reply[3] == 4)
		return 22;
	return (size_t) 5 + b->reply[4] + 2;
}

static void
reply_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	SocksBridge *b = handle->data;

	/* Never more than the reply: what follows belongs to libwebsockets. */
	(void) suggested;
	*buf = uv_buf_init((char *) b->reply + b->reply_len, (unsigned int) (reply_size(b) - b->reply_len));
}

static void
written(uv_write_t *req, int status)
{
	SocksBridge *b = req->data;

	if (status < 0 && !b->closed)
		report(b, NET_PROXY_FAILED, "could not write to the proxy");
}

static void
send_bytes(SocksBridge *b, const void *data, size_t len)
{
	uv_buf_t	buf = uv_buf_init((char *) data, (unsigned int) len);

	b->write.data = b;
	if (uv_write(&b->write, (uv_stream_t *) &b->proxy, &buf, 1, written) != 0)
		report(b, NET_PROXY_FAILED, "could not write to the proxy");
}

static void
reply_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	static const char *const codes[] = {
		"", "general failure", "not allowed", "network unreachable", "host unreachable",
		"connection refused", "TTL expired", "command not supported", "address type not supported"
	};
	SocksBridge *b = stream->data;
	char		why[80];

	(void) buf;
	if (n == 0 || b->cb == NULL)
		return;
	if (n < 0)
	{
		uv_read_stop(stream);
		report(b, NET_PROXY_FAILED, "the proxy hung up");
		return;
	}
	b->reply_len += (size_t) n;
	if (b->reply_len < reply_size(b))
		return;
	if (b->reply[0] != 5 || b->reply[1] != 0)
	{
		uint8_t		code = b->reply[1];

		uv_read_stop(stream);
		if (b->reply[0] != 5)
			snprintf(why, sizeof(why), "the proxy does not speak SOCKS5");
		else if (b->state == SOCKS_GREETING)
			snprintf(why, sizeof(why), "the proxy wants authentication");
		else
			snprintf(why, sizeof(why), "the proxy says: %s", code < 9 ? codes[code] : "unknown error");
		report(b, NET_PROXY_FAILED, why);
		return;
	}
	if (b->state == SOCKS_GREETING)
	{
		b->state = SOCKS_REQUEST;
		b->reply_len = 0;
		send_bytes(b, b->request, b->request_len);
	}
	else
		tunnel_ready(b);
}

static void
connected(uv_connect_t *req, int status)
{
	SocksBridge *b = req->data;

	if (b->closed)
		return;
	if (status < 0)
	{
		char		why[100];

		snprintf(why, sizeof(why), "could not connect to the proxy: %s", uv_strerror(status));
		report(b, NET_PROXY_FAILED, why);
		return;
	}
	b->state = SOCKS_GREETING;
	send_bytes(b, "\5\1\0", 3);
	uv_read_start((uv_stream_t *) &b->proxy, reply_alloc, reply_read);
}

static void
build_request(SocksBridge *b, const char *host, uint16_t port)
{
	uint8_t    *p = b->request;
	size_t		len = strlen(host);
	NostrAddr	addr;

	memcpy(p, "\5\1\0", 3);
	p += 3;
	if (nostr_addr_parse(host, &addr))
	{
		*p++ = addr.v6 ? 4 : 1;
		memcpy(p, addr.bytes, addr.v6 ? 16 : 4);
		p += addr.v6 ? 16 : 4;
	}
	else
	{
		*p++ = 3;
		*p++ = (uint8_t) len;
		memcpy(p, host, len);	/* at most NOSTR_HOST_MAX */
		p += len;
	}
	*p++ = (uint8_t) (port >> 8);
	*p++ = (uint8_t) port;
	b->request_len = (size_t) (p - b->request);
}

SocksBridge *
socks_open(SocksDoor *door, const NostrAddr *proxy, uint16_t proxy_port,
		   const char *host, uint16_t port, SocksCallback cb, void *user)
{
	SocksBridge *b = calloc(1, sizeof(*b));
	struct sockaddr_storage ss;

	if (b == NULL)
		return NULL;
	b->door = door;
	b->cb = cb;
	b->user = user;
	build_request(b, host, port);

	memset(&ss, 0, sizeof(ss));
	if (proxy->v6)
	{
		struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *) &ss;

		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(proxy_port);
		memcpy(&sin6->sin6_addr, proxy->bytes, 16);
	}
	else
	{
		struct sockaddr_in *sin = (struct sockaddr_in *) &ss;

		sin->sin_family = AF_INET;
		sin->sin_port = htons(proxy_port);
		memcpy(&sin->sin_addr, proxy->bytes, 4);
	}
	uv_tcp_init(door->poll.loop, &b->proxy);
	b->proxy.data = b;
	b->handles = 1;
	b->connect.data = b;
	if (uv_tcp_connect(&b->connect, &b->proxy, (struct sockaddr *) &ss, connected) != 0)
	{
		socks_close(b);
		return NULL;			/* no descriptor */
	}
	return b;
}
