/*
 * fold_plan.c
 *
 * The statements that keep the tallies, and the snapshot they run under.
 *
 * Guarantees: every statement of a step sees the same archive and queue, and
 * what earlier statements of its own transaction did.  Plans are made for
 * the values at hand (custom plans): the size of the arrays decides whether an
 * index or a hash serves best.
 *
 * How a statement knows that something has come or gone: an upsert returns
 * the new count, and the new count less what was added is the old one.
 * "turn" is 1 when the old was 0, -1 when the new is.
 *
 * The planner knows little of what a statement makes on its way.  So what an
 * upsert returns is joined with FULL JOIN, which is never a nested loop; it
 * finds a partner for every row.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/snapmgr.h"

#include "pg/fold.h"

#define MAX_ARGS 6

typedef struct PlanDef
{
	const char *sql;
	int			expect;			/* SPI_OK_... */
	int			nargs;
	Oid			args[MAX_ARGS];
} PlanDef;

/* Days that the type date can hold; one more at each end for all beyond. */
#define DAY(at) "greatest(least(" at " / 86400, 2145042906), -2440589)::int"

/* old > 0 against new > 0, from the new value and what was added */
#define TURN(value, added) "(" value " > 0)::int - (" value " - " added " > 0)::int"

static const PlanDef defs[FOLD_PLAN_N] = {
	[FOLD_PEEK] = {
		"SELECT q.id, (cardinality(q.keys) + cardinality(q.seen_keys))::bigint "
		"FROM bigbrotr.ingest_delta AS q ORDER BY q.id LIMIT $1",
		SPI_OK_SELECT, 1, {INT8OID}
	},
	[FOLD_TAKE] = {
		"DELETE FROM bigbrotr.ingest_delta AS q WHERE q.id <= $1 "
		"RETURNING q.id, q.removed, q.keys, q.seen_keys, q.seen_relays, q.gone, q.pubkeys, "
		"q.kinds, q.created_ats, q.ds",
		SPI_OK_DELETE_RETURNING, 1, {INT8OID}
	},
	[FOLD_REMOVALS_LEFT] = {
		"SELECT q.id, k.key, k.pubkey, k.kind, k.created_at FROM bigbrotr.ingest_delta AS q, "
		"unnest(q.keys, q.gone, q.pubkeys, q.kinds, q.created_ats) AS k (key, gone, pubkey, kind, created_at) "
		"WHERE q.removed AND q.id > $1 AND k.gone AND k.key = ANY ($2)",
		SPI_OK_SELECT, 2, {INT8OID, INT8ARRAYOID}
	},
	[FOLD_LOOKUP_EVENTS] = {
		"SELECT e.key, e.pubkey, e.kind, e.created_at FROM bigbrotr.event AS e "
		"WHERE e.key = ANY ($1) AND e.key >= $2 AND e.key <= $3",
		SPI_OK_SELECT, 3, {INT8ARRAYOID, INT8OID, INT8OID}
	},
	[FOLD_LOOKUP_WINNERS] = {
		"SELECT e.key, e.id, CASE WHEN e.kind >= 30000 THEN bigbrotr.d_digest(e.tags) END "
		"FROM bigbrotr.event AS e WHERE e.key = ANY ($1) AND e.key >= $2 AND e.key <= $3",
		SPI_OK_SELECT, 3, {INT8ARRAYOID, INT8OID, INT8OID}
	},
	[FOLD_AUTHORS] = {
		"WITH p AS MATERIALIZED (SELECT u.pubkey FROM unnest($1) AS u (pubkey)), "
		"fresh AS (INSERT INTO bigbrotr.tally_author AS t (pubkey) SELECT p.pubkey FROM p "
		"WHERE NOT EXISTS (SELECT FROM bigbrotr.tally_author AS a WHERE a.pubkey = p.pubkey) "
		"ORDER BY p.pubkey RETURNING t.id, t.pubkey) "
		"SELECT fresh.id, fresh.pubkey FROM fresh UNION ALL "
		"SELECT a.id, a.pubkey FROM p JOIN bigbrotr.tally_author AS a ON a.pubkey = p.pubkey",
		SPI_OK_SELECT, 1, {BYTEAARRAYOID}
	},
	[FOLD_POSITION] = {
		"INSERT INTO bigbrotr.tally_total AS t (position, counted_at) VALUES ($1, clock_timestamp()) "
		"ON CONFLICT (one) DO UPDATE SET position = excluded.position, counted_at = excluded.counted_at",
		SPI_OK_INSERT, 1, {INT8OID}
	},
	[FOLD_ORPHANS_ADD] = {
		"INSERT INTO bigbrotr.tally_orphan (key, relay_id) SELECT DISTINCT * FROM unnest($1, $2) "
		"ORDER BY 1, 2 ON CONFLICT DO NOTHING",
		SPI_OK_INSERT, 2, {INT8ARRAYOID, INT4ARRAYOID}
	},
	[FOLD_ORPHANS_DROP] = {
		"DELETE FROM bigbrotr.tally_orphan AS t USING unnest($1, $2) AS u (key, relay_id) "
		"WHERE t.key = u.key AND t.relay_id = u.relay_id",
		SPI_OK_DELETE, 2, {INT8ARRAYOID, INT4ARRAYOID}
	},
	[FOLD_ORPHANS_ADOPT] = {
		"DELETE FROM bigbrotr.tally_orphan AS t WHERE t.key = ANY ($1) RETURNING t.key, t.relay_id",
		SPI_OK_DELETE_RETURNING, 1, {INT8ARRAYOID}
	},

	/* --- events: author, kind, created_at, sign --------------------------- */
	[FOLD_EVENTS] = {
		"WITH g AS MATERIALIZED (SELECT d.author, d.kind, sum(d.sign) AS n, "
		"min(d.at) FILTER (WHERE d.sign > 0) AS lo, max(d.at) FILTER (WHERE d.sign > 0) AS hi "
		"FROM unnest($1, $2, $3, $4) AS d (author, kind, at, sign) GROUP BY 1, 2), "
		"ak AS (INSERT INTO bigbrotr.tally_author_kind AS t (author_id, kind, events) "
		"SELECT g.author, g.kind, g.n FROM g ORDER BY 1, 2 ON CONFLICT (author_id, kind) "
		"DO UPDATE SET events = t.events + excluded.events RETURNING t.author_id, t.kind, t.events), "
		"x AS MATERIALIZED (SELECT g.author, g.kind, g.n, g.lo, g.hi, " TURN("ak.events", "g.n") " AS turn "
		"FROM g FULL JOIN ak ON ak.author_id = g.author AND ak.kind = g.kind), "
		"s AS (SELECT x.author, sum(x.n)::bigint AS n, sum(x.turn) AS turn, min(x.lo) AS lo, max(x.hi) AS hi "
		"FROM x GROUP BY 1), "
		"a AS (UPDATE bigbrotr.tally_author AS t SET events = t.events + s.n, kinds = t.kinds + s.turn, "
		"first_at = least(t.first_at, s.lo), last_at = greatest(t.last_at, s.hi) FROM s WHERE t.id = s.author "
		"RETURNING " TURN("t.events", "s.n") " AS turn), "
		"k AS (INSERT INTO bigbrotr.tally_kind AS t (kind, events, authors) "
		"SELECT x.kind, sum(x.n), sum(x.turn) FROM x GROUP BY 1 ORDER BY 1 ON CONFLICT (kind) "
		"DO UPDATE SET events = t.events + excluded.events, authors = t.authors + excluded.authors) "
		"INSERT INTO bigbrotr.tally_total AS t (events, authors, first_at, last_at) "
		"SELECT sum(x.n), (SELECT sum(a.turn) FROM a), min(x.lo), max(x.hi) FROM x ON CONFLICT (one) "
		"DO UPDATE SET events = t.events + excluded.events, authors = t.authors + excluded.authors, "
		"first_at = least(t.first_at, excluded.first_at), last_at = greatest(t.last_at, excluded.last_at)",
		SPI_OK_INSERT, 4, {INT4ARRAYOID, INT4ARRAYOID, INT8ARRAYOID, INT4ARRAYOID}
	},
	[FOLD_DAYS] = {
		"WITH d AS MATERIALIZED (SELECT " DAY("u.at") " AS day, u.author, u.kind, u.sign "
		"FROM unnest($1, $2, $3, $4) AS u (author, kind, at, sign)), "
		"ga AS MATERIALIZED (SELECT d.day, d.author, sum(d.sign) AS n FROM d GROUP BY 1, 2), "
		"gk AS MATERIALIZED (SELECT d.day, d.kind, sum(d.sign) AS n FROM d GROUP BY 1, 2), "
		"da AS (INSERT INTO bigbrotr.tally_day_author AS t (day, author_id, events) "
		"SELECT ga.day, ga.author, ga.n FROM ga ORDER BY 1, 2 ON CONFLICT (day, author_id) "
		"DO UPDATE SET events = t.events + excluded.events RETURNING t.day, t.author_id, t.events), "
		"dk AS (INSERT INTO bigbrotr.tally_day_kind AS t (day, kind, events) "
		"SELECT gk.day, gk.kind, gk.n FROM gk ORDER BY 1, 2 ON CONFLICT (day, kind) "
		"DO UPDATE SET events = t.events + excluded.events RETURNING t.day, t.kind, t.events), "
		"u AS (SELECT ga.day, ga.n, " TURN("da.events", "ga.n") " AS author, 0 AS kind "
		"FROM ga FULL JOIN da ON da.day = ga.day AND da.author_id = ga.author "
		"UNION ALL SELECT gk.day, 0, 0, " TURN("dk.events", "gk.n") " "
		"FROM gk FULL JOIN dk ON dk.day = gk.day AND dk.kind = gk.kind) "
		"INSERT INTO bigbrotr.tally_day AS t (day, events, authors, kinds) "
		"SELECT u.day, sum(u.n), sum(u.author), sum(u.kind) FROM u GROUP BY 1 ORDER BY 1 ON CONFLICT (day) "
		"DO UPDATE SET events = t.events + excluded.events, authors = t.authors + excluded.authors, "
		"kinds = t.kinds + excluded.kinds",
		SPI_OK_INSERT, 4, {INT4ARRAYOID, INT4ARRAYOID, INT8ARRAYOID, INT4ARRAYOID}
	},
	[FOLD_TIMES] = {
		"INSERT INTO bigbrotr.tally_time AS t (slot, events) "
		"SELECT u.at / 600, sum(u.sign) FROM unnest($1, $2) AS u (at, sign) GROUP BY 1 ORDER BY 1 "
		"ON CONFLICT (slot) DO UPDATE SET events = t.events + excluded.events",
		SPI_OK_INSERT, 2, {INT8ARRAYOID, INT4ARRAYOID}
	},

	/* --- observations: relay, author, kind, created_at, sign ---------------- */
	/* "before" counts rows as they were when the statement began */
	[FOLD_RELAYS] = {
		"WITH g AS MATERIALIZED (SELECT d.relay, d.author, d.kind, sum(d.sign) AS n, "
		"min(d.at) FILTER (WHERE d.sign > 0) AS lo, max(d.at) FILTER (WHERE d.sign > 0) AS hi "
		"FROM unnest($1, $2, $3, $4, $5) AS d (relay, author, kind, at, sign) GROUP BY 1, 2, 3), "
		"ra AS (INSERT INTO bigbrotr.tally_relay_author AS t (relay_id, author_id, kind, events, first_at, last_at) "
		"SELECT g.relay, g.author, g.kind, g.n, g.lo, g.hi FROM g ORDER BY 1, 2, 3 "
		"ON CONFLICT (relay_id, author_id, kind) DO UPDATE SET events = t.events + excluded.events, "
		"first_at = least(t.first_at, excluded.first_at), last_at = greatest(t.last_at, excluded.last_at) "
		"RETURNING t.relay_id, t.author_id, t.kind, t.events), "
		"x AS MATERIALIZED (SELECT g.relay, g.author, g.kind, g.n, g.lo, g.hi, " TURN("ra.events", "g.n") " AS turn "
		"FROM g FULL JOIN ra ON ra.relay_id = g.relay AND ra.author_id = g.author AND ra.kind = g.kind), "
		"p AS MATERIALIZED (SELECT q.relay, q.author, q.turn, (SELECT count(*) FROM bigbrotr.tally_relay_author AS b "
		"WHERE b.relay_id = q.relay AND b.author_id = q.author AND b.events > 0) AS before "
		"FROM (SELECT x.relay, x.author, sum(x.turn) AS turn FROM x WHERE x.turn <> 0 GROUP BY 1, 2) AS q), "
		"pa AS MATERIALIZED (SELECT p.relay, p.author, " TURN("p.before + p.turn", "p.turn") " AS turn FROM p), "
		"gk AS MATERIALIZED (SELECT x.relay, x.kind, sum(x.n) AS n, sum(x.turn) AS turn FROM x GROUP BY 1, 2), "
		"rk AS (INSERT INTO bigbrotr.tally_relay_kind AS t (relay_id, kind, events, authors) "
		"SELECT gk.relay, gk.kind, gk.n, gk.turn FROM gk ORDER BY 1, 2 ON CONFLICT (relay_id, kind) "
		"DO UPDATE SET events = t.events + excluded.events, authors = t.authors + excluded.authors "
		"RETURNING t.relay_id, t.kind, t.events), "
		"xk AS MATERIALIZED (SELECT gk.relay, gk.kind, " TURN("rk.events", "gk.n") " AS turn "
		"FROM gk FULL JOIN rk ON rk.relay_id = gk.relay AND rk.kind = gk.kind), "
		"u AS (SELECT x.relay, x.n, 0 AS author, 0 AS kind, x.lo, x.hi FROM x "
		"UNION ALL SELECT pa.relay, 0, pa.turn, 0, NULL, NULL FROM pa "
		"UNION ALL SELECT xk.relay, 0, 0, xk.turn, NULL, NULL FROM xk), "
		"r AS (INSERT INTO bigbrotr.tally_relay AS t (relay_id, events, authors, kinds, first_at, last_at) "
		"SELECT u.relay, sum(u.n), sum(u.author), sum(u.kind), min(u.lo), max(u.hi) FROM u GROUP BY 1 ORDER BY 1 "
		"ON CONFLICT (relay_id) DO UPDATE SET events = t.events + excluded.events, "
		"authors = t.authors + excluded.authors, kinds = t.kinds + excluded.kinds, "
		"first_at = least(t.first_at, excluded.first_at), last_at = greatest(t.last_at, excluded.last_at)), "
		"gna AS MATERIALIZED (SELECT y.network, y.author, sum(y.turn) AS n FROM (SELECT "
		"(SELECT l.network FROM bigbrotr.relay AS l WHERE l.id = pa.relay) AS network, pa.author, pa.turn "
		"FROM pa WHERE pa.turn <> 0) AS y WHERE y.network IS NOT NULL GROUP BY 1, 2), "
		"na AS (INSERT INTO bigbrotr.tally_network_author AS t (network, author_id, relays) "
		"SELECT gna.network, gna.author, gna.n FROM gna ORDER BY 1, 2 ON CONFLICT (network, author_id) "
		"DO UPDATE SET relays = t.relays + excluded.relays RETURNING t.network, t.author_id, t.relays), "
		"gnk AS MATERIALIZED (SELECT y.network, y.kind, sum(y.turn) AS n FROM (SELECT "
		"(SELECT l.network FROM bigbrotr.relay AS l WHERE l.id = xk.relay) AS network, xk.kind, xk.turn "
		"FROM xk WHERE xk.turn <> 0) AS y WHERE y.network IS NOT NULL GROUP BY 1, 2), "
		"nk AS (INSERT INTO bigbrotr.tally_network_kind AS t (network, kind, relays) "
		"SELECT gnk.network, gnk.kind, gnk.n FROM gnk ORDER BY 1, 2 ON CONFLICT (network, kind) "
		"DO UPDATE SET relays = t.relays + excluded.relays RETURNING t.network, t.kind, t.relays), "
		"v AS (SELECT gna.network, " TURN("na.relays", "gna.n") " AS author, 0 AS kind "
		"FROM gna FULL JOIN na ON na.network = gna.network AND na.author_id = gna.author "
		"UNION ALL SELECT gnk.network, 0, " TURN("nk.relays", "gnk.n") " "
		"FROM gnk FULL JOIN nk ON nk.network = gnk.network AND nk.kind = gnk.kind) "
		"INSERT INTO bigbrotr.tally_network AS t (network, authors, kinds) "
		"SELECT v.network, sum(v.author), sum(v.kind) FROM v GROUP BY 1 ORDER BY 1 ON CONFLICT (network) "
		"DO UPDATE SET authors = t.authors + excluded.authors, kinds = t.kinds + excluded.kinds",
		SPI_OK_INSERT, 5, {INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT8ARRAYOID, INT4ARRAYOID}
	},

	/*
	 * Which events each network has.  Nearly all were seen on clearnet, so
	 * there the exceptions are kept: events less exceptions is the count.
	 * $1, $2: observations; $3: new events.  Of an event that returns, there
	 * may be observations that were counted before it: the archive is asked,
	 * key by key (OFFSET 0), each tier for itself, so that partitions are pruned.
	 */
	[FOLD_NETWORKS] = {
		"WITH o AS MATERIALIZED (SELECT DISTINCT l.network, u.key FROM unnest($1, $2) AS u (relay, key) "
		"JOIN bigbrotr.relay AS l ON l.id = u.relay), "
		"seen AS (DELETE FROM bigbrotr.tally_network_event AS t WHERE t.network = 'clearnet' "
		"AND t.key = ANY (ARRAY(SELECT o.key FROM o WHERE o.network = 'clearnet')) RETURNING t.key), "
		"unseen AS (INSERT INTO bigbrotr.tally_network_event AS t (key, network) "
		"SELECT d.key, 'clearnet' FROM (SELECT e.key FROM unnest($3) AS e (key) "
		"EXCEPT SELECT o.key FROM o WHERE o.network = 'clearnet') AS d "
		"WHERE NOT EXISTS (SELECT FROM bigbrotr.observation AS b JOIN bigbrotr.relay AS l ON l.id = b.relay_id "
		"WHERE b.key = d.key AND l.network = 'clearnet' OFFSET 0) "
		"AND NOT EXISTS (SELECT FROM bigbrotr.observation_packed AS b JOIN bigbrotr.relay AS l ON l.id = b.relay_id "
		"WHERE b.key = d.key AND l.network = 'clearnet' OFFSET 0) ORDER BY 1 "
		"ON CONFLICT DO NOTHING RETURNING t.key), "
		"other AS (INSERT INTO bigbrotr.tally_network_event AS t (key, network) "
		"SELECT o.key, o.network FROM o WHERE o.network <> 'clearnet' ORDER BY 1, 2 "
		"ON CONFLICT DO NOTHING RETURNING t.network) "
		"INSERT INTO bigbrotr.tally_network AS t (network, events) "
		"SELECT 'clearnet', cardinality($3) + (SELECT count(*) FROM seen) - (SELECT count(*) FROM unseen) "
		"UNION ALL SELECT other.network, count(*) FROM other GROUP BY 1 ON CONFLICT (network) "
		"DO UPDATE SET events = t.events + excluded.events",
		SPI_OK_INSERT, 3, {INT4ARRAYOID, INT8ARRAYOID, INT8ARRAYOID}
	},

	/* --- newest events: author, kind, d, key, created_at, id ---------------- */
	[FOLD_LATEST] = {
		"INSERT INTO bigbrotr.tally_latest AS t (author_id, kind, d, key, created_at, id) "
		"SELECT DISTINCT ON (1, 2, 3) u.author, u.kind, u.d, u.key, u.at, u.id "
		"FROM unnest($1, $2, $3, $4, $5, $6) AS u (author, kind, d, key, at, id) ORDER BY 1, 2, 3, u.at DESC, u.id "
		"ON CONFLICT (author_id, kind, d) DO UPDATE "
		"SET key = excluded.key, created_at = excluded.created_at, id = excluded.id "
		"WHERE excluded.created_at > t.created_at "
		"OR excluded.created_at = t.created_at AND excluded.id < t.id",
		SPI_OK_INSERT, 6, {INT4ARRAYOID, INT4ARRAYOID, BYTEAARRAYOID, INT8ARRAYOID, INT8ARRAYOID, BYTEAARRAYOID}
	},

	/* --- removals: what cannot be subtracted is looked up again ------------- */
	/* $1: keys; $2: how many events less */
	[FOLD_REMOVED_NETWORKS] = {
		"WITH gone AS (DELETE FROM bigbrotr.tally_network_event AS t WHERE t.key = ANY ($1) RETURNING t.network) "
		"INSERT INTO bigbrotr.tally_network AS t (network, events) "
		"SELECT u.network, sum(u.n) FROM (SELECT 'clearnet' AS network, $2 AS n UNION ALL "
		"SELECT gone.network, CASE WHEN gone.network = 'clearnet' THEN 1 ELSE -1 END FROM gone) AS u "
		"GROUP BY 1 ON CONFLICT (network) DO UPDATE SET events = t.events + excluded.events",
		SPI_OK_INSERT, 2, {INT8ARRAYOID, INT8OID}
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
		SPI_OK_INSERT, 3, {INT8ARRAYOID, INT8OID, INT8OID}
	},
	/* author, created_at of what was removed */
	[FOLD_REMOVED_AUTHORS] = {
		"UPDATE bigbrotr.tally_author AS t SET "
		"first_at = (SELECT min(e.created_at) FROM bigbrotr.event AS e WHERE e.pubkey = t.pubkey), "
		"last_at = (SELECT max(e.created_at) FROM bigbrotr.event AS e WHERE e.pubkey = t.pubkey) "
		"FROM (SELECT u.author, min(u.at) AS lo, max(u.at) AS hi FROM unnest($1, $2) AS u (author, at) GROUP BY 1) AS g "
		"WHERE t.id = g.author AND (g.lo <= t.first_at OR g.hi >= t.last_at)",
		SPI_OK_UPDATE, 2, {INT4ARRAYOID, INT8ARRAYOID}
	},
	[FOLD_REMOVED_TOTAL] = {
		"UPDATE bigbrotr.tally_total AS t SET "
		"first_at = (SELECT min(a.first_at) FROM bigbrotr.tally_author AS a WHERE a.events > 0), "
		"last_at = (SELECT max(a.last_at) FROM bigbrotr.tally_author AS a WHERE a.events > 0) "
		"WHERE t.first_at >= $1 OR t.last_at <= $2",
		SPI_OK_UPDATE, 2, {INT8OID, INT8OID}
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
		SPI_OK_UPDATE, 4, {INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT8ARRAYOID}
	},
	[FOLD_REMOVED_RELAYS] = {
		"UPDATE bigbrotr.tally_relay AS t SET (first_at, last_at) = "
		"(SELECT min(a.first_at), max(a.last_at) FROM bigbrotr.tally_relay_author AS a "
		"WHERE a.relay_id = t.relay_id AND a.events > 0) "
		"FROM (SELECT u.relay, min(u.at) AS lo, max(u.at) AS hi FROM unnest($1, $2) AS u (relay, at) GROUP BY 1) AS g "
		"WHERE t.relay_id = g.relay AND (g.lo <= t.first_at OR g.hi >= t.last_at)",
		SPI_OK_UPDATE, 2, {INT4ARRAYOID, INT8ARRAYOID}
	},
	/* author, kind, d */
	[FOLD_REMOVED_LATEST] = {
		"DELETE FROM bigbrotr.tally_latest AS t USING unnest($1, $2, $3) AS u (author, kind, d) "
		"WHERE t.author_id = u.author AND t.kind = u.kind AND t.d = u.d",
		SPI_OK_DELETE, 3, {INT4ARRAYOID, INT4ARRAYOID, BYTEAARRAYOID}
	},
	[FOLD_LATEST_AGAIN] = {
		"INSERT INTO bigbrotr.tally_latest AS t (author_id, kind, d, key, created_at, id) "
		"SELECT DISTINCT ON (1, 2, 3) u.author, u.kind, u.d, e.key, e.created_at, e.id "
		"FROM unnest($1, $2, $3) AS u (author, kind, d) "
		"JOIN bigbrotr.tally_author AS a ON a.id = u.author "
		"JOIN bigbrotr.event AS e ON e.pubkey = a.pubkey AND e.kind = u.kind "
		"AND (e.kind < 30000 OR bigbrotr.d_digest(e.tags) = u.d) "
		"ORDER BY 1, 2, 3, e.created_at DESC, e.id",
		SPI_OK_INSERT, 3, {INT4ARRAYOID, INT4ARRAYOID, BYTEAARRAYOID}
	},

	/*
	 * --- removals: rows that are empty now ----------------------------------
	 * A count below nothing stays: an observation was taken away whose event
	 * is about to return, and which is put aside (tally_orphan) until then.
	 */
	[FOLD_CLEAN_AUTHOR_KIND] = {
		"DELETE FROM bigbrotr.tally_author_kind AS t WHERE t.events = 0 AND t.author_id = ANY ($1)",
		SPI_OK_DELETE, 1, {INT4ARRAYOID}
	},
	[FOLD_CLEAN_KIND] = {
		"DELETE FROM bigbrotr.tally_kind AS t WHERE t.events = 0 AND t.authors = 0", SPI_OK_DELETE, 0, {0}
	},
	[FOLD_CLEAN_DAY] = {
		"DELETE FROM bigbrotr.tally_day AS t WHERE t.events = 0 AND t.authors = 0 AND t.kinds = 0", SPI_OK_DELETE, 0, {0}
	},
	[FOLD_CLEAN_DAY_AUTHOR] = {
		"DELETE FROM bigbrotr.tally_day_author AS t USING (SELECT DISTINCT u.author, " DAY("u.at") " AS day "
		"FROM unnest($1, $2) AS u (author, at)) AS g "
		"WHERE t.events = 0 AND t.day = g.day AND t.author_id = g.author",
		SPI_OK_DELETE, 2, {INT4ARRAYOID, INT8ARRAYOID}
	},
	[FOLD_CLEAN_DAY_KIND] = {
		"DELETE FROM bigbrotr.tally_day_kind AS t WHERE t.events = 0 "
		"AND t.day = ANY (ARRAY(SELECT " DAY("u.at") " FROM unnest($1) AS u (at)))",
		SPI_OK_DELETE, 1, {INT8ARRAYOID}
	},
	[FOLD_CLEAN_TIME] = {
		"DELETE FROM bigbrotr.tally_time AS t WHERE t.events = 0 "
		"AND t.slot = ANY (ARRAY(SELECT u.at / 600 FROM unnest($1) AS u (at)))",
		SPI_OK_DELETE, 1, {INT8ARRAYOID}
	},
	[FOLD_CLEAN_RELAY] = {
		"DELETE FROM bigbrotr.tally_relay AS t WHERE t.events = 0 AND t.authors = 0 AND t.kinds = 0", SPI_OK_DELETE, 0, {0}
	},
	[FOLD_CLEAN_RELAY_KIND] = {
		"DELETE FROM bigbrotr.tally_relay_kind AS t WHERE t.events = 0 AND t.authors = 0 AND t.relay_id = ANY ($1)",
		SPI_OK_DELETE, 1, {INT4ARRAYOID}
	},
	[FOLD_CLEAN_RELAY_AUTHOR] = {
		"DELETE FROM bigbrotr.tally_relay_author AS t USING (SELECT DISTINCT u.relay, u.author "
		"FROM unnest($1, $2) AS u (relay, author)) AS g "
		"WHERE t.events = 0 AND t.relay_id = g.relay AND t.author_id = g.author",
		SPI_OK_DELETE, 2, {INT4ARRAYOID, INT4ARRAYOID}
	},
	[FOLD_CLEAN_NETWORK_AUTHOR] = {
		"DELETE FROM bigbrotr.tally_network_author AS t WHERE t.relays = 0 AND t.network IN "
		"('clearnet', 'tor', 'i2p', 'loki') AND t.author_id = ANY ($1)",
		SPI_OK_DELETE, 1, {INT4ARRAYOID}
	},
	[FOLD_CLEAN_NETWORK_KIND] = {
		"DELETE FROM bigbrotr.tally_network_kind AS t WHERE t.relays = 0", SPI_OK_DELETE, 0, {0}
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

static void
execute(SPIPlanPtr plan, Datum *args, int expect)
{
	int			rc = SPI_execute_snapshot(plan, args, NULL, snapshot, InvalidSnapshot, false, true, 0);

	if (rc != expect)
		elog(ERROR, "statement of the analytics: %s", SPI_result_code_string(rc));
}

void
fold_run(FoldPlan plan, Datum *args)
{
	if (plans[plan] == NULL)
	{
		SPIPlanPtr	p = SPI_prepare_cursor(defs[plan].sql, defs[plan].nargs, (Oid *) defs[plan].args,
										   CURSOR_OPT_CUSTOM_PLAN);

		if (p == NULL)
			elog(ERROR, "could not prepare statement %d of the analytics: %s", plan,
				 SPI_result_code_string(SPI_result));
		SPI_keepplan(p);
		plans[plan] = p;
	}
	execute(plans[plan], args, defs[plan].expect);
}

void
fold_run_text(const char *sql, int expect)
{
	SPIPlanPtr	p = SPI_prepare(sql, 0, NULL);

	if (p == NULL)
		elog(ERROR, "could not prepare: %s: %s", sql, SPI_result_code_string(SPI_result));
	execute(p, NULL, expect);
	SPI_freeplan(p);
}
