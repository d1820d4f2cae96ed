-- Coverage: random changes against a model of one row per second.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS bigbrotr;
RESET client_min_messages;
BEGIN;
INSERT INTO bigbrotr.relay (url, network) VALUES ('wss://coverage.example', 'clearnet');
SELECT max(id) AS relay FROM bigbrotr.relay \gset
SELECT set_config('test.relay', :'relay', true) IS NOT NULL AS relay;

-- The model: seconds 0 to 199, and 200 for all that come after.
CREATE TEMP TABLE model (s bigint PRIMARY KEY, state text, proof text, reason text);
INSERT INTO model SELECT g FROM generate_series(0, 200) g;
CREATE TEMP TABLE kept (LIKE model);
CREATE TEMP VIEW actual AS
	SELECT m.s, c.state, c.proof, c.reason, c.n FROM model m LEFT JOIN
		(SELECT g.s, min(v.state) AS state, min(v.proof) AS proof, min(v.reason) AS reason, count(*) AS n FROM bigbrotr.coverage v,
			generate_series(lower(v.range), least(coalesce(upper(v.range) - 1, 200), 200)) AS g (s)
		 WHERE v.relay_id = current_setting('test.relay')::int GROUP BY g.s) c USING (s);
DO $$
DECLARE
	relay int := current_setting('test.relay');
	lo bigint; hi bigint; st text; pr text; re text; below bigint;
BEGIN
	PERFORM setseed(0.4711);
	FOR i IN 1 .. 1500 LOOP
		lo := floor(random() * 200);
		hi := CASE WHEN random() < 0.05 THEN 200 ELSE least(199, lo + floor(random() ^ 3 * 80)) END;
		st := (ARRAY['open', 'paged', 'complete'])[1 + floor(random() * 3)];
		pr := CASE WHEN st = 'complete' THEN (ARRAY['finish', 'empty'])[1 + floor(random() * 2)] END;
		re := CASE WHEN st = 'open' THEN (ARRAY['timeout', 'closed'])[1 + floor(random() * 2)] END;
		PERFORM bigbrotr.coverage_record(relay, '{}', lo, nullif(hi, 200), st, pr, re);
		UPDATE model SET state = st, proof = pr, reason = re WHERE s BETWEEN lo AND hi;
		IF st = 'complete' THEN
			-- the proof reaches up over what was paged
			LOOP
				hi := hi + 1;
				UPDATE model SET state = st, proof = pr WHERE s = hi AND state = 'paged';
				EXIT WHEN NOT FOUND;
			END LOOP;
		END IF;
		IF EXISTS (SELECT FROM model JOIN actual USING (s)
				   WHERE (model.state, model.proof, model.reason) IS DISTINCT FROM (actual.state, actual.proof, actual.reason)
				   OR actual.n > 1) THEN
			RAISE 'step %: differs from the model or overlaps', i;
		END IF;
		IF EXISTS (SELECT FROM bigbrotr.coverage a JOIN bigbrotr.coverage b ON b.relay_id = a.relay_id AND b.filter_id = a.filter_id
				   AND lower(b.range) = upper(a.range) AND (a.state, a.proof, a.reason) IS NOT DISTINCT FROM (b.state, b.proof, b.reason)
				   WHERE a.relay_id = relay) THEN
			RAISE 'step %: neighbours that say the same are not merged', i;
		END IF;
		-- what is paged above what is complete is asked for in its lowest second
		IF i % 50 = 0 AND (SELECT array_agg(s ORDER BY s) FROM (SELECT *, lag(state, 1, 'complete') OVER (ORDER BY s) AS under FROM model) m
				WHERE state = 'open' OR state IS NULL OR (state = 'paged' AND under = 'complete')) IS DISTINCT FROM
			(SELECT array_agg(s ORDER BY s) FROM bigbrotr.coverage_missing(relay, '{}') w,
				generate_series(w.first, coalesce(w.last, 200)) s) THEN
			RAISE 'step %: missing is not the complement', i;
		END IF;
		-- whatever the state: one pass that proves all it asks for is enough
		IF i % 100 = 0 THEN
			PERFORM bigbrotr.coverage_record(relay, '{}', w.first, w.last, 'complete', 'finish')
				FROM bigbrotr.coverage_missing(relay, '{}') w;
			IF EXISTS (SELECT FROM actual WHERE state IS DISTINCT FROM 'complete')
				OR EXISTS (SELECT FROM bigbrotr.coverage_missing(relay, '{}')) THEN
				RAISE 'step %: a pass does not complete it', i;
			END IF;
			TRUNCATE kept;		-- and none of the dead rows, all of this is one transaction
			INSERT INTO kept SELECT s, state, proof FROM actual;
			TRUNCATE model;
			INSERT INTO model TABLE kept;
		END IF;
	END LOOP;
END
$$;
DELETE FROM bigbrotr.coverage;

-- Thousands of intervals: a change touches the rows beside it only.
SELECT count(*) FROM (SELECT bigbrotr.coverage_record(:relay, '{}', g * 10, g * 10 + 4,
	CASE WHEN g % 2 = 0 THEN 'open' ELSE 'paged' END, NULL, 'dense_second') FROM generate_series(0, 4999) g) x;
SELECT count(*) FROM bigbrotr.coverage;
SELECT seq_tup_read + idx_tup_fetch AS before FROM pg_stat_xact_user_tables WHERE relname = 'coverage' \gset
SELECT bigbrotr.coverage_record(:relay, '{}', 25003, 25011, 'open', NULL, 'timeout');
SELECT seq_tup_read + idx_tup_fetch - :before < 20 AS few_rows_read FROM pg_stat_xact_user_tables WHERE relname = 'coverage';
SELECT count(*), min(first), max(first) FROM bigbrotr.coverage_missing(:relay, '{}');
SELECT bigbrotr.coverage_record(:relay, '{}', 0, 49999, 'complete', 'finish');
SELECT range, state, proof, tried FROM bigbrotr.coverage;
SELECT * FROM bigbrotr.coverage_missing(:relay, '{}');

-- A gap counts how often it was tried, and knows its age; stubborn ones wait.
SELECT bigbrotr.coverage_record(:relay, '{}', 100, 100, 'open', NULL, 'dense_second');
UPDATE bigbrotr.coverage SET first_at = '2020-01-01', checked_at = '2020-01-01' WHERE state = 'open';
SELECT * FROM bigbrotr.coverage_missing(:relay, '{}', 0, 49999);
SELECT bigbrotr.coverage_record(:relay, '{}', 100, 100, 'open', NULL, 'dense_second');
SELECT range, state, proof, reason, tried, first_at < '2021-01-01' AS old, checked_at > '2021-01-01' AS asked
FROM bigbrotr.coverage ORDER BY range;
SELECT * FROM bigbrotr.coverage_missing(:relay, '{}', 0, 49999);
SELECT bigbrotr.coverage_record(:relay, '{}', 100, 100, 'open', NULL, 'timeout');
SELECT range, reason, tried FROM bigbrotr.coverage WHERE state = 'open';
SELECT * FROM bigbrotr.coverage_missing(:relay, '{}', 0, 49999);

-- What is paged above a gap that waits is not forgotten; nor is what is paged at the bottom.
DELETE FROM bigbrotr.coverage;
SELECT bigbrotr.coverage_record(:relay, '{}', 500, 999, 'paged');
SELECT bigbrotr.coverage_record(:relay, '{}', 499, 499, 'open', NULL, 'dense_second');
SELECT bigbrotr.coverage_record(:relay, '{}', 0, 498, 'paged');
SELECT * FROM bigbrotr.coverage_missing(:relay, '{}', 0, 999);
SELECT * FROM bigbrotr.coverage_missing(:relay, '{}', 200, 999);
SELECT * FROM bigbrotr.coverage_missing(:relay, '{"kinds":[1]}', 0, 999);
SELECT bigbrotr.coverage_record(:relay, '{}', 500, 500, 'complete', 'empty');
SELECT bigbrotr.coverage_record(:relay, '{}', 0, 0, 'complete', 'empty');
SELECT range, state FROM bigbrotr.coverage ORDER BY range;
SELECT * FROM bigbrotr.coverage_missing(:relay, '{}', 0, 999);

-- When that does not prove it, it is not asked for at once again: no gap eats into what is paged.
DELETE FROM bigbrotr.coverage;
SELECT bigbrotr.coverage_record(:relay, '{}', 500, 999, 'paged');
SELECT bigbrotr.coverage_record(:relay, '{}', 0, 499, 'open', NULL, 'until_ignored');
SELECT * FROM bigbrotr.coverage_missing(:relay, '{}', 0, 999);
SELECT bigbrotr.coverage_record(:relay, '{}', 500, 500, 'open', NULL, 'until_ignored');
SELECT range, state, tried FROM bigbrotr.coverage ORDER BY range;
SELECT * FROM bigbrotr.coverage_missing(:relay, '{}', 0, 999);
UPDATE bigbrotr.coverage SET checked_at = now() - '90 seconds'::interval WHERE state = 'paged';
SELECT * FROM bigbrotr.coverage_missing(:relay, '{}', 0, 999);
UPDATE bigbrotr.coverage SET checked_at = now() - '121 seconds'::interval WHERE state = 'paged';
SELECT * FROM bigbrotr.coverage_missing(:relay, '{}', 0, 999);

DELETE FROM bigbrotr.coverage;
SELECT bigbrotr.coverage_record(:relay, '{}', 0, 49999, 'complete', 'finish');
SELECT bigbrotr.coverage_record(:relay, '{}', 100, 100, 'open', NULL, 'timeout');

-- Another filter has coverage of its own; what the whole covers is not asked again.
SELECT * FROM bigbrotr.coverage_missing(:relay, '{"kinds":[1]}', 0);
SELECT bigbrotr.coverage_record(:relay, '{"kinds":[1]}', 50000, 59999, 'complete', 'finish');
SELECT * FROM bigbrotr.coverage_missing(:relay, '{"kinds":[1]}', 0);
SELECT * FROM bigbrotr.coverage_missing(:relay, '{}', 0);
SELECT * FROM bigbrotr.coverage_missing(:relay, '{}', 10, 5);
SAVEPOINT s;
SELECT bigbrotr.coverage_record(:relay, '{}', 5, 4, 'open', NULL, 'x');
ROLLBACK TO s;
-- What no timestamp can hold is no end.
SELECT bigbrotr.coverage_record(:relay, '{}', 1000000, 9223372036854775806, 'open', NULL, 'x');
SELECT range, since, until FROM bigbrotr.open_gap WHERE reason = 'x';
SELECT bigbrotr.coverage_record(:relay, '{}', 9223372036854775807, NULL, 'open', NULL, 'x');
ROLLBACK TO s;
SELECT bigbrotr.coverage_record(:relay, '{}', 5, 5, 'closed', NULL, 'x');
ROLLBACK;
