/*
 * ws_lws.c
 *
 * Between our connections and libwebsockets: starting an attempt, what its
 * callbacks mean, sending and reassembly.
 *
 * Must survive: a peer that hangs up without any error callback (only
 * WSI_DESTROY is final), callbacks from inside the connect call, inflated
 * messages without end (summed piece by piece and cut at the limit).
 */
#include "../nostr/pgfree.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arrival.h"
#include "net_internal.h"

static uint16_t
local_port(int fd)
{
	struct sockaddr_in sin = {0};
	socklen_t	len = sizeof(sin);

	return getsockname(fd, (struct sockaddr *) &sin, &len) == 0 ? ntohs(sin.sin_port) : 0;
}

void
ws_lws_connect(WsConn *c, const char *address, uint16_t port)
{
	struct lws_client_connect_info info;
	const NostrRelayUrl *url = &c->url;
	bool		v6 = strchr(url->host, ':') != NULL;
	struct lws *wsi;

	c->error[0] = '\0';
	c->http_status = 0;
	c->tls_verdict = 0;
	c->slow = false;
	snprintf(c->host_header, sizeof(c->host_header), v6 ? "[%s]" : "%s", url->host);
	if (url->port != (url->tls ? 443 : 80))
		snprintf(c->host_header + strlen(c->host_header), 8, ":%u", url->port);

	memset(&info, 0, sizeof(info));
	info.context = c->net->lws;
	info.vhost = c->no_deflate ? c->net->vhost_plain : c->net->vhost_deflate;
	info.address = address;
	info.port = port;
	info.host = c->host_header;
	info.path = url->path[0] == '\0' ? "/" : url->path;
	info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (url->tls ? LCCSCF_USE_SSL : 0);
	info.local_protocol_name = WS_PROTOCOL_NAME;
	info.alpn = "http/1.1";
	info.opaque_user_data = c;
	info.pwsi = &c->wsi;
	c->wsi = NULL;
	c->wsi_live = true;
	wsi = lws_client_connect_via_info(&info);
	if (wsi == NULL)
		ws_attempt_over(c);
	else if (c->socks != NULL && c->wsi_live)
		socks_expect(c->socks, local_port(lws_get_socket_fd(wsi)));
}

/* Only from outside callbacks of this wsi.  LWS_TO_KILL_ASYNC would wait for
 * the next event libwebsockets sees, which a silent peer never sends. */
void
ws_lws_kill(WsConn *c)
{
	if (c->wsi != NULL)
		lws_set_timeout(c->wsi, 1, LWS_TO_KILL_SYNC);
}

/*
 * Has the peer of a plain connection sent anything?  libwebsockets keeps what
 * does not look like HTTP to itself, the kernel knows.  It counts a FIN as a
 * byte.
 */
bool
ws_peer_spoke(WsConn *c)
{
	struct
	{
		struct tcp_info head;	/* glibc's ends before what Linux 4.1 added */
		uint64_t	rates[2];
		uint64_t	acked;
		uint64_t	received;
	}			info;
	socklen_t	len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (c->fd_dup < 0 || getsockopt(c->fd_dup, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return false;
	return info.received > 1;
}

/* Headers of the answer to the upgrade, granted or refused. */
static void
observe_answer(WsConn *c, struct lws *wsi)
{
	NetSeen    *s = c->seen;

	if (s == NULL)
		return;
	s->http_status = (int) lws_http_client_http_response(wsi);
	if (lws_hdr_copy(wsi, s->server, sizeof(s->server), WSI_TOKEN_HTTP_SERVER) < 0)
		s->server[0] = '\0';
	if (lws_hdr_custom_copy(wsi, s->powered_by, sizeof(s->powered_by), "x-powered-by:", 13) < 0)
		s->powered_by[0] = '\0';
}

/*
 * Why a socket did not connect.  libwebsockets does not look when its event
 * loop tells of the error, and then the socket still knows it.
 */
static int
connect_error(struct lws *wsi, const char *text)
{
	const char *e = strpbrk(text, "0123456789");
	int			fd = lws_get_socket_fd(wsi);
	int			err = 0;
	socklen_t	len = sizeof(err);

	if (e != NULL && strstr(text, "conn fail") != NULL)
		return atoi(e);
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		return 0;
	return err;
}

static void
classify_connect(WsConn *c)
{
	int			err = c->connect_error;
	char		why[160];

	if (c->socks == NULL && !c->no_next && c->next_addr < c->n_addr)
	{
		c->again = true;		/* the next address */
		return;
	}
	if (c->slow || err == ETIMEDOUT)
		ws_end(c, NET_TIMEOUT, "timeout while connecting");
	else if (err == EMFILE || err == ENFILE || err == ENOMEM || err == ENOBUFS)
		ws_end(c, NET_RESOURCES, strerror(err));
	else if (err != 0)
		ws_end(c, err == ECONNREFUSED ? NET_CONNECT_REFUSED : NET_CONNECT_FAILED, strerror(err));
	else
	{
		snprintf(why, sizeof(why), "could not connect%s%s", c->error[0] ? ": " : "", c->error);
		ws_end(c, c->socks != NULL ? NET_PROXY_FAILED : NET_CONNECT_FAILED, why);
	}
}

/* The attempt is over and nobody has said why yet. */
void
ws_classify(WsConn *c)
{
	char		why[160];

	switch (c->phase)
	{
		case WS_TLS:
			if (c->tls_verdict != 0 && !c->net->config.insecure_tls)
				ws_end(c, NET_TLS_CERTIFICATE, ws_tls_verdict_text(c->tls_verdict));
			else
				ws_end(c, NET_TLS_FAILED, c->error[0] ? c->error : "TLS handshake failed");
			break;
		case WS_UPGRADING:
			if (c->http_status == 400 && !c->no_deflate)
			{
				/* Some servers cannot read the offer: once more without. */
				c->no_deflate = true;
				if (c->socks != NULL)
				{
					socks_close(c->socks);	/* one-shot */
					c->socks = NULL;
					c->phase = WS_NEW;
					break;
				}
				c->next_addr--;
				c->phase = WS_CONNECTING;
				c->mark = uv_hrtime();
				c->no_next = true;
				c->again = true;
				break;
			}
			if (c->http_status != 0 && c->http_status != 101)
			{
				snprintf(why, sizeof(why), "HTTP status %d", c->http_status);
				ws_end(c, NET_HTTP_STATUS, why);
			}
			else if (c->error[0] != '\0' && c->http_status == 101)
				ws_end(c, NET_NOT_WEBSOCKET, c->error);
			else if (!c->url.tls && ws_peer_spoke(c))
				ws_end(c, NET_NOT_WEBSOCKET, "the answer is not HTTP");
			else
				ws_end(c, NET_DISCONNECTED, "the peer hung up before it answered");
			break;
		case WS_OPEN:
			ws_end(c, NET_DISCONNECTED, "the peer went away");
			break;
		default:
			classify_connect(c);
			break;
	}
}

/*
 * Ends it from within the receive callback.  Not by returning -1: then
 * libwebsockets 4.1.6 neither empties its buffer nor stops reading, and what
 * the peer sends until the connection is gone is written behind that buffer.
 * So go on taking pieces (receive() drops them) until the writeable callback
 * closes.
 */
static int
fail_open(WsConn *c, int status, NetFailure failure, const char *reason)
{
	c->close_status = status;
	ws_end(c, failure, reason);
	return 0;
}

static int
receive(WsConn *c, struct lws *wsi, const char *data, size_t len)
{
	bool		last = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;

	c->bytes_received += len;
	if (c->ended)
		return 0;
	ws_heard(c);
	if (lws_frame_is_binary(wsi))
		return fail_open(c, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, NET_PROTOCOL,
						 "the peer sent a binary message");
	if (!c->in_message)
	{
		c->in_message = true;
		c->in_max = c->net->config.max_message_size;
		c->in.max = c->in_max;
		nostr_buf_reset(&c->in);
	}
	if (len > c->in_max - c->in.len)
		return fail_open(c, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NET_TOO_LARGE,
						 "the message is too large");
	if (last && c->in.len == 0)
	{
		c->in_message = false;
		c->cb.message(c, c->user, data, len);	/* whole: no copy */
		return 0;
	}
	nostr_buf_append(&c->in, data, len);
	if (c->in.failed)
		return fail_open(c, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, NET_RESOURCES,
						 "out of memory");
	if (last)
	{
		c->in_message = false;
		c->cb.message(c, c->user, (const char *) c->in.data, c->in.len);
		/* One large message must not keep its memory for ever. */
		if (c->in.cap > 64 * 1024)
			nostr_buf_free(&c->in);
		else
			nostr_buf_reset(&c->in);
	}
	return 0;
}

static int
writeable(WsConn *c, struct lws *wsi)
{
	WsOut	   *out = c->out;

	if (c->ended)
	{
		lws_close_reason(wsi, c->close_status != 0 ? (enum lws_close_status) c->close_status :
						 LWS_CLOSE_STATUS_NORMAL, NULL, 0);
		return -1;
	}
	if (c->ping_due)
	{
		uint8_t		ping[LWS_PRE];

		c->ping_due = false;
		if (lws_write(wsi, ping + LWS_PRE, 0, LWS_WRITE_PING) < 0)
			return -1;
		if (out != NULL)
			lws_callback_on_writable(wsi);	/* one write at a time */
		return 0;
	}
	if (out == NULL)
		return 0;
	c->out = out->next;
	if (c->out == NULL)
		c->out_tail = &c->out;
	c->out_bytes -= out->len;
	c->sent = uv_hrtime();
	if (lws_write(wsi, out->data + LWS_PRE, out->len, LWS_WRITE_TEXT) < 0)
	{
		free(out);
		return -1;
	}
	free(out);
	if (c->out != NULL)
		lws_callback_on_writable(wsi);
	return 0;
}

bool
ws_send(WsConn *c, const char *data, size_t len)
{
	WsOut	   *out;

	if (c->ended || c->phase != WS_OPEN || !c->wsi_live ||
		len > WS_MAX_QUEUED || c->out_bytes > WS_MAX_QUEUED - len)
		return false;
	out = malloc(sizeof(*out) + LWS_PRE + len + 1);
	if (out == NULL)
		return false;
	out->next = NULL;
	out->len = len;
	memcpy(out->data + LWS_PRE, data, len);
	*c->out_tail = out;
	c->out_tail = &out->next;
	c->out_bytes += len;
	lws_callback_on_writable(c->wsi);
	return true;
}

void
ws_pause(WsConn *c, bool paused)
{
	if (c->paused == paused)
		return;
	c->paused = paused;
	if (!paused)
		ws_heard(c);
	if (!c->ended && c->wsi_live && c->phase == WS_OPEN)
		lws_rx_flow_control(c->wsi, paused ? 0 : 1);
}

static void
established(WsConn *c, struct lws *wsi)
{
	ws_enter(c, WS_OPEN);
	uv_timer_stop(&c->timer);
	if (c->fd_dup >= 0)
		close(c->fd_dup);
	c->fd_dup = -1;
	/* Inflate in pieces of 8 KB, not 1 KB. */
	lws_set_extension_option(wsi, "permessage-deflate", "rx_buf_size", "13");
	nostr_buf_init(&c->in, c->net->config.max_message_size);
	if (c->paused)
		lws_rx_flow_control(wsi, 0);
	c->cb.opened(c, c->user);
}

static int
append_headers(WsConn *c, struct lws *wsi, unsigned char **p, size_t len)
{
	const char *agent = c->net->config.user_agent;

	if (c->phase == WS_CONNECTING)
		c->arrived = arrival_connected(lws_get_socket_fd(wsi), c->mark);
	if (c->phase == WS_CONNECTING || c->phase == WS_TLS)
		ws_enter(c, WS_UPGRADING);
	/* The socket is closed before WSI_DESTROY, so keep it to ask it then. */
	if (c->fd_dup < 0 && !c->url.tls)
		c->fd_dup = fcntl(lws_get_socket_fd(wsi), F_DUPFD_CLOEXEC, 0);
	if (agent[0] == '\0')
		return 0;
	return lws_add_http_header_by_name(wsi, (const unsigned char *) "User-Agent:",
									   (const unsigned char *) agent, (int) strlen(agent),
									   p, *p + len);
}

/* libwebsockets closed an open connection: did the peer go, or did it break
 * RFC 6455?  In the second case the socket is still alive. */
static void
closed_open(WsConn *c, struct lws *wsi)
{
	char		byte;
	int			fd = lws_get_socket_fd(wsi);

	if (c->ended || fd < 0)
		return;
	if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0 || errno == EAGAIN)
		ws_end(c, NET_PROTOCOL, "the peer broke the WebSocket protocol");
}

int
ws_lws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	WsConn	   *c;

	(void) user;
	if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS)
	{
		ws_tls_setup(lws_context_user(lws_get_context(wsi)), user);
		return 0;
	}
	c = wsi != NULL ? lws_get_opaque_user_data(wsi) : NULL;
	if (c == NULL || !c->wsi_live || c->wsi != wsi)
		return 0;

	switch (reason)
	{
		case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
			return ws_tls_verify(c, user, (int) len);
		case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
			return append_headers(c, wsi, in, len);
		case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
			snprintf(c->error, sizeof(c->error), "%.*s", (int) len, in != NULL ? (char *) in : "");
			if (c->phase == WS_CONNECTING)
				c->connect_error = connect_error(wsi, c->error);
			if (c->phase == WS_UPGRADING)
			{
				c->http_status = (int) lws_http_client_http_response(wsi);
				observe_answer(c, wsi);
			}
			break;
		case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
			observe_answer(c, wsi);
			break;
		case LWS_CALLBACK_CLIENT_ESTABLISHED:
			if (!c->ended)
				established(c, wsi);
			break;
		case LWS_CALLBACK_CLIENT_RECEIVE:
			return receive(c, wsi, in, len);
		case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
			ws_heard(c);
			break;
		case LWS_CALLBACK_CLIENT_WRITEABLE:
			return writeable(c, wsi);
		case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
			ws_end(c, NET_DISCONNECTED, "the peer closed the connection");
			break;
		case LWS_CALLBACK_CLIENT_CLOSED:
			closed_open(c, wsi);
			break;
		case LWS_CALLBACK_WSI_DESTROY:
			ws_attempt_over(c);
			break;
		default:
			break;
	}
	return 0;
}
