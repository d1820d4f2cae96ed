-- How partitions are stored: settings that really took effect, on those that
-- are made first, later, and cut off the future.
BEGIN;
SELECT no_plan();
SELECT bigbrotr.partition_ensure();
-- events with long texts in an old, the newest and a later month
CREATE TEMP TABLE at (key bigint);
INSERT INTO at VALUES (1000), (bigbrotr.partition_bound(now())), (bigbrotr.partition_bound(now() + interval '5 months'));
INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, sig, tags, content)
SELECT key, key >> 29, 1, sha256(key::text::bytea), sha256('a'), sha256('b') || sha256('c'),
	('[["t","' || repeat('nostr ', 3000) || '"]]')::bigbrotr.tags, repeat('hello world ', 2000) FROM at;
SELECT bigbrotr.partition_ensure(now() + interval '6 months');
SELECT is((SELECT count(DISTINCT tableoid) FROM bigbrotr.event), 3::bigint, 'three partitions');
SELECT is_empty($$SELECT tableoid::regclass FROM bigbrotr.event WHERE pg_column_compression(content) IS DISTINCT FROM 'lz4'$$,
	'content is compressed with LZ4 in each of them');
SELECT is_empty($$SELECT tableoid::regclass FROM bigbrotr.event WHERE pg_column_compression(tags) IS DISTINCT FROM 'lz4'$$, 'and so are tags');
SELECT is_empty($$SELECT tableoid::regclass FROM bigbrotr.event WHERE pg_column_size(content) > 400$$, 'to very little');
CREATE TEMP VIEW part AS
SELECT c.oid, c.relname, i.inhparent, c.reloptions, t.reloptions AS toast FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
WHERE i.inhparent IN ('bigbrotr.event'::regclass, 'bigbrotr.observation'::regclass);
SELECT is_empty($$SELECT relname FROM part WHERE inhparent = 'bigbrotr.event'::regclass AND (reloptions, toast) IS DISTINCT FROM
	('{toast_tuple_target=4064,autovacuum_freeze_min_age=0,autovacuum_vacuum_insert_scale_factor=0.1}'::text[], '{autovacuum_freeze_min_age=0}'::text[])$$,
	'settings of all partitions of event');
SELECT is_empty($$SELECT relname FROM part WHERE inhparent = 'bigbrotr.observation'::regclass
	AND reloptions IS DISTINCT FROM '{autovacuum_vacuum_insert_scale_factor=0.1}'::text[]$$, 'and of observation');
SELECT is((SELECT string_agg(attstorage::text, '') FROM pg_attribute WHERE attrelid IN ('bigbrotr.observation_by_event'::regclass,
	'bigbrotr.observation_by_relay'::regclass) AND attname = 'data'), 'ee', 'packed blocks are not compressed again');
-- a block that is as large as they get fills a quarter of a page
TRUNCATE bigbrotr.observation_by_event;
INSERT INTO bigbrotr.observation_by_event SELECT g, g, 1, decode(repeat('00', 1980), 'hex') FROM generate_series(1, 8) AS g;
SELECT is((SELECT count(DISTINCT (ctid::text::point)[0]) FROM bigbrotr.observation_by_event), 2::bigint, 'four blocks to a page');
SELECT is(pg_relation_size(reltoastrelid), 0::bigint, 'none outside of it') FROM pg_class WHERE oid = 'bigbrotr.observation_by_event'::regclass;
SELECT * FROM finish();
ROLLBACK;
