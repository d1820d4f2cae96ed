-- The analytics of the Python system 6.6.9 over python_schema.sql, in SQL of
-- our own: the baseline of keeping them current.  Those over what the monitor
-- finds are left out: they are small.

CREATE MATERIALIZED VIEW py_event_stats AS
	SELECT 1 AS singleton_key, count(*) AS event_count, count(DISTINCT pubkey) AS unique_pubkeys, count(DISTINCT kind) AS unique_kinds,
		   min(created_at) AS earliest, max(created_at) AS latest,
		   count(*) FILTER (WHERE created_at >= extract(epoch FROM now()) - 2592000) AS last_30d FROM py_event;
CREATE UNIQUE INDEX ON py_event_stats (singleton_key);

CREATE MATERIALIZED VIEW py_relay_stats AS
	SELECT r.url, r.network, count(e.id) AS event_count, count(DISTINCT e.pubkey) AS unique_pubkeys, count(DISTINCT e.kind) AS unique_kinds,
		   min(e.created_at) AS earliest, max(e.created_at) AS latest
	FROM py_relay AS r LEFT JOIN py_event_relay AS o ON o.relay_url = r.url LEFT JOIN py_event AS e ON e.id = o.event_id GROUP BY 1, 2;
CREATE UNIQUE INDEX ON py_relay_stats (url);

CREATE MATERIALIZED VIEW py_kind_counts AS
	SELECT kind, count(*) AS event_count, count(DISTINCT pubkey) AS unique_pubkeys FROM py_event GROUP BY 1;
CREATE UNIQUE INDEX ON py_kind_counts (kind);

CREATE MATERIALIZED VIEW py_kind_counts_by_relay AS
	SELECT e.kind, o.relay_url, count(*) AS event_count, count(DISTINCT e.pubkey) AS unique_pubkeys
	FROM py_event AS e JOIN py_event_relay AS o ON o.event_id = e.id GROUP BY 1, 2;
CREATE UNIQUE INDEX ON py_kind_counts_by_relay (kind, relay_url);

CREATE MATERIALIZED VIEW py_pubkey_counts AS
	SELECT encode(pubkey, 'hex') AS pubkey, count(*) AS event_count, count(DISTINCT kind) AS unique_kinds,
		   min(created_at) AS earliest, max(created_at) AS latest FROM py_event GROUP BY 1;
CREATE UNIQUE INDEX ON py_pubkey_counts (pubkey);

CREATE MATERIALIZED VIEW py_pubkey_counts_by_relay AS
	SELECT encode(e.pubkey, 'hex') AS pubkey, o.relay_url, count(*) AS event_count, count(DISTINCT e.kind) AS unique_kinds,
		   min(e.created_at) AS earliest, max(e.created_at) AS latest
	FROM py_event AS e JOIN py_event_relay AS o ON o.event_id = e.id GROUP BY 1, 2 HAVING count(*) >= 2;
CREATE UNIQUE INDEX ON py_pubkey_counts_by_relay (pubkey, relay_url);

CREATE MATERIALIZED VIEW py_network_stats AS
	SELECT r.network, count(DISTINCT r.url) AS relay_count, count(DISTINCT e.id) AS event_count,
		   count(DISTINCT e.pubkey) AS unique_pubkeys, count(DISTINCT e.kind) AS unique_kinds
	FROM py_relay AS r LEFT JOIN py_event_relay AS o ON o.relay_url = r.url LEFT JOIN py_event AS e ON e.id = o.event_id GROUP BY 1;
CREATE UNIQUE INDEX ON py_network_stats (network);

CREATE MATERIALIZED VIEW py_event_daily_counts AS
	SELECT to_timestamp(created_at)::date AS day, count(*) AS event_count, count(DISTINCT pubkey) AS unique_pubkeys,
		   count(DISTINCT kind) AS unique_kinds FROM py_event GROUP BY 1;
CREATE UNIQUE INDEX ON py_event_daily_counts (day);

CREATE MATERIALIZED VIEW py_events_replaceable_latest AS
	SELECT DISTINCT ON (pubkey, kind) * FROM py_event
	WHERE kind IN (0, 3) OR kind BETWEEN 10000 AND 19999 ORDER BY pubkey, kind, created_at DESC, id;
CREATE UNIQUE INDEX ON py_events_replaceable_latest (pubkey, kind);

-- all of them anew, as its refresher does at every turn
CREATE PROCEDURE py_refresh() LANGUAGE plpgsql AS $$
DECLARE
	view name;
BEGIN
	FOR view IN SELECT matviewname FROM pg_matviews LOOP
		EXECUTE format('REFRESH MATERIALIZED VIEW %I', view);
	END LOOP;
END
$$;
