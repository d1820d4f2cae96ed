/*
 * netd_io.c
 *
 * The bytes between a worker and bigbrotr-net.
 *
 * Guarantees: nothing blocks; what is read and queued is bounded; only whole
 * frames of known length are handed out, after HELLO.  Must survive: any
 * bytes from the child, a socket that is full or closed.
 */
#include "pg/compat.h"

#include <sys/socket.h>

#include "utils/timestamp.h"

#include "pg/netd.h"
#include "pg/netd_internal.h"

#define OUT_MAX			(64 * 1024 * 1024)
#define IN_MAX			(WIRE_MAX_PAYLOAD + WIRE_HEADER_SIZE + 256 * 1024)
#define READ_PER_POLL	(4 * 1024 * 1024)
#define READ_CHUNK		(256 * 1024)
#define LAST_WORDS		8		/* lines of log */

void
netd_io_init(void)
{
	nostr_buf_init(&netd_child.in, IN_MAX);
	nostr_buf_init(&netd_child.out, OUT_MAX);
}

void
netd_io_reset(void)
{
	nostr_buf_reset(&netd_child.in);
	nostr_buf_reset(&netd_child.out);
	netd_child.in_done = netd_child.out_done = 0;
}

/* The text may quote a relay: only printable ASCII reaches the log. */
static bool
handle_log(const WireFrame *f)
{
	static const int levels[] = {DEBUG1, LOG, WARNING};
	char		text[WIRE_MAX_TEXT + 1];
	WireReader	r;
	const uint8_t *p;
	uint8		level;
	size_t		n;

	wire_reader(&r, f);
	level = wire_get_u8(&r);
	p = wire_get_bytes(&r, WIRE_MAX_TEXT, &n);
	if (!wire_done(&r) || level >= lengthof(levels))
		return false;
	for (size_t i = 0; i < n; i++)
		text[i] = p[i] >= 0x20 && p[i] < 0x7f ? (char) p[i] : '?';
	text[n] = '\0';
	ereport(levels[level], (errmsg_internal("bigbrotr-net: %s", text)));
	return true;
}

/*
 * A child says why before it ends, and that may still be on its way when the
 * end is noticed.  Everything else in there is dropped: its jobs are due again.
 */
static void
last_words(void)
{
	int			left = LAST_WORDS;
	WireFrame	f;
	size_t		used;
	uint8	   *p;

	while (netd_child.sock >= 0 && (p = nostr_buf_reserve(&netd_child.in, READ_CHUNK)) != NULL)
	{
		ssize_t		n = recv(netd_child.sock, p, READ_CHUNK, MSG_DONTWAIT);

		if (n > 0)
			netd_child.in.len += n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	while (left > 0 &&
		   wire_next(netd_child.in.data + netd_child.in_done, netd_child.in.len - netd_child.in_done, &f, &used) == 1)
	{
		netd_child.in_done += used;
		if (f.type == WIRE_LOG && handle_log(&f))
			left--;
	}
}

NostrBuf *
netd_out(void)
{
	return &netd_child.out;
}

void
netd_flush(void)
{
	if (netd_child.pid == 0)
		return;
	if (netd_child.out.failed)
	{
		netd_lose("it does not read what it is sent");
		return;
	}
	while (netd_child.out_done < netd_child.out.len)
	{
		ssize_t		n = send(netd_child.sock, netd_child.out.data + netd_child.out_done,
							 netd_child.out.len - netd_child.out_done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			netd_child.out_done += n;
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		else
		{
			last_words();
			netd_lose("it closed its socket");
			return;
		}
	}
	if (netd_child.out_done == netd_child.out.len)
	{
		nostr_buf_reset(&netd_child.out);
		netd_child.out_done = 0;
	}
	else if (netd_child.out_done > OUT_MAX / 4)
	{
		memmove(netd_child.out.data, netd_child.out.data + netd_child.out_done, netd_child.out.len - netd_child.out_done);
		netd_child.out.len -= netd_child.out_done;
		netd_child.out_done = 0;
	}
}

void
netd_io_compact(void)
{
	if (netd_child.in_done == 0)
		return;
	memmove(netd_child.in.data, netd_child.in.data + netd_child.in_done, netd_child.in.len - netd_child.in_done);
	netd_child.in.len -= netd_child.in_done;
	netd_child.in_done = 0;
}

void
netd_io_read(void)
{
	size_t		total = 0;

	while (netd_child.pid != 0 && total < READ_PER_POLL)
	{
		size_t		room = Min(READ_CHUNK, IN_MAX - netd_child.in.len);
		uint8	   *p;
		ssize_t		n;

		if (room == 0)
			return;
		p = nostr_buf_reserve(&netd_child.in, room);
		if (p == NULL)
		{
			netd_lose("out of memory for its answers");
			return;
		}
		n = recv(netd_child.sock, p, room, MSG_DONTWAIT);
		if (n > 0)
		{
			netd_child.in.len += n;
			total += n;
			netd_child.heard = GetCurrentTimestamp();
		}
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		else
		{
			last_words();
			netd_lose("it ended");
			return;
		}
	}
}

/* 1: a whole frame is in the buffer; 0: not yet; the child may be lost. */
static int
peek(WireFrame *f, size_t *used)
{
	int			rc;

	if (netd_child.pid == 0 || netd_child.in_done >= netd_child.in.len)
		return 0;
	rc = wire_next(netd_child.in.data + netd_child.in_done, netd_child.in.len - netd_child.in_done, f, used);
	if (rc < 0)
	{
		netd_lose("it sent a malformed frame");
		return 0;
	}
	return rc;
}

static void
handle_hello(const WireFrame *f)
{
	WireReader	r;
	uint32		version;
	size_t		n;

	wire_reader(&r, f);
	version = wire_get_u32(&r);
	(void) wire_get_bytes(&r, WIRE_MAX_TEXT, &n);
	(void) wire_get_bytes(&r, WIRE_MAX_TEXT, &n);
	if (!wire_done(&r) || version != WIRE_VERSION)
	{
		netd_malformed("HELLO of another version");
		return;
	}
	netd_child.hello = true;
}

bool
netd_io_find(WireFrame *f, size_t *used)
{
	while (peek(f, used) == 1)
	{
		if (f->type == WIRE_LOG)
		{
			if (!handle_log(f))
				netd_malformed("LOG");
		}
		else if (f->type == WIRE_HELLO)
			handle_hello(f);
		else if (!netd_child.hello)
			netd_malformed("a frame before HELLO");
		else if (f->type != WIRE_PONG)
			return true;
		if (netd_child.pid != 0)
			netd_child.in_done += *used;
	}
	return false;
}

bool
netd_next(WireFrame *f)
{
	size_t		used;

	if (!netd_io_find(f, &used))
		return false;
	netd_child.in_done += used;
	return true;
}

void
netd_malformed(const char *what)
{
	char		why[128];

	snprintf(why, sizeof(why), "it sent a malformed frame (%s)", what);
	netd_lose(why);
}
