-- What an operator may write cannot stop a service: neither times that lie
-- beyond all bounds, nor what a transaction made and took back.
BEGIN;
SELECT no_plan();

SELECT throws_ok($$INSERT INTO bigbrotr.retention (name, max_age) VALUES ('x', '300000 years')$$, '23514', NULL, 'an age has a bound');
SELECT lives_ok($$INSERT INTO bigbrotr.retention (name, max_age) VALUES ('x', '1000 years')$$, 'a great one');
SELECT is(count(*), 1::bigint, 'which can be looked at') FROM bigbrotr.retention_preview();
SELECT throws_ok($$UPDATE bigbrotr.source SET every = '290000 years'$$, '23514', NULL, 'so has the time between two reads');

\set event '{"id":"0acac111396f9543c7948bba5888eec8186c162b7bfea0d1cd645f81efdbc69b","pubkey":"f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9","created_at":1700000000,"kind":1,"tags":[["t","nostr"],["e","0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","wss://relay.example.com"],["alt","a note"]],"content":"hello, \\"world\\"\\n","sig":"85c5aeae4e7fc669df18c864cc7fff338bacc12b9c38370d0eb71b9e54ff269d4997e8268e61f92237cff398c4112100546a3d2bafa364a12a4696ae05c6bec3"}'
-- the first one makes partitions, which are gone with its savepoint
DO $$
DECLARE
	part regclass;
BEGIN
	FOR part IN SELECT inhrelid FROM pg_inherits WHERE inhparent IN ('bigbrotr.event'::regclass, 'bigbrotr.observation'::regclass) LOOP
		EXECUTE format('DROP TABLE %s', part);
	END LOOP;
END $$;
SAVEPOINT s;
SELECT outcome FROM bigbrotr.event_ingest(:'event'::text);
SELECT is(outcome, 'duplicate', 'an event is stored') FROM bigbrotr.event_ingest(:'event'::text);
ROLLBACK TO s;
SELECT is(outcome, 'new', 'and again after it was taken back') FROM bigbrotr.event_ingest(:'event'::text);
SELECT * FROM finish();
ROLLBACK;
