/*
 * channel.c
 *
 * Guarantees: frames are handed out whole and checked for length; what is
 * queued is bounded (an overflow ends the process, it is never dropped).
 */
#include "../nostr/pgfree.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "fatal.h"

#define READ_SIZE	65536

static uv_pipe_t chan;
static uv_write_t req;
static ChannelCallbacks cb;
static NostrBuf in;
static NostrBuf out;
static NostrBuf flying;
static bool writing;
static bool high;

static void
on_alloc(uv_handle_t *h, size_t want, uv_buf_t *b)
{
	(void) h;
	(void) want;
	b->base = (char *) nostr_buf_reserve(&in, READ_SIZE);
	b->len = b->base != NULL ? READ_SIZE : 0;
}

static void
on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	size_t		at = 0;
	WireFrame	f;
	size_t		used;
	int			r = 0;

	(void) s;
	(void) b;
	if (n == UV_ENOBUFS || n == UV_ENOMEM)
		fatal_no_memory();
	if (n < 0)
	{
		cb.ended(n == UV_EOF ? NULL : uv_strerror((int) n));
		return;
	}
	in.len += (size_t) n;
	while ((r = wire_next(in.data + at, in.len - at, &f, &used)) == 1)
	{
		at += used;
		cb.frame(&f);
	}
	if (r < 0)
	{
		channel_log(2, "the worker sent a malformed frame");
		channel_drain();
		cb.ended("malformed frame");
		return;
	}
	memmove(in.data, in.data + at, in.len - at);
	in.len -= at;
}

bool
channel_open(uv_loop_t *loop, int fd, const ChannelCallbacks *callbacks)
{
	cb = *callbacks;
	nostr_buf_init(&in, WIRE_MAX_PAYLOAD + WIRE_HEADER_SIZE + READ_SIZE);
	nostr_buf_init(&out, CHANNEL_MAX);
	nostr_buf_init(&flying, CHANNEL_MAX);
	return uv_pipe_init(loop, &chan, 0) == 0 && uv_pipe_open(&chan, fd) == 0 &&
		uv_read_start((uv_stream_t *) &chan, on_alloc, on_read) == 0;
}

NostrBuf *
channel_out(void)
{
	return &out;
}

static void
check_level(void)
{
	size_t		n = out.len + flying.len;

	if (!high && n > CHANNEL_HIGH)
	{
		high = true;
		cb.level(true);
	}
	else if (high && n < CHANNEL_HIGH / 2)
	{
		high = false;
		cb.level(false);
	}
}

static void
on_written(uv_write_t *w, int status)
{
	(void) w;
	writing = false;
	nostr_buf_reset(&flying);
	if (flying.cap > CHANNEL_HIGH)
		nostr_buf_free(&flying);
	if (status < 0)
	{
		cb.ended(uv_strerror(status));
		return;
	}
	channel_flush();
}

void
channel_flush(void)
{
	uv_buf_t	b;

	if (out.failed)
		fatal_no_memory();
	if (!writing && out.len > 0)
	{
		NostrBuf	t = flying;

		flying = out;
		out = t;
		b = uv_buf_init((char *) flying.data, (unsigned) flying.len);
		writing = true;
		if (uv_write(&req, (uv_stream_t *) &chan, &b, 1, on_written) != 0)
			cb.ended("cannot write");
	}
	check_level();
}

void
channel_log(uint8_t level, const char *text)
{
	size_t		mark = wire_begin(&out, WIRE_LOG, 0);

	wire_put_u8(&out, level);
	wire_put_str(&out, text);
	wire_end(&out, mark);
	channel_flush();
}

void
channel_drain(void)
{
	for (int i = 0; i < 100 && (writing || out.len > 0); i++)
	{
		uv_run(chan.loop, UV_RUN_NOWAIT);
		if (writing)
			usleep(10000);
	}
}
