-- verify() compares every column of every view with what the archive says.
BEGIN;
SELECT no_plan();
SELECT bigbrotr.partition_ensure();

-- an archive in which no view is empty and no column is null throughout
INSERT INTO bigbrotr.relay (url, network) VALUES ('wss://a.nostr.com', 'clearnet'), ('wss://b.nostr.com', 'clearnet');
SELECT min(id) AS a, max(id) AS b, extract(epoch FROM now())::bigint AS now FROM bigbrotr.relay \gset
INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, tags, content, sig)
SELECT (:now::bigint - n) << 29 | n, :now - n, kind, sha256(int4send(n)), sha256(int4send(n % 3)),
	format('[["d","%s"],["t","x"]]', n % 2)::bigbrotr.tags, 'said ' || n, sha512(int4send(n))
FROM (SELECT n, (ARRAY[1, 0, 30023])[1 + n / 3 % 3] AS kind FROM generate_series(1, 30) n) AS x ORDER BY 1;
INSERT INTO bigbrotr.observation (key, relay_id, seen_at) SELECT key, :a, 0 FROM bigbrotr.event;
INSERT INTO bigbrotr.document (id, type, data) SELECT sha256(int4send(n)), 'nip11_info', format(
	'{"data": {"name": "n%s", "software": "s", "version": "v%s", "supported_nips": [1, %s, "77", 1.5, -1, "x", 99999999999]}}', n, n, n)::jsonb
FROM generate_series(1, 3) n;
INSERT INTO bigbrotr.relay_document (relay_id, type, generated_at, confirmed_at, document_id, stable)
VALUES (:a, 'nip11_info', 10, 20, sha256(int4send(1)), ''), (:a, 'nip11_info', 30, 40, sha256(int4send(2)), ''),
	(:b, 'nip11_info', 10, 20, sha256(int4send(3)), '');
-- checks in rows of any length; the last rows of one relay hold 3, 2 and 1
INSERT INTO bigbrotr.check_series (relay_id, first_at, samples)
SELECT relay, part * 1000, bigbrotr.check_pack(array_agg(ROW(to_timestamp(1577836800 + part * 1000 + n), true, NULL, 1, 1, 1, part + n,
	true, part * n, true, part + 1, false, false, false, NULL, NULL)::bigbrotr.check_sample ORDER BY n))
FROM unnest(ARRAY[:a, :b]) AS relay, generate_series(1, 6) AS part,
	generate_series(1, CASE WHEN relay = :a THEN 7 - part ELSE 1 + 63 * (part % 2) END) AS n GROUP BY 1, 2;
SELECT bigbrotr.rebuild();
SELECT is_empty('SELECT * FROM bigbrotr.verify() WHERE rows = 0 OR missing + surplus > 0', 'nothing is empty, nothing differs');
SELECT results_eq('SELECT v.view FROM bigbrotr.verify() AS v ORDER BY 1', 'SELECT s.view FROM bigbrotr.analytics_status AS s ORDER BY 1', 'all views');
SELECT results_eq('SELECT nip FROM bigbrotr.supported_nip_counts ORDER BY 1', 'VALUES (1), (2), (3), (77)', 'what is no number of a NIP does not count');

-- Takes the place of a view and falsifies one value; what verify says of it.
CREATE FUNCTION pg_temp.falsify(view text, col name, was text, will text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('ALTER VIEW bigbrotr.%I RENAME TO genuine', view);
	EXECUTE format('CREATE TABLE bigbrotr.%I AS SELECT * FROM bigbrotr.genuine', view);
	EXECUTE format('UPDATE bigbrotr.%1$I SET %2$I = %3$s WHERE ctid = (SELECT min(ctid) FROM bigbrotr.%1$I WHERE %2$I %4$s)', view, col, will, was);
	SELECT v.missing || ' ' || v.surplus || coalesce(' ' || v.columns, '') INTO result FROM bigbrotr.verify(view) AS v;
	RAISE EXCEPTION USING ERRCODE = 'TAP01', MESSAGE = result;
EXCEPTION WHEN SQLSTATE 'TAP01' THEN
	RETURN SQLERRM;
END
$$;
SELECT ok(pg_temp.falsify(c.relname, a.attname, 'IS NOT NULL', 'NULL') IN ('1 1 ' || a.attname, '1 1'), format('%s.%s is compared', c.relname, a.attname))
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
JOIN bigbrotr.analytics_status AS s ON s.view = c.relname WHERE c.relnamespace = 'bigbrotr'::regnamespace;
SELECT is(pg_temp.falsify('relay_stats', 'event_count', '> 0', '1'), '1 1 event_count', 'the column is named');
SELECT is(pg_temp.falsify('relay_stats', 'relay_url', '<> ''''', '''x'''), '1 1', 'another row is another row');

-- Python system 6.6.9, whose columns come first and in this order
CREATE TEMP TABLE python (view name, columns text);
INSERT INTO python VALUES
	('event_daily_counts', 'day event_count unique_pubkeys unique_kinds'),
	('event_stats', 'singleton_key event_count unique_pubkeys unique_kinds earliest_event_timestamp latest_event_timestamp regular_event_count replaceable_event_count ephemeral_event_count addressable_event_count event_count_last_1h event_count_last_24h event_count_last_7d event_count_last_30d events_per_day'),
	('events_addressable_latest', 'id pubkey created_at kind tags tagvalues content sig d_tag'),
	('events_replaceable_latest', 'id pubkey created_at kind tags tagvalues content sig'),
	('kind_counts', 'kind event_count unique_pubkeys category'),
	('kind_counts_by_relay', 'kind relay_url event_count unique_pubkeys'),
	('network_stats', 'network relay_count event_count unique_pubkeys unique_kinds'),
	('pubkey_counts', 'pubkey event_count unique_kinds first_event_timestamp last_event_timestamp'),
	('pubkey_counts_by_relay', 'relay_url pubkey event_count unique_kinds first_event_timestamp last_event_timestamp'),
	('relay_metadata_latest', 'relay_url metadata_type generated_at metadata_id data'),
	('relay_software_counts', 'software version relay_count'),
	('relay_stats', 'relay_url network discovered_at first_event_timestamp last_event_timestamp avg_rtt_open avg_rtt_read avg_rtt_write event_count unique_pubkeys unique_kinds nip11_name nip11_software nip11_version'),
	('supported_nip_counts', 'nip relay_count');
SELECT is(string_agg(a.attname, ' ' ORDER BY a.attnum), p.columns, p.view || ' has the columns of the Python system')
FROM python AS p JOIN pg_class AS c ON c.relname = p.view AND c.relnamespace = 'bigbrotr'::regnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum BETWEEN 1 AND cardinality(string_to_array(p.columns, ' ')) GROUP BY p.view, p.columns;
SELECT is_empty($$SELECT p.view FROM python AS p WHERE to_regclass('bigbrotr.' || p.view) IS NULL$$, 'none of its views is missing');

SELECT * FROM finish();
ROLLBACK;
