/*
 * netd.c
 *
 * The worker's side of bigbrotr-net.
 *
 * Guarantees: at most one child; CONFIG is the first frame it gets; what is
 * read and queued is bounded; a child that ends, cannot be started, says
 * nothing or speaks nonsense is replaced after 1 s, doubling to 60 s; the
 * doubling ends with a child that worked for longer than it was waited for,
 * so that no more than about half of the time is lost to one that keeps
 * ending, and with a reload, which may be the repair; nothing of it remains
 * when the worker ends.  Must survive: any bytes from the child, a socket
 * that is full, errors and interrupts at every wait.
 */
#include "pg/compat.h"

#include <sys/socket.h>

#include "storage/ipc.h"
#include "utils/timestamp.h"

#include "pg/guc.h"
#include "pg/netd.h"
#include "pg/netd_config.h"
#include "pg/spawn.h"
#include "pg/worker_start.h"

#define OUT_MAX			(64 * 1024 * 1024)
#define IN_MAX			(WIRE_MAX_PAYLOAD + WIRE_HEADER_SIZE + 256 * 1024)
#define READ_PER_POLL	(4 * 1024 * 1024)
#define READ_CHUNK		(256 * 1024)
#define LAST_WORDS		8		/* lines of log */
#define BACKOFF_MIN		1000
#define BACKOFF_MAX		60000
#define HELLO_MS		10000	/* a child that says nothing until then is of no use */

static struct
{
	bool		initialised;
	int			pid;
	int			sock;
	bool		hello;
	bool		lost;
	NostrBuf	in;
	size_t		in_done;		/* consumed */
	NostrBuf	out;
	size_t		out_done;		/* written */
	NostrBuf	config;			/* as sent last */
	WaitEventSet *wait;
	TimestampTz started;
	TimestampTz next_start;
	int			waited;			/* ms, before the child there is */
	int			backoff;		/* ms, before the next one */
}			net = {.sock = -1};

static uint32 wait_event_net = 0;

static void
end_child(int code, Datum arg)
{
	if (net.wait)
		FreeWaitEventSet(net.wait);
	net.wait = NULL;
	bb_spawn_end(net.pid, net.sock);
	net.pid = 0;
	net.sock = -1;
	net.hello = false;
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

	while (net.sock >= 0 && (p = nostr_buf_reserve(&net.in, READ_CHUNK)) != NULL)
	{
		ssize_t		n = recv(net.sock, p, READ_CHUNK, MSG_DONTWAIT);

		if (n > 0)
			net.in.len += n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	while (left > 0 &&
		   wire_next(net.in.data + net.in_done, net.in.len - net.in_done, &f, &used) == 1)
	{
		net.in_done += used;
		if (f.type == WIRE_LOG && handle_log(&f))
			left--;
	}
}

/* The child is of no use any more: end it, forget what was on the way. */
static void
lose(const char *why)
{
	TimestampTz now = GetCurrentTimestamp();

	if (net.hello && TimestampDifferenceExceeds(net.started, now, net.waited))
		net.backoff = BACKOFF_MIN;
	net.next_start = TimestampTzPlusMilliseconds(now, net.backoff);
	net.waited = net.backoff;
	end_child(0, (Datum) 0);
	nostr_buf_reset(&net.in);
	nostr_buf_reset(&net.out);
	net.in_done = net.out_done = 0;
	net.lost = true;
	ereport(LOG,
			(errmsg("bigbrotr-net was lost: %s; a new one starts in %d s", why,
					net.backoff / 1000)));
	net.backoff = Min(net.backoff * 2, BACKOFF_MAX);
}

static void
send_config(bool force)
{
	NostrBuf	config;

	nostr_buf_init(&config, IN_MAX);
	netd_put_config(&config);
	if (force || config.len != net.config.len ||
		(config.len > 0 && memcmp(config.data, net.config.data, config.len) != 0))
	{
		nostr_buf_append(&net.out, config.data, config.len);
		nostr_buf_reset(&net.config);
		nostr_buf_append(&net.config, config.data, config.len);
	}
	nostr_buf_free(&config);
}

static void
start_child(void)
{
	char		program[MAXPGPATH];

	net.started = GetCurrentTimestamp();
	if (bb_net_program && bb_net_program[0])
		strlcpy(program, bb_net_program, MAXPGPATH);
	else
		snprintf(program, MAXPGPATH, "%s/bigbrotr-net", pkglib_path);

	/* whatever was queued while there was no child belongs to no job */
	if (net.out.len > 0)
		net.lost = true;
	nostr_buf_reset(&net.in);
	nostr_buf_reset(&net.out);
	net.in_done = net.out_done = 0;

	net.pid = bb_spawn_net(program, bb_net_memory_limit, &net.sock);
	if (net.pid < 0)
	{
		net.pid = 0;
		net.sock = -1;
		ereport(WARNING,
				(errcode_for_file_access(),
				 errmsg("could not start \"%s\": %m", program),
				 errhint("Install bigbrotr-net, or set bigbrotr.net_program.")));
		lose("it could not be started");
		return;
	}
	net.wait = bb_create_wait_set(3);
	AddWaitEventToSet(net.wait, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(net.wait, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(net.wait, WL_SOCKET_READABLE, net.sock, NULL, NULL);
	send_config(true);
	netd_flush();
}

void
netd_start(void)
{
	if (!net.initialised)
	{
		nostr_buf_init(&net.in, IN_MAX);
		nostr_buf_init(&net.out, OUT_MAX);
		nostr_buf_init(&net.config, IN_MAX);
		net.backoff = BACKOFF_MIN;
		net.initialised = true;
		before_shmem_exit(end_child, (Datum) 0);
	}
	if (net.pid == 0)
		start_child();
}

void
netd_reconfigure(void)
{
	if (net.pid == 0)
	{
		net.backoff = BACKOFF_MIN;
		net.next_start = GetCurrentTimestamp();
		return;
	}
	send_config(false);
	netd_flush();
}

NostrBuf *
netd_out(void)
{
	return &net.out;
}

void
netd_flush(void)
{
	if (net.pid == 0)
		return;
	if (net.out.failed)
	{
		lose("it does not read what it is sent");
		return;
	}
	while (net.out_done < net.out.len)
	{
		ssize_t		n = send(net.sock, net.out.data + net.out_done,
							 net.out.len - net.out_done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			net.out_done += n;
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		else
		{
			last_words();
			lose("it closed its socket");
			return;
		}
	}
	if (net.out_done == net.out.len)
	{
		nostr_buf_reset(&net.out);
		net.out_done = 0;
	}
	else if (net.out_done > OUT_MAX / 4)
	{
		memmove(net.out.data, net.out.data + net.out_done, net.out.len - net.out_done);
		net.out.len -= net.out_done;
		net.out_done = 0;
	}
}

static void
compact(void)
{
	if (net.in_done == 0)
		return;
	memmove(net.in.data, net.in.data + net.in_done, net.in.len - net.in_done);
	net.in.len -= net.in_done;
	net.in_done = 0;
}

static void
read_socket(void)
{
	size_t		total = 0;

	while (net.pid != 0 && total < READ_PER_POLL)
	{
		size_t		room = Min(READ_CHUNK, IN_MAX - net.in.len);
		uint8	   *p;
		ssize_t		n;

		if (room == 0)
			return;
		p = nostr_buf_reserve(&net.in, room);
		if (p == NULL)
		{
			lose("out of memory for its answers");
			return;
		}
		n = recv(net.sock, p, room, MSG_DONTWAIT);
		if (n > 0)
		{
			net.in.len += n;
			total += n;
		}
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		else
		{
			last_words();
			lose("it ended");
			return;
		}
	}
}

/* 1: a whole frame is in the buffer; 0: not yet; the child may be lost. */
static int
peek(WireFrame *f, size_t *used)
{
	int			rc;

	if (net.pid == 0 || net.in_done >= net.in.len)
		return 0;
	rc = wire_next(net.in.data + net.in_done, net.in.len - net.in_done, f, used);
	if (rc < 0)
	{
		lose("it sent a malformed frame");
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
	net.hello = true;
}

/*
 * A frame for the caller, not taken yet.  HELLO and LOG are handled on the
 * way: netd_poll must not call the caller for them, who would then not look
 * for work that a new child makes possible.
 */
static bool
find_frame(WireFrame *f, size_t *used)
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
		else if (!net.hello)
			netd_malformed("a frame before HELLO");
		else
			return true;
		if (net.pid != 0)
			net.in_done += *used;
	}
	return false;
}

bool
netd_next(WireFrame *f)
{
	size_t		used;

	if (!find_frame(f, &used))
		return false;
	net.in_done += used;
	return true;
}

/* There is no child: waits for the time of the next one. */
static void
wait_without(TimestampTz now, long timeout_ms)
{
	long		until = TimestampDifferenceMilliseconds(now, net.next_start) + 1;

	bb_wait(net.lost ? 0 : timeout_ms < 0 ? until : Min(timeout_ms, until));
}

/* True when bytes came and nothing else happened. */
static bool
wait_for_events(long timeout_ms)
{
	WaitEvent	events[3];
	int			n;
	bool		bytes = false;
	bool		other = false;

	ModifyWaitEvent(net.wait, 2, WL_SOCKET_READABLE |
					(net.out_done < net.out.len ? WL_SOCKET_WRITEABLE : 0), NULL);
	n = WaitEventSetWait(net.wait, timeout_ms, events, 3,
						 bb_wait_event(&wait_event_net, "BigbrotrNet"));
	for (int i = 0; i < n; i++)
	{
		if (events[i].events & WL_LATCH_SET)
		{
			ResetLatch(MyLatch);
			other = true;
		}
		if (events[i].events & WL_SOCKET_READABLE)
		{
			read_socket();
			bytes = true;
		}
	}
	netd_flush();
	bb_serve_interrupts();
	return bytes && !other && net.pid != 0;
}

bool
netd_poll(long timeout_ms)
{
	TimestampTz now = GetCurrentTimestamp();
	WireFrame	f;
	size_t		used;
	bool		ready;
	bool		bytes;
	bool		found;

	if (net.pid == 0 && now >= net.next_start)
		start_child();
	if (net.pid == 0)
	{
		wait_without(now, timeout_ms);
		return false;
	}

	netd_flush();
	if (find_frame(&f, &used) || net.lost)
		timeout_ms = 0;
	else if (net.pid != 0 && !net.hello)
	{
		if (TimestampDifferenceExceeds(net.started, now, HELLO_MS))
			lose("it does not answer");
		else
			timeout_ms = timeout_ms < 0 ? HELLO_MS : Min(timeout_ms, HELLO_MS);
	}
	if (net.pid == 0)
		return false;
	ready = net.hello;
	/* part of a frame is no reason to go and look for other work */
	do
	{
		compact();
		bytes = wait_for_events(timeout_ms);
		found = find_frame(&f, &used);
	} while (!found && bytes && ready && net.pid != 0);
	return found;
}

void
netd_malformed(const char *what)
{
	char		why[128];

	snprintf(why, sizeof(why), "it sent a malformed frame (%s)", what);
	lose(why);
}

void
netd_replace(const char *why)
{
	if (net.pid == 0)
		return;
	end_child(0, (Datum) 0);
	nostr_buf_reset(&net.in);
	nostr_buf_reset(&net.out);
	net.in_done = net.out_done = 0;
	net.lost = true;
	net.next_start = GetCurrentTimestamp();
	ereport(LOG,
			(errmsg("bigbrotr-net starts anew: %s", why)));
}

bool
netd_lost(void)
{
	bool		result = net.lost;

	net.lost = false;
	return result;
}

bool
netd_ready(void)
{
	return net.pid != 0 && net.hello;
}

int
netd_pid(void)
{
	return net.pid;
}
