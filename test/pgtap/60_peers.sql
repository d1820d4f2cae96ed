-- Other monitors: what they say is counted once each, bounded, and compared
-- with our own check; numbers, dates and crowds that lie change nothing.
BEGIN;
SELECT no_plan();
SELECT extract(epoch FROM now())::bigint AS now \gset

CREATE FUNCTION pg_temp.monitor(n int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT sha256(convert_to('monitor ' || n, 'UTF8')) $$;
CREATE FUNCTION pg_temp.say(n int, ago int, kind int, tags text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO bigbrotr.peer_news SELECT pg_temp.monitor(n), kind, extract(epoch FROM now())::bigint - ago, tags::bigbrotr.tags $$;
CREATE FUNCTION pg_temp.report(n int, ago int, url text, ms text) RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.say(n, ago, 30166, json_build_array(json_build_array('d', url), json_build_array('rtt-open', ms))::text) $$;
INSERT INTO bigbrotr.relay (url, network) SELECT 'wss://' || name || '.bigbrotr.org', 'clearnet' FROM unnest('{a,b,c}'::text[]) name;
SELECT id AS a FROM bigbrotr.relay WHERE url = 'wss://a.bigbrotr.org' \gset

-- numbers and words
SELECT is(bigbrotr.peer_ms(json_build_array(json_build_array('rtt-open', v))::text::bigbrotr.tags, 'rtt-open'), ms, 'rtt-open ' || left(v, 20))
FROM (VALUES ('0', 0), ('234', 234), ('12.5', 13), ('999999', 999999), ('999999.9', 999999), ('1000000', NULL), ('-1', NULL), ('1e3', NULL),
	('NaN', NULL), ('', NULL), (' 5', NULL), ('0x10', NULL), ('5 ms', NULL), ('٣', NULL), (repeat('9', 5000), NULL), (E'5\n', NULL)) AS t (v, ms);
SELECT is(bigbrotr.peer_ms('[["rtt-open"],["rtt-read","7"]]', 'rtt-open'), NULL, 'a tag without value');
SELECT is(bigbrotr.peer_words((SELECT json_agg(json_build_array('c', 'w' || i)) FROM generate_series(1, 100) i)::text::bigbrotr.tags, 'c', '^w'), ARRAY(SELECT 'w' || i FROM generate_series(1, 16) i ORDER BY 1), 'sixteen words at most');

-- one monitor, and what it announces
SELECT pg_temp.say(1, 100, 10166, '[["frequency","7200"],["c","open"],["c","DROP TABLE"],["g","u0m7"],["timeout","5000","open"]]');
SELECT pg_temp.say(1, 200, 10166, '[["frequency","60"]]');
SELECT pg_temp.report(1, 5000, 'wss://a.bigbrotr.org/', '100');
SELECT pg_temp.report(1, 4000, 'WSS://A.bigbrotr.org:443', '110');
SELECT pg_temp.report(1, 4500, 'wss://a.bigbrotr.org/', '120');
SELECT pg_temp.report(1, 10, 'wss://unknown.bigbrotr.org/', '5');
SELECT pg_temp.report(1, 10, repeat('ab', 32), '5');
SELECT pg_temp.say(1, 10, 30166, '[]');
SELECT is(bigbrotr.peer_fold(), 8::bigint, 'everything is read once');
SELECT is(bigbrotr.peer_fold(), 0::bigint, 'and gone');
SELECT results_eq('SELECT frequency_s, checks, geohash, reports, announced_at FROM bigbrotr.peer_monitor',
	format('VALUES (7200, ''{open}''::text[], ''u0m7'', 6::bigint, %s::bigint)', :now - 100), 'the newest announcement counts');
SELECT results_eq('SELECT relay_url, open_ms, online, alive FROM bigbrotr.monitor_report',
	$$VALUES ('wss://a.bigbrotr.org', 110, true, true)$$, 'the newest report on a relay that we know, under its normal form');
SELECT pg_temp.report(1, 4100, 'wss://a.bigbrotr.org/', '999');
SELECT is(bigbrotr.peer_fold(), 1::bigint, 'an older one comes later');
SELECT is(open_ms, 110, 'and changes nothing') FROM bigbrotr.monitor_report;

-- announcements that say nothing sensible
SELECT pg_temp.say(2, 10, 10166, json_build_array(json_build_array('frequency', f))::text) FROM unnest('{-5,x,""}'::text[]) f;
SELECT pg_temp.say(3, 10, 10166, '[["frequency","999999999"]]'), pg_temp.say(4, 10, 10166, '[["frequency","0"]]'), pg_temp.say(5, -2000, 10166, '[["frequency","60"]]');
SELECT bigbrotr.peer_fold();
SELECT is(array_agg(frequency_s ORDER BY frequency_s), '{60,3600,7200,86400}', 'bounded, an hour when it is none, and none from the future') FROM bigbrotr.peer_monitor;

-- dates: a report from the future or of long ago is none; online within twice the frequency
DELETE FROM bigbrotr.peer_monitor;
DELETE FROM bigbrotr.peer_report;
SELECT pg_temp.report(1, -901, 'wss://b.bigbrotr.org', '1'), pg_temp.report(2, 7 * 86400 + 1, 'wss://b.bigbrotr.org', '1'),
	pg_temp.report(3, -800, 'wss://b.bigbrotr.org', '1'), pg_temp.report(4, 7100, 'wss://b.bigbrotr.org', '1'), pg_temp.report(5, 7300, 'wss://b.bigbrotr.org', '1');
INSERT INTO bigbrotr.peer_news VALUES (pg_temp.monitor(6), 30166, 9223372036854775807, '[["d","wss://b.bigbrotr.org"]]'), (pg_temp.monitor(6), 30166, 0, '[["d","wss://b.bigbrotr.org"]]');
SELECT bigbrotr.peer_fold();
SELECT results_eq('SELECT pubkey, online FROM bigbrotr.monitor_report ORDER BY reported_at DESC',
	'VALUES (pg_temp.monitor(3), true), (pg_temp.monitor(4), true), (pg_temp.monitor(5), false)', 'dates');

-- our own reports come back from the relays: they are no other opinion
INSERT INTO bigbrotr.publication (target, slot, event_id, event) VALUES ('wss://x.io', '10166', sha256('x'), json_build_object('pubkey', encode(pg_temp.monitor(9), 'hex')));
SELECT pg_temp.report(9, 10, 'wss://a.bigbrotr.org', '1'), pg_temp.say(9, 10, 10166, '[]');
SELECT bigbrotr.peer_fold();
SELECT is_empty('SELECT FROM bigbrotr.peer_monitor WHERE pubkey = pg_temp.monitor(9)', 'we are not among the others');

-- votes: five monitors, one of them with thousands of reports, one far off
DELETE FROM bigbrotr.peer_monitor;
DELETE FROM bigbrotr.peer_report;
SELECT pg_temp.report(n, 600, 'wss://a.bigbrotr.org', ms) FROM (VALUES (1, '100'), (2, '110'), (3, '120'), (4, '5000'), (5, 'lots')) AS t (n, ms);
SELECT pg_temp.report(1, 1000 + i, 'wss://a.bigbrotr.org', '1') FROM generate_series(1, 5000) i;
SELECT pg_temp.report(n, 10000, 'wss://b.bigbrotr.org', '50') FROM generate_series(1, 4) n;
SELECT pg_temp.report(5, 10, 'wss://b.bigbrotr.org', '50');
SELECT is(bigbrotr.peer_fold(4000), 4000::bigint, 'in batches');
SELECT is(bigbrotr.peer_fold(4000), 1010::bigint, 'to the end');
SELECT results_eq('SELECT relay_url, opened, monitors, online, quorum, disagrees, others_open_ms, round(others_spread_ms::numeric, 3), deviates, outliers FROM bigbrotr.relay_comparison ORDER BY 1',
	$$VALUES ('wss://a.bigbrotr.org', NULL::boolean, 5::bigint, 5::bigint, true, NULL::boolean, 115::float8, 14.826, NULL::boolean, 1::bigint),
		('wss://b.bigbrotr.org', NULL, 5, 1, false, NULL, 50, 0.000, NULL, NULL)$$,
	'one vote each; the median stands whatever one of them says');

-- beside our own check: 22 bytes, the time of opening is TCP here
SELECT * FROM bigbrotr.check_unpack(decode(repeat('00', 22), 'hex')) \gset zero_
SELECT ok(:'zero_opened' = 'f', 'a check that found the relay offline');
INSERT INTO bigbrotr.check_series VALUES (:a, 0, decode(repeat('00', 22), 'hex'));
SELECT is(disagrees, true, 'we could not open what they could') FROM bigbrotr.relay_comparison WHERE relay_url = 'wss://a.bigbrotr.org';
UPDATE bigbrotr.peer_monitor SET counted = false WHERE pubkey <> pg_temp.monitor(4);
SELECT results_eq($$SELECT monitors, quorum, disagrees, others_open_ms FROM bigbrotr.relay_comparison WHERE relay_url = 'wss://a.bigbrotr.org'$$,
	'VALUES (1::bigint, true, NULL::boolean, 5000::float8)', 'an operator takes votes away; one voice is no quorum to disagree with');

-- a crowd: no more than 200 monitors, those that are known stay
DELETE FROM bigbrotr.peer_report;
SELECT pg_temp.report(n, 10, 'wss://a.bigbrotr.org', '1') FROM generate_series(1000, 1999) n;
SELECT pg_temp.report(n, 10, 'wss://c.bigbrotr.org', '30') FROM generate_series(1, 5) n;
SELECT bigbrotr.peer_fold();
SELECT is(count(*), 200::bigint, 'at most 200') FROM bigbrotr.peer_monitor;
SELECT is(count(*), 200::bigint, 'with at most one report on a relay each') FROM bigbrotr.peer_report;
SELECT is(count(*), 5::bigint, 'those that were there are still heard') FROM bigbrotr.monitor_report WHERE relay_url = 'wss://c.bigbrotr.org';

-- old ones make room
UPDATE bigbrotr.peer_report SET reported_at = :now - 8 * 86400 WHERE relay_id = :a;
UPDATE bigbrotr.peer_monitor SET last_report_at = :now - 31 * 86400 WHERE counted;
SELECT is(bigbrotr.peer_expire(100) + bigbrotr.peer_expire(100) + bigbrotr.peer_expire(), 391::bigint, 'in batches, too');
SELECT is(count(*), 4::bigint, 'those without a vote are remembered') FROM bigbrotr.peer_monitor;
SELECT is(count(*), 5::bigint, 'what is not old stays') FROM bigbrotr.peer_report;

-- made up or not: who was seen on more relays takes the place of who was seen on fewer, but not of the trusted
SELECT bigbrotr.partition_ensure();
CREATE FUNCTION pg_temp.seen(n int, relays int) RETURNS void LANGUAGE sql AS $$
	WITH e AS (INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey)
		SELECT (extract(epoch FROM now())::bigint << 29) + n, extract(epoch FROM now())::bigint, 30166, sha256(convert_to('e' || n, 'UTF8')), pg_temp.monitor(n)
		RETURNING key)
	INSERT INTO bigbrotr.observation (key, relay_id, seen_at) SELECT e.key, r, 1 FROM e, generate_series(1, relays) r;
	SELECT pg_temp.report(n, 5, 'wss://b.bigbrotr.org', '1') $$;
SELECT pg_temp.report(n, 10, 'wss://a.bigbrotr.org', '1') FROM generate_series(1000, 1999) n;
SELECT bigbrotr.peer_fold();
SELECT pg_temp.seen(n, 3) FROM generate_series(3001, 3010) n;
SELECT pg_temp.report(n, 5, 'wss://b.bigbrotr.org', '1') FROM generate_series(4000, 4999) n;
SELECT bigbrotr.peer_fold();
SELECT is(count(*), 10::bigint, 'monitors seen on three relays get a place') FROM bigbrotr.peer_monitor WHERE relays = 3;
SELECT is(count(*), 200::bigint, 'others make room') FROM bigbrotr.peer_monitor;
SELECT is(count(*), 0::bigint, 'not for those seen nowhere') FROM bigbrotr.peer_monitor WHERE pubkey = ANY (ARRAY(SELECT pg_temp.monitor(n) FROM generate_series(4000, 4999) n));
SELECT is(count(*), 4::bigint, 'who has no vote is not forgotten for them') FROM bigbrotr.peer_monitor WHERE NOT counted;
UPDATE bigbrotr.peer_monitor SET trusted = true WHERE pubkey IN (SELECT m.pubkey FROM bigbrotr.peer_monitor AS m WHERE relays = 0 AND counted ORDER BY reports, pubkey LIMIT 3);
SELECT pg_temp.seen(n, 2) FROM generate_series(5001, 5300) n;
SELECT bigbrotr.peer_fold();
SELECT results_eq('SELECT relays, counted, trusted, count(*) FROM bigbrotr.peer_monitor GROUP BY 1, 2, 3 ORDER BY 1, 2, 3',
	'VALUES (0, false, false, 4::bigint), (0, true, true, 3), (2, true, false, 183), (3, true, false, 10)', 'three hundred on two relays displace who was seen less, and nobody else');

SELECT * FROM finish();
ROLLBACK;
