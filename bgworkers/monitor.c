/*
 * monitor.c
 *
 * Checks relays that are due, stores what bigbrotr-net measured, and
 * publishes the results to the relays in bigbrotr.monitor_publish.
 *
 * All state is in the database (relay_monitor, publication): a job in flight
 * when this process or its child dies is simply due again.  All frames that
 * are ready are handled in one transaction.
 */
#include "pg/compat.h"

#include <sys/stat.h>

#include "utils/timestamp.h"

#include "pg/guc.h"
#include "pg/guc_monitor.h"
#include "pg/monitor_due.h"
#include "pg/monitor_jobs.h"
#include "pg/monitor_news.h"
#include "pg/monitor_publish.h"
#include "pg/net_service.h"
#include "pg/netd.h"
#include "pg/worker.h"

#define MONITOR_FRAMES_PER_TX 64
#define PUBLISH_MS			1000	/* looks this long after a check for what to publish */
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
start_due(bool all)
{
	long		wait = Max(1, Min(bb_monitor_interval, 60)) * 1000L;

	/* a job that ended may have left something to publish */
	if (!all && monitor_publishing())
		wait = PUBLISH_MS;
	if (!all && !monitor_due_possible())
		return wait;
	bb_tx_begin("looking for relays to check");
	monitor_due_start(all, &wait);
	if (all)
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
	static bool looked;			/* 0 is no file, which may come */
	static TimestampTz next;
	TimestampTz now = GetCurrentTimestamp();
	int64		fresh;

	if (now < next)
		return;
	next = TimestampTzPlusMilliseconds(now, FILES_EVERY_MS);
	fresh = file_mark(bb_monitor_city_file) ^ file_mark(bb_monitor_asn_file) << 1;
	if (looked && fresh != marks)
		netd_replace("a MaxMind database was replaced");
	marks = fresh;
	looked = true;
}

static const char *
activity(void)
{
	return monitor_checks_count() > 0 ? "checking" : monitor_jobs_count() > 0 ? "publishing" : "idle";
}

void
bb_monitor_main(Datum main_arg)
{
	static const BbNetService service = {
		.forget = forget,.start = start_due,.frames = handle_frames,
		.busy = monitor_jobs_count,.activity = activity,.tick = watch_files
	};

	me = bb_worker_init(BB_MONITOR, main_arg, NULL);
	bb_net_service(&service);
}
