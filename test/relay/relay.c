/*
 * relay.c
 *
 * A relay for tests and benchmarks: serves the events of a file (one JSON
 * line each) over plain WebSocket on loopback, and misbehaves on command.
 *
 *   relay --port N --events FILE [--cap N] [--mode MODE] [--corrupt N]
 *         [--drop-after N]
 *
 * MODE: ok          newest first, EOSE (default)
 *       oldest      oldest first
 *       silent      never answers a REQ
 *       closed      answers CLOSED "auth-required: ..."
 *       notice      answers only NOTICE
 *       notnostr    speaks WebSocket but answers nonsense
 *       no-upgrade  HTTP 404 to everything
 *       badutf8     events carry invalid UTF-8
 * --cap:        most events in one answer (default 500)
 * --corrupt:    every Nth event of the file has a broken signature
 * --drop-after: closes the connection after N events, once per REQ
 *
 * Prints "listening PORT" when ready (port 0: the kernel chooses).  Counts
 * REQs and events; SIGUSR1 prints them.  Everything is in memory and
 * preformatted, so that the relay is not what a benchmark measures.
 */
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "nostr/event.h"
#include "nostr/hex.h"

#define MAX_IN (1 << 20)

typedef struct Item
{
	int64_t		created_at;
	int			kind;
	uint8_t		id[32];
	char	   *json;
	size_t		len;
} Item;

typedef struct Client
{
	uv_tcp_t	tcp;
	bool		upgraded;
	bool		closing;
	uint8_t    *in;
	size_t		in_len;
} Client;

static Item *items;				/* newest first; equal times: lowest id first */
static long nitems;
static long cap = 500;
static long corrupt = 0;
static long drop_after = 0;
static const char *mode = "ok";
static unsigned long reqs, sent;

static bool
is_mode(const char *name)
{
	return strcmp(mode, name) == 0;
}

static int
newest_first(const void *a, const void *b)
{
	const Item *x = a;
	const Item *y = b;

	if (x->created_at != y->created_at)
		return x->created_at > y->created_at ? -1 : 1;
	return memcmp(x->id, y->id, 32);
}

static void
load(const char *path)
{
	FILE	   *f = fopen(path, "r");
	char	   *line = NULL;
	size_t		size = 0;
	ssize_t		len;
	long		room = 0;
	NostrBuf	scratch;

	if (f == NULL)
	{
		perror(path);
		exit(1);
	}
	nostr_buf_init(&scratch, NOSTR_EVENT_MAX_SIZE);
	while ((len = getline(&line, &size, f)) > 0)
	{
		NostrEvent	ev;

		if (line[len - 1] == '\n')
			line[--len] = '\0';
		nostr_buf_reset(&scratch);
		(void) nostr_event_parse(line, len, &scratch, &ev, NULL);
		if (nitems == room)
			items = realloc(items, (room = room ? room * 2 : 1024) * sizeof(Item));
		items[nitems] = (Item) {.created_at = ev.created_at,.kind = ev.kind,.json = strdup(line),.len = len};
		memcpy(items[nitems].id, ev.id, 32);
		if (corrupt > 0 && nitems % corrupt == corrupt - 1)
		{
			char	   *sig = strstr(items[nitems].json, "\"sig\":\"");

			if (sig != NULL)
				sig[20] = sig[20] == 'a' ? 'b' : 'a';
		}
		nitems++;
	}
	qsort(items, nitems, sizeof(Item), newest_first);
	free(line);
	fclose(f);
	nostr_buf_free(&scratch);
}

/* --- WebSocket frames --- */

static void
free_client(uv_handle_t *h)
{
	Client	   *c = (Client *) h;

	free(c->in);
	free(c);
}

static void
drop(Client *c)
{
	if (!c->closing)
	{
		c->closing = true;
		uv_close((uv_handle_t *) &c->tcp, free_client);
	}
}

typedef struct Write
{
	uv_write_t	req;
	NostrBuf	buf;
	bool		then_drop;
} Write;

static void
written(uv_write_t *req, int status)
{
	Write	   *w = (Write *) req;
	Client	   *c = (Client *) req->handle;

	if (status < 0 || w->then_drop)
		drop(c);
	nostr_buf_free(&w->buf);
	free(w);
}

static void
send_buf(Client *c, NostrBuf *b, bool then_drop)
{
	Write	   *w = calloc(1, sizeof(Write));
	uv_buf_t	u = uv_buf_init((char *) b->data, b->len);

	w->buf = *b;
	w->then_drop = then_drop;
	if (c->closing || uv_write(&w->req, (uv_stream_t *) &c->tcp, &u, 1, written) != 0)
	{
		nostr_buf_free(&w->buf);
		free(w);
	}
}

static void
frame_head(NostrBuf *b, int opcode, size_t len)
{
	nostr_buf_append_byte(b, 0x80 | opcode);
	if (len < 126)
		nostr_buf_append_byte(b, len);
	else if (len < 65536)
	{
		nostr_buf_append_byte(b, 126);
		nostr_buf_append_byte(b, len >> 8);
		nostr_buf_append_byte(b, len & 0xff);
	}
	else
	{
		nostr_buf_append_byte(b, 127);
		for (int i = 7; i >= 0; i--)
			nostr_buf_append_byte(b, (uint8_t) ((uint64_t) len >> (8 * i)));
	}
}

static void
text_frame(NostrBuf *b, const char *s)
{
	frame_head(b, 1, strlen(s));
	nostr_buf_append_str(b, s);
}

/* --- REQ --- */

static bool
in_list(json_t *list, const Item *it, bool ids)
{
	size_t		i;
	json_t	   *v;
	char		hex[65];

	if (list == NULL)
		return true;
	json_array_foreach(list, i, v)
	{
		if (ids)
		{
			nostr_hex_encode(it->id, 32, hex);
			hex[64] = '\0';
			if (json_is_string(v) && strcmp(json_string_value(v), hex) == 0)
				return true;
		}
		else if (json_integer_value(v) == it->kind)
			return true;
	}
	return false;
}

static void
answer_req(Client *c, const char *sub, json_t *filter)
{
	json_t	   *since = json_object_get(filter, "since");
	json_t	   *until = json_object_get(filter, "until");
	json_t	   *limit = json_object_get(filter, "limit");
	long		max = cap;
	long		n = 0;
	char		head[128];
	NostrBuf	b;
	bool		dropped = false;
	bool		ascending = is_mode("oldest");

	if (limit != NULL && json_integer_value(limit) < max)
		max = json_integer_value(limit);
	nostr_buf_init(&b, (size_t) 1 << 30);
	snprintf(head, sizeof(head), "[\"EVENT\",\"%s\",", sub);
	for (long k = 0; k < nitems && n < max; k++)
	{
		const Item *it = &items[ascending ? nitems - 1 - k : k];

		if ((since && it->created_at < json_integer_value(since)) ||
			(until && it->created_at > json_integer_value(until)) ||
			!in_list(json_object_get(filter, "kinds"), it, false) ||
			!in_list(json_object_get(filter, "ids"), it, true))
			continue;
		frame_head(&b, 1, strlen(head) + it->len + 1);
		nostr_buf_append_str(&b, head);
		nostr_buf_append(&b, it->json, it->len);
		if (is_mode("badutf8") && it->len > 200)
			b.data[b.len - 2] = 0xff;
		nostr_buf_append_byte(&b, ']');
		n++;
		sent++;
		if (drop_after > 0 && n >= drop_after)
		{
			dropped = true;
			break;
		}
	}
	if (!dropped)
	{
		snprintf(head, sizeof(head), "[\"EOSE\",\"%s\"]", sub);
		text_frame(&b, head);
	}
	send_buf(c, &b, dropped);
}

static void
on_message(Client *c, const char *msg, size_t len)
{
	json_t	   *m = json_loadb(msg, len, 0, NULL);
	const char *verb = json_string_value(json_array_get(m, 0));
	const char *sub = json_string_value(json_array_get(m, 1));
	char		out[256];
	NostrBuf	b;

	if (verb != NULL && sub != NULL && strcmp(verb, "REQ") == 0 && strlen(sub) <= 64)
	{
		reqs++;
		nostr_buf_init(&b, 4096);
		out[0] = '\0';
		if (is_mode("closed"))
			snprintf(out, sizeof(out), "[\"CLOSED\",\"%s\",\"auth-required: members only\"]", sub);
		else if (is_mode("notice"))
			snprintf(out, sizeof(out), "[\"NOTICE\",\"ERROR: bad req: no\"]");
		else if (is_mode("notnostr"))
			snprintf(out, sizeof(out), "{\"hello\":\"world\"}");
		else if (!is_mode("silent"))
			answer_req(c, sub, json_array_get(m, 2));
		if (out[0] != '\0')
		{
			text_frame(&b, out);
			send_buf(c, &b, false);
		}
	}
	json_decref(m);
}

/* --- connection --- */

static void
upgrade(Client *c)
{
	char	   *key = strcasestr((char *) c->in, "Sec-WebSocket-Key:");
	char		text[128];
	unsigned char digest[20];
	unsigned char accept[64];
	char		out[256];
	NostrBuf	b;

	nostr_buf_init(&b, 4096);
	if (key == NULL || is_mode("no-upgrade"))
	{
		nostr_buf_append_str(&b, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
		send_buf(c, &b, true);
		return;
	}
	key += strlen("Sec-WebSocket-Key:");
	while (*key == ' ')
		key++;
	snprintf(text, sizeof(text), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	SHA1((unsigned char *) text, strlen(text), digest);
	EVP_EncodeBlock(accept, digest, 20);
	snprintf(out, sizeof(out), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
	nostr_buf_append_str(&b, out);
	send_buf(c, &b, false);
	c->upgraded = true;
	c->in_len = 0;
}

/* Handles one whole frame; bytes used, 0: need more. */
static size_t
take_frame(Client *c, uint8_t *p, size_t n)
{
	size_t		head = 2;
	uint64_t	len;
	int			opcode;
	uint8_t    *mask;

	if (n < 2)
		return 0;
	opcode = p[0] & 15;
	len = p[1] & 127;
	if (len == 126)
	{
		if (n < 4)
			return 0;
		len = p[2] << 8 | p[3];
		head = 4;
	}
	else if (len == 127)
	{
		if (n < 10)
			return 0;
		len = 0;
		for (int i = 2; i < 10; i++)
			len = len << 8 | p[i];
		head = 10;
	}
	if (len > MAX_IN || n < head + 4 + len)
	{
		if (len > MAX_IN)
			drop(c);
		return 0;
	}
	mask = p + head;
	p += head + 4;
	for (uint64_t i = 0; i < len; i++)
		p[i] ^= mask[i % 4];
	if (opcode == 8)
		drop(c);
	else if (opcode == 9)
	{
		NostrBuf	b;

		nostr_buf_init(&b, 256);
		frame_head(&b, 10, len);
		nostr_buf_append(&b, p, len);
		send_buf(c, &b, false);
	}
	else if (opcode == 1)
		on_message(c, (char *) p, len);
	return head + 4 + len;
}

static void
on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	static char space[65536];

	*buf = uv_buf_init(space, sizeof(space));
}

static void
on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	Client	   *c = (Client *) s;
	size_t		used = 0;

	if (n < 0 || c->in_len + n > MAX_IN)
	{
		drop(c);
		return;
	}
	memcpy(c->in + c->in_len, buf->base, n);
	c->in_len += n;
	if (!c->upgraded)
	{
		c->in[c->in_len] = '\0';
		if (strstr((char *) c->in, "\r\n\r\n") != NULL)
			upgrade(c);
		return;
	}
	while (used < c->in_len && !c->closing)
	{
		size_t		k = take_frame(c, c->in + used, c->in_len - used);

		if (k == 0)
			break;
		used += k;
	}
	memmove(c->in, c->in + used, c->in_len - used);
	c->in_len -= used;
}

static void
on_connection(uv_stream_t *server, int status)
{
	Client	   *c = calloc(1, sizeof(Client));

	c->in = malloc(MAX_IN + 1);
	uv_tcp_init(server->loop, &c->tcp);
	if (status != 0 || uv_accept(server, (uv_stream_t *) &c->tcp) != 0)
		drop(c);
	else
		uv_read_start((uv_stream_t *) &c->tcp, on_alloc, on_read);
}

static void
on_usr1(uv_signal_t *s, int signum)
{
	printf("reqs %lu events %lu\n", reqs, sent);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	uv_loop_t  *loop = uv_default_loop();
	uv_tcp_t	server;
	uv_signal_t usr1;
	struct sockaddr_storage addr;
	int			addr_len = sizeof(addr);
	int			port = 0;
	const char *file = NULL;

	for (int i = 1; i + 1 < argc; i += 2)
	{
		if (strcmp(argv[i], "--port") == 0)
			port = atoi(argv[i + 1]);
		else if (strcmp(argv[i], "--events") == 0)
			file = argv[i + 1];
		else if (strcmp(argv[i], "--cap") == 0)
			cap = atol(argv[i + 1]);
		else if (strcmp(argv[i], "--mode") == 0)
			mode = argv[i + 1];
		else if (strcmp(argv[i], "--corrupt") == 0)
			corrupt = atol(argv[i + 1]);
		else if (strcmp(argv[i], "--drop-after") == 0)
			drop_after = atol(argv[i + 1]);
		else
		{
			fprintf(stderr, "relay: unknown option %s\n", argv[i]);
			return 2;
		}
	}
	if (file != NULL)
		load(file);
	uv_tcp_init(loop, &server);
	uv_ip4_addr("127.0.0.1", port, (struct sockaddr_in *) &addr);
	if (uv_tcp_bind(&server, (struct sockaddr *) &addr, 0) != 0 ||
		uv_listen((uv_stream_t *) &server, 512, on_connection) != 0)
	{
		fprintf(stderr, "relay: cannot listen on port %d\n", port);
		return 1;
	}
	uv_tcp_getsockname(&server, (struct sockaddr *) &addr, &addr_len);
	printf("listening %d\n", ntohs(((struct sockaddr_in *) &addr)->sin_port));
	fflush(stdout);
	uv_signal_init(loop, &usr1);
	uv_signal_start(&usr1, on_usr1, SIGUSR1);
	return uv_run(loop, UV_RUN_DEFAULT);
}
