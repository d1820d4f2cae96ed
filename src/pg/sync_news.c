/*
 * sync_news.c
 *
 * See sync_news.h.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "pg/archive.h"
#include "pg/foreign_text.h"
#include "pg/guc.h"
#include "pg/relay_life.h"
#include "pg/sync_news.h"

/* A tail that ran for this long and was cut is worth another one at once. */
#define GOOD_TAIL_MS	60000

typedef struct Result
{
	uint8		outcome;
	const char *class;
	const char *reason;
	int64		received;		/* in the whole job */
	uint32		retry_after_ms;
	RelayNews	news;
} Result;

static bool
read_result(const WireFrame *f, Result *res)
{
	WireReader	r;
	size_t		class_len;
	size_t		reason_len;
	const uint8_t *class;
	const uint8_t *reason;

	wire_reader(&r, f);
	res->outcome = wire_get_u8(&r);
	class = wire_get_bytes(&r, WIRE_MAX_TEXT, &class_len);
	reason = wire_get_bytes(&r, WIRE_MAX_TEXT, &reason_len);
	for (int i = 0; i < 5; i++)
		(void) wire_get_u32(&r);	/* timings: the monitor's business */
	res->received = (int64) wire_get_u64(&r);
	(void) wire_get_u64(&r);	/* bytes */
	(void) wire_get_u32(&r);	/* reqs */
	res->news.max_page = wire_get_u32(&r);
	res->news.negentropy = wire_get_u8(&r);
	res->news.auth = wire_get_u8(&r);
	res->retry_after_ms = wire_get_u32(&r);
	res->news.requests_per_minute = wire_get_u32(&r);
	if (!wire_done(&r) || res->outcome > WIRE_OUTCOME_CANCELLED ||
		res->news.negentropy > WIRE_SUPPORT_REFUSED || res->received < 0)
		return false;
	res->class = bb_foreign_text(class, class_len);
	res->reason = bb_foreign_text(reason, reason_len);
	return true;
}

/* The job goes on without anything to ask for. */
static void
passed(SyncJob *job, const Result *res, int me)
{
	job->tail_since = GetCurrentTimestamp();
	relay_life_ok(&res->news, true, true, bb_synchronizer_interval);
	archive_count("synchronizer", me, "passes", 1);
}

/*
 * The end.  A relay that answered is due again after the interval, at once
 * when there is more to ask for; one that failed after its back-off.
 */
static void
ended(SyncJob *job, const Result *res, int me)
{
	bool		ok = res->outcome == WIRE_OUTCOME_OK;

	if (job->tail_since != 0)
		relay_life_tail_ended(&res->news, !job->cancelled &&
							  TimestampDifferenceExceeds(job->tail_since, GetCurrentTimestamp(),
														 GOOD_TAIL_MS));
	else if (ok || res->outcome == WIRE_OUTCOME_AGAIN)
	{
		bool		whole = ok && !job->more;

		relay_life_ok(&res->news, whole, false, whole ? bb_synchronizer_interval : 0);
		archive_count("synchronizer", me, whole ? "passes" : "slices", 1);
	}
	else
	{
		relay_life_failed(&res->news, res->class, res->reason, res->received > 0,
						  res->retry_after_ms);
		archive_count("synchronizer", me, "failures", 1);
	}
	sync_job_free(job);
}

bool
sync_news(const WireFrame *f, SyncJob *job, int me)
{
	Result		res;

	if (!read_result(f, &res) || (f->type == WIRE_PASSED && job->tail_since != 0))
		return false;
	res.news.relay_id = job->relay_id;
	res.news.received = Max(res.received - job->received, 0);
	res.news.observed = job->observed;
	job->received = res.received;
	job->observed = 0;
	if (f->type == WIRE_PASSED)
		passed(job, &res, me);
	else
		ended(job, &res, me);
	return true;
}
