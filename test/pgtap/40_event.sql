-- Each reason for which an event is refused, through the functions of SQL:
-- the same answer from each, and a row in rejected_event (at commit, so this
-- is no transaction: it cleans up after itself).
-- Not reachable from SQL: bad_utf8 (the server refuses such text before us),
-- out_of_memory (an error, not an answer).  test_event has them.
SELECT no_plan();
SELECT bigbrotr.partition_ensure();

CREATE TEMP TABLE good AS SELECT '{"id":"0acac111396f9543c7948bba5888eec8186c162b7bfea0d1cd645f81efdbc69b","pubkey":"f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9","created_at":1700000000,"kind":1,"tags":[["t","nostr"],["e","0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","wss://relay.example.com"],["alt","a note"]],"content":"hello, \"world\"\n","sig":"85c5aeae4e7fc669df18c864cc7fff338bacc12b9c38370d0eb71b9e54ff269d4997e8268e61f92237cff398c4112100546a3d2bafa364a12a4696ae05c6bec3"}'::text AS e;
SELECT is(bigbrotr.event_reject_reason(e), NULL, 'a valid event has no reason') FROM good;

CREATE TEMP TABLE bad (n serial, why text, e text);
INSERT INTO bad (why, e) SELECT v.why, v.e FROM good, LATERAL (VALUES
	('too_large', good.e || repeat(' ', 16 * 1024 * 1024)),
	('bad_json', left(good.e, 100)),
	('bad_json', ''),
	('bad_json', good.e || '}'),
	('bad_json', replace(good.e, '"kind":1', '"kind":01')),
	('bad_json', replace(good.e, '"hello', E'"hel\tlo')),
	('lone_surrogate', replace(good.e, 'hello', '\ud800')),
	('too_deep', replace(good.e, '"kind":1', '"x":' || repeat('[', 16) || repeat(']', 16) || ',"kind":1')),
	('not_object', '[]'),
	('not_object', '"' || 'x' || '"'),
	('duplicate_field', replace(good.e, '"kind":1', '"kind":1,"kind":1')),
	('missing_field', '{}'),
	('missing_field', replace(good.e, '"kind":1,', '')),
	('bad_id', replace(good.e, '0acac', '0ACAC')),
	('bad_id', replace(good.e, '"0acac', '"')),
	('bad_pubkey', replace(good.e, '"f93', '"F93')),
	('bad_created_at', replace(good.e, '1700000000', '1700000000.0')),
	('bad_created_at', replace(good.e, '1700000000', '9223372036854775808')),
	('bad_kind', replace(good.e, '"kind":1', '"kind":65536')),
	('bad_kind', replace(good.e, '"kind":1', '"kind":-1')),
	('bad_tags', replace(good.e, '["alt","a note"]', '[]')),
	('bad_tags', replace(good.e, '["alt","a note"]', '["alt",1]')),
	('too_many_tags', replace(good.e, '["alt","a note"]', repeat('["a"],', 65536) || '["a"]')),
	('bad_content', replace(good.e, '"hello, \"world\"\n"', 'null')),
	('bad_sig', replace(good.e, '"sig":"85', '"sig":"')),
	('id_mismatch', replace(good.e, 'hello', 'hallo')),
	('invalid_signature', replace(good.e, '"sig":"85', '"sig":"86'))) AS v (why, e);

SELECT is(split_part(bigbrotr.event_reject_reason(e), ':', 1), why, format('%s: %s', why, left(e, 40))) FROM bad ORDER BY n;
SELECT is_empty('SELECT n FROM bad WHERE bigbrotr.event_reject_reason(e) !~ ''^[a-z0-9_]+: .''', 'each with a sentence');
SELECT is_empty('SELECT n FROM bad WHERE bigbrotr.event_verify(e)', 'event_verify refuses them all');

CREATE TEMP TABLE answer AS SELECT * FROM bigbrotr.event_ingest((SELECT array_agg(e ORDER BY n) FROM bad), 'wss://bad.nostr.org');
SELECT results_eq('SELECT n, outcome, reason FROM answer ORDER BY n',
	'SELECT n, ''invalid''::text, bigbrotr.event_reject_reason(e) FROM bad ORDER BY n', 'event_ingest says the same of each');
SELECT is_empty('SELECT FROM bigbrotr.event', 'and stores none');
SELECT results_eq($$SELECT reason, sum(count)::bigint FROM bigbrotr.rejected_event GROUP BY 1 ORDER BY 1$$,
	'SELECT why, count(*) FROM bad GROUP BY 1 ORDER BY 1', 'each is counted under its reason');
SELECT is((SELECT value FROM bigbrotr.counter WHERE service = 'ingest' AND name = 'rejected'), (SELECT count(*) FROM bad),
	'and by the counter');
SELECT is((SELECT DISTINCT url FROM bigbrotr.rejected_event v JOIN bigbrotr.relay r ON r.id = v.relay_id), 'wss://bad.nostr.org', 'with the relay');
SELECT is_empty($$SELECT reason FROM bigbrotr.rejected_event WHERE sample IS NULL OR detail IS NULL$$, 'with a sample and the reason in words');
SELECT is((SELECT octet_length(sample) FROM bigbrotr.rejected_event WHERE reason = 'too_large'), 4096, 'a large one is cut');
SELECT is((SELECT encode(event_id, 'hex') FROM bigbrotr.rejected_event WHERE reason = 'invalid_signature'),
	'0acac111396f9543c7948bba5888eec8186c162b7bfea0d1cd645f81efdbc69b', 'the id that it claims is kept');
SELECT is((SELECT bool_and(event_id IS NULL) FROM bigbrotr.rejected_event WHERE reason = 'bad_id'), true, 'one that is none is not');

-- nulls are not dropped either
SELECT results_eq('SELECT outcome, reason FROM bigbrotr.event_ingest(ARRAY[NULL, NULL]::text[])',
	$$VALUES ('invalid', 'null: there is no event'), ('invalid', 'null: there is no event')$$, 'nulls are answered');
SELECT results_eq('SELECT n, outcome, reason FROM bigbrotr.event_ingest(NULL::text)',
	$$VALUES (1, 'invalid', 'null: there is no event')$$, 'a null alone too');
SELECT is((SELECT count FROM bigbrotr.rejected_event WHERE reason = 'null' AND relay_id = 0), 3::bigint, 'and counted');
SELECT is_empty('SELECT * FROM bigbrotr.event_ingest(NULL::text[])', 'no array, no rows');
SELECT is_empty('SELECT * FROM bigbrotr.event_ingest(''{}''::text[])', 'an empty array, no rows');

-- however many come, the table stays small
SELECT count(*) FROM bigbrotr.event_ingest((SELECT array_agg('junk ' || g) FROM generate_series(1, 1000) g), 'wss://bad.nostr.org') \g /dev/null
SELECT cmp_ok((SELECT count(*) FROM bigbrotr.rejected_event WHERE reason = 'bad_json'), '<=', 8::bigint, 'at most eight samples of a reason');
SELECT is((SELECT sum(count)::bigint FROM bigbrotr.rejected_event WHERE reason = 'bad_json'), 1000 + (SELECT count(*) FROM bad WHERE why = 'bad_json'),
	'all of them counted');

-- what is wrong with the call itself is an error
SELECT throws_like($$SELECT bigbrotr.event_ingest('{}'::text, 'http://x')$$, 'invalid relay address%', 'a bad address');
SELECT throws_ok($$SELECT bigbrotr.event_ingest('{}'::text, NULL, 'infinity')$$, '22008', 'seen_at must be finite', 'no time');
SELECT throws_like($$SELECT bigbrotr.event_ingest(event => '{}', relay => 'wss://a.io')$$, '%does not exist', 'the parameter is called relay_url');

-- outcomes of good ones, with parameters by name
SELECT results_eq(format($$SELECT outcome FROM bigbrotr.event_ingest(events => ARRAY[%1$L, %1$L], relay_url => 'wss://one.nostr.org', seen_at => '2024-05-06 07:08:09+00')$$, e),
	$$VALUES ('new'), ('duplicate')$$, 'new, then duplicate') FROM good;
SELECT results_eq(format($$SELECT n, encode(id, 'hex'), outcome, reason FROM bigbrotr.event_ingest(event => %L, relay_url => 'wss://two.nostr.org')$$, e),
	$$VALUES (1, '0acac111396f9543c7948bba5888eec8186c162b7bfea0d1cd645f81efdbc69b', 'observed', NULL::text)$$, 'observed elsewhere') FROM good;
SELECT results_eq(format($$SELECT outcome FROM bigbrotr.event_ingest(%L::text)$$, e), $$VALUES ('duplicate')$$, 'duplicate without a relay') FROM good;
SELECT is((SELECT seen_at FROM bigbrotr.event_relay WHERE relay_url = 'wss://one.nostr.org'), extract(epoch FROM timestamptz '2024-05-06 07:08:09+00')::bigint, 'the first sight stays');
SELECT is(bigbrotr.event_json(v), good.e, 'out again as it came') FROM bigbrotr.event v, good;

SELECT * FROM finish();
DELETE FROM bigbrotr.observation;
DELETE FROM bigbrotr.event;
TRUNCATE bigbrotr.rejected_event, bigbrotr.counter, bigbrotr.mention, bigbrotr.candidate, bigbrotr.ingest_delta;
DELETE FROM bigbrotr.relay;
