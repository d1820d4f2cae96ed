/*
 * relay_life.c
 *
 * See relay_life.h.
 *
 * Guarantees: the wait after a failure doubles from minutes to two weeks, to
 * a day when the relay is there and only refuses, with a tenth of jitter; a
 * failure of ours costs the relay nothing; no relay is called dead that
 * answers.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "pg/relay_life.h"
#include "utils/builtins.h"

/* Common to all news; $1 to $7. */
#define LEARNED \
	"events_received = r.events_received + $2, observations = r.observations + $3, " \
	"max_page = greatest(r.max_page, nullif($4, 0)), " \
	"negentropy = CASE $5 WHEN 1 THEN true WHEN 2 THEN false ELSE r.negentropy END, " \
	"negentropy_at = CASE $5 WHEN 0 THEN r.negentropy_at ELSE pg_catalog.now() END, " \
	"auth = CASE $6 WHEN 1 THEN 'accepted' WHEN 2 THEN 'refused' ELSE r.auth END, " \
	"learned_requests_per_minute = coalesce(nullif($7, 0), r.learned_requests_per_minute), "

#define MAX_ARGS 14

typedef struct Args
{
	Oid			type[MAX_ARGS];
	Datum		value[MAX_ARGS];
	int			n;
} Args;

static void
add(Args *a, Oid type, Datum value)
{
	Assert(a->n < MAX_ARGS);
	a->type[a->n] = type;
	a->value[a->n++] = value;
}

static void
add_learned(Args *a, const RelayNews *n)
{
	a->n = 0;
	add(a, INT4OID, Int32GetDatum(n->relay_id));
	add(a, INT8OID, Int64GetDatum(n->received));
	add(a, INT8OID, Int64GetDatum(n->observed));
	add(a, INT4OID, Int32GetDatum((int32) Min(n->max_page, PG_INT32_MAX)));
	add(a, INT4OID, Int32GetDatum(n->negentropy));
	add(a, INT4OID, Int32GetDatum(n->auth));
	add(a, INT4OID, Int32GetDatum((int32) Min(n->requests_per_minute, PG_INT32_MAX)));
}

static void
run(const char *sql, Args *a)
{
	SPI_connect();
	if (SPI_execute_with_args(sql, a->n, a->type, a->value, NULL, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not write bigbrotr.relay");
	SPI_finish();
}

void
relay_life_ok(const RelayNews *n, bool whole, bool live, double next_s)
{
	static const char *const sql =
		"UPDATE bigbrotr.relay AS r SET " LEARNED
		"state = 'live', last_ok_at = pg_catalog.now(), failures = 0, failure = NULL, reason = NULL, "
		"passes = r.passes + $8, live_since = CASE WHEN $9 THEN pg_catalog.now() END, "
		"recheck_started_at = coalesce(r.recheck_started_at, pg_catalog.now()), "
		"next_sync_at = pg_catalog.now() + pg_catalog.make_interval(secs => $10) WHERE r.id = $1";
	Args		a;

	add_learned(&a, n);
	add(&a, INT4OID, Int32GetDatum(whole ? 1 : 0));
	add(&a, BOOLOID, BoolGetDatum(live));
	add(&a, FLOAT8OID, Float8GetDatum(next_s));
	run(sql, &a);
}

/* The other addresses of a relay that is given up may still work. */
static void
free_aliases(int32 relay_id)
{
	static const char *const sql =
		"UPDATE bigbrotr.relay AS r SET alias_of = NULL, next_sync_at = pg_catalog.now() "
		"FROM bigbrotr.relay AS d WHERE d.id = $1 AND d.state IN ('dead', 'parked') "
		"AND r.alias_of = $1";
	Args		a = {.n = 0};

	add(&a, INT4OID, Int32GetDatum(relay_id));
	run(sql, &a);
}

void
relay_life_failed(const RelayNews *n, const char *class, const char *reason,
				  bool progress, uint32 retry_after_ms)
{
	static const char *const ours =
		"UPDATE bigbrotr.relay AS r SET " LEARNED
		"live_since = NULL, next_sync_at = pg_catalog.now() "
		"+ '1 minute'::interval * (0.9 + pg_catalog.random() * 0.2) WHERE r.id = $1";
	static const char *const theirs =
		"UPDATE bigbrotr.relay AS r SET " LEARNED
		"live_since = NULL, last_failed_at = pg_catalog.now(), failure = $8, reason = $9, "
		"failures = f.n, state = f.state, "
		"failure_counts = CASE WHEN r.failure_counts ? $8 OR f.classes < 64 "
		"THEN pg_catalog.jsonb_set(r.failure_counts, ARRAY[$8], "
		"pg_catalog.to_jsonb(coalesce((r.failure_counts ->> $8)::bigint, 0) + 1)) "
		"ELSE r.failure_counts END, "
		"next_sync_at = CASE WHEN f.state = 'parked' THEN 'infinity'::timestamptz "
		"ELSE pg_catalog.now() + (0.9 + pg_catalog.random() * 0.2) * greatest("
		"least(CASE WHEN $11 THEN '14 days'::interval ELSE '1 day'::interval END, "
		"pg_catalog.make_interval(secs => $12 * pg_catalog.power(2, least(f.n, 20) - 1))), "
		"pg_catalog.make_interval(secs => $13)) END "
		"FROM (SELECT q.id, q.n, q.classes, CASE "
		"WHEN $11 AND q.n >= 20 AND q.ok < pg_catalog.now() - '90 days'::interval THEN 'parked' "
		"WHEN $11 AND q.n >= 10 AND q.ok < pg_catalog.now() - '3 days'::interval THEN 'dead' "
		"ELSE 'degraded' END AS state FROM "
		"(SELECT o.id, CASE WHEN $10 THEN 1 ELSE o.failures + 1 END AS n, "
		"(SELECT count(*) FROM pg_catalog.jsonb_object_keys(o.failure_counts)) AS classes, "
		"coalesce(o.last_ok_at, o.promoted_at, pg_catalog.to_timestamp(o.discovered_at)) AS ok "
		"FROM bigbrotr.relay AS o WHERE o.id = $1) AS q) AS f WHERE r.id = f.id";
	Args		a;

	add_learned(&a, n);
	if (failure_is_ours(class))
	{
		run(ours, &a);
		return;
	}
	add(&a, TEXTOID, CStringGetTextDatum(failure_class(class)));
	add(&a, TEXTOID, CStringGetTextDatum(reason));
	add(&a, BOOLOID, BoolGetDatum(progress));
	add(&a, BOOLOID, BoolGetDatum(!failure_is_answer(class)));
	add(&a, FLOAT8OID, Float8GetDatum(failure_is_definite(class) ? 600 : 60));
	/* what a relay asks for is its business, within a day */
	add(&a, FLOAT8OID, Float8GetDatum(Min(retry_after_ms / 1000.0, 86400.0)));
	run(theirs, &a);
	free_aliases(n->relay_id);
}

void
relay_life_tail_ended(const RelayNews *n, bool due)
{
	static const char *const sql =
		"UPDATE bigbrotr.relay AS r SET " LEARNED
		"live_since = NULL, next_sync_at = CASE WHEN $8 "
		"THEN least(r.next_sync_at, pg_catalog.now()) ELSE r.next_sync_at END WHERE r.id = $1";
	Args		a;

	add_learned(&a, n);
	add(&a, BOOLOID, BoolGetDatum(due));
	run(sql, &a);
}

void
relay_life_no_tails(int me, int nworkers)
{
	static const char *const sql =
		"UPDATE bigbrotr.relay AS r SET live_since = NULL "
		"WHERE r.live_since IS NOT NULL AND r.id % $1 = $2";
	Args		a = {.n = 0};

	add(&a, INT4OID, Int32GetDatum(nworkers));
	add(&a, INT4OID, Int32GetDatum(me));
	run(sql, &a);
}
