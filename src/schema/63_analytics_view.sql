-- Analytics: the views of the Python system, under its names, read from the
-- tallies (28_tally.sql) and from what the monitor keeps (docs/analytics.md).

CREATE FUNCTION bigbrotr.kind_category(kind integer) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_kind_category' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.kind_category(integer) IS
	'category of a kind: regular, replaceable, ephemeral, addressable (NIP-01) or other';
CREATE FUNCTION bigbrotr.d_tag(tags bigbrotr.tags) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_d_tag' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.d_tag(bigbrotr.tags) IS
	'value of the first d tag; empty if there is none; NULL if it contains U+0000';
CREATE FUNCTION bigbrotr.d_digest(tags bigbrotr.tags) RETURNS bytea
	AS 'MODULE_PATHNAME', 'bigbrotr_d_digest' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.d_digest(bigbrotr.tags) IS
	'SHA-256 of the value of the first d tag; empty if that is empty';
CREATE FUNCTION bigbrotr.tagvalues(tags bigbrotr.tags) RETURNS text[]
	AS 'MODULE_PATHNAME', 'bigbrotr_tagvalues' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tagvalues(bigbrotr.tags) IS
	'name:value of each tag with a single-character name, as in the Python system; NULL for a value that contains U+0000';
CREATE FUNCTION bigbrotr.tally_date(day integer) RETURNS date
	AS 'MODULE_PATHNAME', 'bigbrotr_tally_date' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tally_date(integer) IS
	'tally_day.day as a date; infinity for times that a date cannot represent';
CREATE FUNCTION bigbrotr.tally_day(at bigint) RETURNS integer
	AS 'MODULE_PATHNAME', 'bigbrotr_tally_day' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tally_day(bigint) IS 'tally_day.day of a created_at in Unix seconds';
CREATE FUNCTION bigbrotr.tally_day(at date) RETURNS integer
	AS 'MODULE_PATHNAME', 'bigbrotr_tally_day_of_date' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tally_day(date) IS 'tally_day.day of a date';
CREATE FUNCTION bigbrotr.events_since(at bigint) RETURNS bigint
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	-- the first slot that lies wholly behind it
	first bigint := (at OPERATOR(pg_catalog.+) 599) OPERATOR(pg_catalog./) 600;
	whole bigint;
	part bigint;
BEGIN
	SELECT coalesce(pg_catalog.sum(t.events), 0) INTO whole FROM bigbrotr.tally_time AS t
	WHERE t.slot OPERATOR(pg_catalog.>=) first;
	-- a key may have moved up a little on a collision
	SELECT pg_catalog.count(*) INTO part FROM bigbrotr.event AS e
	WHERE e.created_at OPERATOR(pg_catalog.>=) at AND e.created_at OPERATOR(pg_catalog.<) (first OPERATOR(pg_catalog.*) 600)
		AND e.key OPERATOR(pg_catalog.>=) (at OPERATOR(pg_catalog.<<) 29)
		AND e.key OPERATOR(pg_catalog.<) ((first OPERATOR(pg_catalog.*) 600 OPERATOR(pg_catalog.+) 1) OPERATOR(pg_catalog.<<) 29);
	RETURN whole OPERATOR(pg_catalog.+) part;
END
$$;
COMMENT ON FUNCTION bigbrotr.events_since(bigint) IS
	'number of events with created_at (Unix seconds, between 0 and 2^34) from this time on, including those dated in the future';

CREATE VIEW bigbrotr.event_stats AS
	SELECT 1 AS singleton_key, coalesce(t.events, 0) AS event_count, coalesce(t.authors, 0) AS unique_pubkeys,
		   k.kinds AS unique_kinds, t.first_at AS earliest_event_timestamp, t.last_at AS latest_event_timestamp,
		   k.regular AS regular_event_count, k.replaceable AS replaceable_event_count,
		   k.ephemeral AS ephemeral_event_count, k.addressable AS addressable_event_count,
		   bigbrotr.events_since(n.now - 3600) AS event_count_last_1h,
		   bigbrotr.events_since(n.now - 86400) AS event_count_last_24h,
		   bigbrotr.events_since(n.now - 7 * 86400) AS event_count_last_7d,
		   bigbrotr.events_since(n.now - 30 * 86400) AS event_count_last_30d,
		   round(coalesce(t.events, 0) / greatest((t.last_at::numeric - t.first_at) / 86400, 1), 2) AS events_per_day
	FROM (SELECT floor(extract(epoch FROM now()))::bigint AS now) AS n
	CROSS JOIN (SELECT count(*) FILTER (WHERE c.events > 0) AS kinds,
				coalesce(sum(c.events) FILTER (WHERE c.category = 'regular'), 0)::bigint AS regular,
				coalesce(sum(c.events) FILTER (WHERE c.category = 'replaceable'), 0)::bigint AS replaceable,
				coalesce(sum(c.events) FILTER (WHERE c.category = 'ephemeral'), 0)::bigint AS ephemeral,
				coalesce(sum(c.events) FILTER (WHERE c.category = 'addressable'), 0)::bigint AS addressable
				FROM (SELECT x.events, bigbrotr.kind_category(x.kind) AS category FROM bigbrotr.tally_kind AS x) AS c) AS k
	LEFT JOIN bigbrotr.tally_total AS t ON true;
COMMENT ON VIEW bigbrotr.event_stats IS 'statistics of the whole archive, in one row';
COMMENT ON COLUMN bigbrotr.event_stats.singleton_key IS 'always 1';
COMMENT ON COLUMN bigbrotr.event_stats.event_count IS 'number of events';
COMMENT ON COLUMN bigbrotr.event_stats.unique_pubkeys IS 'number of distinct authors';
COMMENT ON COLUMN bigbrotr.event_stats.unique_kinds IS 'number of distinct kinds';
COMMENT ON COLUMN bigbrotr.event_stats.earliest_event_timestamp IS 'oldest created_at, Unix seconds';
COMMENT ON COLUMN bigbrotr.event_stats.latest_event_timestamp IS 'newest created_at, Unix seconds';
COMMENT ON COLUMN bigbrotr.event_stats.regular_event_count IS 'number of events of regular kinds (NIP-01)';
COMMENT ON COLUMN bigbrotr.event_stats.replaceable_event_count IS 'number of events of replaceable kinds';
COMMENT ON COLUMN bigbrotr.event_stats.ephemeral_event_count IS 'number of events of ephemeral kinds';
COMMENT ON COLUMN bigbrotr.event_stats.addressable_event_count IS 'number of events of addressable kinds';
COMMENT ON COLUMN bigbrotr.event_stats.event_count_last_1h IS
	'number of events created in the last hour or dated in the future';
COMMENT ON COLUMN bigbrotr.event_stats.event_count_last_24h IS
	'number of events created in the last 24 hours or dated in the future';
COMMENT ON COLUMN bigbrotr.event_stats.event_count_last_7d IS
	'number of events created in the last 7 days or dated in the future';
COMMENT ON COLUMN bigbrotr.event_stats.event_count_last_30d IS
	'number of events created in the last 30 days or dated in the future';
COMMENT ON COLUMN bigbrotr.event_stats.events_per_day IS
	'events per day between the oldest and the newest, at least one day';

CREATE VIEW bigbrotr.relay_stats AS
	SELECT r.url AS relay_url, r.network, r.discovered_at, t.first_at AS first_event_timestamp,
		   t.last_at AS last_event_timestamp, c.open AS avg_rtt_open, c.read AS avg_rtt_read, c.write AS avg_rtt_write,
		   coalesce(t.events, 0) AS event_count, coalesce(t.authors, 0) AS unique_pubkeys,
		   coalesce(t.kinds, 0)::bigint AS unique_kinds, d.data #>> '{data,name}' AS nip11_name,
		   d.data #>> '{data,software}' AS nip11_software, d.data #>> '{data,version}' AS nip11_version
	FROM bigbrotr.relay AS r
	LEFT JOIN bigbrotr.tally_relay AS t ON t.relay_id = r.id AND t.events > 0
	LEFT JOIN LATERAL (SELECT round(avg(x.dns_ms + x.tcp_ms + x.tls_ms + x.upgrade_ms), 2) AS open,
			round(avg(x.read_ms), 2) AS read, round(avg(x.write_ms), 2) AS write
			-- the last ten checks: of the last ten rows, which hold one each at least, those that are needed
			FROM (SELECT u.* FROM (SELECT l.samples, sum(octet_length(l.samples) / 22) OVER (ORDER BY l.first_at DESC
					ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newer
				FROM (SELECT s.first_at, s.samples FROM bigbrotr.check_series AS s WHERE s.relay_id = r.id
					ORDER BY s.first_at DESC LIMIT 10) AS l) AS s, LATERAL bigbrotr.check_unpack(s.samples) AS u
				WHERE coalesce(s.newer, 0) < 10 ORDER BY u.checked_at DESC LIMIT 10) AS x) AS c ON true
	LEFT JOIN LATERAL (SELECT o.data FROM bigbrotr.relay_document AS x
			JOIN bigbrotr.document AS o ON o.id = x.document_id AND o.type = x.type
			WHERE x.relay_id = r.id AND x.type = 'nip11_info' ORDER BY x.generated_at DESC LIMIT 1) AS d ON true;
COMMENT ON VIEW bigbrotr.relay_stats IS
	'statistics of each relay: events seen there, response times, its NIP-11 document';
COMMENT ON COLUMN bigbrotr.relay_stats.relay_url IS 'relay.url';
COMMENT ON COLUMN bigbrotr.relay_stats.network IS 'relay.network';
COMMENT ON COLUMN bigbrotr.relay_stats.discovered_at IS 'relay.discovered_at';
COMMENT ON COLUMN bigbrotr.relay_stats.first_event_timestamp IS 'oldest created_at of its events, Unix seconds';
COMMENT ON COLUMN bigbrotr.relay_stats.last_event_timestamp IS 'newest created_at of its events, Unix seconds';
COMMENT ON COLUMN bigbrotr.relay_stats.avg_rtt_open IS 'milliseconds to open, mean of its 10 newest checks';
COMMENT ON COLUMN bigbrotr.relay_stats.avg_rtt_read IS 'milliseconds to read, mean of its 10 newest checks';
COMMENT ON COLUMN bigbrotr.relay_stats.avg_rtt_write IS 'milliseconds to write, mean of its 10 newest checks';
COMMENT ON COLUMN bigbrotr.relay_stats.event_count IS 'number of events seen there';
COMMENT ON COLUMN bigbrotr.relay_stats.unique_pubkeys IS 'number of distinct authors';
COMMENT ON COLUMN bigbrotr.relay_stats.unique_kinds IS 'number of distinct kinds';
COMMENT ON COLUMN bigbrotr.relay_stats.nip11_name IS 'name in its NIP-11 document';
COMMENT ON COLUMN bigbrotr.relay_stats.nip11_software IS 'software in its NIP-11 document';
COMMENT ON COLUMN bigbrotr.relay_stats.nip11_version IS 'version in its NIP-11 document';

CREATE VIEW bigbrotr.kind_counts AS
	SELECT t.kind, t.events AS event_count, t.authors AS unique_pubkeys, bigbrotr.kind_category(t.kind) AS category
	FROM bigbrotr.tally_kind AS t WHERE t.events > 0;
COMMENT ON VIEW bigbrotr.kind_counts IS 'number of events by kind';
COMMENT ON COLUMN bigbrotr.kind_counts.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.kind_counts.event_count IS 'number of events';
COMMENT ON COLUMN bigbrotr.kind_counts.unique_pubkeys IS 'number of distinct authors';
COMMENT ON COLUMN bigbrotr.kind_counts.category IS 'category of the kind, see kind_category';

CREATE VIEW bigbrotr.kind_counts_by_relay AS
	SELECT t.kind, r.url AS relay_url, t.events AS event_count, t.authors AS unique_pubkeys
	FROM bigbrotr.tally_relay_kind AS t JOIN bigbrotr.relay AS r ON r.id = t.relay_id WHERE t.events > 0;
COMMENT ON VIEW bigbrotr.kind_counts_by_relay IS 'number of events by kind and relay';
COMMENT ON COLUMN bigbrotr.kind_counts_by_relay.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.kind_counts_by_relay.relay_url IS 'relay.url';
COMMENT ON COLUMN bigbrotr.kind_counts_by_relay.event_count IS 'number of events';
COMMENT ON COLUMN bigbrotr.kind_counts_by_relay.unique_pubkeys IS 'number of distinct authors';

CREATE VIEW bigbrotr.pubkey_counts AS
	SELECT encode(t.pubkey, 'hex') AS pubkey, t.events AS event_count, t.kinds::bigint AS unique_kinds,
		   t.first_at AS first_event_timestamp, t.last_at AS last_event_timestamp
	FROM bigbrotr.tally_author AS t WHERE t.events > 0;
COMMENT ON VIEW bigbrotr.pubkey_counts IS 'number of events by author';
COMMENT ON COLUMN bigbrotr.pubkey_counts.pubkey IS 'event.pubkey in hexadecimal digits';
COMMENT ON COLUMN bigbrotr.pubkey_counts.event_count IS 'number of events';
COMMENT ON COLUMN bigbrotr.pubkey_counts.unique_kinds IS 'number of distinct kinds';
COMMENT ON COLUMN bigbrotr.pubkey_counts.first_event_timestamp IS 'oldest created_at, Unix seconds';
COMMENT ON COLUMN bigbrotr.pubkey_counts.last_event_timestamp IS 'newest created_at, Unix seconds';

CREATE VIEW bigbrotr.pubkey_counts_by_relay AS
	SELECT r.url AS relay_url, encode(a.pubkey, 'hex') AS pubkey, sum(t.events) AS event_count, count(*) AS unique_kinds,
		   min(t.first_at) AS first_event_timestamp, max(t.last_at) AS last_event_timestamp
	FROM bigbrotr.tally_relay_author AS t
	JOIN bigbrotr.relay AS r ON r.id = t.relay_id
	JOIN bigbrotr.tally_author AS a ON a.id = t.author_id
	WHERE t.events > 0
	GROUP BY r.url, a.pubkey HAVING sum(t.events) >= 2;
COMMENT ON VIEW bigbrotr.pubkey_counts_by_relay IS
	'number of events by author and relay, for authors with at least two events there';
COMMENT ON COLUMN bigbrotr.pubkey_counts_by_relay.relay_url IS 'relay.url';
COMMENT ON COLUMN bigbrotr.pubkey_counts_by_relay.pubkey IS 'event.pubkey in hexadecimal digits';
COMMENT ON COLUMN bigbrotr.pubkey_counts_by_relay.event_count IS 'number of events';
COMMENT ON COLUMN bigbrotr.pubkey_counts_by_relay.unique_kinds IS 'number of distinct kinds';
COMMENT ON COLUMN bigbrotr.pubkey_counts_by_relay.first_event_timestamp IS 'oldest created_at, Unix seconds';
COMMENT ON COLUMN bigbrotr.pubkey_counts_by_relay.last_event_timestamp IS 'newest created_at, Unix seconds';

CREATE VIEW bigbrotr.network_stats AS
	SELECT n.network, n.relays AS relay_count, coalesce(t.events, 0) AS event_count,
		   coalesce(t.authors, 0) AS unique_pubkeys, coalesce(t.kinds, 0)::bigint AS unique_kinds
	FROM (SELECT r.network, count(*) AS relays FROM bigbrotr.relay AS r GROUP BY r.network) AS n
	LEFT JOIN bigbrotr.tally_network AS t ON t.network = n.network;
COMMENT ON VIEW bigbrotr.network_stats IS 'statistics by network';
COMMENT ON COLUMN bigbrotr.network_stats.network IS 'relay.network';
COMMENT ON COLUMN bigbrotr.network_stats.relay_count IS 'number of relays';
COMMENT ON COLUMN bigbrotr.network_stats.event_count IS 'number of distinct events';
COMMENT ON COLUMN bigbrotr.network_stats.unique_pubkeys IS 'number of distinct authors';
COMMENT ON COLUMN bigbrotr.network_stats.unique_kinds IS 'number of distinct kinds';

CREATE VIEW bigbrotr.relay_software_counts AS
	SELECT m.data #>> '{data,software}' AS software, coalesce(m.data #>> '{data,version}', 'unknown') AS version,
		   count(*) AS relay_count
	FROM bigbrotr.relay_metadata_latest AS m
	WHERE m.metadata_type = 'nip11_info' AND m.data #>> '{data,software}' IS NOT NULL
	GROUP BY 1, 2;
COMMENT ON VIEW bigbrotr.relay_software_counts IS 'number of relays by the software they claim to run';
COMMENT ON COLUMN bigbrotr.relay_software_counts.software IS 'software in their NIP-11 documents';
COMMENT ON COLUMN bigbrotr.relay_software_counts.version IS 'version in their NIP-11 documents; unknown if not stated';
COMMENT ON COLUMN bigbrotr.relay_software_counts.relay_count IS 'number of relays';

CREATE VIEW bigbrotr.supported_nip_counts AS
	SELECT s.nip::integer AS nip, count(DISTINCT s.relay_url) AS relay_count
	FROM (SELECT m.relay_url, CASE WHEN x ~ '^[0-9]{1,18}$' THEN x::bigint END AS nip
		  FROM bigbrotr.relay_metadata_latest AS m,
		  LATERAL jsonb_array_elements_text(CASE jsonb_typeof(m.data #> '{data,supported_nips}')
				WHEN 'array' THEN m.data #> '{data,supported_nips}' ELSE '[]' END) AS x
		  WHERE m.metadata_type = 'nip11_info') AS s
	WHERE s.nip <= 2147483647 GROUP BY 1;
COMMENT ON VIEW bigbrotr.supported_nip_counts IS 'number of relays by the NIPs they claim to support';
COMMENT ON COLUMN bigbrotr.supported_nip_counts.nip IS 'number of the NIP; entries that are not integers are left out';
COMMENT ON COLUMN bigbrotr.supported_nip_counts.relay_count IS 'number of relays';

CREATE VIEW bigbrotr.event_daily_counts AS
	SELECT bigbrotr.tally_date(t.day) AS day, t.events AS event_count, t.authors AS unique_pubkeys,
		   t.kinds::bigint AS unique_kinds
	FROM bigbrotr.tally_day AS t WHERE t.events > 0;
COMMENT ON VIEW bigbrotr.event_daily_counts IS 'number of events by day';
COMMENT ON COLUMN bigbrotr.event_daily_counts.day IS
	'day of created_at in UTC; infinity for times that a date cannot represent';
COMMENT ON COLUMN bigbrotr.event_daily_counts.event_count IS 'number of events';
COMMENT ON COLUMN bigbrotr.event_daily_counts.unique_pubkeys IS 'number of distinct authors';
COMMENT ON COLUMN bigbrotr.event_daily_counts.unique_kinds IS 'number of distinct kinds';

CREATE VIEW bigbrotr.events_replaceable_latest AS
	SELECT t.id, a.pubkey, t.created_at, t.kind, e.tags, bigbrotr.tagvalues(e.tags) AS tagvalues, e.content, e.sig
	FROM bigbrotr.tally_latest AS t
	JOIN bigbrotr.tally_author AS a ON a.id = t.author_id
	JOIN bigbrotr.event AS e ON e.key = t.key WHERE t.kind < 30000;
COMMENT ON VIEW bigbrotr.events_replaceable_latest IS
	'newest event of each author and replaceable kind; of events of the same second, the one with the lowest id (NIP-01)';
COMMENT ON COLUMN bigbrotr.events_replaceable_latest.id IS 'event.id';
COMMENT ON COLUMN bigbrotr.events_replaceable_latest.pubkey IS 'event.pubkey';
COMMENT ON COLUMN bigbrotr.events_replaceable_latest.created_at IS 'event.created_at';
COMMENT ON COLUMN bigbrotr.events_replaceable_latest.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.events_replaceable_latest.tags IS 'event.tags';
COMMENT ON COLUMN bigbrotr.events_replaceable_latest.tagvalues IS
	'name:value of each tag with a single-character name, see tagvalues';
COMMENT ON COLUMN bigbrotr.events_replaceable_latest.content IS 'event.content';
COMMENT ON COLUMN bigbrotr.events_replaceable_latest.sig IS 'event.sig';

CREATE VIEW bigbrotr.events_addressable_latest AS
	SELECT t.id, a.pubkey, t.created_at, t.kind, e.tags, bigbrotr.tagvalues(e.tags) AS tagvalues, e.content, e.sig,
		   bigbrotr.d_tag(e.tags) AS d_tag
	FROM bigbrotr.tally_latest AS t
	JOIN bigbrotr.tally_author AS a ON a.id = t.author_id
	JOIN bigbrotr.event AS e ON e.key = t.key WHERE t.kind >= 30000;
COMMENT ON VIEW bigbrotr.events_addressable_latest IS
	'newest event of each author, addressable kind and d tag; of events of the same second, the one with the lowest id (NIP-01). Without events whose tags are not stored';
COMMENT ON COLUMN bigbrotr.events_addressable_latest.id IS 'event.id';
COMMENT ON COLUMN bigbrotr.events_addressable_latest.pubkey IS 'event.pubkey';
COMMENT ON COLUMN bigbrotr.events_addressable_latest.created_at IS 'event.created_at';
COMMENT ON COLUMN bigbrotr.events_addressable_latest.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.events_addressable_latest.tags IS 'event.tags';
COMMENT ON COLUMN bigbrotr.events_addressable_latest.tagvalues IS
	'name:value of each tag with a single-character name, see tagvalues';
COMMENT ON COLUMN bigbrotr.events_addressable_latest.content IS 'event.content';
COMMENT ON COLUMN bigbrotr.events_addressable_latest.sig IS 'event.sig';
COMMENT ON COLUMN bigbrotr.events_addressable_latest.d_tag IS
	'value of the first d tag; empty if there is none; NULL if it contains U+0000';

CREATE VIEW bigbrotr.analytics_status AS
	SELECT v.view, v.kept, CASE v.kept WHEN 'live' THEN now() ELSE coalesce(q.oldest, now()) END AS as_of,
		   CASE v.kept WHEN 'live' THEN interval '0' ELSE now() - coalesce(q.oldest, now()) END AS lag,
		   CASE v.kept WHEN 'counted' THEN coalesce(t.position, 0) END AS position,
		   CASE v.kept WHEN 'live' THEN 0 ELSE q.pending_rows END AS pending_rows,
		   CASE v.kept WHEN 'live' THEN 0 ELSE q.pending END AS pending,
		   CASE v.kept WHEN 'counted' THEN t.counted_at END AS counted_at,
		   CASE v.kept WHEN 'live' THEN 0 ELSE coalesce(m.failures, 0) END AS failures,
		   CASE v.kept WHEN 'counted' THEN m.last_error END AS last_error
	FROM (VALUES ('relay_metadata_latest', 'live'), ('event_stats', 'counted'), ('relay_stats', 'counted'),
		('kind_counts', 'counted'), ('kind_counts_by_relay', 'counted'), ('pubkey_counts', 'counted'),
		('pubkey_counts_by_relay', 'counted'), ('network_stats', 'counted'), ('relay_software_counts', 'live'),
		('supported_nip_counts', 'live'), ('event_daily_counts', 'counted'), ('events_replaceable_latest', 'counted'),
		('events_addressable_latest', 'counted'), ('author_lifespan', 'counted'), ('kind_days', 'counted')) AS v (view, kept)
	CROSS JOIN (SELECT min(d.at) AS oldest, count(*) AS pending_rows,
			coalesce(sum(cardinality(d.keys) + cardinality(d.seen_keys)), 0)::bigint AS pending
			FROM bigbrotr.ingest_delta AS d) AS q
	LEFT JOIN bigbrotr.tally_total AS t ON true
	LEFT JOIN bigbrotr.maintenance AS m ON m.task = 'analytics';
COMMENT ON VIEW bigbrotr.analytics_status IS 'how current each analytics view is';
COMMENT ON COLUMN bigbrotr.analytics_status.view IS 'name of the view';
COMMENT ON COLUMN bigbrotr.analytics_status.kept IS
	'counted: by the refresher, in tallies; live: computed when queried';
COMMENT ON COLUMN bigbrotr.analytics_status.as_of IS
	'everything committed before this time is included, unless its transaction took longer than the lag';
COMMENT ON COLUMN bigbrotr.analytics_status.lag IS 'age of as_of';
COMMENT ON COLUMN bigbrotr.analytics_status.position IS 'ingest_delta.id of the last row counted';
COMMENT ON COLUMN bigbrotr.analytics_status.pending_rows IS 'number of rows of ingest_delta not counted yet';
COMMENT ON COLUMN bigbrotr.analytics_status.pending IS 'number of events and observations in them';
COMMENT ON COLUMN bigbrotr.analytics_status.counted_at IS 'when the refresher last counted something';
COMMENT ON COLUMN bigbrotr.analytics_status.failures IS 'number of failed steps of the refresher';
COMMENT ON COLUMN bigbrotr.analytics_status.last_error IS 'error of the last step; NULL if it succeeded';
