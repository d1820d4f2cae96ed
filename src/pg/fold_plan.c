/*
 * fold_plan.c
 *
 * The statements that keep the tallies, and the snapshot they run under.
 *
 * Guarantees: every statement of a step sees the same archive and queue, and
 * what earlier statements of its own transaction did.
 *
 * Those that look into the archive or follow a removal are planned for the
 * values at hand (custom plans): the size of the arrays decides whether an
 * index or a hash serves best.  The others (by_key) take each row of their
 * arrays to the one row that has its key, however large the table has become:
 * their plan is made once, without any other way to join.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "pg/fold_plan.h"

#define MAX_ARGS 7

typedef struct PlanDef
{
	const char *sql;
	int			expect;			/* SPI_OK_... */
	int			nargs;
	Oid			args[MAX_ARGS];
	bool		by_key;
} PlanDef;

/* Days that the type date can hold; one more at each end for all beyond. */
#define DAY(at) "bigbrotr.tally_day(" at ")"

static const PlanDef defs[FOLD_PLAN_N] = {
	[FOLD_PEEK] = {
		"SELECT q.id, (cardinality(q.keys) + cardinality(q.seen_keys))::bigint "
		"FROM bigbrotr.ingest_delta AS q ORDER BY q.id LIMIT $1",
		SPI_OK_SELECT, 1, {INT8OID}, false
	},
	[FOLD_TAKE] = {
		"DELETE FROM bigbrotr.ingest_delta AS q WHERE q.id <= $1 "
		"RETURNING q.id, q.removed, q.keys, q.seen_keys, q.seen_relays, q.gone, q.pubkeys, "
		"q.kinds, q.created_ats, q.ds",
		SPI_OK_DELETE_RETURNING, 1, {INT8OID}, false
	},
	[FOLD_ANY_REMOVAL_LEFT] = {
		"SELECT FROM bigbrotr.ingest_delta AS q WHERE q.removed AND q.id > $1 LIMIT 1",
		SPI_OK_SELECT, 1, {INT8OID}, true
	},
	[FOLD_REMOVALS_LEFT] = {
		"SELECT q.id, k.key, k.pubkey, k.kind, k.created_at FROM bigbrotr.ingest_delta AS q, "
		"unnest(q.keys, q.gone, q.pubkeys, q.kinds, q.created_ats) AS k (key, gone, pubkey, kind, created_at) "
		"WHERE q.removed AND q.id > $1 AND k.gone AND k.key = ANY ($2)",
		SPI_OK_SELECT, 2, {INT8OID, INT8ARRAYOID}, false
	},
	/* what new events may replace is known by their id and d tag */
	[FOLD_LOOKUP_FRESH] = {
		"SELECT e.key, e.pubkey, e.kind, e.created_at, "
		"CASE WHEN e.kind IN (0, 3) OR e.kind BETWEEN 10000 AND 19999 OR e.kind BETWEEN 30000 AND 39999 THEN e.id END, "
		"CASE WHEN e.kind BETWEEN 30000 AND 39999 THEN bigbrotr.d_digest(e.tags) END "
		"FROM bigbrotr.event AS e WHERE e.key = ANY ($1) AND e.key >= $2 AND e.key <= $3",
		SPI_OK_SELECT, 3, {INT8ARRAYOID, INT8OID, INT8OID}, true
	},
	[FOLD_LOOKUP_SEEN] = {
		"SELECT e.key, e.pubkey, e.kind, e.created_at FROM bigbrotr.event AS e "
		"WHERE e.key = ANY ($1) AND e.key >= $2 AND e.key <= $3",
		SPI_OK_SELECT, 3, {INT8ARRAYOID, INT8OID, INT8OID}, true
	},
	[FOLD_AUTHORS] = {
		"SELECT u.o, a.id FROM unnest($1) WITH ORDINALITY AS u (pubkey, o) "
		"JOIN bigbrotr.tally_author AS a ON a.pubkey = u.pubkey",
		SPI_OK_SELECT, 1, {BYTEAARRAYOID}, true
	},
	[FOLD_AUTHORS_NUMBER] = {
		"SELECT nextval('bigbrotr.tally_author_id_seq') FROM generate_series(1, $1)",
		SPI_OK_SELECT, 1, {INT4OID}, true
	},
	/* with what they have published, if that is counted at once */
	[FOLD_AUTHORS_NEW] = {
		"INSERT INTO bigbrotr.tally_author AS t (pubkey, id, events, kinds, days, first_at, last_at) "
		"OVERRIDING SYSTEM VALUE SELECT u.* FROM unnest($1, $2, $3, $4, $5, $6, $7) AS u",
		SPI_OK_INSERT, 7, {BYTEAARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID}, true
	},
	[FOLD_POSITION] = {
		"INSERT INTO bigbrotr.tally_total AS t (position, counted_at) VALUES ($1, clock_timestamp()) "
		"ON CONFLICT (one) DO UPDATE SET position = excluded.position, counted_at = excluded.counted_at",
		SPI_OK_INSERT, 1, {INT8OID}, false
	},
	[FOLD_ORPHANS_ADD] = {
		"INSERT INTO bigbrotr.tally_orphan (key, relay_id) SELECT DISTINCT * FROM unnest($1, $2) "
		"ORDER BY 1, 2 ON CONFLICT DO NOTHING",
		SPI_OK_INSERT, 2, {INT8ARRAYOID, INT4ARRAYOID}, false
	},
	[FOLD_ORPHANS_DROP] = {
		"DELETE FROM bigbrotr.tally_orphan AS t USING unnest($1, $2) AS u (key, relay_id) "
		"WHERE t.key = u.key AND t.relay_id = u.relay_id",
		SPI_OK_DELETE, 2, {INT8ARRAYOID, INT4ARRAYOID}, false
	},
	[FOLD_ANY_ORPHAN] = {
		"SELECT FROM bigbrotr.tally_orphan AS t LIMIT 1", SPI_OK_SELECT, 0, {0}, false
	},
	[FOLD_ORPHANS_ADOPT] = {
		"DELETE FROM bigbrotr.tally_orphan AS t USING unnest($1) AS u (key) WHERE t.key = u.key "
		"RETURNING t.key, t.relay_id",
		SPI_OK_DELETE_RETURNING, 1, {INT8ARRAYOID}, true
	},

	/* --- sums that belong to no other row ----------------------------------- */
	[FOLD_TOTAL] = {
		"INSERT INTO bigbrotr.tally_total AS t (events, authors, first_at, last_at) VALUES ($1, $2, $3[1], $4[1]) "
		"ON CONFLICT (one) DO UPDATE SET events = t.events + excluded.events, authors = t.authors + excluded.authors, "
		"first_at = least(t.first_at, excluded.first_at), last_at = greatest(t.last_at, excluded.last_at)",
		SPI_OK_INSERT, 4, {INT8OID, INT8OID, INT8ARRAYOID, INT8ARRAYOID}, false
	},
	/* how many kinds each author has on each relay */
	[FOLD_RELAY_AUTHOR_KINDS] = {
		"SELECT u.o, (SELECT count(*) FROM bigbrotr.tally_relay_author AS b "
		"WHERE b.relay_id = u.relay AND b.author_id = u.author AND b.events > 0) "
		"FROM unnest($1, $2) WITH ORDINALITY AS u (relay, author, o)",
		SPI_OK_SELECT, 2, {INT8ARRAYOID, INT8ARRAYOID}, true
	},
	[FOLD_RELAY_NETWORKS] = {
		"SELECT r.id::bigint, r.network FROM bigbrotr.relay AS r WHERE r.id = ANY ($1)",
		SPI_OK_SELECT, 1, {INT8ARRAYOID}, false
	},
	[FOLD_NETWORK] = {
		"INSERT INTO bigbrotr.tally_network AS t (network, events, authors, kinds) VALUES ($1, $2, $3, $4) "
		"ON CONFLICT (network) DO UPDATE SET events = t.events + excluded.events, "
		"authors = t.authors + excluded.authors, kinds = t.kinds + excluded.kinds",
		SPI_OK_INSERT, 4, {TEXTOID, INT8OID, INT8OID, INT8OID}, false
	},

	/* --- events of each network: exceptions (fold_network.c) ----------------- */
	[FOLD_CLEARNET_SEEN] = {
		"DELETE FROM bigbrotr.tally_network_event AS t USING unnest($1) AS u (key) "
		"WHERE t.key = u.key AND t.network = 'clearnet'",
		SPI_OK_DELETE, 1, {INT8ARRAYOID}, true
	},
	/* Of an event that returns, there may be observations that were counted
	 * before it: the archive is asked, key by key (OFFSET 0), each tier for
	 * itself, so that partitions are pruned. */
	[FOLD_CLEARNET_UNSEEN] = {
		"INSERT INTO bigbrotr.tally_network_event AS t (key, network) SELECT d.key, 'clearnet' FROM unnest($1) AS d (key) "
		"WHERE NOT EXISTS (SELECT FROM bigbrotr.observation AS b JOIN bigbrotr.relay AS l ON l.id = b.relay_id "
		"WHERE b.key = d.key AND l.network = 'clearnet' OFFSET 0) "
		"AND NOT EXISTS (SELECT FROM bigbrotr.observation_packed AS b JOIN bigbrotr.relay AS l ON l.id = b.relay_id "
		"WHERE b.key = d.key AND l.network = 'clearnet' OFFSET 0) ON CONFLICT DO NOTHING",
		SPI_OK_INSERT, 1, {INT8ARRAYOID}, false
	},
	[FOLD_NETWORK_SEEN] = {
		"INSERT INTO bigbrotr.tally_network_event AS t (key, network) SELECT u.key, $2 FROM unnest($1) AS u (key) "
		"ON CONFLICT DO NOTHING",
		SPI_OK_INSERT, 2, {INT8ARRAYOID, TEXTOID}, false
	},

	/* --- newest events: author, kind, d, key, created_at, id ---------------- */
	/* what it finds is either older, or stays */
	[FOLD_LATEST_NEWER] = {
		"UPDATE bigbrotr.tally_latest AS t SET key = u.key, created_at = u.at, id = u.id "
		"FROM unnest($1, $2, $3, $4, $5, $6) AS u (author, kind, d, key, at, id) "
		"WHERE t.author_id = u.author AND t.kind = u.kind AND t.d = u.d "
		"AND (u.at > t.created_at OR u.at = t.created_at AND u.id < t.id)",
		SPI_OK_UPDATE, 6, {INT4ARRAYOID, INT4ARRAYOID, BYTEAARRAYOID, INT8ARRAYOID, INT8ARRAYOID, BYTEAARRAYOID}, true
	},
	[FOLD_LATEST_FIRST] = {
		"INSERT INTO bigbrotr.tally_latest AS t (author_id, kind, d, key, created_at, id) "
		"SELECT u.author, u.kind, u.d, u.key, u.at, u.id "
		"FROM unnest($1, $2, $3, $4, $5, $6) AS u (author, kind, d, key, at, id) "
		"WHERE NOT EXISTS (SELECT FROM bigbrotr.tally_latest AS o "
		"WHERE o.author_id = u.author AND o.kind = u.kind AND o.d = u.d)",
		SPI_OK_INSERT, 6, {INT4ARRAYOID, INT4ARRAYOID, BYTEAARRAYOID, INT8ARRAYOID, INT8ARRAYOID, BYTEAARRAYOID}, true
	},

	/* --- removals: what cannot be subtracted is looked up again ------------- */
	/* $1: keys; $2: how many events less */
	[FOLD_REMOVED_NETWORKS] = {
		"WITH gone AS (DELETE FROM bigbrotr.tally_network_event AS t WHERE t.key = ANY ($1) RETURNING t.network) "
		"INSERT INTO bigbrotr.tally_network AS t (network, events) "
		"SELECT u.network, sum(u.n) FROM (SELECT 'clearnet' AS network, $2 AS n UNION ALL "
		"SELECT gone.network, CASE WHEN gone.network = 'clearnet' THEN 1 ELSE -1 END FROM gone) AS u "
		"GROUP BY 1 ON CONFLICT (network) DO UPDATE SET events = t.events + excluded.events",
		SPI_OK_INSERT, 2, {INT8ARRAYOID, INT8OID}, false
	},
	/* $2, $3: first and last of the keys */
	[FOLD_REMOVED_NETWORKS_AGAIN] = {
		"WITH o AS MATERIALIZED (SELECT DISTINCT o.key, l.network FROM bigbrotr.observation_all AS o "
		"JOIN bigbrotr.event AS e ON e.key = o.key JOIN bigbrotr.relay AS l ON l.id = o.relay_id "
		"WHERE o.key = ANY ($1) AND o.key >= $2 AND o.key <= $3), "
		"has AS (INSERT INTO bigbrotr.tally_network_event AS t (key, network) "
		"SELECT o.key, o.network FROM o WHERE o.network <> 'clearnet' UNION ALL "
		"SELECT e.key, 'clearnet' FROM bigbrotr.event AS e WHERE e.key = ANY ($1) AND e.key >= $2 AND e.key <= $3 "
		"AND NOT EXISTS (SELECT FROM o WHERE o.key = e.key AND o.network = 'clearnet') "
		"RETURNING t.network) "
		"INSERT INTO bigbrotr.tally_network AS t (network, events) "
		"SELECT has.network, sum(CASE WHEN has.network = 'clearnet' THEN -1 ELSE 1 END) FROM has "
		"GROUP BY 1 ON CONFLICT (network) DO UPDATE SET events = t.events + excluded.events",
		SPI_OK_INSERT, 3, {INT8ARRAYOID, INT8OID, INT8OID}, false
	},
	/* author, created_at of what was removed */
	[FOLD_REMOVED_AUTHORS] = {
		"UPDATE bigbrotr.tally_author AS t SET "
		"first_at = (SELECT min(e.created_at) FROM bigbrotr.event AS e WHERE e.pubkey = t.pubkey), "
		"last_at = (SELECT max(e.created_at) FROM bigbrotr.event AS e WHERE e.pubkey = t.pubkey) "
		"FROM (SELECT u.author, min(u.at) AS lo, max(u.at) AS hi FROM unnest($1, $2) AS u (author, at) GROUP BY 1) AS g "
		"WHERE t.id = g.author AND (g.lo <= t.first_at OR g.hi >= t.last_at)",
		SPI_OK_UPDATE, 2, {INT4ARRAYOID, INT8ARRAYOID}, false
	},
	[FOLD_REMOVED_TOTAL] = {
		"UPDATE bigbrotr.tally_total AS t SET "
		"first_at = (SELECT min(a.first_at) FROM bigbrotr.tally_author AS a WHERE a.events > 0), "
		"last_at = (SELECT max(a.last_at) FROM bigbrotr.tally_author AS a WHERE a.events > 0) "
		"WHERE t.first_at >= $1 OR t.last_at <= $2",
		SPI_OK_UPDATE, 2, {INT8OID, INT8OID}, false
	},
	/* relay, author, kind, created_at of what was removed */
	[FOLD_REMOVED_RELAY_AUTHORS] = {
		"UPDATE bigbrotr.tally_relay_author AS t SET (first_at, last_at) = "
		"(SELECT min(e.created_at), max(e.created_at) FROM bigbrotr.event AS e "
		"JOIN bigbrotr.observation_all AS o ON o.key = e.key AND o.relay_id = t.relay_id "
		"WHERE e.pubkey = a.pubkey AND e.kind = t.kind) "
		"FROM (SELECT u.relay, u.author, u.kind, min(u.at) AS lo, max(u.at) AS hi "
		"FROM unnest($1, $2, $3, $4) AS u (relay, author, kind, at) GROUP BY 1, 2, 3) AS g "
		"JOIN bigbrotr.tally_author AS a ON a.id = g.author "
		"WHERE t.relay_id = g.relay AND t.author_id = g.author AND t.kind = g.kind "
		"AND (g.lo <= t.first_at OR g.hi >= t.last_at) AND t.events > 0",
		SPI_OK_UPDATE, 4, {INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT8ARRAYOID}, false
	},
	[FOLD_REMOVED_RELAYS] = {
		"UPDATE bigbrotr.tally_relay AS t SET (first_at, last_at) = "
		"(SELECT min(a.first_at), max(a.last_at) FROM bigbrotr.tally_relay_author AS a "
		"WHERE a.relay_id = t.relay_id AND a.events > 0) "
		"FROM (SELECT u.relay, min(u.at) AS lo, max(u.at) AS hi FROM unnest($1, $2) AS u (relay, at) GROUP BY 1) AS g "
		"WHERE t.relay_id = g.relay AND (g.lo <= t.first_at OR g.hi >= t.last_at)",
		SPI_OK_UPDATE, 2, {INT4ARRAYOID, INT8ARRAYOID}, false
	},
	/* author, kind, d */
	[FOLD_REMOVED_LATEST] = {
		"DELETE FROM bigbrotr.tally_latest AS t USING unnest($1, $2, $3) AS u (author, kind, d) "
		"WHERE t.author_id = u.author AND t.kind = u.kind AND t.d = u.d",
		SPI_OK_DELETE, 3, {INT4ARRAYOID, INT4ARRAYOID, BYTEAARRAYOID}, false
	},
	[FOLD_LATEST_AGAIN] = {
		"INSERT INTO bigbrotr.tally_latest AS t (author_id, kind, d, key, created_at, id) "
		"SELECT DISTINCT ON (1, 2, 3) u.author, u.kind, u.d, e.key, e.created_at, e.id "
		"FROM unnest($1, $2, $3) AS u (author, kind, d) "
		"JOIN bigbrotr.tally_author AS a ON a.id = u.author "
		"JOIN bigbrotr.event AS e ON e.pubkey = a.pubkey AND e.kind = u.kind "
		"AND (e.kind < 30000 OR bigbrotr.d_digest(e.tags) = u.d) "
		"ORDER BY 1, 2, 3, e.created_at DESC, e.id",
		SPI_OK_INSERT, 3, {INT4ARRAYOID, INT4ARRAYOID, BYTEAARRAYOID}, false
	},

	/*
	 * --- removals: rows that are empty now ----------------------------------
	 * A count below nothing stays: an observation was taken away whose event
	 * is about to return, and which is put aside (tally_orphan) until then.
	 */
	[FOLD_CLEAN_AUTHOR_KIND] = {
		"DELETE FROM bigbrotr.tally_author_kind AS t WHERE t.events = 0 AND t.author_id = ANY ($1)",
		SPI_OK_DELETE, 1, {INT4ARRAYOID}, false
	},
	[FOLD_CLEAN_KIND] = {
		"DELETE FROM bigbrotr.tally_kind AS t WHERE t.events = 0 AND t.authors = 0", SPI_OK_DELETE, 0, {0}, false
	},
	[FOLD_CLEAN_DAY] = {
		"DELETE FROM bigbrotr.tally_day AS t WHERE t.events = 0 AND t.authors = 0 AND t.kinds = 0", SPI_OK_DELETE, 0, {0}, false
	},
	[FOLD_CLEAN_DAY_AUTHOR] = {
		"DELETE FROM bigbrotr.tally_day_author AS t USING (SELECT DISTINCT u.author, " DAY("u.at") " AS day "
		"FROM unnest($1, $2) AS u (author, at)) AS g "
		"WHERE t.events = 0 AND t.day = g.day AND t.author_id = g.author",
		SPI_OK_DELETE, 2, {INT4ARRAYOID, INT8ARRAYOID}, false
	},
	[FOLD_CLEAN_DAY_KIND] = {
		"DELETE FROM bigbrotr.tally_day_kind AS t WHERE t.events = 0 "
		"AND t.day = ANY (ARRAY(SELECT " DAY("u.at") " FROM unnest($1) AS u (at)))",
		SPI_OK_DELETE, 1, {INT8ARRAYOID}, false
	},
	[FOLD_CLEAN_TIME] = {
		"DELETE FROM bigbrotr.tally_time AS t WHERE t.events = 0 "
		"AND t.slot = ANY (ARRAY(SELECT u.at / 600 FROM unnest($1) AS u (at)))",
		SPI_OK_DELETE, 1, {INT8ARRAYOID}, false
	},
	[FOLD_CLEAN_RELAY] = {
		"DELETE FROM bigbrotr.tally_relay AS t WHERE t.events = 0 AND t.authors = 0 AND t.kinds = 0", SPI_OK_DELETE, 0, {0}, false
	},
	[FOLD_CLEAN_RELAY_KIND] = {
		"DELETE FROM bigbrotr.tally_relay_kind AS t WHERE t.events = 0 AND t.authors = 0 AND t.relay_id = ANY ($1)",
		SPI_OK_DELETE, 1, {INT4ARRAYOID}, false
	},
	[FOLD_CLEAN_RELAY_AUTHOR] = {
		"DELETE FROM bigbrotr.tally_relay_author AS t USING (SELECT DISTINCT u.relay, u.author "
		"FROM unnest($1, $2) AS u (relay, author)) AS g "
		"WHERE t.events = 0 AND t.relay_id = g.relay AND t.author_id = g.author",
		SPI_OK_DELETE, 2, {INT4ARRAYOID, INT4ARRAYOID}, false
	},
	[FOLD_CLEAN_NETWORK_AUTHOR] = {
		"DELETE FROM bigbrotr.tally_network_author AS t WHERE t.relays = 0 AND t.network IN "
		"('clearnet', 'tor', 'i2p', 'loki') AND t.author_id = ANY ($1)",
		SPI_OK_DELETE, 1, {INT4ARRAYOID}, false
	},
	[FOLD_CLEAN_NETWORK_KIND] = {
		"DELETE FROM bigbrotr.tally_network_kind AS t WHERE t.relays = 0", SPI_OK_DELETE, 0, {0}, false
	},
};

static SPIPlanPtr plans[FOLD_PLAN_N];
static Snapshot snapshot;

void
fold_begin(void)
{
	snapshot = RegisterSnapshot(GetTransactionSnapshot());
}

void
fold_end(void)
{
	UnregisterSnapshot(snapshot);
	snapshot = NULL;
}

Datum
fold_value(uint64 r, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, column, isnull);
}

int64
fold_int8(uint64 r, int column)
{
	bool		isnull;

	return DatumGetInt64(fold_value(r, column, &isnull));
}

static void
execute(SPIPlanPtr plan, Datum *args, int expect)
{
	int			rc = SPI_execute_snapshot(plan, args, NULL, snapshot, InvalidSnapshot, false, true, 0);

	if (rc != expect)
		elog(ERROR, "statement of the analytics: %s", SPI_result_code_string(rc));
}

static void
prepare(SPIPlanPtr *plan, const char *sql, int nargs, const Oid *types, int options)
{
	SPIPlanPtr	p;

	if (*plan != NULL)
		return;
	p = SPI_prepare_cursor(sql, nargs, (Oid *) types, options);
	if (p == NULL)
		elog(ERROR, "could not prepare: %s: %s", sql, SPI_result_code_string(SPI_result));
	SPI_keepplan(p);
	*plan = p;
}

void
fold_run_by_key(SPIPlanPtr *plan, const char *sql, int nargs, Oid *types, Datum *args, int expect)
{
	static const char *const off[] = {"enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"};
	int			level = NewGUCNestLevel();

	for (int i = 0; i < lengthof(off); i++)
		(void) set_config_option(off[i], "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	prepare(plan, sql, nargs, types, CURSOR_OPT_GENERIC_PLAN);
	execute(*plan, args, expect);
	AtEOXact_GUC(false, level);
}

void
fold_run(FoldPlan plan, Datum *args)
{
	const PlanDef *d = &defs[plan];

	if (d->by_key)
	{
		fold_run_by_key(&plans[plan], d->sql, d->nargs, (Oid *) d->args, args, d->expect);
		return;
	}
	prepare(&plans[plan], d->sql, d->nargs, d->args, CURSOR_OPT_CUSTOM_PLAN);
	execute(plans[plan], args, d->expect);
}

void
fold_run_text(const char *sql, int expect)
{
	int			level = NewGUCNestLevel();
	char		memory[16];
	SPIPlanPtr	p;

	snprintf(memory, sizeof(memory), "%d", Max(work_mem, maintenance_work_mem));
	(void) set_config_option("work_mem", memory, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	p = SPI_prepare(sql, 0, NULL);
	if (p == NULL)
		elog(ERROR, "could not prepare: %s: %s", sql, SPI_result_code_string(SPI_result));
	execute(p, NULL, expect);
	SPI_freeplan(p);
	AtEOXact_GUC(false, level);
}
