/*
 * ingest.c
 *
 * event_ingest: events from SQL into the archive.
 *
 * Guarantees that only verified events are stored.  What is refused is an
 * answer, not an error, and is counted like what relays send (when the
 * transaction commits: ingest_late.h).
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pg/archive.h"
#include "pg/archive_plan.h"
#include "pg/compat.h"
#include "pg/event_check.h"
#include "pg/ingest.h"
#include "pg/mention_store.h"
#include "pg/relay_sql.h"
#include "pg/srf.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_event_ingest(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_event_ingest);
extern PGDLLEXPORT Datum bigbrotr_event_ingest_one(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_event_ingest_one);

/* Events in one call: all are checked before the first is written. */
#define INGEST_MAX 1000000

static const char *const outcome_name[] = {
	[BB_PENDING] = "pending",
	[BB_NEW] = "new",
	[BB_OBSERVED] = "observed",
	[BB_DUPLICATE] = "duplicate",
	[BB_INVALID] = "invalid"
};

int32
ingest_relay(text *url)
{
	NostrUrlReject why;
	NostrRelayUrl *u = bb_relay_parse(url, &why);
	Datum		args[2];
	int32		id = 0;

	if (u == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid relay address: %s", nostr_url_reject_text(why)),
				 errhint("Relay addresses look like wss://host/path; see bigbrotr.relay_reject_reason().")));
	SPI_connect();
	args[0] = CStringGetTextDatum(u->url);
	args[1] = CStringGetTextDatum(nostr_network_name(u->network));
	/* get, add, get: somebody else may add it in between */
	for (int i = 0; i < 3 && id == 0; i++)
	{
		archive_plan_run(i == 1 ? BB_PLAN_RELAY_ADD : BB_PLAN_RELAY_GET, args, NULL);
		if (SPI_processed > 0)
		{
			bool		isnull;

			id = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
											 SPI_tuptable->tupdesc, 1, &isnull));
		}
	}
	SPI_finish();
	if (id == 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("relay is being added by another transaction")));
	return id;
}

static int64
unix_seconds(TimestampTz t)
{
	if (TIMESTAMP_NOT_FINITE(t))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("seen_at must be finite")));
	return t / USECS_PER_SEC - (t % USECS_PER_SEC < 0) +
		(int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
}

static const uint8_t *
copy_bytes(const uint8_t *s, size_t len)
{
	uint8_t    *d = palloc(len + 1);

	if (len > 0)
		memcpy(d, s, len);
	return d;
}

bool
ingest_valid(const char *json, size_t len)
{
	NostrEvent	ev;

	return bb_event_check(json, len, &ev) == NULL;
}

void
ingest_check(const char *json, size_t len, int32 relay_id, int64 seen_at, BbArchiveEvent *e,
			 BbRejects *rejects)
{
	char	   *reason;
	static const uint8 zero[32];

	memset(e, 0, sizeof(*e));
	e->relay_id = relay_id;
	e->seen_at = seen_at;
	reason = bb_event_check(json, len, &e->ev);
	if (reason != NULL)
	{
		e->outcome = BB_INVALID;
		e->reason = reason;
		archive_reject(rejects, relay_id, reason, memcmp(e->ev.id, zero, 32) == 0 ? NULL : e->ev.id,
					   (const uint8 *) json, len, 1, seen_at);
		return;
	}
	/* the next event uses the same scratch */
	e->ev.tags = copy_bytes(e->ev.tags, e->ev.tags_len);
	e->ev.content = copy_bytes(e->ev.content, e->ev.content_len);
	e->key = nostr_event_key(e->ev.created_at, e->ev.id);
}

/* Element i of what event_ingest was called with. */
static void
check_one(Datum d, bool isnull, int32 relay_id, int64 seen_at, BbArchiveEvent *e,
		  BbRejects *rejects)
{
	text	   *t;

	if (!isnull)
	{
		t = DatumGetTextPP(d);
		ingest_check(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), relay_id, seen_at, e, rejects);
		return;
	}
	memset(e, 0, sizeof(*e));
	e->outcome = BB_INVALID;
	e->reason = "null: there is no event";
	archive_reject(rejects, relay_id, e->reason, NULL, NULL, 0, 1, seen_at);
}

static void
emit(FunctionCallInfo fcinfo, int n, const BbArchiveEvent *e)
{
	ReturnSetInfo *rsi = (ReturnSetInfo *) fcinfo->resultinfo;
	static const uint8 zero[32];
	Datum		v[4];
	bool		isnull[4] = {false, false, false, false};

	v[0] = Int32GetDatum(n);
	v[1] = PointerGetDatum(cstring_to_text_with_len((const char *) e->ev.id, 32));
	isnull[1] = memcmp(e->ev.id, zero, 32) == 0;
	v[2] = CStringGetTextDatum(outcome_name[e->outcome]);
	isnull[3] = e->reason == NULL;
	v[3] = isnull[3] ? (Datum) 0 : CStringGetTextDatum(e->reason);
	tuplestore_putvalues(rsi->setResult, rsi->setDesc, v, isnull);
}

void
ingest_write(BbArchiveEvent *e, int n, int32 relay_id, BbRejects *rejects, BbIngestTotals *totals)
{
	BbMentionCounts found = {0};

	archive_write(e, n, NULL, 0, rejects);
	for (int i = 0; i < n; i++)
	{
		if (e[i].outcome == BB_NEW)
			mention_add_event(&e[i].ev, &found);
		totals->events += e[i].outcome == BB_NEW;
		totals->observations += e[i].outcome == BB_OBSERVED || (e[i].outcome == BB_NEW && relay_id != 0);
		totals->known += e[i].outcome == BB_OBSERVED || e[i].outcome == BB_DUPLICATE;
		totals->invalid += e[i].outcome == BB_INVALID;
	}
	ingest_late_count(totals, &found);
}

/*
 * Everything in one order, whatever the order of the call: several sessions
 * with the same events wait for each other, and never in a circle.
 */
static void
ingest(FunctionCallInfo fcinfo, Datum *d, bool *nulls, int n)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "bigbrotr ingest",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext outer = MemoryContextSwitchTo(cxt);
	int32		relay_id = PG_ARGISNULL(1) ? 0 : ingest_relay(PG_GETARG_TEXT_PP(1));
	int64		seen_at = unix_seconds(PG_ARGISNULL(2) ? GetCurrentTransactionStartTimestamp()
									   : PG_GETARG_TIMESTAMPTZ(2));
	BbRejects  *rejects = ingest_late_rejects();
	BbArchiveEvent *e = palloc(sizeof(*e) * Max(n, 1));
	BbIngestTotals totals = {0};

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		check_one(d[i], nulls && nulls[i], relay_id, seen_at, &e[i], rejects);
	}
	ingest_write(e, n, relay_id, rejects, &totals);
	for (int i = 0; i < n; i++)
		emit(fcinfo, i + 1, &e[i]);
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(cxt);
}

Datum
bigbrotr_event_ingest(PG_FUNCTION_ARGS)
{
	Datum	   *d;
	bool	   *nulls;
	int			n;

	bb_srf_begin(fcinfo);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &d, &nulls, &n);
	if (n > INGEST_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many events in one call: %d", n),
				 errhint("Pass at most %d events per call.", INGEST_MAX)));
	ingest(fcinfo, d, nulls, n);
	return (Datum) 0;
}

Datum
bigbrotr_event_ingest_one(PG_FUNCTION_ARGS)
{
	bool		isnull = PG_ARGISNULL(0);
	Datum		d = isnull ? (Datum) 0 : PG_GETARG_DATUM(0);

	bb_srf_begin(fcinfo);
	ingest(fcinfo, &d, &isnull, 1);
	return (Datum) 0;
}
