/*
 * monitor.c
 *
 * Checks relays that are due, stores what bigbrotr-net measured, and gives
 * the results to the relays of bigbrotr.monitor_publish.
 *
 * All state is in the database (relay_monitor, publication): a job in flight
 * when this process or its child dies is simply due again.  All frames that
 * are ready are one transaction.
 */
#include "pg/compat.h"

#include <sys/stat.h>

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "pg/guc.h"
#include "pg/guc_monitor.h"
#include "pg/monitor_due.h"
#include "pg/monitor_jobs.h"
#include "pg/monitor_news.h"
#include "pg/monitor_publish.h"
#include "pg/netd.h"
#include "pg/worker.h"

#define MONITOR_FRAMES_PER_TX 64
#define FILES_EVERY_MS		60000	/* looks whether a MaxMind file was replaced */

extern PGDLLEXPORT void bb_monitor_main(Datum main_arg);

static int	me;

static void
forget(void)
{
	bb_tx_begin("putting off relays at which bigbrotr-net ended");
	monitor_jobs_forget(netd_lost_quickly());
	bb_tx_end();
}

static long
start_due(void)
{
	long		wait = Max(1, Min(bb_monitor_interval, 60)) * 1000L;

	bb_tx_begin("looking for relays to check");
	monitor_due_start(&wait);
	monitor_publish_start(&wait);
	bb_tx_end();
	netd_flush();
	return wait;
}

static bool
handle_frames(void)
{
	WireFrame	f;
	int			n = 0;
	bool		ok = true;

	while (ok && n < MONITOR_FRAMES_PER_TX && netd_next(&f))
	{
		if (n++ == 0)
			bb_tx_begin("storing checks");
		ok = monitor_news(&f, me);
	}
	if (n > 0)
		bb_tx_end();
	if (!ok)
		netd_malformed("frame of the monitor");
	return n == MONITOR_FRAMES_PER_TX;
}

/* bigbrotr-net cannot open MaxMind files again. */
static int64
file_mark(const char *path)
{
	struct stat st;

	if (path[0] == '\0' || stat(path, &st) != 0)
		return 0;
	return (int64) st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000 + (int64) st.st_ino;
}

static void
watch_files(void)
{
	static int64 marks;
	static TimestampTz next;
	TimestampTz now = GetCurrentTimestamp();
	int64		fresh;

	if (now < next)
		return;
	next = TimestampTzPlusMilliseconds(now, FILES_EVERY_MS);
	fresh = file_mark(bb_monitor_city_file) ^ file_mark(bb_monitor_asn_file) << 1;
	if (marks != 0 && fresh != marks)
		netd_replace("a MaxMind database was replaced");
	marks = fresh;
}

void
bb_monitor_main(Datum main_arg)
{
	long		wait = 1000;
	bool		look = true;

	me = bb_worker_init(BB_MONITOR, main_arg, NULL);
	netd_start();

	for (;;)
	{
		int			before;

		if (bb_interrupts())
		{
			netd_reconfigure();
			look = true;
		}
		if (bb_run_requested())
			look = true;
		watch_files();
		if (netd_lost())
		{
			forget();
			look = true;
		}
		if (look && netd_ready())
			wait = start_due();
		bb_idle(monitor_checks_count() > 0 ? "checking" : monitor_jobs_count() > 0 ? "publishing" : "idle");
		before = monitor_jobs_count();
		look = !netd_poll(netd_ready() ? wait : 1000);
		while (handle_frames())
			CHECK_FOR_INTERRUPTS();
		/* Fill the room that results made, in steps: not a query for each. */
		if (monitor_jobs_count() < before)
			look = true;
	}
}
