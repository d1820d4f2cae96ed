-- Partitions: nothing new until a month is needed; then its rows move.
SELECT bigbrotr.partition_ensure();
SELECT pg_get_expr(c.relpartbound, c.oid) AS bound, c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent IN ('bigbrotr.event'::regclass, 'bigbrotr.observation'::regclass)
	AND c.relname ~ '(old|20[0-9][0-9]|2023_0[12])$' ORDER BY c.relname COLLATE "C";
SELECT a.attname, a.attcompression FROM pg_attribute a
WHERE a.attrelid = 'bigbrotr.event_2023_01'::regclass AND a.attcompression <> '' ORDER BY 1;
SELECT count(DISTINCT i.inhparent::regclass || ':' || x.n) AS layouts FROM pg_inherits i,
	LATERAL (SELECT string_agg(regexp_replace(pg_get_indexdef(indexrelid), '.*USING', ''), ';' ORDER BY indisprimary, indexrelid) FROM pg_index WHERE indrelid = i.inhrelid) AS x (n)
WHERE i.inhparent IN ('bigbrotr.event'::regclass, 'bigbrotr.observation'::regclass);
-- an event of five months ahead
BEGIN;
INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey)
SELECT bigbrotr.partition_bound(now() + interval '5 months'), 0, 1, sha256('a'), sha256('b');
INSERT INTO bigbrotr.observation VALUES (bigbrotr.partition_bound(now() + interval '5 months'), 1, 0);
SELECT tableoid::regclass FROM bigbrotr.event WHERE id = sha256('a');
SELECT bigbrotr.partition_ensure(now() + interval '6 months') >= 4 AS made;
SELECT tableoid::regclass::text = 'bigbrotr.event_' || to_char(to_timestamp(key >> 29) AT TIME ZONE 'UTC', 'YYYY_MM') AS moved
FROM bigbrotr.event WHERE id = sha256('a');
SELECT tableoid::regclass::text = 'bigbrotr.observation_' || to_char(to_timestamp(key >> 29) AT TIME ZONE 'UTC', 'YYYY_MM') AS moved
FROM bigbrotr.observation WHERE seen_at = 0;
SELECT count(*) FROM bigbrotr.event WHERE kind = 30023;
ROLLBACK;
SELECT bigbrotr.partition_ensure('infinity');

-- dropped and made again in one session: nothing remembered is stale
SELECT outcome IN ('new', 'invalid') AS works FROM bigbrotr.event_ingest('junk'::text);
BEGIN;
SET LOCAL client_min_messages = warning;
DO $$ BEGIN PERFORM set_config('bigbrotr.allow_drop', 'on', true); END $$;
DROP EXTENSION bigbrotr;
SELECT count(*) FROM pg_class WHERE relnamespace = 'bigbrotr'::regnamespace;
CREATE EXTENSION bigbrotr;
SELECT outcome FROM bigbrotr.event_ingest($e${"id":"6ddaf49e32f50ad614041a0db9f5db649e326c91a4792112352fa3085506c418","pubkey":"f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9","created_at":1600000000,"kind":0,"tags":[],"content":"{}","sig":"3897064e8759e3495cc1c6f953006f3acf94d47285793975d7a54ed0829a115515e37f47608dff3e3165be4f8f59ef19d673f4b0e07d814ecc0870bdaa52fad6"}$e$::text);
ROLLBACK;
