-- Functions beyond the Python system against plain SQL over the archive, on a
-- random one with times that no date can hold, and for random arguments.
BEGIN;
SELECT no_plan();
SELECT bigbrotr.partition_ensure();
SELECT (extract(epoch FROM now())::bigint * 7919 % 1000003) / 1000003.0 AS seed \gset
SELECT setseed(:seed);
SELECT diag('seed ' || :seed);

INSERT INTO bigbrotr.relay (url, network) SELECT 'wss://r' || n || '.nostr.com', 'clearnet' FROM generate_series(1, 6) n;
CREATE TEMP TABLE r AS SELECT id, url, row_number() OVER (ORDER BY id) AS n FROM bigbrotr.relay;
CREATE FUNCTION pg_temp.some_time() RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() < 0.97 THEN 1767225600 + floor(random() * 40 * 86400)::bigint
		ELSE (ARRAY[-9223372036854775808, -86401, -86400, -1, 0, 17179869183, 17179869184, 1700000000000, 9223372036854775807,
			1767225599, 1767225600, 1769903999, 1769904000])[1 + floor(random() * 13)::int] END $$;
-- the key of its time; as in the archive, no two have the same
INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, tags)
SELECT least(greatest(at, 0), 17179869183) << 29 | n, at, 1 + n % 3, sha256(int4send(n)), sha256(int4send(floor(random() * random() * 60)::int)),
	(CASE n % 4 WHEN 0 THEN '[]' WHEN 1 THEN format('[["t","%s"],["t","X"],["t","x"],["T","x"],["t"],["t",""]]', n % 7) ELSE format('[["t","a%s"]]', n % 5) END)::bigbrotr.tags
FROM (SELECT n, pg_temp.some_time() AS at FROM generate_series(1, 700) n) AS x ORDER BY 1;
INSERT INTO bigbrotr.observation (key, relay_id, seen_at)
SELECT e.key, r.id, 0 FROM bigbrotr.event AS e JOIN r ON e.key >= 0 AND random() < 1.0 / (1 + r.n * (e.key >= 0)::int) ORDER BY 1;
SELECT bigbrotr.rebuild();
SELECT is_empty('SELECT * FROM bigbrotr.verify() WHERE missing + surplus > 0', 'counted');

-- events with their days, and who was seen where
CREATE TEMP TABLE e AS SELECT e.key, e.pubkey, e.created_at, e.kind, e.tags::text::jsonb AS tags, CASE WHEN created_at / 86400 > 2145042905 THEN 'infinity'
	WHEN created_at / 86400 < -2440588 THEN '-infinity' ELSE date '1970-01-01' + (created_at / 86400)::int END AS day FROM bigbrotr.event AS e;
CREATE TEMP TABLE o AS SELECT e.*, r.url FROM e JOIN bigbrotr.observation_all AS o USING (key) JOIN r ON r.id = o.relay_id;
ANALYZE e, o;
CREATE FUNCTION pg_temp.some_day() RETURNS date LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() < 0.7 THEN date '2026-01-01' + floor(random() * 40)::int
		ELSE (ARRAY['-infinity', '1960-01-01', '1969-12-31', '1970-01-01', '2514-05-30', '5874897-12-31', 'infinity']::date[])[1 + floor(random() * 8)::int] END $$;
CREATE FUNCTION pg_temp.some_relays() RETURNS text[] LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() < 0.8 THEN array_agg(url) FILTER (WHERE random() < 0.4) END FROM r $$;

SELECT is(count(*), 40::bigint, 'distinct authors') FROM (SELECT pg_temp.some_relays() AS relays, pg_temp.some_day() AS lo, pg_temp.some_day() AS hi
	FROM generate_series(1, 40)) AS x
WHERE bigbrotr.distinct_authors(relays, lo, hi) = CASE WHEN relays IS NULL
	THEN (SELECT count(DISTINCT pubkey) FROM e WHERE (day >= lo) IS NOT FALSE AND (day <= hi) IS NOT FALSE)
	ELSE (SELECT count(DISTINCT pubkey) FROM o WHERE url = ANY (relays) AND (day >= lo) IS NOT FALSE AND (day <= hi) IS NOT FALSE) END;
SELECT results_eq(format('SELECT * FROM bigbrotr.active_authors(%L, %L, %L)', period, lo, hi), format(
	$$SELECT date_trunc(%1$L, day::timestamp)::date, count(DISTINCT pubkey), count(DISTINCT pubkey) FILTER (WHERE created_at = first), count(*)
	FROM (SELECT e.*, min(created_at) OVER (PARTITION BY pubkey) AS first FROM e) AS e WHERE day BETWEEN %2$L AND %3$L GROUP BY 1 ORDER BY 1$$, period, lo, hi),
	format('active authors each %s from %s to %s', period, lo, hi))
FROM (SELECT p AS period, coalesce(nullif(pg_temp.some_day(), '5874897-12-31'), '-infinity') AS lo, coalesce(nullif(pg_temp.some_day(), '5874897-12-31'), 'infinity') AS hi
	FROM unnest('{day,week,month,quarter,year}'::text[]) AS p, generate_series(1, 3)) AS x;

-- whole seconds, so that keys and times say the same
CREATE TEMP TABLE span AS SELECT n, to_timestamp(1767225600 + floor(random() * 20 * 86400)::bigint) AS lo, to_timestamp(1767225600 + floor((random() * 30 + 10) * 86400)::bigint) AS hi
	FROM generate_series(1, 5) AS n;
INSERT INTO span VALUES (6, '-infinity', 'infinity');
CREATE FUNCTION pg_temp.inside(key bigint, s span) RETURNS boolean LANGUAGE sql AS
	$$ SELECT NOT isfinite(s.lo) OR (key >> 29) >= extract(epoch FROM s.lo) AND (key >> 29) < extract(epoch FROM s.hi) $$;
SELECT results_eq(format('SELECT * FROM bigbrotr.redundancy(%L, %L)', lo, hi), format(
	$$SELECT n, count(*) FROM (SELECT (SELECT count(*) FROM o WHERE o.key = e.key) AS n FROM e, span AS s WHERE s.n = %s AND pg_temp.inside(e.key, s)) AS x GROUP BY 1 ORDER BY 1$$, n),
	'redundancy ' || n) FROM span;
SELECT results_eq(format('SELECT * FROM bigbrotr.relay_overlap(%L, %L, %L)', url, lo, hi), format(
	$$SELECT b.url, count(*), count(*)::float8 / (SELECT count(*) FROM o, span AS s WHERE s.n = %1$s AND o.url = %2$L AND pg_temp.inside(o.key, s))
	FROM span AS s, o AS a JOIN o AS b USING (key) WHERE s.n = %1$s AND a.url = %2$L AND b.url <> a.url AND pg_temp.inside(a.key, s) GROUP BY 1 ORDER BY 2 DESC, 1$$, span.n, url),
	format('overlap %s of %s', span.n, url)) FROM span JOIN r ON r.n = span.n;
CREATE FUNCTION pg_temp.greedy(which int) RETURNS TABLE (step int, relay_url text, added bigint, covered double precision) LANGUAGE plpgsql AS $$
DECLARE
	total bigint;
	seen bigint := 0;
BEGIN
	CREATE TEMP TABLE left_over ON COMMIT DROP AS SELECT o.key, o.url FROM o, span AS s WHERE s.n = which AND pg_temp.inside(o.key, s);
	SELECT count(DISTINCT key) INTO total FROM left_over;
	step := 0;
	LOOP
		SELECT l.url, count(*) INTO relay_url, added FROM left_over AS l JOIN r USING (url) GROUP BY 1, r.id ORDER BY 2 DESC, r.id LIMIT 1;
		EXIT WHEN relay_url IS NULL;
		step := step + 1;
		seen := seen + added;
		covered := seen::float8 / total;
		RETURN NEXT;
		DELETE FROM left_over WHERE key IN (SELECT l.key FROM left_over AS l WHERE l.url = relay_url);
	END LOOP;
	DROP TABLE left_over;
END $$;
SELECT results_eq(format('SELECT * FROM bigbrotr.relay_cover(%L, %L)', lo, hi), format('SELECT * FROM pg_temp.greedy(%s)', n), 'cover ' || n) FROM span;
SELECT results_eq(format('SELECT * FROM bigbrotr.hashtag_days(%L, %L, %s)', lo, hi, n), format(
	$$SELECT day, tag, events, authors FROM (SELECT day, tag, count(*) AS events, count(DISTINCT pubkey) AS authors, row_number() OVER (PARTITION BY day ORDER BY count(DISTINCT pubkey) DESC, count(*) DESC, tag) AS place
	FROM e, LATERAL (SELECT DISTINCT lower(t ->> 1) AS tag FROM jsonb_array_elements(e.tags) AS t WHERE t ->> 0 = 't' AND t ->> 1 <> '') AS h
	WHERE day BETWEEN %L AND %L GROUP BY 1, 2) AS x WHERE place <= %s ORDER BY day, place$$, lo, hi, n), format('hashtags from %s to %s', lo, hi))
FROM (SELECT n, date '2026-01-01' + floor(random() * 30)::int AS lo, date '2026-01-20' + floor(random() * 30)::int AS hi FROM generate_series(1, 5) AS n) AS x;

SELECT * FROM finish();
ROLLBACK;
