-- The compact tier: what is packed answers as rows do, in both directions by
-- index; late rows are merged, duplicates are not; damage is an error.
BEGIN;
SELECT no_plan();
SELECT bigbrotr.partition_ensure();
SELECT setseed(0.25);

-- 4000 events of two months, and an old one; about three of 60 relays have each
CREATE TEMP TABLE reference AS
SELECT DISTINCT ON (key, relay_id) key, relay_id, (key >> 29)::int - 1577836800 + (random() * 100000)::int AS seen_at
FROM (SELECT ((1682000000 + floor(random() * 4000000))::bigint << 29) + floor(random() * 536870911)::bigint AS key
	  FROM generate_series(1, 4000) UNION SELECT 5) AS e,
	 LATERAL (SELECT 1 + floor(random() * random() * 60)::int AS relay_id FROM generate_series(1, 3) WHERE e.key > 0) AS r;
-- one event that every relay of many has
INSERT INTO reference SELECT 1683000000::bigint << 29, r, r FROM generate_series(1, 3000) AS r;
INSERT INTO bigbrotr.observation SELECT * FROM reference;

CREATE FUNCTION pg_temp.all_there() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT is((SELECT count(*) FROM bigbrotr.observation_all), (SELECT count(*) FROM reference), 'as many');
	RETURN NEXT is_empty('SELECT * FROM bigbrotr.observation_all EXCEPT SELECT * FROM reference', 'nothing else');
	RETURN NEXT is_empty('SELECT * FROM reference EXCEPT SELECT * FROM bigbrotr.observation_all', 'nothing less');
	RETURN NEXT is_empty('SELECT * FROM bigbrotr.packed_verify()', 'both forms say the same');
	RETURN NEXT is((SELECT sum(n) FROM bigbrotr.observation_by_event), (SELECT count(*) FROM bigbrotr.observation_packed), 'n is right');
	RETURN NEXT is((SELECT sum(n) FROM bigbrotr.observation_by_relay), (SELECT count(*) FROM bigbrotr.observation_packed), 'by relay too');
	RETURN NEXT is_empty('SELECT FROM bigbrotr.observation_by_event a JOIN bigbrotr.observation_by_event b
		ON a.first_key < b.first_key AND b.first_key <= a.last_key', 'blocks do not overlap');
	RETURN NEXT is_empty('SELECT FROM bigbrotr.observation_by_relay a JOIN bigbrotr.observation_by_relay b
		ON a.relay_id = b.relay_id AND a.first_key < b.first_key AND b.first_key <= a.last_key', 'nor those of a relay');
END
$$;
-- Random questions, answered by the tier and by the reference.
CREATE FUNCTION pg_temp.questions(packed_below bigint DEFAULT 9223372036854775807) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	wrong int := 0;
	a text; b text; c text; d text;
BEGIN
	FOR r IN SELECT key, relay_id, (key + (random() * 1e15)::bigint) AS upto, key + 1 - (random() * 2)::int AS lo
			 FROM reference ORDER BY random() LIMIT 150 LOOP
		SELECT string_agg(x::text, ' ' ORDER BY relay_id) INTO a FROM bigbrotr.observation_all x WHERE key = r.key;
		SELECT string_agg(x::text, ' ' ORDER BY relay_id) INTO b FROM reference x WHERE key = r.key;
		wrong := wrong + (a IS DISTINCT FROM b)::int;
		SELECT array_agg(key)::text INTO a FROM (SELECT key FROM bigbrotr.observation_all
			WHERE relay_id = r.relay_id AND key > r.lo AND key <= r.upto ORDER BY key DESC LIMIT 50) x;
		SELECT array_agg(key)::text INTO b FROM (SELECT key FROM reference
			WHERE relay_id = r.relay_id AND key > r.lo AND key <= r.upto ORDER BY key DESC LIMIT 50) x;
		SELECT array_agg(key)::text INTO c FROM (SELECT key FROM bigbrotr.observation_packed
			WHERE relay_id = r.relay_id AND r.lo <= key AND r.upto > key ORDER BY key LIMIT 50) x;
		SELECT array_agg(key)::text INTO d FROM (SELECT key FROM reference
			WHERE relay_id = r.relay_id AND r.lo <= key AND r.upto > key AND key < packed_below ORDER BY key LIMIT 50) x;
		wrong := wrong + (a IS DISTINCT FROM b)::int + (c IS DISTINCT FROM d)::int;
		SELECT array_agg(relay_id)::text INTO a FROM (SELECT relay_id FROM bigbrotr.observation_all
			WHERE key BETWEEN r.lo AND r.upto ORDER BY key DESC, relay_id LIMIT 70) x;
		SELECT array_agg(relay_id)::text INTO b FROM (SELECT relay_id FROM reference
			WHERE key BETWEEN r.lo AND r.upto ORDER BY key DESC, relay_id LIMIT 70) x;
		wrong := wrong + (a IS DISTINCT FROM b)::int;
	END LOOP;
	RETURN NEXT is(wrong, 0, 'random questions are answered as by rows');
END
$$;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END
$$;

-- in slices
SELECT ok(bigbrotr.compact_step(true, 1000), 'one slice, and more to do');
SELECT isnt((SELECT position FROM bigbrotr.compaction WHERE partition = 'observation_old'), 1::bigint, 'the oldest partition is first');
SELECT ok(bigbrotr.compact_step(true, 1000), 'another one');
SELECT * FROM pg_temp.all_there();
SELECT isnt_empty('SELECT FROM bigbrotr.observation', 'rows are left');
SELECT isnt_empty('SELECT FROM bigbrotr.observation_packed', 'others are packed');
SELECT isnt((SELECT position FROM bigbrotr.compaction WHERE partition = 'observation_2023_04'), NULL, 'progress is visible');
SELECT * FROM pg_temp.questions((SELECT position FROM bigbrotr.compaction WHERE position IS NOT NULL));
DO $$ BEGIN WHILE bigbrotr.compact_step(true, 1000) LOOP END LOOP; END $$;
SELECT is_empty('SELECT FROM bigbrotr.observation', 'all of it');
SELECT is((SELECT sum(observations) FROM bigbrotr.compaction), (SELECT count(*) FROM reference)::numeric, 'each row was moved once');
SELECT is_empty('SELECT FROM bigbrotr.compaction WHERE finished_at IS NULL OR position IS NOT NULL', 'all partitions are done');
SELECT * FROM pg_temp.all_there();
SELECT * FROM pg_temp.questions();
SELECT is(bigbrotr.compact_step(true, 1000), false, 'nothing to do any more');

-- by index
SELECT alike(pg_temp.plan_of('SELECT * FROM bigbrotr.observation_packed WHERE key = 5'), '%observation_by_event_pkey, one key%', 'who has it: by index');
SELECT alike(pg_temp.plan_of('SELECT key FROM bigbrotr.observation_packed WHERE relay_id = 5 AND key > 7 ORDER BY key DESC LIMIT 5'),
	'%observation_by_relay_pkey, a range of keys, backward%', 'what a relay has: by index');
SELECT unalike(pg_temp.plan_of('SELECT key FROM bigbrotr.observation_packed WHERE relay_id = 5 AND key > 7 ORDER BY key DESC LIMIT 5'), '%Sort%', 'in order');
SELECT alike(pg_temp.plan_of('SELECT key FROM bigbrotr.observation_all WHERE relay_id = 5 AND key > (1684000000::bigint << 29)'),
	'%observation_by_relay_pkey, a range of keys%', 'through the view too');
SELECT alike(pg_temp.plan_of($$SELECT o.key FROM bigbrotr.relay r JOIN bigbrotr.observation_all o ON o.relay_id = r.id WHERE r.url = 'wss://x'$$),
	'%observation_by_relay_pkey%', 'and in a join');
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SELECT alike(pg_temp.plan_of('SELECT o.* FROM generate_series(1, 3) AS g JOIN bigbrotr.observation_all o ON o.key = g'), '%observation_by_event_pkey, one key%', 'by event in a join');
RESET enable_hashjoin;
RESET enable_mergejoin;

-- odd conditions
SELECT is_empty('SELECT FROM bigbrotr.observation_packed WHERE relay_id = 3 AND relay_id = 4', 'two relays at once');
SELECT is_empty('SELECT FROM bigbrotr.observation_packed WHERE relay_id = NULL::int', 'no relay');
SELECT is_empty('SELECT FROM bigbrotr.observation_packed WHERE relay_id = 0 OR relay_id = -1', 'relays that cannot be');
SELECT is_empty('SELECT FROM bigbrotr.observation_packed WHERE key > 9223372036854775807', 'beyond the last key');
SELECT is((SELECT count(*) FROM bigbrotr.observation_packed WHERE key >= 5::int), (SELECT count(*) FROM reference), 'another type');
SELECT is((SELECT count(*) FROM bigbrotr.observation_packed WHERE key <> 5), (SELECT count(*) FROM reference WHERE key <> 5), 'not by index');
SELECT is((SELECT count(*) FROM generate_series(1, 9) AS g LEFT JOIN bigbrotr.observation_packed AS o ON o.relay_id = g AND o.key > 1683000000::bigint << 29),
	(SELECT count(*) FROM generate_series(1, 9) AS g LEFT JOIN reference AS o ON o.relay_id = g AND o.key > 1683000000::bigint << 29), 'an outer join');

-- late ones: new ones of packed events, of new events, and copies
INSERT INTO reference SELECT key, 70, 9 FROM (SELECT DISTINCT key FROM reference) AS k WHERE random() < 0.1;
INSERT INTO reference SELECT ((1682000000 + g * 7777)::bigint << 29), 71 + g % 3, g FROM generate_series(1, 500) AS g;
INSERT INTO bigbrotr.observation SELECT * FROM reference EXCEPT SELECT * FROM bigbrotr.observation_packed;
INSERT INTO bigbrotr.observation SELECT key, relay_id, seen_at + 5 FROM bigbrotr.observation_packed ORDER BY key LIMIT 100;
DO $$ BEGIN WHILE bigbrotr.compact_step(true, 700) LOOP END LOOP; END $$;
SELECT * FROM pg_temp.all_there();
SELECT is((SELECT sum(duplicates) FROM bigbrotr.compaction), 100::numeric, 'copies are dropped and counted');
SELECT * FROM pg_temp.questions();

-- what is younger stays
INSERT INTO bigbrotr.observation VALUES ((extract(epoch FROM now())::bigint - 86400 * 15) << 29, 1, 1);
SELECT is(bigbrotr.compact_step(true), false, 'a young one is left');
SELECT isnt_empty('SELECT FROM bigbrotr.observation', 'as a row');
SELECT throws_ok('SELECT bigbrotr.compact_step(true, 0)', '22023', 'max_rows must be between 1 and 10000000');

-- damage
SELECT throws_ok($$SELECT * FROM bigbrotr.packed_unpack(5, 0, '\x')$$, 'XX001', 'packed observations from key 5 on are corrupted');
SELECT throws_ok($$SELECT * FROM bigbrotr.packed_unpack(5, 0, '\x0100ffff')$$, 'XX001', 'packed observations from key 5 on are corrupted');
SELECT throws_ok($$SELECT * FROM bigbrotr.packed_unpack(-1, 0, '\x0100010100')$$, 'XX001', 'packed observations from key -1 on are corrupted');
SELECT results_eq($$SELECT * FROM bigbrotr.packed_unpack(5, 0, '\x0100010306')$$, 'VALUES (5::bigint, 3, 3)', 'a block');
SELECT results_eq($$SELECT * FROM bigbrotr.packed_unpack(5, 8, '\x020006')$$, 'VALUES (5::bigint, 8, 3)', 'a block of a relay');
CREATE FOREIGN TABLE odd (key text, relay_id integer, seen_at integer) SERVER bigbrotr_packed;
SELECT throws_ok('SELECT * FROM odd', 'HV004', NULL, 'a foreign table of somebody else');
UPDATE bigbrotr.observation_by_event SET last_key = last_key + 1 WHERE first_key = (SELECT min(first_key) FROM bigbrotr.observation_by_event);
SELECT throws_like('SELECT count(*) FROM bigbrotr.observation_packed', 'packed observations from key % do not end at key %', 'a key that does not fit');
UPDATE bigbrotr.observation_by_event SET last_key = last_key - 1 WHERE first_key = (SELECT min(first_key) FROM bigbrotr.observation_by_event);
DELETE FROM bigbrotr.observation_by_relay WHERE relay_id = 7;
SELECT isnt_empty('SELECT FROM bigbrotr.packed_verify() WHERE relay_id = 7', 'a lost block is found');
SELECT is_empty('SELECT FROM bigbrotr.packed_verify() WHERE relay_id <> 7', 'and only that one');
SELECT * FROM finish();
ROLLBACK;
