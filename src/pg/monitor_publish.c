/*
 * monitor_publish.c
 *
 * See monitor_publish.h.
 */
#include "postgres.h"

#include <time.h>

#include "pg/archive.h"
#include "pg/foreign_text.h"
#include "pg/guc.h"
#include "pg/guc_monitor.h"
#include "pg/monitor_publish.h"
#include "pg/netd.h"
#include "pg/publication.h"

#define MAX_PUBLISH_JOBS	16

bool
monitor_publishing(void)
{
	return bb_monitor_publish[0] != '\0' && bb_key_file[0] != '\0';
}

static void
start_publish(const char *target, const BbPublication *p, int n)
{
	MonitorJob *j = monitor_job_new(MONITOR_PUBLISH, target, 0, 0);
	NostrBuf   *out = netd_out();
	size_t		mark;

	if (j == NULL)
		return;
	mark = wire_begin(out, WIRE_PUBLISH, j->id);
	wire_put_str(out, target);
	wire_put_u16(out, n);
	for (int i = 0; i < n; i++)
	{
		wire_put_fixed(out, p[i].id, 32);
		wire_put_str(out, p[i].event);
	}
	wire_end(out, mark);
}

static void
start_publishing(long *wait)
{
	char	   *busy[MAX_PUBLISH_JOBS];
	int			nbusy = monitor_job_names(MONITOR_PUBLISH, busy, MAX_PUBLISH_JOBS);

	while (nbusy < MAX_PUBLISH_JOBS && monitor_jobs_count() < MONITOR_MAX_JOBS)
	{
		BbPublication p[BB_PUBLISH_BATCH];
		int			n;
		char	   *target = publication_due(busy, nbusy, p, &n, wait);

		if (target == NULL)
			break;
		if (n > 0)
			start_publish(target, p, n);
		busy[nbusy++] = target;
	}
}

static void
start_sign(const char *slot, int kind, const char *tags, const char *content)
{
	MonitorJob *j;
	NostrBuf   *out = netd_out();
	size_t		mark;
	int64		age = publication_age(slot);

	if ((age >= 0 && age < bb_monitor_announce_interval) || monitor_job_runs(MONITOR_SIGN, 0, slot) ||
		(j = monitor_job_new(MONITOR_SIGN, slot, 0, 0)) == NULL)
		return;
	mark = wire_begin(out, WIRE_SIGN, j->id);
	wire_put_u16(out, kind);
	wire_put_u64(out, (uint64) time(NULL));
	wire_put_str(out, tags);
	wire_put_str(out, content);
	wire_end(out, mark);
}

/* The monitor itself: profile, relay list, announcement. */
static void
announce(void)
{
	if (bb_monitor_announce_interval == 0)
		return;
	if (bb_monitor_profile[0] != '\0')
		start_sign("0", 0, "[]", bb_monitor_profile);
	start_sign("10002", 10002, publication_relay_list_tags(), "");
	start_sign("10166", 10166, publication_announcement_tags(), "");
}

void
monitor_publish_start(long *wait_ms)
{
	if (!monitor_publishing())
		return;
	announce();
	start_publishing(wait_ms);
}

bool
monitor_published(const WireFrame *f, const MonitorJob *j, int me)
{
	WireReader	r;
	const uint8 *id;
	const uint8 *reason;
	uint8		outcome;
	size_t		len;

	wire_reader(&r, f);
	id = wire_get_fixed(&r, 32);
	outcome = wire_get_u8(&r);
	reason = wire_get_bytes(&r, WIRE_MAX_TEXT, &len);
	if (!wire_done(&r) || outcome > 2)
		return false;
	publication_answer(j->name, id, outcome, bb_foreign_text(reason, len));
	archive_count("monitor", me, outcome == 0 ? "published" : "publish_failures", 1);
	return true;
}

bool
monitor_signed(const WireFrame *f, const MonitorJob *j)
{
	WireReader	r;
	const uint8 *id;
	const uint8 *event;
	size_t		len;

	wire_reader(&r, f);
	id = wire_get_fixed(&r, 32);
	event = wire_get_bytes(&r, WIRE_MAX_EVENT, &len);
	if (!wire_done(&r))
		return false;
	publication_queue(j->name, id, event, len);
	return true;
}
