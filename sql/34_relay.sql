-- Overrides of a relay are checked; views tell how complete the archive is.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS bigbrotr;
RESET client_min_messages;
SELECT bigbrotr.filter_normalize('{ "kinds": [3,1,1] }'), bigbrotr.filter_normalize('{"limit":1}'), bigbrotr.filter_normalize('x');
SELECT f, bigbrotr.filter_reject_reason(f) FROM unnest(ARRAY['{}', '{"kinds":[1]}', '{"since":1}', '{"search":"x"}', '{"kinds":[]}', '{"kinds":"1"}', '', NULL]) f;
\set VERBOSITY terse
BEGIN;
DELETE FROM bigbrotr.relay;
INSERT INTO bigbrotr.relay (url, network) VALUES ('wss://a.example', 'clearnet');
SAVEPOINT s;
UPDATE bigbrotr.relay SET filter = '{"limit":1}';
ROLLBACK TO s;
UPDATE bigbrotr.relay SET timeout_ms = 1;
ROLLBACK TO s;
UPDATE bigbrotr.relay SET alias_of = id;
ROLLBACK TO s;
UPDATE bigbrotr.relay SET priority = 1, filter = '{"kinds":[7,1]}', since = 1700000000, until = 1700000999;
SELECT covered, open_gaps, head_lag, live, recall FROM bigbrotr.relay_coverage;
SELECT bigbrotr.coverage_record(id, bigbrotr.filter_normalize(filter), 1700000000, 1700000499, 'complete', 'finish'),
	bigbrotr.coverage_record(id, bigbrotr.filter_normalize(filter), 1700000500, 1700000500, 'open', NULL, 'dense_second'),
	bigbrotr.coverage_record(id, bigbrotr.filter_normalize(filter), 1700000501, 1700000749, 'complete', 'finish'),
	bigbrotr.coverage_record(id, '{}', 1700000750, 1700000999, 'complete', 'finish') FROM bigbrotr.relay;
UPDATE bigbrotr.relay SET live_since = now(), recheck_held = 1000, recheck_missed = 10, recheck_below = 1700000100;
SELECT filter, covered, open_gaps, head_lag, live, last_proof_at = now() AS proved, recall, extract(epoch FROM rechecking) AS rechecking
FROM bigbrotr.relay_coverage;
SELECT url, filter, range, extract(epoch FROM since) AS since, extract(epoch FROM until) AS until, reason, age, tried FROM bigbrotr.open_gap;
SELECT live, tails, relays_due, open_gaps, recall FROM bigbrotr.progress;
UPDATE bigbrotr.relay SET filter = NULL;
SELECT filter, covered, open_gaps, head_lag FROM bigbrotr.relay_coverage;
UPDATE bigbrotr.relay SET excluded = true, live_since = NULL;
SELECT excluded, relays_due FROM bigbrotr.progress;
ROLLBACK;
