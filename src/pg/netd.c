/*
 * netd.c
 *
 * The worker's side of bigbrotr-net: its life.
 *
 * Guarantees: at most one child; CONFIG is the first frame it gets; a child
 * that ends, cannot be started, says nothing, hangs or speaks nonsense is
 * replaced after 1 s, doubling to 60 s; the doubling ends with a child that
 * worked for longer than it was waited for, so that no more than about half
 * of the time is lost to one that keeps ending, and with a reload, which may
 * be the repair; nothing of it remains when the worker ends.  Must survive:
 * errors and interrupts at every wait.
 */
#include "pg/compat.h"

#include "storage/ipc.h"
#include "utils/timestamp.h"

#include "pg/guc.h"
#include "pg/netd.h"
#include "pg/netd_config.h"
#include "pg/netd_internal.h"
#include "pg/spawn.h"
#include "pg/worker_start.h"

#define BACKOFF_MIN		1000
#define BACKOFF_MAX		60000
#define HELLO_MS		10000	/* a child that says nothing until then is of no use */
#define PING_MS			30000	/* silence after which it is asked whether it is well */
#define PONG_MS			20000	/* one that does not answer hangs */
#define LAST_BREATH_MS	30		/* from the end of its socket to that of the process */
#define CONFIG_MAX		(WIRE_MAX_PAYLOAD + WIRE_HEADER_SIZE)

NetdChild	netd_child = {.sock = -1};

static struct
{
	bool		initialised;
	bool		lost;			/* not told yet */
	bool		quickly;		/* the last loss: it had not worked for long */
	NostrBuf	config;			/* as sent last */
	WaitEventSet *wait;
	TimestampTz started;
	TimestampTz asked;			/* PING that is not answered; 0: none */
	TimestampTz next_start;
	int			waited;			/* ms, before the child there is */
	int			backoff;		/* ms, before the next one */
}			life;

static uint32 wait_event_net = 0;

/* Gives it wait_ms to end by itself; true when it did, with this status. */
static bool
end_child(int wait_ms, int *status)
{
	bool		alone;

	if (life.wait)
		FreeWaitEventSet(life.wait);
	life.wait = NULL;
	alone = bb_spawn_end(netd_child.pid, netd_child.sock, wait_ms, status);
	netd_child.pid = 0;
	netd_child.sock = -1;
	netd_child.hello = false;
	return alone;
}

static void
at_exit(int code, Datum arg)
{
	int			status;

	(void) end_child(0, &status);
}

/* The child is of no use any more: end it, forget what was on the way. */
void
netd_lose(const char *why)
{
	TimestampTz now = GetCurrentTimestamp();
	int			status = 0;
	bool		alone;

	life.quickly = !netd_child.hello ||
		!TimestampDifferenceExceeds(life.started, now, Max(life.waited, BACKOFF_MIN));
	if (!life.quickly)
		life.backoff = BACKOFF_MIN;
	life.next_start = TimestampTzPlusMilliseconds(now, life.backoff);
	life.waited = life.backoff;
	alone = end_child(LAST_BREATH_MS, &status);
	netd_io_reset();
	life.lost = true;
	ereport(LOG,
			(errmsg("bigbrotr-net was lost: %s; restarting it in %d s", why,
					life.backoff / 1000),
			 alone ? errdetail("Exit status: %s.", wait_result_to_str(status)) : 0,
			 alone && WIFEXITED(status) && WEXITSTATUS(status) == WIRE_EXIT_NO_MEMORY ?
			 errhint("It ran out of memory. Consider increasing bigbrotr.net_memory_limit.") : 0));
	life.backoff = Min(life.backoff * 2, BACKOFF_MAX);
}

static void
send_config(bool force)
{
	NostrBuf	config;

	nostr_buf_init(&config, CONFIG_MAX);
	netd_put_config(&config);
	if (force || config.len != life.config.len ||
		(config.len > 0 && memcmp(config.data, life.config.data, config.len) != 0))
	{
		nostr_buf_append(&netd_child.out, config.data, config.len);
		nostr_buf_reset(&life.config);
		nostr_buf_append(&life.config, config.data, config.len);
	}
	nostr_buf_free(&config);
}

static void
start_child(void)
{
	char		program[MAXPGPATH];

	life.started = netd_child.heard = GetCurrentTimestamp();
	life.asked = 0;
	if (bb_net_program && bb_net_program[0])
		strlcpy(program, bb_net_program, MAXPGPATH);
	else
		snprintf(program, MAXPGPATH, "%s/bigbrotr-net", pkglib_path);

	/* whatever was queued while there was no child belongs to no job */
	if (netd_child.out.len > 0)
		life.lost = true;
	netd_io_reset();

	netd_child.pid = bb_spawn_net(program, bb_net_memory_limit, &netd_child.sock);
	if (netd_child.pid < 0)
	{
		netd_child.pid = 0;
		netd_child.sock = -1;
		ereport(WARNING,
				(errcode_for_file_access(),
				 errmsg("could not start \"%s\": %m", program),
				 errhint("Install bigbrotr-net, or set bigbrotr.net_program.")));
		netd_lose("it could not be started");
		return;
	}
	life.wait = bb_create_wait_set(3);
	AddWaitEventToSet(life.wait, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(life.wait, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(life.wait, WL_SOCKET_READABLE, netd_child.sock, NULL, NULL);
	send_config(true);
	netd_flush();
}

void
netd_start(void)
{
	if (!life.initialised)
	{
		netd_io_init();
		nostr_buf_init(&life.config, CONFIG_MAX);
		life.backoff = BACKOFF_MIN;
		life.initialised = true;
		before_shmem_exit(at_exit, (Datum) 0);
	}
	if (netd_child.pid == 0)
		start_child();
}

void
netd_reconfigure(void)
{
	if (netd_child.pid == 0)
	{
		life.backoff = BACKOFF_MIN;
		life.next_start = GetCurrentTimestamp();
		return;
	}
	send_config(false);
	netd_flush();
}

/*
 * Replaces a child that does not say HELLO, or that has been silent for long
 * and does not answer when it is asked.  How long, in ms, until it has to be
 * looked at again.
 */
static long
watch(TimestampTz now)
{
	TimestampTz since = life.started;
	long		limit = HELLO_MS;
	long		silent;
	WireFrame	f;
	size_t		used;

	if (netd_child.hello && (life.asked == 0 || netd_child.heard >= life.asked))
	{
		life.asked = 0;
		silent = TimestampDifferenceMilliseconds(netd_child.heard, now);
		if (silent < PING_MS)
			return PING_MS - silent;
		life.asked = now;
		wire_end(&netd_child.out, wire_begin(&netd_child.out, WIRE_PING, 0));
		netd_flush();
	}
	if (netd_child.hello)
	{
		since = life.asked;
		limit = PONG_MS;
	}
	silent = TimestampDifferenceMilliseconds(since, now);
	if (silent < limit)
		return limit - silent;

	/* this process may have been the busy one: is the answer there? */
	netd_io_read();
	(void) netd_io_find(&f, &used);
	if (netd_child.pid != 0 && !(netd_child.hello && netd_child.heard >= since))
		netd_lose(netd_child.hello ? "it hangs" : "it does not answer");
	return 0;
}

/* There is no child: waits for the time of the next one. */
static void
wait_without(TimestampTz now, long timeout_ms)
{
	long		until = TimestampDifferenceMilliseconds(now, life.next_start) + 1;

	bb_wait(life.lost ? 0 : timeout_ms < 0 ? until : Min(timeout_ms, until));
}

/* True when the latch was set. */
static bool
wait_for_events(long timeout_ms)
{
	WaitEvent	events[3];
	int			n;
	bool		latch = false;

	ModifyWaitEvent(life.wait, 2, WL_SOCKET_READABLE |
					(netd_child.out_done < netd_child.out.len ? WL_SOCKET_WRITEABLE : 0), NULL);
	n = WaitEventSetWait(life.wait, timeout_ms, events, 3,
						 bb_wait_event(&wait_event_net, "BigbrotrNet"));
	for (int i = 0; i < n; i++)
	{
		if (events[i].events & WL_LATCH_SET)
		{
			ResetLatch(MyLatch);
			latch = true;
		}
		if (events[i].events & WL_SOCKET_READABLE)
			netd_io_read();
	}
	netd_flush();
	bb_serve_interrupts();
	return latch;
}

bool
netd_poll(long timeout_ms)
{
	TimestampTz start = GetCurrentTimestamp();
	TimestampTz now = start;
	bool		ready;
	WireFrame	f;
	size_t		used;

	if (netd_child.pid == 0 && now >= life.next_start)
		start_child();
	if (netd_child.pid == 0)
	{
		wait_without(now, timeout_ms);
		return false;
	}

	/* part of a frame, or a PONG, is no reason to go and look for other work */
	ready = netd_child.hello;
	for (;;)
	{
		long		left = PING_MS;
		long		again;
		bool		latch;

		if (timeout_ms >= 0)
			left = timeout_ms - Min(timeout_ms, TimestampDifferenceMilliseconds(start, now));
		netd_io_compact();
		netd_flush();
		if (netd_io_find(&f, &used) || life.lost)
			left = 0;
		again = netd_child.pid == 0 ? 0 : watch(now);
		if (netd_child.pid == 0)
			return false;
		latch = wait_for_events(Min(left, again));
		if (netd_io_find(&f, &used))
			return true;
		if (latch || left == 0 || life.lost || netd_child.pid == 0 || netd_child.hello != ready)
			return false;
		now = GetCurrentTimestamp();
	}
}

void
netd_replace(const char *why)
{
	int			status;

	if (netd_child.pid == 0)
		return;
	(void) end_child(0, &status);
	netd_io_reset();
	life.lost = true;
	life.quickly = false;
	life.next_start = GetCurrentTimestamp();
	ereport(LOG,
			(errmsg("restarting bigbrotr-net: %s", why)));
}

bool
netd_lost(void)
{
	bool		result = life.lost;

	life.lost = false;
	return result;
}

bool
netd_lost_quickly(void)
{
	return life.quickly;
}

bool
netd_ready(void)
{
	return netd_child.pid != 0 && netd_child.hello;
}
