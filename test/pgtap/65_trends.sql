-- Analytics beyond the Python system: small archives whose answers are plain.
BEGIN;
SELECT no_plan();
SELECT bigbrotr.partition_ensure();

INSERT INTO bigbrotr.relay (url, network) VALUES ('wss://a.nostr.com', 'clearnet'), ('wss://b.nostr.com', 'clearnet'), ('wss://c.nostr.com', 'clearnet');
CREATE TEMP TABLE r AS SELECT substr(url, 7, 1) AS name, id FROM bigbrotr.relay WHERE url ~ '^wss://[abc].nostr.com$';

-- author n publishes on day n of 2026 and on the day after
CREATE TEMP TABLE e AS SELECT n, d, 1767225600::bigint + (n + d) * 86400 AS at FROM generate_series(0, 9) n, generate_series(0, 1) d;
INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, tags)
SELECT at << 29 | n, at, 1, sha256(int4send(n * 2 + d)), sha256(int4send(n)),
	CASE WHEN d = 0 THEN '[["t","Nostr"],["t","nostr"],["t","x"]]' ELSE '[["t","nostr"]]' END::bigbrotr.tags
FROM e ORDER BY 1;
-- a has all, b those of even authors, c one
INSERT INTO bigbrotr.observation (key, relay_id, seen_at)
SELECT at << 29 | n, r.id, 0 FROM e, r WHERE r.name = 'a' OR r.name = 'b' AND n % 2 = 0 OR r.name = 'c' AND n = 1 AND d = 0;
-- contact lists: a circle of four, and one who is followed by all and by itself
INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, tags)
SELECT 1700000000::bigint << 29 | n, 1700000000, 3, sha256(int4send(1000 + n)), sha256(int4send(n)),
	format('[["p","%s"],["p","%s"],["p","%s"],["p","%s","wss://x"],["p","short"],["p"],["e","%s"]]', encode(sha256(int4send((n + 1) % 4)), 'hex'),
		encode(sha256(int4send(9)), 'hex'), encode(sha256(int4send(9)), 'hex'), encode(sha256(int4send(n)), 'hex'), encode(sha256('z'), 'hex'))::bigbrotr.tags
FROM generate_series(0, 3) n;
SELECT bigbrotr.rebuild();
SELECT is_empty('SELECT * FROM bigbrotr.verify() WHERE missing + surplus > 0', 'counted');

SELECT results_eq($$SELECT * FROM bigbrotr.active_authors('day', '2026-01-01', '2026-01-03')$$,
	$$VALUES ('2026-01-01'::date, 1::bigint, 0::bigint, 1::bigint), ('2026-01-02', 2, 0, 2), ('2026-01-03', 2, 0, 2)$$, 'active each day');
SELECT results_eq($$SELECT starts, authors, events FROM bigbrotr.active_authors('month', '2026-01-01', '2026-01-31')$$,
	$$VALUES ('2026-01-01'::date, 10::bigint, 20::bigint)$$, 'active in a month: each once');
SELECT throws_ok($$SELECT * FROM bigbrotr.active_authors('hour', '2026-01-01')$$, '22023');
SELECT is(bigbrotr.distinct_authors(), 10::bigint, 'all authors');
SELECT is(bigbrotr.distinct_authors(ARRAY['wss://b.nostr.com', 'wss://c.nostr.com']), 6::bigint, 'authors on two relays');
SELECT is(bigbrotr.distinct_authors(NULL, '2026-01-01', '2026-01-02'), 2::bigint, 'authors in two days');
SELECT is(bigbrotr.distinct_authors(ARRAY['wss://b.nostr.com', 'wss://c.nostr.com'], '2026-01-02', '2026-01-03'), 3::bigint, 'authors on two relays in two days');
SELECT is(bigbrotr.distinct_authors(ARRAY['wss://nowhere.nostr.com']), 0::bigint, 'none on a relay that is not known');
SELECT results_eq($$SELECT * FROM bigbrotr.redundancy('2026-01-01Z', '2026-02-01Z')$$, 'VALUES (1::bigint, 9::bigint), (2, 11)', 'redundancy');
SELECT results_eq($$SELECT other_url, shared, share FROM bigbrotr.relay_overlap('wss://b.nostr.com', '2026-01-01Z', '2026-02-01Z')$$,
	$$VALUES ('wss://a.nostr.com', 10::bigint, 1::double precision)$$, 'overlap');
SELECT results_eq($$SELECT step, relay_url, added, covered FROM bigbrotr.relay_cover('2026-01-01Z', '2026-02-01Z')$$,
	$$VALUES (1, 'wss://a.nostr.com', 20::bigint, 1::double precision)$$, 'one relay has all');
DELETE FROM bigbrotr.observation o USING r WHERE o.relay_id = r.id AND r.name = 'a' AND o.key & 1 = 0;
SELECT results_eq($$SELECT step, relay_url, added, covered FROM bigbrotr.relay_cover('2026-01-01Z', '2026-02-01Z')$$,
	$$VALUES (1, 'wss://a.nostr.com', 10::bigint, 0.5::double precision), (2, 'wss://b.nostr.com', 10, 1)$$, 'two have');
SELECT throws_ok($$SELECT * FROM bigbrotr.relay_cover('2026-01-01Z', '2026-02-01Z', 5, 3)$$, '54000');
SELECT results_eq($$SELECT * FROM bigbrotr.hashtag_days('2026-01-02', '2026-01-02')$$,
	$$VALUES ('2026-01-02'::date, 'nostr', 2::bigint, 2::bigint), ('2026-01-02', 'x', 1, 1)$$, 'hashtags, once an event');
SELECT results_eq($$SELECT day, kind, events FROM bigbrotr.kind_days WHERE day BETWEEN '2026-01-01' AND '2026-01-02' ORDER BY 1$$,
	$$VALUES ('2026-01-01'::date, 1, 1::bigint), ('2026-01-02', 1, 2)$$, 'kinds by day');
SELECT results_eq($$SELECT first_at, last_at, active_days FROM bigbrotr.author_lifespan WHERE pubkey = sha256(int4send(5))$$,
	$$VALUES (1767225600 + 5 * 86400::bigint, 1767225600 + 6 * 86400::bigint, 2::bigint)$$, 'lifespan');
SELECT is_empty($$SELECT * FROM bigbrotr.relay_series('wss://a.nostr.com')$$, 'no checks, no series');

-- by hand: x = rank of one in the circle, y of the one who is followed; y = b + 4 d x/2, x = b + d x/2, b = (1 - d + d y)/5
SELECT is((SELECT count(*) FROM bigbrotr.pagerank()), 5::bigint, 'five keys');
SELECT is((SELECT round(sum(rank)::numeric, 6) FROM bigbrotr.pagerank()), 1.000000, 'ranks sum to one');
SELECT results_eq($$SELECT follows, followers, count(*) FROM bigbrotr.pagerank() GROUP BY 1, 2 ORDER BY 1$$,
	$$VALUES (0, 4, 1::bigint), (2, 1, 4)$$, 'degrees: an edge once, none to oneself');
SELECT is((SELECT round((max(rank) / min(rank))::numeric, 3) FROM bigbrotr.pagerank(0.85, 1000, 0)), round((0.575 + 1.7) / 1, 3), 'ratio of the ranks');
SELECT is((SELECT count(DISTINCT round(rank::numeric, 9)) FROM bigbrotr.pagerank(0)), 1::bigint, 'no damping, no difference');
SELECT throws_ok('SELECT * FROM bigbrotr.pagerank(1.5)', '22023');
SELECT throws_ok('SELECT * FROM bigbrotr.pagerank(0.85, 10, 0, 3)', '54000');

-- times that no date can hold, asked for with those that have no end
INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, tags) VALUES
	(7, -9223372036854775808, 1, sha256('a'), sha256(int4send(1)), '[["t","early"]]'),
	(17179869183::bigint << 29, 9223372036854775807, 1, sha256('b'), sha256(int4send(1)), '[["t","late"]]');
SELECT bigbrotr.rebuild();
SELECT results_eq($$SELECT day, hashtag FROM bigbrotr.hashtag_days('-infinity', 'infinity') WHERE NOT isfinite(day)$$,
	$$VALUES ('-infinity'::date, 'early'), ('infinity', 'late')$$, 'hashtags of any time');
SELECT results_eq($$SELECT starts, new_authors, events FROM bigbrotr.active_authors('year', '-infinity', 'infinity') WHERE NOT isfinite(starts)$$,
	$$VALUES ('-infinity'::date, 1::bigint, 1::bigint), ('infinity', 0, 1)$$, 'authors of any time');
SELECT is(bigbrotr.distinct_authors(NULL, '-infinity', 'infinity'), 10::bigint, 'all of them');
SELECT is(bigbrotr.distinct_authors(ARRAY['wss://b.nostr.com'], '-infinity', 'infinity'), 5::bigint, 'all on a relay');
SELECT is((SELECT sum(events) FROM bigbrotr.redundancy('-infinity', 'infinity')), 26::numeric, 'redundancy of any time');
SELECT is((SELECT count(*) FROM bigbrotr.relay_cover('-infinity', 'infinity')), 2::bigint, 'cover of any time');
SELECT is(bigbrotr.partition_bound('infinity'), 9223372036854775807, 'the last bound');
SELECT is(bigbrotr.partition_bound('4713-01-01 BC'), 0::bigint, 'the first');
SELECT is(bigbrotr.partition_bound('2024-01-01 00:00:00.7Z'), 1704067200::bigint << 29, 'a second begins with its first part');
SELECT is(bigbrotr.tally_day('infinity'::date), bigbrotr.tally_day(9223372036854775807), 'the last day');
SELECT is(bigbrotr.tally_day('-infinity'::date), bigbrotr.tally_day((-9223372036854775807)::bigint), 'the first day');
SELECT is(bigbrotr.tally_date(bigbrotr.tally_day('2024-02-29'::date)), '2024-02-29'::date, 'there and back');
SELECT * FROM finish();
ROLLBACK;
