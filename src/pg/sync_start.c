/*
 * sync_start.c
 *
 * See sync_start.h.  The columns of relay that an operator may set come
 * before the settings; what was learned comes last.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "pg/coverage.h"
#include "pg/guc.h"
#include "pg/netd.h"
#include "pg/retention.h"
#include "pg/sync_jobs.h"
#include "pg/sync_recheck.h"
#include "pg/sync_start.h"
#include "wire/messages.h"

#define IDLE_SECONDS	3600	/* a relay with nothing to ask for */

typedef struct Terms
{
	char	   *filter;
	int64		since;
	int64		until;
	uint32		page_limit;
	uint32		timeout_ms;
	uint32		max_reqs_per_minute;
	uint32		known_cap;
	uint32		max_message;
	uint32		max_subs;
	uint8		negentropy;
	int64		held;
} Terms;

/* A limit of the relay's document; 0: not told, or no sensible number. */
static uint32
told(Datum v, bool isnull)
{
	long		limit = isnull ? 0 : atol(TextDatumGetCString(v));

	return limit > 0 && limit <= PG_INT32_MAX ? (uint32) limit : 0;
}

static bool
get_terms(int32 relay_id, Terms *t)
{
	static const char *const sql =
		"SELECT bigbrotr.filter_normalize(r.filter), r.since, r.until, r.page_limit, r.timeout_ms, "
		"coalesce(r.max_requests_per_minute, r.learned_requests_per_minute, 0), "
		"coalesce(r.max_page, 0), CASE WHEN r.negentropy THEN 1 "
		"WHEN r.negentropy_at > pg_catalog.now() - '30 days'::interval THEN 2 ELSE 0 END, "
		"r.observations, r.limits ->> 'max_limit', r.limits ->> 'max_message_length', "
		"r.limits ->> 'max_subscriptions' FROM bigbrotr.relay AS r WHERE r.id = $1";
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(relay_id)};
	HeapTuple	row;
	TupleDesc	desc;
	Datum		v[13];
	bool		null[13];
	uint32		limit;

	SPI_execute_with_args(sql, 1, types, values, NULL, true, 1);
	if (SPI_processed == 0)
		return false;
	row = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	for (int i = 1; i <= 12; i++)
		v[i] = SPI_getbinval(row, desc, i, &null[i]);
	t->filter = null[1] ? bb_synchronizer_filter : TextDatumGetCString(v[1]);
	t->since = null[2] ? bb_synchronizer_since : DatumGetInt64(v[2]);
	t->since = Max(t->since, retention_floor());
	t->until = null[3] ? PG_INT64_MAX : DatumGetInt64(v[3]);
	t->page_limit = null[4] ? bb_synchronizer_page : DatumGetInt32(v[4]);
	t->timeout_ms = null[5] ? 0 : DatumGetInt32(v[5]);
	t->max_reqs_per_minute = DatumGetInt32(v[6]);
	t->known_cap = DatumGetInt32(v[7]);
	t->negentropy = DatumGetInt32(v[8]);
	t->held = DatumGetInt64(v[9]);
	/* a relay never answers with more than it says */
	limit = told(v[10], null[10]);
	if (limit > 0 && limit < t->page_limit)
		t->page_limit = limit;
	t->max_message = told(v[11], null[11]);
	t->max_subs = told(v[12], null[12]);
	return true;
}

static void
nothing_to_do(int32 relay_id)
{
	Oid			types[2] = {INT4OID, FLOAT8OID};
	Datum		values[2] = {Int32GetDatum(relay_id), Float8GetDatum(IDLE_SECONDS)};

	SPI_execute_with_args("UPDATE bigbrotr.relay AS r SET next_sync_at = pg_catalog.now() "
						  "+ pg_catalog.make_interval(secs => $2) WHERE r.id = $1",
						  2, types, values, NULL, false, 0);
}

static void
put_window(const BbWindow *w, WirePurpose purpose)
{
	wire_put_u64(netd_out(), (uint64) w->since);
	wire_put_u64(netd_out(), (uint64) w->until);
	wire_put_u8(netd_out(), purpose);
}

/* Both lists are newest first, and so is what is sent. */
static void
put_windows(const BbWindow *fetch, int nfetch, const BbWindow *recheck, int nrecheck)
{
	int			f = 0;
	int			r = 0;

	wire_put_u16(netd_out(), (uint16) (nfetch + nrecheck));
	while (f < nfetch || r < nrecheck)
	{
		if (r == nrecheck || (f < nfetch && fetch[f].since >= recheck[r].since))
			put_window(&fetch[f++], WIRE_FETCH);
		else
			put_window(&recheck[r++], WIRE_RECHECK);
	}
}

bool
sync_start_job(int32 relay_id, const char *url, NostrNetwork network, bool priority)
{
	Terms		t;
	SyncJob    *job;
	BbWindow   *fetch;
	BbWindow	recheck[RECHECK_MAX_WINDOWS];
	int			nfetch;
	int			nrecheck;
	int32		filter_id;
	bool		bounded;
	NostrBuf   *out = netd_out();
	size_t		mark;

	if (!get_terms(relay_id, &t))
		return false;
	filter_id = coverage_filter_id(t.filter);
	nfetch = coverage_missing(relay_id, t.filter, t.since, t.until,
							  WIRE_MAX_WINDOWS - RECHECK_MAX_WINDOWS, &fetch);
	nrecheck = recheck_windows(relay_id, filter_id, t.negentropy == WIRE_SUPPORT_WORKS, recheck);
	if (nfetch + nrecheck == 0)
	{
		nothing_to_do(relay_id);
		return false;
	}
	job = sync_job_new(relay_id, network, priority);
	if (job == NULL)
		return false;
	job->filter_id = filter_id;
	job->more = nfetch == WIRE_MAX_WINDOWS - RECHECK_MAX_WINDOWS;
	bounded = t.until != PG_INT64_MAX;

	mark = wire_begin(out, WIRE_SYNC, job->id);
	wire_put_str(out, url);
	wire_put_str(out, t.filter);
	wire_put_u32(out, bb_synchronizer_slice);
	wire_put_u32(out, job->more || bounded ? 0 : (uint32) bb_synchronizer_tail * 1000);
	wire_put_u32(out, t.timeout_ms);
	wire_put_u32(out, t.page_limit);
	wire_put_u32(out, t.known_cap);
	wire_put_u32(out, t.max_reqs_per_minute);
	wire_put_u32(out, t.max_message);
	wire_put_u32(out, t.max_subs);
	wire_put_u8(out, t.negentropy);
	wire_put_u8(out, WIRE_SYNC_AUTH);
	wire_put_u64(out, (uint64) t.held);
	put_windows(fetch, nfetch, recheck, nrecheck);
	wire_end(out, mark);
	return true;
}
