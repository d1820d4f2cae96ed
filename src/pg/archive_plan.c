/*
 * archive_plan.c
 *
 * Every statement of the archive, prepared once per process.
 *
 * Must survive DROP and CREATE EXTENSION in one session: the type tags then
 * has another Oid, and all plans are made again.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "pg/archive_plan.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* stands for the array type of tags, known only at run time */
#define TAGSARRAYOID InvalidOid
#define PLAN_MAX_ARGS 9
#define SCRATCH_MAX (256 * 1024 * 1024)
#define SCRATCH_KEEP (1024 * 1024)

typedef struct PlanDef
{
	const char *sql;
	int			expect;			/* SPI_OK_... */
	int			nargs;
	Oid			args[PLAN_MAX_ARGS];
} PlanDef;

#define INSERT_EVENT \
	"INSERT INTO bigbrotr.event AS e (key, created_at, kind, id, pubkey, sig, tags, content) " \
	"SELECT unnest($1), unnest($2), unnest($3), unnest($4), unnest($5), unnest($6), unnest($7), unnest($8)"
#define EVENT_ARGS \
	{INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID, BYTEAARRAYOID, \
	BYTEAARRAYOID, BYTEAARRAYOID, TAGSARRAYOID, TEXTARRAYOID}
#define INSERT_OBSERVATION \
	"INSERT INTO bigbrotr.observation AS o (key, relay_id, seen_at) SELECT unnest($1), unnest($2), unnest($3)"
#define OBSERVATION_ARGS {INT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID}

static const PlanDef plan_defs[BB_PLAN_N] = {
	/* lo and hi beside the array: they prune partitions */
	[BB_PLAN_LOOKUP] = {
		"SELECT e.key, e.id FROM bigbrotr.event AS e "
		"WHERE e.key = ANY ($1) AND e.key >= $2 AND e.key <= $3",
		SPI_OK_SELECT, 3, {INT8ARRAYOID, INT8OID, INT8OID}
	},
	/* No conflict target: the parent has no key to name.  Lists that are
	 * unrolled side by side, not by FROM: that would keep all rows once more. */
	[BB_PLAN_INSERT_EVENT] = {
		INSERT_EVENT " ON CONFLICT DO NOTHING RETURNING e.key",
		SPI_OK_INSERT_RETURNING, 8, EVENT_ARGS
	},
	[BB_PLAN_INSERT_EVENT_ALL] = {INSERT_EVENT, SPI_OK_INSERT, 8, EVENT_ARGS},
	[BB_PLAN_INSERT_OBSERVATION] = {
		INSERT_OBSERVATION " ON CONFLICT DO NOTHING RETURNING o.key, o.relay_id",
		SPI_OK_INSERT_RETURNING, 3, OBSERVATION_ARGS
	},
	[BB_PLAN_INSERT_OBSERVATION_ALL] = {INSERT_OBSERVATION, SPI_OK_INSERT, 3, OBSERVATION_ARGS},
	[BB_PLAN_PEER_NEWS] = {
		"INSERT INTO bigbrotr.peer_news AS n (pubkey, kind, created_at, tags) SELECT * FROM unnest($1, $2, $3, $4)",
		SPI_OK_INSERT, 4, {BYTEAARRAYOID, INT4ARRAYOID, INT8ARRAYOID, TAGSARRAYOID}
	},
	[BB_PLAN_INSERT_DELTA] = {
		"INSERT INTO bigbrotr.ingest_delta AS d (keys, seen_keys, seen_relays) VALUES ($1, $2, $3)",
		SPI_OK_INSERT, 3, {INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID}
	},
	[BB_PLAN_REJECT] = {
		"INSERT INTO bigbrotr.rejected_event AS r "
		"(relay_id, reason, slot, event_id, sample, detail, count, first_seen_at, last_seen_at) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8), to_timestamp($8)) "
		"ON CONFLICT (relay_id, reason, slot) DO UPDATE "
		"SET count = r.count + excluded.count, "
		"last_seen_at = greatest(r.last_seen_at, excluded.last_seen_at)",
		SPI_OK_INSERT, 8,
		{INT4OID, TEXTOID, INT2OID, BYTEAOID, BYTEAOID, TEXTOID, INT8OID, FLOAT8OID}
	},
	[BB_PLAN_COUNT] = {
		"INSERT INTO bigbrotr.counter AS c (service, worker, name, value) "
		"VALUES ($1, $2, $3, $4) ON CONFLICT (service, worker, name) DO UPDATE "
		"SET value = c.value + excluded.value",
		SPI_OK_INSERT, 4, {TEXTOID, INT4OID, TEXTOID, INT8OID}
	},
	[BB_PLAN_COVERAGE_LOCK] = {
		"SELECT FROM bigbrotr.relay AS r WHERE r.id = $1 FOR NO KEY UPDATE",
		SPI_OK_SELECT, 1, {INT4OID}
	},
	[BB_PLAN_COVERAGE_FILTER] = {
		"SELECT f.id FROM bigbrotr.coverage_filter AS f "
		"WHERE f.digest = sha256(convert_to($1, 'UTF8'))",
		SPI_OK_SELECT, 1, {TEXTOID}
	},
	[BB_PLAN_COVERAGE_FILTER_ADD] = {
		"INSERT INTO bigbrotr.coverage_filter AS f (filter, digest) "
		"VALUES ($1, sha256(convert_to($1, 'UTF8'))) ON CONFLICT (digest) DO NOTHING",
		SPI_OK_INSERT, 1, {TEXTOID}
	},
	[BB_PLAN_COVERAGE_FILTERS] = {
		"SELECT f.id, f.filter FROM bigbrotr.coverage_filter AS f ORDER BY f.id LIMIT 1000",
		SPI_OK_SELECT, 0, {0}
	},
	/* Where the paged interval that second $3 is in ends. */
	[BB_PLAN_COVERAGE_PAGED_ABOVE] = {
		"SELECT upper(p.range) FROM (SELECT c.range, c.state FROM bigbrotr.coverage AS c "
		"WHERE c.relay_id = $1 AND c.filter_id = $2 AND c.range < int8range($3 + 1, $3 + 2) "
		"ORDER BY c.range DESC LIMIT 1) AS p WHERE p.state = 'paged' AND p.range @> $3",
		SPI_OK_SELECT, 3, {INT4OID, INT4OID, INT8OID}
	},
	/*
	 * What overlaps is cut; what says the same and touches is merged.  As
	 * intervals never overlap, those concerned lie between the last one that
	 * begins below $3 and the first one that begins above $4: a short scan of
	 * the key, however many there are.  What is paged and lost its lowest
	 * second to a gap was asked for in vain.
	 */
	[BB_PLAN_COVERAGE_RECORD] = {
		"WITH old AS (DELETE FROM bigbrotr.coverage AS c "
		"WHERE c.relay_id = $1 AND c.filter_id = $2 "
		"AND c.range >= coalesce((SELECT p.range FROM bigbrotr.coverage AS p "
		"WHERE p.relay_id = $1 AND p.filter_id = $2 AND p.range < int8range($3, $3 + 1) "
		"ORDER BY p.range DESC LIMIT 1), int8range($3, $3 + 1)) "
		"AND c.range < int8range(coalesce($4, 9223372036854775806) + 1, NULL) "
		"AND (c.range && int8range($3, $4) OR (c.range -|- int8range($3, $4) AND c.state = $5 "
		"AND c.proof IS NOT DISTINCT FROM $6 AND c.reason IS NOT DISTINCT FROM $7)) "
		"RETURNING c.*, c.range && int8range($3, $4) AS overlaps, c.state = $5 "
		"AND c.proof IS NOT DISTINCT FROM $6 AND c.reason IS NOT DISTINCT FROM $7 AS joins, "
		"c.state = 'paged' AND $5 = 'open' AND int8range($3, $4) @> lower(c.range) AS in_vain), "
		"grown AS (SELECT range_merge(int8multirange(int8range($3, $4)) "
		"+ coalesce(range_agg(o.range) FILTER (WHERE o.joins), '{}'::int8multirange)) AS range, "
		"coalesce(min(o.first_at) FILTER (WHERE o.joins OR $5 = 'open' AND o.state = 'open'), now()) AS first_at, "
		"coalesce(max(o.tried) FILTER (WHERE o.overlaps AND $5 = 'open' AND o.state = 'open') + 1, "
		"max(o.tried) FILTER (WHERE o.joins), 1) AS tried FROM old AS o) "
		"INSERT INTO bigbrotr.coverage (relay_id, filter_id, range, state, proof, reason, tried, first_at, checked_at) "
		"SELECT $1, $2, g.range, $5, $6, $7, g.tried, g.first_at, now() FROM grown AS g "
		"UNION ALL "
		"SELECT $1, $2, piece, o.state, o.proof, o.reason, o.tried + o.in_vain::int, o.first_at, "
		"CASE WHEN o.in_vain THEN now() ELSE o.checked_at END FROM old AS o, "
		"unnest(int8multirange(o.range) - int8multirange(int8range($3, $4))) AS piece "
		"WHERE NOT o.joins",
		SPI_OK_INSERT, 7, {INT4OID, INT4OID, INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID}
	},
	/*
	 * A gap whose reason is the relay's own way (see coverage.c) is not asked
	 * for again in every pass: after a minute, doubling to a day.  What was
	 * paged with this very filter ($7) waits for the proof of what is asked
	 * for below it; where nothing is, its lowest second is asked for once
	 * more: coverage_record lets that proof reach up.  When that was in vain
	 * it waits like the gap below, which would grow by a second in every pass.
	 */
	[BB_PLAN_COVERAGE_MISSING] = {
		"WITH said AS (SELECT s.* FROM (SELECT c.range * int8range($3, $4) AS range, c.state, c.filter_id, c.reason, "
		"c.tried, c.checked_at + least('1 day'::interval, "
		"'1 minute'::interval * power(2, least(c.tried, 12) - 1)) > now() AS waits "
		"FROM bigbrotr.coverage AS c WHERE c.relay_id = $1 AND c.filter_id = ANY ($2) "
		"AND c.range && int8range($3, $4)) AS s WHERE s.state = 'complete' "
		"OR s.state = 'paged' AND s.filter_id = $7 OR s.reason = ANY ($5) AND s.waits), "
		"known AS (SELECT int8multirange(int8range($3, $4)) "
		"- coalesce(range_agg(s.range), '{}'::int8multirange) AS missing, "
		"coalesce(range_agg(s.range) FILTER (WHERE s.state = 'complete'), '{}'::int8multirange) AS complete, "
		"coalesce(range_agg(s.range) FILTER (WHERE s.state = 'open'), '{}'::int8multirange) AS waiting "
		"FROM said AS s), "
		"ask AS (SELECT k.missing + coalesce((SELECT range_agg(int8range(lower(s.range), lower(s.range) + 1)) "
		"FROM said AS s WHERE s.state = 'paged' AND NOT k.missing @> lower(s.range) - 1 "
		"AND NOT k.complete @> lower(s.range) AND NOT (s.waits AND s.tried > 1 AND k.waiting @> lower(s.range) - 1)), "
		"'{}'::int8multirange) AS ranges FROM known AS k) "
		"SELECT lower(r), upper(r) FROM ask AS a, unnest(a.ranges) AS r ORDER BY lower(r) DESC LIMIT $6",
		SPI_OK_SELECT, 7, {INT4OID, INT4ARRAYOID, INT8OID, INT8OID, TEXTARRAYOID, INT8OID, INT4OID}
	},
	[BB_PLAN_RECHECK_PLACE] = {
		"SELECT r.recheck_below, r.recheck_started_at + make_interval(secs => $2) <= now() "
		"FROM bigbrotr.relay AS r WHERE r.id = $1",
		SPI_OK_SELECT, 2, {INT4OID, INT4OID}
	},
	/* from the end of what is proved: nothing to do when nothing is */
	[BB_PLAN_RECHECK_BEGIN] = {
		"UPDATE bigbrotr.relay AS r SET recheck_started_at = now(), recheck_tries = 0, "
		"recheck_held = 0, recheck_missed = 0, recheck_below = "
		"(SELECT coalesce(upper(c.range), extract(epoch FROM now())::bigint) FROM bigbrotr.coverage AS c "
		"WHERE c.relay_id = $1 AND c.filter_id = $2 AND c.state = 'complete' "
		"ORDER BY c.range DESC LIMIT 1) WHERE r.id = $1 RETURNING r.recheck_below",
		SPI_OK_UPDATE_RETURNING, 2, {INT4OID, INT4OID}
	},
	[BB_PLAN_RECHECK_WINDOW] = {
		"SELECT lower(c.range), coalesce(upper(c.range), $3) FROM bigbrotr.coverage AS c "
		"WHERE c.relay_id = $1 AND c.filter_id = $2 AND c.state = 'complete' "
		"AND c.range < int8range($3, $3 + 1) ORDER BY c.range DESC LIMIT 1",
		SPI_OK_SELECT, 3, {INT4OID, INT4OID, INT8OID}
	},
	/* The newest $4 observations of [$2, $3]: how many, and the second above
	 * the oldest of them (a key holds its second in the high bits). */
	[BB_PLAN_RECHECK_CUT] = {
		"SELECT count(*), (min(k.key) >> 29) + 1 FROM (SELECT o.key FROM bigbrotr.observation_all AS o "
		"WHERE o.relay_id = $1 AND o.key >= (least($2, 17179869183) << 29) "
		"AND o.key <= (least($3, 17179869183) << 29) + 536870911 ORDER BY o.key DESC LIMIT $4) AS k",
		SPI_OK_SELECT, 4, {INT4OID, INT8OID, INT8OID, INT8OID}
	},
	[BB_PLAN_RECHECK_DONE] = {
		"UPDATE bigbrotr.relay AS r SET recheck_below = least(r.recheck_below, $2), recheck_tries = 0, "
		"recheck_held = r.recheck_held + $3, recheck_missed = r.recheck_missed + $4 "
		"WHERE r.id = $1 AND r.recheck_below IS NOT NULL",
		SPI_OK_UPDATE, 4, {INT4OID, INT8OID, INT8OID, INT8OID}
	},
	/* those that begin in the window: a round passes a long one from its end
	 * to its beginning, in several */
	[BB_PLAN_RECHECK_CHECKED] = {
		"UPDATE bigbrotr.coverage AS c SET checked_at = now() WHERE c.relay_id = $1 AND c.filter_id = $2 "
		"AND c.state = 'complete' AND c.range >= int8range($3, $3 + 1) "
		"AND c.range < int8range(least($4, 9223372036854775800) + 1, NULL)",
		SPI_OK_UPDATE, 4, {INT4OID, INT4OID, INT8OID, INT8OID}
	},
	[BB_PLAN_RECHECK_FAILED] = {
		"UPDATE bigbrotr.relay AS r SET recheck_tries = (r.recheck_tries + 1) % 3, "
		"recheck_below = CASE WHEN r.recheck_tries < 2 THEN r.recheck_below ELSE least(r.recheck_below, $2) END "
		"WHERE r.id = $1 AND r.recheck_below IS NOT NULL",
		SPI_OK_UPDATE, 2, {INT4OID, INT8OID}
	},
	[BB_PLAN_RECHECK_END] = {
		"UPDATE bigbrotr.relay AS r SET recheck_below = NULL, recall = "
		"CASE WHEN r.recheck_held > 0 THEN 1 - r.recheck_missed::float8 / r.recheck_held ELSE r.recall END "
		"WHERE r.id = $1 AND r.recheck_below IS NOT NULL",
		SPI_OK_UPDATE, 1, {INT4OID}
	},
	/* By key alone, then by those keys: the planner cannot choose badly. */
	[BB_PLAN_SET_KEYS] = {
		"SELECT o.key FROM bigbrotr.observation_all AS o WHERE o.relay_id = $1 "
		"AND o.key >= $2 AND o.key <= $3 ORDER BY o.key DESC LIMIT $4",
		SPI_OK_SELECT, 4, {INT4OID, INT8OID, INT8OID, INT8OID}
	},
	[BB_PLAN_SET_EVENTS] = {
		"SELECT e.key, e.created_at, e.id FROM bigbrotr.event AS e "
		"WHERE e.key = ANY ($1) AND e.key >= $2 AND e.key <= $3 ORDER BY e.key DESC",
		SPI_OK_SELECT, 3, {INT8ARRAYOID, INT8OID, INT8OID}
	},
	/* five arguments for both, so that they are called alike */
	[BB_PLAN_PACKED_ADD_EVENT] = {
		"INSERT INTO bigbrotr.observation_by_event (first_key, last_key, n, data) "
		"SELECT u.f, u.l, u.n, u.d FROM unnest($1, $2, $3, $4, $5) AS u (f, l, n, d, r)",
		SPI_OK_INSERT, 5, {INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID, BYTEAARRAYOID, INT4ARRAYOID}
	},
	[BB_PLAN_PACKED_ADD_RELAY] = {
		"INSERT INTO bigbrotr.observation_by_relay (first_key, last_key, n, data, relay_id) "
		"SELECT * FROM unnest($1, $2, $3, $4, $5)",
		SPI_OK_INSERT, 5, {INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID, BYTEAARRAYOID, INT4ARRAYOID}
	},
	[BB_PLAN_PACKED_DROP_EVENT] = {
		"DELETE FROM bigbrotr.observation_by_event AS b WHERE b.first_key = ANY ($1) AND $2 IS NOT NULL",
		SPI_OK_DELETE, 2, {INT8ARRAYOID, INT4ARRAYOID}
	},
	[BB_PLAN_PACKED_DROP_RELAY] = {
		"DELETE FROM bigbrotr.observation_by_relay AS b USING unnest($1, $2) AS u (first_key, relay_id) "
		"WHERE b.relay_id = u.relay_id AND b.first_key = u.first_key",
		SPI_OK_DELETE, 2, {INT8ARRAYOID, INT4ARRAYOID}
	},
	[BB_PLAN_RETENTION] = {
		"SELECT r.name, r.floor, r.kinds FROM bigbrotr.retention AS r "
		"WHERE r.enabled AND r.floor IS NOT NULL ORDER BY r.name",
		SPI_OK_SELECT, 0, {0}
	},
	[BB_PLAN_RELAY_GET] = {
		"SELECT r.id FROM bigbrotr.relay AS r WHERE r.url = $1",
		SPI_OK_SELECT, 1, {TEXTOID}
	},
	[BB_PLAN_RELAY_ADD] = {
		"INSERT INTO bigbrotr.relay AS r (url, network) VALUES ($1, $2) "
		"ON CONFLICT (url) DO NOTHING RETURNING r.id",
		SPI_OK_INSERT_RETURNING, 2, {TEXTOID, TEXTOID}
	},
	[BB_PLAN_PARTITION_CHECK] = {
		"SELECT EXISTS (SELECT FROM pg_catalog.pg_inherits AS i "
		"WHERE i.inhparent = c.oid), pg_catalog.pg_has_role(c.relowner, 'USAGE') "
		"FROM pg_catalog.pg_class AS c WHERE c.oid = 'bigbrotr.event'::pg_catalog.regclass",
		SPI_OK_SELECT, 0, {0}
	},
	[BB_PLAN_PARTITION_ENSURE] = {
		"SELECT bigbrotr.partition_ensure()",
		SPI_OK_SELECT, 0, {0}
	},
};

static SPIPlanPtr plans[BB_PLAN_N];
static Oid	plans_tags_type;	/* the plans were made with this one */
static bool partitions_seen;

Oid
archive_tags_type(void)
{
	Oid			nsp = get_namespace_oid("bigbrotr", true);
	Oid			type = InvalidOid;

	if (OidIsValid(nsp))
		type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
							   CStringGetDatum("tags"), ObjectIdGetDatum(nsp));
	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"bigbrotr\" does not exist in this database"),
				 errhint("Run CREATE EXTENSION bigbrotr.")));
	return type;
}

/* Forgets everything when the extension was made again. */
static void
plans_check(void)
{
	Oid			type = archive_tags_type();

	if (type == plans_tags_type)
		return;
	for (int i = 0; i < BB_PLAN_N; i++)
	{
		if (plans[i] != NULL)
			SPI_freeplan(plans[i]);
		plans[i] = NULL;
	}
	partitions_seen = false;
	plans_tags_type = type;
}

void
archive_plan_run(BbPlan plan, Datum *values, const char *nulls)
{
	const PlanDef *def = &plan_defs[plan];
	int			rc;

	plans_check();
	if (plans[plan] == NULL)
	{
		Oid			args[PLAN_MAX_ARGS];
		SPIPlanPtr	p;

		for (int i = 0; i < def->nargs; i++)
			args[i] = OidIsValid(def->args[i]) ? def->args[i]
				: get_array_type(plans_tags_type);
		p = SPI_prepare(def->sql, def->nargs, args);
		if (p == NULL)
			elog(ERROR, "could not prepare archive statement %d: %s", plan,
				 SPI_result_code_string(SPI_result));
		SPI_keepplan(p);
		plans[plan] = p;
	}
	rc = SPI_execute_plan(plans[plan], values, nulls, false, 0);
	if (rc != def->expect)
		elog(ERROR, "archive statement %d: %s", plan, SPI_result_code_string(rc));
}

void
archive_partitions(void)
{
	bool		isnull;

	plans_check();
	if (partitions_seen)
		return;
	archive_plan_run(BB_PLAN_PARTITION_CHECK, NULL, NULL);
	if (!DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)))
	{
		if (!DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull)))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("archive has no partitions yet"),
					 errhint("The owner can create them with SELECT bigbrotr.partition_ensure(); the scheduler does so if it runs.")));
		archive_plan_run(BB_PLAN_PARTITION_ENSURE, NULL, NULL);
		return;
	}
	/* who has written may have made them, and may still roll back */
	partitions_seen = !TransactionIdIsValid(GetTopTransactionIdIfAny());
}

NostrBuf *
bb_scratch(int which)
{
	static NostrBuf scratch[2];

	Assert(which >= 0 && which < 2);
	if (scratch[which].max == 0)
		nostr_buf_init(&scratch[which], SCRATCH_MAX);
	else if (scratch[which].cap > SCRATCH_KEEP)
		nostr_buf_free(&scratch[which]);
	nostr_buf_reset(&scratch[which]);
	return &scratch[which];
}

Datum
archive_array(Datum *d, bool *isnull, int n, Oid type)
{
	int			dims[1];
	int			lbs[1] = {1};
	int16		len;
	bool		byval;
	char		align;

	dims[0] = n;
	get_typlenbyvalalign(type, &len, &byval, &align);
	return PointerGetDatum(construct_md_array(d, isnull, 1, dims, lbs, type, len, byval, align));
}
