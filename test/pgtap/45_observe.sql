-- Observations of which some are there: whatever was there before, and in
-- whatever order batches with and without new ones come, each is stored, told
-- to the refresher and counted once.
BEGIN;
SELECT no_plan();
SELECT bigbrotr.partition_ensure();
SELECT setseed(0.25);
INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey)
SELECT ((1690000000 + g * 50000)::bigint << 29) | (('x' || encode(substr(sha256(g::text::bytea), 1, 4), 'hex'))::bit(32)::bigint >> 3),
	1690000000 + g * 50000, 1, sha256(g::text::bytea), sha256('a') FROM generate_series(1, 300) AS g;
CREATE TEMP TABLE model (key bigint, relay_id integer, PRIMARY KEY (key, relay_id));
CREATE TEMP TABLE batch (n integer, key bigint, created_at bigint, id bytea, relay_id integer);
-- with twelve in a row that bring nothing but news, and twelve of old ones
INSERT INTO batch SELECT b, e.key, e.created_at, e.id, CASE WHEN b % 40 < 12 THEN 1000 + b WHEN b % 40 < 24 THEN 1000 + b / 40 * 40
	ELSE 1 + (random() * 20)::int END
FROM generate_series(0, 119) AS b, LATERAL (SELECT * FROM bigbrotr.event WHERE b >= 0 ORDER BY random() LIMIT 1 + (random() * 60)::int) AS e;
INSERT INTO batch SELECT * FROM batch WHERE random() < 0.1;

CREATE FUNCTION pg_temp.wrong() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	b integer;
	expected bigint;
	got bigint;
BEGIN
	FOR b IN SELECT DISTINCT n FROM batch ORDER BY n LOOP
		WITH fresh AS (INSERT INTO model SELECT DISTINCT x.key, x.relay_id FROM batch AS x WHERE x.n = b
					   ON CONFLICT DO NOTHING RETURNING 1)
		SELECT count(*) INTO expected FROM fresh;
		SELECT bigbrotr.observe(array_agg(x.created_at), array_agg(x.id), array_agg(x.relay_id), array_agg(5::bigint))
		INTO got FROM (SELECT * FROM batch WHERE n = b ORDER BY random()) AS x;
		IF got <> expected THEN
			RETURN NEXT format('batch %s: %s instead of %s', b, got, expected);
		END IF;
	END LOOP;
END $$;
SELECT is_empty('SELECT * FROM pg_temp.wrong()', 'every batch says how many were new');
SELECT set_eq('SELECT key, relay_id FROM bigbrotr.observation', 'SELECT * FROM model', 'all are stored');
SELECT bag_eq('SELECT k, r FROM bigbrotr.ingest_delta, unnest(seen_keys, seen_relays) AS u (k, r)', 'SELECT * FROM model', 'and told once');
SELECT * FROM finish();
ROLLBACK;
