/*
 * analytics_truth.c
 *
 * The analytics from first principles: what every view must show, computed
 * directly from event, observation and relay and from the results of the
 * monitor; and the tallies recomputed.  Deliberately separate from fold*.c
 * and the views: verify() compares the two.
 */
#include "postgres.h"

#include "pg/analytics.h"

#define SEEN "bigbrotr.observation_all AS o JOIN bigbrotr.event AS e ON e.key = o.key " \
	"JOIN bigbrotr.relay AS r ON r.id = o.relay_id"

#define WINDOW(seconds) "count(*) FILTER (WHERE e.created_at >= " \
	"floor(extract(epoch FROM now()))::bigint - " seconds ")"

#define CATEGORY(name) "count(*) FILTER (WHERE bigbrotr.kind_category(e.kind) = '" name "')"

/* The events with the numbers of their authors.  The planner is not told that
 * it may look for the keys of authors in an index of the archive (OFFSET 0). */
#define NUMBERED "(SELECT x.key, x.kind, x.created_at, a.id FROM (SELECT e.key, e.pubkey, e.kind, e.created_at " \
	"FROM bigbrotr.event AS e OFFSET 0) AS x JOIN bigbrotr.tally_author AS a ON a.pubkey = x.pubkey)"

/* A date, or the infinity that stands for what is none. */
#define DATE "CASE WHEN e.created_at / 86400 > 2145042905 THEN 'infinity'::date " \
	"WHEN e.created_at / 86400 < -2440588 THEN '-infinity'::date " \
	"ELSE '1970-01-01'::date + (e.created_at / 86400)::int END"

#define DAY "bigbrotr.tally_day(e.created_at)"

/* The present document about the relay itself of every relay: its address and
 * what it says. */
#define NIP11 "(SELECT r.url, d.relay_id, o.data -> 'data' AS said FROM bigbrotr.relay_document AS d " \
	"JOIN bigbrotr.relay AS r ON r.id = d.relay_id " \
	"JOIN bigbrotr.document AS o ON o.id = d.document_id AND o.type = d.type WHERE d.type = 'nip11_info' " \
	"AND d.generated_at = (SELECT max(x.generated_at) FROM bigbrotr.relay_document AS x " \
	"WHERE x.relay_id = d.relay_id AND x.type = d.type))"

/* All checks of every relay; the newest has age 1. */
#define CHECKS "(SELECT s.relay_id, c.checked_at, c.dns_ms + c.tcp_ms + c.tls_ms + c.upgrade_ms AS open_ms, " \
	"c.read_ms, c.write_ms, bigbrotr.rtt_document(c) AS data, " \
	"row_number() OVER (PARTITION BY s.relay_id ORDER BY c.checked_at DESC) AS age " \
	"FROM bigbrotr.check_series AS s, LATERAL bigbrotr.check_unpack(s.samples) AS c)"

#define EPOCH(at) "extract(epoch FROM " at ")::bigint"

/* An event without its key. */
#define EVENT_SHOWN "created_at, id, tags::text AS tags, tagvalues, content, sig"
#define EVENT_COLUMNS "created_at, id, tags, tagvalues, content, sig"
#define EVENT_TRUTH "e.created_at, e.id, e.tags::text AS tags, bigbrotr.tagvalues(e.tags) AS tagvalues, e.content, e.sig"

const BbView bb_views[] = {
	{"relay_metadata_latest", "relay_url, metadata_type", "relay_url, metadata_type, generated_at, metadata_id, data, confirmed_at", NULL,
		"SELECT r.url, d.type, d.generated_at, d.document_id, o.data, d.confirmed_at FROM bigbrotr.relay_document AS d "
		"JOIN bigbrotr.relay AS r ON r.id = d.relay_id "
		"JOIN bigbrotr.document AS o ON o.id = d.document_id AND o.type = d.type "
		"WHERE NOT EXISTS (SELECT FROM bigbrotr.relay_document AS n "
		"WHERE n.relay_id = d.relay_id AND n.type = d.type AND n.generated_at > d.generated_at) "
		"UNION ALL SELECT r.url, 'nip66_rtt', " EPOCH("c.checked_at") ", sha256(convert_to(c.data::text, 'UTF8')), c.data, "
		EPOCH("c.checked_at") " FROM " CHECKS " AS c JOIN bigbrotr.relay AS r ON r.id = c.relay_id WHERE c.age = 1"},
	{"event_stats", "singleton_key",
		"singleton_key, event_count, unique_pubkeys, unique_kinds, earliest_event_timestamp, latest_event_timestamp, "
		"regular_event_count, replaceable_event_count, ephemeral_event_count, addressable_event_count, "
		"event_count_last_1h, event_count_last_24h, event_count_last_7d, event_count_last_30d, events_per_day", NULL,
		"SELECT 1, count(*), count(DISTINCT e.pubkey), count(DISTINCT e.kind), min(e.created_at), max(e.created_at), "
		CATEGORY("regular") ", " CATEGORY("replaceable") ", " CATEGORY("ephemeral") ", " CATEGORY("addressable") ", "
		WINDOW("3600") ", " WINDOW("86400") ", " WINDOW("604800") ", " WINDOW("2592000") ", "
		"round(count(*) / greatest((max(e.created_at)::numeric - min(e.created_at)) / 86400, 1), 2) "
		"FROM bigbrotr.event AS e"},
	{"relay_stats", "relay_url",
		"relay_url, network, discovered_at, event_count, unique_pubkeys, unique_kinds, first_event_timestamp, last_event_timestamp, "
		"avg_rtt_open, avg_rtt_read, avg_rtt_write, nip11_name, nip11_software, nip11_version", NULL,
		"SELECT r.url, r.network, r.discovered_at, coalesce(s.n, 0), coalesce(s.authors, 0), coalesce(s.kinds, 0), s.lo, s.hi, "
		"c.open, c.read, c.write, d.said ->> 'name', d.said ->> 'software', d.said ->> 'version' FROM bigbrotr.relay AS r "
		"LEFT JOIN (SELECT o.relay_id, count(*) AS n, count(DISTINCT e.pubkey) AS authors, count(DISTINCT e.kind) AS kinds, "
		"min(e.created_at) AS lo, max(e.created_at) AS hi FROM " SEEN " GROUP BY 1) AS s ON s.relay_id = r.id "
		"LEFT JOIN (SELECT c.relay_id, round(avg(c.open_ms), 2) AS open, round(avg(c.read_ms), 2) AS read, "
		"round(avg(c.write_ms), 2) AS write FROM " CHECKS " AS c WHERE c.age <= 10 GROUP BY 1) AS c ON c.relay_id = r.id "
		"LEFT JOIN " NIP11 " AS d ON d.relay_id = r.id"},
	{"kind_counts", "kind", "kind, event_count, unique_pubkeys, category", NULL,
		"SELECT e.kind, count(*), count(DISTINCT e.pubkey), bigbrotr.kind_category(e.kind) FROM bigbrotr.event AS e GROUP BY 1"},
	{"kind_counts_by_relay", "kind, relay_url", "kind, relay_url, event_count, unique_pubkeys", NULL,
		"SELECT e.kind, r.url, count(*), count(DISTINCT e.pubkey) FROM " SEEN " GROUP BY 1, 2"},
	{"pubkey_counts", "pubkey", "pubkey, event_count, unique_kinds, first_event_timestamp, last_event_timestamp", NULL,
		"SELECT encode(e.pubkey, 'hex'), count(*), count(DISTINCT e.kind), min(e.created_at), max(e.created_at) "
		"FROM bigbrotr.event AS e GROUP BY 1"},
	{"pubkey_counts_by_relay", "relay_url, pubkey",
		"relay_url, pubkey, event_count, unique_kinds, first_event_timestamp, last_event_timestamp", NULL,
		"SELECT r.url, encode(e.pubkey, 'hex'), count(*), count(DISTINCT e.kind), min(e.created_at), max(e.created_at) "
		"FROM " SEEN " GROUP BY 1, 2 HAVING count(*) >= 2"},
	{"network_stats", "network", "network, relay_count, event_count, unique_pubkeys, unique_kinds", NULL,
		"SELECT r.network, count(DISTINCT r.id), count(DISTINCT e.key), count(DISTINCT e.pubkey), count(DISTINCT e.kind) "
		"FROM bigbrotr.relay AS r LEFT JOIN (bigbrotr.observation_all AS o JOIN bigbrotr.event AS e ON e.key = o.key) "
		"ON r.id = o.relay_id GROUP BY 1"},
	{"relay_software_counts", "software, version", "software, version, relay_count", NULL,
		"SELECT d.said ->> 'software', coalesce(d.said ->> 'version', 'unknown'), count(*) FROM " NIP11 " AS d "
		"WHERE d.said ->> 'software' IS NOT NULL GROUP BY 1, 2"},
	{"supported_nip_counts", "nip", "nip, relay_count", NULL,
		"SELECT n.nip::integer, count(DISTINCT n.url) FROM (SELECT d.url, CASE WHEN length(x) < 19 AND x <> '' "
		"AND translate(x, '0123456789', '') = '' THEN x::numeric END AS nip FROM " NIP11 " AS d, "
		"LATERAL jsonb_array_elements_text(CASE WHEN jsonb_typeof(d.said -> 'supported_nips') = 'array' "
		"THEN d.said -> 'supported_nips' ELSE '[]' END) AS x) AS n WHERE n.nip < 2147483648 GROUP BY 1"},
	{"event_daily_counts", "day", "day, event_count, unique_pubkeys, unique_kinds", NULL,
		"SELECT " DATE ", count(*), count(DISTINCT e.pubkey), count(DISTINCT e.kind) "
		"FROM bigbrotr.event AS e GROUP BY 1"},
	{"events_replaceable_latest", "pubkey, kind", "pubkey, kind, " EVENT_COLUMNS, "pubkey, kind, " EVENT_SHOWN,
		"SELECT DISTINCT ON (1, 2) e.pubkey, e.kind, " EVENT_TRUTH " FROM bigbrotr.event AS e "
		"WHERE bigbrotr.kind_category(e.kind) = 'replaceable' ORDER BY 1, 2, e.created_at DESC, e.id"},
	{"events_addressable_latest", "pubkey, kind, d_tag", "pubkey, kind, d_tag, " EVENT_COLUMNS, "pubkey, kind, d_tag, " EVENT_SHOWN,
		"SELECT l.pubkey, l.kind, l.d_tag, " EVENT_COLUMNS " FROM (SELECT DISTINCT ON (1, 2, bigbrotr.d_digest(e.tags)) "
		"e.pubkey, e.kind, bigbrotr.d_tag(e.tags) AS d_tag, " EVENT_TRUTH " FROM bigbrotr.event AS e "
		"WHERE bigbrotr.kind_category(e.kind) = 'addressable' AND e.tags IS NOT NULL "
		"ORDER BY 1, 2, bigbrotr.d_digest(e.tags), e.created_at DESC, e.id) AS l"},
	{"author_lifespan", "pubkey", "pubkey, events, first_at, last_at, active_days", NULL,
		"SELECT e.pubkey, count(*), min(e.created_at), max(e.created_at), count(DISTINCT " DATE ") FROM bigbrotr.event AS e GROUP BY 1"},
	{"kind_days", "day, kind", "day, kind, events", NULL,
		"SELECT " DATE ", e.kind, count(*) FROM bigbrotr.event AS e GROUP BY 1, 2"},
};
const int	bb_view_count = lengthof(bb_views);

const char *const bb_rebuild[] = {
	"DELETE FROM bigbrotr.ingest_delta",
	"DELETE FROM bigbrotr.tally_author",
	"DELETE FROM bigbrotr.tally_author_kind",
	"DELETE FROM bigbrotr.tally_kind",
	"DELETE FROM bigbrotr.tally_total",
	"DELETE FROM bigbrotr.tally_day",
	"DELETE FROM bigbrotr.tally_day_author",
	"DELETE FROM bigbrotr.tally_day_kind",
	"DELETE FROM bigbrotr.tally_time",
	"DELETE FROM bigbrotr.tally_relay",
	"DELETE FROM bigbrotr.tally_relay_kind",
	"DELETE FROM bigbrotr.tally_relay_author",
	"DELETE FROM bigbrotr.tally_network",
	"DELETE FROM bigbrotr.tally_network_author",
	"DELETE FROM bigbrotr.tally_network_kind",
	"DELETE FROM bigbrotr.tally_network_event",
	"DELETE FROM bigbrotr.tally_latest",
	"DELETE FROM bigbrotr.tally_orphan",

	"INSERT INTO bigbrotr.tally_author (pubkey, events, kinds, days, first_at, last_at) "
	"SELECT k.pubkey, k.events, k.kinds, d.days, k.lo, k.hi FROM "
	"(SELECT x.pubkey, sum(x.n) AS events, count(*) AS kinds, min(x.lo) AS lo, max(x.hi) AS hi FROM "
	"(SELECT e.pubkey, count(*) AS n, min(e.created_at) AS lo, max(e.created_at) AS hi "
	"FROM bigbrotr.event AS e GROUP BY e.pubkey, e.kind) AS x GROUP BY 1) AS k JOIN "
	"(SELECT x.pubkey, count(*) AS days FROM (SELECT e.pubkey FROM bigbrotr.event AS e GROUP BY e.pubkey, " DAY ") AS x "
	"GROUP BY 1) AS d ON d.pubkey = k.pubkey ORDER BY 1",
	"INSERT INTO bigbrotr.tally_author_kind (author_id, kind, events) "
	"SELECT a.id, x.kind, x.events FROM (SELECT e.pubkey, e.kind, count(*) AS events "
	"FROM bigbrotr.event AS e GROUP BY 1, 2) AS x JOIN bigbrotr.tally_author AS a ON a.pubkey = x.pubkey ORDER BY 1, 2",
	"INSERT INTO bigbrotr.tally_kind (kind, events, authors) "
	"SELECT t.kind, sum(t.events), count(*) FROM bigbrotr.tally_author_kind AS t GROUP BY 1",
	"INSERT INTO bigbrotr.tally_total (events, authors, first_at, last_at, counted_at) "
	"SELECT coalesce(sum(a.events), 0), count(*), min(a.first_at), max(a.last_at), now() FROM bigbrotr.tally_author AS a",
	"INSERT INTO bigbrotr.tally_day_author (day, author_id, events) "
	"SELECT x.day, a.id, x.events FROM (SELECT " DAY " AS day, e.pubkey, count(*) AS events "
	"FROM bigbrotr.event AS e GROUP BY 1, 2) AS x JOIN bigbrotr.tally_author AS a ON a.pubkey = x.pubkey ORDER BY 1, 2",
	"INSERT INTO bigbrotr.tally_day_kind (day, kind, events) "
	"SELECT " DAY ", e.kind, count(*) FROM bigbrotr.event AS e GROUP BY 1, 2",
	"INSERT INTO bigbrotr.tally_day (day, events, authors, kinds) "
	"SELECT a.day, a.events, a.authors, k.kinds FROM "
	"(SELECT x.day, sum(x.events) AS events, count(*) AS authors FROM bigbrotr.tally_day_author AS x GROUP BY 1) AS a JOIN "
	"(SELECT x.day, count(*) AS kinds FROM bigbrotr.tally_day_kind AS x GROUP BY 1) AS k ON k.day = a.day",
	"INSERT INTO bigbrotr.tally_time (slot, events) "
	"SELECT e.created_at / 600, count(*) FROM bigbrotr.event AS e GROUP BY 1 ORDER BY 1",
	"INSERT INTO bigbrotr.tally_relay_author (relay_id, author_id, kind, events, first_at, last_at) "
	"SELECT o.relay_id, e.id, e.kind, count(*), min(e.created_at), max(e.created_at) FROM bigbrotr.observation_all AS o "
	"JOIN " NUMBERED " AS e ON e.key = o.key GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
	"INSERT INTO bigbrotr.tally_relay_kind (relay_id, kind, events, authors) "
	"SELECT t.relay_id, t.kind, sum(t.events), count(*) FROM bigbrotr.tally_relay_author AS t GROUP BY 1, 2",
	"INSERT INTO bigbrotr.tally_relay (relay_id, events, authors, kinds, first_at, last_at) "
	"SELECT a.relay_id, a.events, a.authors, k.kinds, a.lo, a.hi FROM "
	"(SELECT x.relay_id, sum(x.n) AS events, count(*) AS authors, min(x.lo) AS lo, max(x.hi) AS hi FROM "
	"(SELECT t.relay_id, sum(t.events) AS n, min(t.first_at) AS lo, max(t.last_at) AS hi "
	"FROM bigbrotr.tally_relay_author AS t GROUP BY t.relay_id, t.author_id) AS x GROUP BY 1) AS a JOIN "
	"(SELECT x.relay_id, count(*) AS kinds FROM bigbrotr.tally_relay_kind AS x GROUP BY 1) AS k ON k.relay_id = a.relay_id",
	"INSERT INTO bigbrotr.tally_network_author (network, author_id, relays) "
	"SELECT r.network, t.author_id, count(*) FROM "
	"(SELECT DISTINCT x.relay_id, x.author_id FROM bigbrotr.tally_relay_author AS x) AS t "
	"JOIN bigbrotr.relay AS r ON r.id = t.relay_id GROUP BY 1, 2 ORDER BY 2, 1",
	"INSERT INTO bigbrotr.tally_network_kind (network, kind, relays) "
	"SELECT r.network, t.kind, count(*) FROM bigbrotr.tally_relay_kind AS t "
	"JOIN bigbrotr.relay AS r ON r.id = t.relay_id GROUP BY 1, 2",
	"INSERT INTO bigbrotr.tally_network_event (key, network) "
	"SELECT DISTINCT o.key, r.network FROM " SEEN " WHERE r.network <> 'clearnet'",
	"INSERT INTO bigbrotr.tally_network_event (key, network) "
	"SELECT e.key, 'clearnet' FROM bigbrotr.event AS e WHERE NOT EXISTS (SELECT FROM bigbrotr.observation_all AS o "
	"JOIN bigbrotr.relay AS r ON r.id = o.relay_id WHERE o.key = e.key AND r.network = 'clearnet')",
	"INSERT INTO bigbrotr.tally_network (network, events, authors, kinds) "
	"SELECT n.network, n.events, (SELECT count(*) FROM bigbrotr.tally_network_author AS a WHERE a.network = n.network), "
	"(SELECT count(*) FROM bigbrotr.tally_network_kind AS k WHERE k.network = n.network) "
	"FROM (SELECT 'clearnet' AS network, t.events - (SELECT count(*) FROM bigbrotr.tally_network_event AS x "
	"WHERE x.network = 'clearnet') AS events FROM bigbrotr.tally_total AS t "
	"UNION ALL SELECT x.network, count(*) FROM bigbrotr.tally_network_event AS x "
	"WHERE x.network <> 'clearnet' GROUP BY 1) AS n",
	"INSERT INTO bigbrotr.tally_latest (author_id, kind, d, key, created_at, id) "
	"SELECT a.id, l.kind, '', l.key, l.created_at, l.id FROM (SELECT DISTINCT ON (e.pubkey, e.kind) "
	"e.pubkey, e.kind, e.key, e.created_at, e.id FROM bigbrotr.event AS e "
	"WHERE e.kind IN (0, 3) OR e.kind BETWEEN 10000 AND 19999 ORDER BY e.pubkey, e.kind, e.created_at DESC, e.id) AS l "
	"JOIN bigbrotr.tally_author AS a ON a.pubkey = l.pubkey",
	"INSERT INTO bigbrotr.tally_latest (author_id, kind, d, key, created_at, id) "
	"SELECT a.id, l.kind, l.d, l.key, l.created_at, l.id FROM (SELECT DISTINCT ON (e.pubkey, e.kind, bigbrotr.d_digest(e.tags)) "
	"e.pubkey, e.kind, bigbrotr.d_digest(e.tags) AS d, e.key, e.created_at, e.id FROM bigbrotr.event AS e "
	"WHERE e.kind BETWEEN 30000 AND 39999 AND e.tags IS NOT NULL "
	"ORDER BY e.pubkey, e.kind, bigbrotr.d_digest(e.tags), e.created_at DESC, e.id) AS l "
	"JOIN bigbrotr.tally_author AS a ON a.pubkey = l.pubkey",
	"INSERT INTO bigbrotr.tally_orphan (key, relay_id) SELECT o.key, o.relay_id FROM bigbrotr.observation_all AS o "
	"WHERE NOT EXISTS (SELECT FROM bigbrotr.event AS e WHERE e.key = o.key)",
	NULL
};
