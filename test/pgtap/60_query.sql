-- Plain predicates on event use the indexes over codes, and find the same.
BEGIN;
SELECT no_plan();
SELECT bigbrotr.partition_ensure();
INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, tags)
SELECT bigbrotr.partition_bound(to_timestamp(1700000000 + n)) + n, 1700000000 + n, n % 3, sha256(('id' || n)::bytea), sha256(('author' || n % 40)::bytea),
	format('[["e","%s"]]', encode(sha256(('id' || n - 1)::bytea), 'hex'))::bigbrotr.tags
FROM generate_series(1, 1000) AS n;
ANALYZE bigbrotr.event;
CREATE TEMP TABLE copy AS SELECT key, kind, pubkey FROM bigbrotr.event;
SET LOCAL enable_seqscan = off;
SET LOCAL jit = off;
SET LOCAL search_path = bigbrotr, public;

CREATE FUNCTION pg_temp.plan(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text; result text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
		result := result || line || E'\n';
	END LOOP;
	RETURN result;
END $$;

SELECT matches(pg_temp.plan($$SELECT FROM event WHERE id = sha256('id77')$$), 'event_2023_11_id_code_idx', 'id =');
SELECT matches(pg_temp.plan($$SELECT FROM event WHERE pubkey = sha256('author7')$$), 'event_2023_11_author_code_time_code_idx', 'pubkey =');
SELECT matches(pg_temp.plan($$SELECT FROM event WHERE pubkey = sha256('author7') AND kind = 1$$), 'Index Cond: \(author_code\(pubkey, kind\) = ', 'pubkey = and kind =');
SELECT matches(pg_temp.plan($$SELECT FROM event WHERE tags && '{e:7}'$$), 'event_2023_11_tags_idx', 'tags &&');
SELECT matches(pg_temp.plan($$SELECT FROM event WHERE kind = 7 AND key > 1700000100::bigint << 29$$),
	'Index Cond: \(\(kind = 7\) AND \(time_slot\(key\) >= 6640625\)\)', 'kind = and bounds of key');
SELECT matches(pg_temp.plan($$SELECT FROM event WHERE kind = 7 AND 1700000300::bigint << 29 > key$$),
	'Index Cond: \(\(kind = 7\) AND \(time_slot\(key\) <= 6640626\)\)', 'the other way round');
SELECT matches(pg_temp.plan($$SELECT FROM event WHERE kind = 7 ORDER BY time_slot(key) DESC LIMIT 5$$),
	'Scan Backward using event_2023_11_kind_time_slot_idx', 'kind = in order');
SELECT matches(pg_temp.plan($$SELECT FROM event e JOIN event r ON r.id = decode(tag_first(e.tags, 'e'), 'hex') WHERE e.key = 1$$), 'event_2023_11_id_code_idx', 'a join by id');
PREPARE by_author(bytea) AS SELECT FROM event WHERE pubkey = $1;
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT matches(pg_temp.plan($$EXECUTE by_author('')$$), 'event_2023_11_author_code_time_code_idx', 'a parameter');
RESET plan_cache_mode;

SELECT matches(pg_temp.plan($$SELECT FROM event WHERE kind = ANY ('{1,7}') AND created_at > 1700000100$$), 'event_2023_11_kind_time_slot_idx', 'kind = any');
SELECT matches(pg_temp.plan($$SELECT FROM event WHERE tags @> '{e:7}' AND created_at < 1700000100$$), 'event_2023_11_tags_idx', 'tags @>');
SELECT matches(pg_temp.plan($$SELECT FROM event WHERE kind = 1 AND created_at >= 1700000100$$), 'Index Cond: \(\(kind = 1\) AND \(time_slot\(key\) >= ', 'kind = and created_at >=');
SELECT matches(pg_temp.plan($$SELECT FROM event WHERE pubkey = sha256('author7') AND kind = 1 AND created_at >= 1700000100$$),
	'Index Cond: \(\(author_code\(pubkey, kind\) = -?[0-9]+\) AND \(time_code\(key\) >= ', 'pubkey =, kind =, created_at >=');
SELECT matches(pg_temp.plan(q), '^Index Scan using event_2023_11_pkey on event_2023_11 event\n', 'one partition, by key: ' || q) FROM unnest(ARRAY[
	'SELECT FROM event WHERE created_at BETWEEN 1700000100 AND 1700000200', 'SELECT FROM event WHERE created_at > 1700000100::bigint AND 1700000200 >= created_at',
	'SELECT FROM event WHERE created_at = 1700000100', 'SELECT FROM event WHERE created_at = 1700000100::bigint']) AS q;
SELECT matches(pg_temp.plan($$SELECT * FROM event WHERE created_at <= 1700000200 AND created_at > 1700000100 ORDER BY key DESC LIMIT 5$$),
	'Index Scan Backward using event_2023_11_pkey', 'created_at in the order of key');
PREPARE by_time(bigint) AS SELECT FROM event WHERE created_at BETWEEN $1 AND $1 + 100;
SET LOCAL plan_cache_mode = force_generic_plan;
SELECT matches(pg_temp.plan($$EXECUTE by_time(1700000100)$$), 'Subplans Removed: [0-9]+\n.*event_2023_11_pkey', 'a time as parameter prunes, too');
RESET plan_cache_mode;

-- with the greatest and smallest times, and with keys that went on to the next second
INSERT INTO event (key, created_at, kind, id, pubkey) SELECT k, t, 4, sha256(k::text::bytea), sha256('edge')
FROM (VALUES (0, -5), (1, 0), (key_last(1600000000), 1600000000), (key_first(1600000000), 1600000000), (9223372036854775807, 17179869183),
	(9223372036854775806, 9223372036854775807), (key_first(17179869183), 17179869184)) AS x (k, t);
CREATE TEMP TABLE edge AS SELECT key, created_at FROM event WHERE kind = 4;
SELECT is((SELECT count(*) FROM edge), 7::bigint, 'times at the edges');
SELECT is(f.n, e.n, format('created_at %s %s', o, t)) FROM unnest('{<,<=,=,>=,>}'::text[]) AS o,
	unnest('{-9223372036854775808,-6,-5,0,1,1599999999,1600000000,1600000001,17179869182,17179869183,17179869184,9223372036854775807}'::bigint[]) AS t,
	LATERAL (SELECT (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM bigbrotr.event WHERE kind = 4 AND created_at %s %L::bigint', o, t), true, true, '')))[1]::text AS n) AS f,
	LATERAL (SELECT (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM edge WHERE created_at %s %L::bigint', o, t), true, true, '')))[1]::text AS n) AS e;
DELETE FROM event WHERE kind = 4;

SELECT is((SELECT count(*) FROM event WHERE id = sha256('id77')), 1::bigint, 'id: found');
SELECT is((SELECT count(*) FROM event WHERE pubkey = sha256('author7')), 25::bigint, 'pubkey: found');
SELECT is((SELECT count(*) FROM event WHERE pubkey = sha256('author7') AND kind = 1), 9::bigint, 'pubkey and kind: found');
SELECT is((SELECT count(*) FROM event WHERE kind = 1 AND key >= 1700000100::bigint << 29 AND 1700000400::bigint << 29 > key), 100::bigint, 'kind and bounds: found');
SELECT is((SELECT count(*) FROM event WHERE kind = 1 AND key > -5 AND key < 9223372036854775807), 334::bigint, 'kind and bounds beyond all');
SELECT is((SELECT count(*) FROM event WHERE sha256('author7') = pubkey AND 1 = kind), 9::bigint, 'the other way round');
SELECT is((SELECT count(*) FROM event WHERE pubkey = '\x00'), 0::bigint, 'what is not 32 bytes long is not there');
SELECT is((SELECT count(*) FROM event WHERE id = NULL), 0::bigint, 'NULL is not there');
CREATE TEMP VIEW few AS SELECT * FROM event WHERE key % 100 = 1;
SELECT is((SELECT count(*) FROM few e JOIN event r ON r.id = decode(tag_first(e.tags, 'e'), 'hex')), 10::bigint, 'joined');
SELECT is((SELECT count(*) FROM few e LEFT JOIN event r ON r.id = decode(tag_first(e.tags, 'e'), 'hex')), 10::bigint, 'joined from the left');
SELECT matches(pg_temp.plan($$SELECT FROM few e LEFT JOIN event r ON r.id = decode(tag_first(e.tags, 'e'), 'hex')$$), 'id_code', 'by index');
SELECT is((SELECT count(*) FROM few e FULL JOIN few r ON r.id = decode(tag_first(e.tags, 'e'), 'hex')), 20::bigint, 'joined fully');
SELECT is((SELECT count(*) FROM few e WHERE EXISTS (SELECT FROM event r WHERE r.pubkey = e.pubkey AND r.kind = 2 AND r.key > e.key)),
	(SELECT count(*) FROM copy e WHERE key % 100 = 1 AND EXISTS (SELECT FROM copy r WHERE r.pubkey = e.pubkey AND r.kind = 2 AND r.key > e.key)), 'in a subquery');
UPDATE event SET content = 'new' WHERE id = sha256('id77');
SELECT is((SELECT content FROM event WHERE id = sha256('id77')), 'new', 'updated');

-- without rights on the functions a query works as ever
CREATE ROLE bb_plain;
GRANT USAGE ON SCHEMA bigbrotr TO bb_plain;
GRANT SELECT ON event TO bb_plain;
SET LOCAL ROLE bb_plain;
SELECT is((SELECT count(*) FROM event WHERE pubkey = sha256('author7') AND kind = 1), 9::bigint, 'without rights on codes');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
