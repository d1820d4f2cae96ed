-- Events: check, ingest, and out again, byte for byte.
CREATE TABLE sample (n int PRIMARY KEY, e text);
INSERT INTO sample VALUES
(1, $e${"id":"0acac111396f9543c7948bba5888eec8186c162b7bfea0d1cd645f81efdbc69b","pubkey":"f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9","created_at":1700000000,"kind":1,"tags":[["t","nostr"],["e","0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","wss://relay.example.com"],["alt","a note"]],"content":"hello, \"world\"\n","sig":"85c5aeae4e7fc669df18c864cc7fff338bacc12b9c38370d0eb71b9e54ff269d4997e8268e61f92237cff398c4112100546a3d2bafa364a12a4696ae05c6bec3"}$e$),
(2, $e${"id":"6ddaf49e32f50ad614041a0db9f5db649e326c91a4792112352fa3085506c418","pubkey":"f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9","created_at":1600000000,"kind":0,"tags":[],"content":"{}","sig":"3897064e8759e3495cc1c6f953006f3acf94d47285793975d7a54ed0829a115515e37f47608dff3e3165be4f8f59ef19d673f4b0e07d814ecc0870bdaa52fad6"}$e$),
(3, $e${"id":"6b9497e93c9800cc121322271237be2d6b8c9f94b8d25439c7d32ee63cdf3e54","pubkey":"f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9","created_at":99999999999,"kind":30023,"tags":[["d",""],["x"]],"content":"nul \u0000 and \\ \"","sig":"b00aba031d3165b79258b3d1e3523d344b0e1f23a35216cd441e021299906c98f82f06426e497c3f465f0142822bb0bf1bb81ce314087f365ea66068d3889ef4"}$e$);
SELECT n, bigbrotr.event_verify(e), bigbrotr.event_reject_reason(e) FROM sample ORDER BY n;
-- one change each
SELECT bigbrotr.event_reject_reason(replace(e, 'hello', 'hallo')) AS content,
	bigbrotr.event_reject_reason(replace(e, '"sig":"8', '"sig":"9')) AS sig,
	bigbrotr.event_reject_reason(replace(e, '"kind":1', '"kind":65536')) AS kind,
	bigbrotr.event_reject_reason(left(e, 100)) AS cut
FROM sample WHERE n = 1;
SELECT bigbrotr.event_verify(''), bigbrotr.event_verify('[]'), bigbrotr.event_verify(NULL);

-- partitions come with the first event
SELECT count(*) FROM pg_inherits WHERE inhparent = 'bigbrotr.event'::regclass;
SELECT n, encode(id, 'hex') AS id, outcome, reason FROM bigbrotr.event_ingest((SELECT array_agg(e ORDER BY n) FROM sample));
SELECT outcome FROM bigbrotr.event_ingest((SELECT e FROM sample WHERE n = 1));
SELECT outcome FROM bigbrotr.event_ingest((SELECT e FROM sample WHERE n = 1), 'wss://Relay.Nostr.org/', '2024-01-01 00:00+00');
SELECT outcome FROM bigbrotr.event_ingest((SELECT e FROM sample WHERE n = 1), 'wss://relay.nostr.org:443', '2024-01-02 00:00+00');
-- copies in one batch, a forged one, no event
SELECT n, outcome, reason FROM bigbrotr.event_ingest((SELECT ARRAY[e, e, replace(e, '"sig":"3', '"sig":"4'), NULL, 'junk'] FROM sample WHERE n = 2), 'wss://two.nostr.org');
SELECT outcome FROM bigbrotr.event_ingest('junk', 'http://nowhere');
SELECT * FROM bigbrotr.event_ingest(NULL::text);
SELECT url, network, state FROM bigbrotr.relay ORDER BY id;
SELECT encode(event_id, 'hex') AS event_id, relay_url, CASE WHEN relay_url ~ 'two' THEN 0 ELSE seen_at END AS seen_at
FROM bigbrotr.event_relay ORDER BY relay_url;
SELECT relay_id, reason, slot, count, left(encode(event_id, 'hex'), 8) AS id, detail FROM bigbrotr.rejected_event ORDER BY reason COLLATE "C";
SELECT events, observations, rejected FROM bigbrotr.progress;

-- stored in their partitions, and whole
SELECT tableoid::regclass, key, kind, bigbrotr.event_flags(event) AS flags, content FROM bigbrotr.event ORDER BY key;
SELECT n, bigbrotr.event_json(v) = e AS same FROM bigbrotr.event v JOIN sample ON v.id = decode(substr(e, 8, 64), 'hex') ORDER BY n;
SELECT bigbrotr.tag_first(tags, 't') FROM bigbrotr.event WHERE kind = 1;
BEGIN;
UPDATE bigbrotr.event SET content = 'other' WHERE kind = 1;
SELECT bigbrotr.event_json(v) FROM bigbrotr.event v WHERE kind = 1;
ROLLBACK;
BEGIN;
UPDATE bigbrotr.event SET content = NULL, tags = NULL, sig = NULL WHERE kind = 1;
SELECT bigbrotr.event_json(v) FROM bigbrotr.event v WHERE kind = 1;
ROLLBACK;

-- another id on the same key: the next key is taken, and found again
BEGIN;
UPDATE bigbrotr.event SET id = sha256('other') WHERE kind = 1;
SELECT outcome FROM bigbrotr.event_ingest((SELECT e FROM sample WHERE n = 1));
SELECT outcome FROM bigbrotr.event_ingest((SELECT e FROM sample WHERE n = 1));
SELECT key - min(key) OVER () AS probe, id = sha256('other') AS other FROM bigbrotr.event WHERE kind = 1 ORDER BY 1;
ROLLBACK;

-- a row that the server refuses does not take the others with it
BEGIN;
DELETE FROM bigbrotr.event;
ALTER TABLE bigbrotr.event ADD CONSTRAINT no_kind_0 CHECK (kind <> 0);
SELECT n, outcome, reason FROM bigbrotr.event_ingest((SELECT array_agg(e ORDER BY n) FROM sample));
ROLLBACK;

-- as the roles
CREATE TEMP TABLE s1 AS SELECT e FROM sample WHERE n = 1;
GRANT SELECT ON s1 TO bigbrotr_reader;
SET ROLE bigbrotr_writer;
SELECT outcome FROM bigbrotr.event_ingest((SELECT e FROM s1), 'wss://three.nostr.org');
SET ROLE bigbrotr_reader;
SELECT bigbrotr.event_json(v) = s1.e AS same FROM bigbrotr.event v, s1 WHERE kind = 1;
SELECT outcome FROM bigbrotr.event_ingest('{}'::text);
RESET ROLE;
DROP TABLE sample;
