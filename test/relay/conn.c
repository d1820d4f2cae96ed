/*
 * conn.c
 *
 * Listening, connections, and the queue of what they are to be sent.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static void
relay_gone(Relay *r)
{
	if (--r->handles > 0)
		return;
	if (r->stopped != NULL)
		r->stopped(r->user);
	relay_plan_free(&r->plan);
	tls_close(r);
	free(r);
}

static void
conn_gone(uv_handle_t *h)
{
	Conn	   *c = h->data;

	if (--c->handles > 0)
		return;
	while (c->head != NULL)
	{
		Segment    *s = c->head;

		c->head = s->next;
		nostr_buf_free(&s->buf);
		free(s);
	}
	for (int i = 0; i < RELAY_MAX_SUBS; i++)
		json_decref(c->sub[i].filters);
	neg_free(c);
	tls_end(c);
	nostr_buf_free(&c->message);
	free(c->in);
	if (c->next != NULL)
		c->next->link = c->link;
	*c->link = c->next;
	relay_gone(c->relay);
	free(c);
}

void
conn_close(Conn *c)
{
	if (c->closing)
		return;
	c->closing = true;
	uv_close((uv_handle_t *) &c->timer, conn_gone);
	if (!c->ending || c->script->drop_how != RELAY_DROP_RESET ||
		uv_tcp_close_reset(&c->tcp, conn_gone) != 0)
		uv_close((uv_handle_t *) &c->tcp, conn_gone);
}

static Segment *
segment_new(Conn *c, uint32_t wait_ms)
{
	Segment    *s = calloc(1, sizeof(Segment));

	nostr_buf_init(&s->buf, RELAY_MAX_OUT);
	s->wait_ms = wait_ms;
	if (c->script->latency_ms > 0)
		s->not_before = uv_now(c->relay->loop) + (uint64_t) c->script->latency_ms;
	if (c->head == NULL)
		c->head = s;
	else
		c->tail->next = s;
	c->tail = s;
	return s;
}

void
conn_bytes(Conn *c, const void *data, size_t len)
{
	/* what is said at another moment arrives at another */
	if (c->head == NULL || (c->script->latency_ms > 0 && c->tail->not_before !=
							uv_now(c->relay->loop) + (uint64_t) c->script->latency_ms))
		segment_new(c, 0);
	nostr_buf_append(&c->tail->buf, data, len);
}

void
conn_wait(Conn *c, int ms)
{
	if (ms > 0)
		segment_new(c, (uint32_t) ms);
}

void
conn_end(Conn *c)
{
	c->ending = true;
}

/* Half there, for the client: bytes are acknowledged, and that is all. */
static bool
muted(const Conn *c)
{
	return c->script->mute_ms > 0 &&
		uv_now(c->relay->loop) - c->began >= (uint64_t) c->script->mute_ms;
}

typedef struct Write
{
	uv_write_t	req;
	NostrBuf	buf;
} Write;

static void
on_timer(uv_timer_t *t)
{
	Conn	   *c = t->data;

	c->busy = false;
	conn_pump(c);
}

static void
on_written(uv_write_t *req, int status)
{
	Write	   *w = (Write *) req;
	Conn	   *c = req->handle->data;

	nostr_buf_free(&w->buf);
	free(w);
	c->busy = false;
	if (status < 0)
		conn_close(c);
	else if (!c->closing && c->script->drip_bytes > 0 && c->script->drip_ms > 0)
	{
		c->busy = true;
		uv_timer_start(&c->timer, on_timer, (uint64_t) c->script->drip_ms, 0);
	}
	else
		conn_pump(c);
}

static void
flood_more(Conn *c)
{
	char		text[200];
	Segment    *s = segment_new(c, 0);

	while (s->buf.len < RELAY_FLOOD_PIECE)
	{
		switch (c->flooding)
		{
			case RELAY_FLOOD_EVENTS:
				if (c->relay->store->n == 0)
					frame_str(c, "[]");
				else
					answer_event(c, c->flood_sub, c->relay->store->item[random_next(&c->relay->random) %
						(uint64_t) c->relay->store->n]);
				break;
			case RELAY_FLOOD_NOTICES:
				snprintf(text, sizeof(text), "[\"NOTICE\",\"%llx\"]",
						 (unsigned long long) random_next(&c->relay->random));
				frame_str(c, text);
				break;
			case RELAY_FLOOD_PINGS:
				frame_control(c, 9, "ping", 4);
				break;
			default:
				frame_str(c, "{\"a\":[[[[[[1,2,3]]]]]]}");
		}
	}
	c->flooded += s->buf.len;
	if (c->flooded >= (unsigned long long) c->script->flood_mb << 20)
		c->flooding = 0;
}

static void
write_piece(Conn *c, Segment *s, size_t n)
{
	Write	   *w = calloc(1, sizeof(Write));
	uv_buf_t	u;

	nostr_buf_init(&w->buf, RELAY_MAX_OUT);
	if (s->at == 0 && n == s->buf.len)
	{
		w->buf = s->buf;
		nostr_buf_init(&s->buf, RELAY_MAX_OUT);
		s->at = 0;
	}
	else
	{
		nostr_buf_append(&w->buf, s->buf.data + s->at, n);
		s->at += n;
	}
	if (c->ssl != NULL)
		tls_wrap(c, &w->buf);
	u = uv_buf_init((char *) w->buf.data, (unsigned) w->buf.len);
	c->relay->counters.bytes_out += n;
	c->busy = true;
	if (uv_write(&w->req, (uv_stream_t *) &c->tcp, &u, 1, on_written) != 0)
	{
		nostr_buf_free(&w->buf);
		free(w);
		c->busy = false;
		conn_close(c);
	}
}

void
conn_pump(Conn *c)
{
	while (!c->busy && !c->closing && !muted(c))
	{
		Segment    *s = c->head;
		size_t		left;

		if (s == NULL && c->flooding != 0)
		{
			flood_more(c);
			continue;
		}
		if (s == NULL)
		{
			if (c->ending)
				conn_close(c);
			return;
		}
		if (s->wait_ms > 0)
		{
			c->busy = true;
			uv_timer_start(&c->timer, on_timer, s->wait_ms, 0);
			s->wait_ms = 0;
			return;
		}
		if (s->not_before > uv_now(c->relay->loop))
		{
			c->busy = true;
			uv_timer_start(&c->timer, on_timer, s->not_before - uv_now(c->relay->loop), 0);
			return;
		}
		left = s->buf.len - s->at;
		if (left == 0)
		{
			c->head = s->next;
			nostr_buf_free(&s->buf);
			free(s);
			continue;
		}
		if (c->script->drip_bytes > 0 && left > (size_t) c->script->drip_bytes)
			left = (size_t) c->script->drip_bytes;
		write_piece(c, s, left);
	}
}

static void
on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	static char space[65536];

	(void) h;
	(void) hint;
	*buf = uv_buf_init(space, sizeof(space));
}

static void
take_input(Conn *c)
{
	size_t		used = 0;

	if (!c->upgraded)
	{
		char	   *end = strstr((char *) c->in, "\r\n\r\n");

		if (end == NULL)
			return;
		used = (size_t) (end + 4 - (char *) c->in);
		*end = '\0';
		http_request(c, (char *) c->in);
	}
	while (c->upgraded && used < c->in_len && !c->closing)
	{
		size_t		k = frame_take(c, c->in + used, c->in_len - used);

		if (k == 0)
			break;
		used += k;
	}
	memmove(c->in, c->in + used, c->in_len - used);
	c->in_len -= used;
	conn_pump(c);
}

void
conn_input(Conn *c, const void *data, size_t n)
{
	if (c->in_len + n > RELAY_MAX_IN)
	{
		conn_close(c);
		return;
	}
	c->in = realloc(c->in, c->in_len + n + 1);
	memcpy(c->in + c->in_len, data, n);
	c->in_len += n;
	c->in[c->in_len] = '\0';
	take_input(c);
}

static void
on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	Conn	   *c = s->data;

	if (n < 0)
	{
		conn_close(c);
		return;
	}
	c->relay->counters.bytes_in += (unsigned long long) n;
	if (muted(c))
		return;
	if (c->ssl != NULL)
		tls_take(c, buf->base, (size_t) n);
	else
		conn_input(c, buf->base, (size_t) n);
}

static void
on_connection(uv_stream_t *server, int status)
{
	Relay	   *r = server->data;
	Conn	   *c = calloc(1, sizeof(Conn));

	c->relay = r;
	c->script = relay_plan_for(&r->plan, ++r->counters.connections);
	nostr_buf_init(&c->message, RELAY_MAX_IN);
	uv_tcp_init(r->loop, &c->tcp);
	uv_timer_init(r->loop, &c->timer);
	c->tcp.data = c->timer.data = c;
	c->handles = 2;
	c->began = uv_now(r->loop);
	c->next = r->conns;
	c->link = &r->conns;
	if (c->next != NULL)
		c->next->link = &c->next;
	r->conns = c;
	r->handles++;
	if (status != 0 || uv_accept(server, (uv_stream_t *) &c->tcp) != 0)
		conn_close(c);
	else
	{
		tls_begin(c);
		uv_tcp_nodelay(&c->tcp, 1);	/* as real servers: answers are not held back */
		uv_read_start((uv_stream_t *) &c->tcp, on_alloc, on_read);
	}
}

static void
copy_plan(RelayPlan *to, const RelayPlan *from)
{
	*to = *from;
	to->nth = calloc((size_t) from->n + 1, sizeof(RelayScript));
	if (from->n > 0)
		memcpy(to->nth, from->nth, (size_t) from->n * sizeof(RelayScript));
}

static void
server_gone(uv_handle_t *h)
{
	relay_gone(h->data);
}

int
relay_start(uv_loop_t *loop, const RelayPlan *plan, RelayStore *store, int port, Relay **relay)
{
	Relay	   *r = calloc(1, sizeof(Relay));
	struct sockaddr_storage addr;
	int			len = sizeof(addr);

	r->loop = loop;
	r->store = store;
	r->handles = 1;
	copy_plan(&r->plan, plan);
	relay_store_sort(store);
	uv_tcp_init(loop, &r->server);
	r->server.data = r;
	if (!tls_open(r) ||
		uv_ip4_addr(r->plan.base.listen, port, (struct sockaddr_in *) &addr) != 0 ||
		uv_tcp_bind(&r->server, (struct sockaddr *) &addr, 0) != 0 ||
		uv_listen((uv_stream_t *) &r->server, 512, on_connection) != 0 ||
		uv_tcp_getsockname(&r->server, (struct sockaddr *) &addr, &len) != 0)
	{
		uv_close((uv_handle_t *) &r->server, server_gone);
		return -1;
	}
	r->port = ntohs(((struct sockaddr_in *) &addr)->sin_port);
	*relay = r;
	return r->port;
}

void
relay_stop(Relay *r, void (*stopped) (void *user), void *user)
{
	if (r->stopping)
		return;
	r->stopping = true;
	r->stopped = stopped;
	r->user = user;
	for (Conn *c = r->conns; c != NULL; c = c->next)
		conn_close(c);
	uv_close((uv_handle_t *) &r->server, server_gone);
}

const RelayCounters *
relay_counters(const Relay *r)
{
	return &r->counters;
}

bool
relay_publish(Relay *r, const char *json, size_t len)
{
	RelayItem  *it = relay_store_add(r->store, json, len, true);

	if (it == NULL)
		return false;
	for (Conn *c = r->conns; c != NULL; c = c->next)
	{
		if (!c->closing)
		{
			message_push(c, it);
			conn_pump(c);
		}
	}
	return true;
}
