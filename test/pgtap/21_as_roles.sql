-- As each role, really doing it: a privilege on paper does not say whether
-- what a function or view does inside is allowed too.
BEGIN;
SELECT no_plan();
CREATE ROLE bb_nobody;

-- Runs a statement as a role and undoes it: 'ok', or SQLSTATE and message.
CREATE FUNCTION pg_temp.try(who name, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', who);
	BEGIN
		EXECUTE statement;
		RAISE EXCEPTION 'undo' USING ERRCODE = 'ZZ000';
	EXCEPTION WHEN OTHERS THEN
		result := CASE WHEN sqlstate = 'ZZ000' THEN 'ok' ELSE sqlstate || ': ' || sqlerrm END;
	END;
	RESET ROLE;
	RETURN result;
END $$;

\set event '{"id":"0acac111396f9543c7948bba5888eec8186c162b7bfea0d1cd645f81efdbc69b","pubkey":"f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9","created_at":1700000000,"kind":1,"tags":[["t","nostr"],["e","0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","wss://relay.example.com"],["alt","a note"]],"content":"hello, \\"world\\"\\n","sig":"85c5aeae4e7fc669df18c864cc7fff338bacc12b9c38370d0eb71b9e54ff269d4997e8268e61f92237cff398c4112100546a3d2bafa364a12a4696ae05c6bec3"}'
SELECT format('SELECT bigbrotr.event_ingest(%L::text, ''wss://relay.nostr.org'')', :'event') AS ingest \gset

-- before there are partitions
SELECT is(pg_temp.try('bigbrotr_writer', :'ingest'), '55000: archive has no partitions yet', 'a writer is told that partitions are missing');
SELECT bigbrotr.partition_ensure();
SELECT is(pg_temp.try('bigbrotr_writer', :'ingest'), 'ok', 'a writer ingests');
SELECT is(pg_temp.try('bigbrotr_operator', :'ingest'), 'ok', 'an operator ingests');
SELECT is(pg_temp.try('bigbrotr_writer', $$SELECT bigbrotr.event_ingest('junk'::text, 'wss://relay.nostr.org')$$), 'ok', 'a writer''s bad event is counted');
SELECT is(pg_temp.try('bigbrotr_reader', :'ingest'), '42501: permission denied for function event_ingest', 'a reader does not ingest');
SELECT is(pg_temp.try('bb_nobody', :'ingest'), '42501: permission denied for schema bigbrotr', 'nobody does not ingest');

-- every relation: read by readers, refused to nobody
CREATE TEMP VIEW relation AS
SELECT c.oid::regclass::text AS name FROM pg_class c
JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
WHERE c.relnamespace = 'bigbrotr'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f');
SELECT is_empty($$
	SELECT name, result FROM relation, pg_temp.try('bigbrotr_reader', 'SELECT * FROM ' || name) AS result
	WHERE result <> 'ok' $$, 'a reader reads every table and view, whatever they call inside');
SELECT is_empty($$
	SELECT name, result FROM relation, pg_temp.try('bb_nobody', 'SELECT * FROM ' || name) AS result
	WHERE result <> '42501: permission denied for schema bigbrotr' $$, 'nobody reads none');
SELECT is_empty($$
	SELECT name, result FROM relation, pg_temp.try('bigbrotr_reader', 'DELETE FROM ' || name) AS result
	WHERE result !~ '^(42501: permission denied|55000: cannot delete from view)' $$, 'a reader deletes from none');
SELECT is_empty($$
	SELECT name, result FROM relation, pg_temp.try('bigbrotr_operator', 'TRUNCATE ' || name) AS result
	WHERE result !~ '^(42501: permission denied|42809: ".*" is not a table|0A000: cannot truncate foreign table)' $$, 'an operator truncates none');

-- every function that a reader may call, called
CREATE TEMP TABLE call (who name, statement text, result text);
\set r bigbrotr_reader
SELECT format('SELECT bigbrotr.event_verify(%L)', :'event') AS v, format('SELECT bigbrotr.event_reject_reason(%L)', :'event') AS w \gset
INSERT INTO call VALUES
	(:'r', :'v', 'ok'), (:'r', :'w', 'ok'),
	(:'r', 'SELECT bigbrotr.event_json(e) FROM bigbrotr.event e', 'ok'),
	(:'r', 'SELECT bigbrotr.event_flags(e) FROM bigbrotr.event e', 'ok'),
	(:'r', $$SELECT bigbrotr.relay_normalize('wss://a.io'), bigbrotr.relay_reject_reason('x')$$, 'ok'),
	(:'r', $$SELECT bigbrotr.via_names(3), bigbrotr.sketch_count(bigbrotr.sketch_merge('', '\x00'))$$, 'ok'),
	(:'r', $$SELECT bigbrotr.filter_normalize('{"kinds":[2,1]}'), bigbrotr.filter_reject_reason('x')$$, 'ok'),
	(:'r', $$SELECT bigbrotr.npub(repeat('ab', 32)), bigbrotr.note(repeat('ab', 32)), bigbrotr.npub(sha256('a')), bigbrotr.note(sha256('a'))$$, 'ok'),
	(:'r', $$SELECT bigbrotr.nip19_decode(bigbrotr.npub(sha256('a'))), bigbrotr.nip19_hex(bigbrotr.note(sha256('a')))$$, 'ok'),
	(:'r', $$SELECT '[["t","a"]]'::bigbrotr.tags::jsonb::bigbrotr.tags OPERATOR(bigbrotr.=) '[]'::bigbrotr.tags$$, 'ok'),
	(:'r', $$SELECT bigbrotr.tag_count(t), bigbrotr.tag_values(t, 't'), bigbrotr.tag_first(t, 't') FROM CAST('[]' AS bigbrotr.tags) t$$, 'ok'),
	(:'r', $$SELECT bigbrotr.tags_any(t, '{t:a}'), bigbrotr.tags_all(t, '{t:a}'), t OPERATOR(bigbrotr.&&) '{t:a}', t OPERATOR(bigbrotr.@>) '{t:a}' FROM CAST('[]' AS bigbrotr.tags) t$$, 'ok'),
	(:'r', $$SELECT bigbrotr.id_code(sha256('a')), bigbrotr.author_code(sha256('a')), bigbrotr.time_code(0), bigbrotr.time_slot(0), bigbrotr.key_first(0), bigbrotr.key_last(0)$$, 'ok'),
	(:'r', $$SELECT count(*), bigbrotr.count('{"kinds":[1]}', 'relay') FROM bigbrotr.query('[{"kinds":[1]},{"#t":["nostr"]}]', 'relay')$$, 'ok'),
	(:'r', $$SELECT bigbrotr.query('{"kinds":[1],"authors":["f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"]}')$$, 'ok'),
	(:'r', $$SELECT bigbrotr.query('{"search":"hello"}'), bigbrotr.search_vector('simple', 1, 'a'), bigbrotr.search_index_of('bigbrotr.event_old')$$, 'ok'),
	('bigbrotr_operator', $$CALL bigbrotr.search_enable()$$, '42501: permission denied for procedure search_enable'),
	('bigbrotr_operator', $$CALL bigbrotr.search_disable()$$, '42501: permission denied for procedure search_disable'),
	('bigbrotr_operator', $$SELECT bigbrotr.search_enable_step('simple')$$, '42501: permission denied for function search_enable_step'),
	('bigbrotr_operator', $$SELECT bigbrotr.search_index_make('bigbrotr.event_old')$$, '42501: permission denied for function search_index_make'),
	(:'r', $$SELECT bigbrotr.ruling_codes(5, sha256('a'), '[]'), count(*) FROM bigbrotr.ruling$$, 'ok'),
	('bigbrotr_writer', $$INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, tags) VALUES (7, 0, 0, sha256('a'), sha256('b'), '[]')$$, 'ok'),
	('bigbrotr_writer', $$INSERT INTO bigbrotr.ruling VALUES (1, 1)$$, '42501: permission denied for table ruling'),
	('bigbrotr_operator', $$SELECT bigbrotr.ruling_cover('bigbrotr.event_old')$$, '42501: permission denied for function ruling_cover'),
	('bigbrotr_operator', $$SELECT bigbrotr.ruling_note()$$, '42501: permission denied for function ruling_note'),
	('bb_nobody', $$SELECT bigbrotr.query('{}')$$, '42501: permission denied for schema bigbrotr'),
	(:'r', 'SELECT bigbrotr.partition_bound(now()), bigbrotr.worker_status()', 'ok'),
	(:'r', 'SELECT * FROM bigbrotr.coverage_missing(1, ''{"kinds":[7]}'')', 'ok'),
	(:'r', $$SELECT bigbrotr.coverage_record(1, '{"kinds":[7]}', 1, 2, 'open', NULL, 'silence')$$, '42501: permission denied for function coverage_record'),
	('bigbrotr_writer', $$SELECT bigbrotr.coverage_record(1, '{"kinds":[7]}', 1, 2, 'open', NULL, 'silence')$$, 'ok'),
	(:'r', $$SELECT bigbrotr.via_names(3), bigbrotr.sketch_count(author_sketch), bigbrotr.sketch_merge(author_sketch, author_sketch) FROM bigbrotr.mention$$, 'ok'),
	(:'r', $$SELECT bigbrotr.kind_category(1), bigbrotr.tally_date(1), bigbrotr.tally_day(1::bigint), bigbrotr.tally_day(current_date), bigbrotr.events_since(1)$$, 'ok'),
	(:'r', $$SELECT bigbrotr.d_tag(t), bigbrotr.d_digest(t), bigbrotr.tagvalues(t) FROM CAST('[["d","a"]]' AS bigbrotr.tags) t$$, 'ok'),
	(:'r', $$SELECT bigbrotr.active_authors('week', '2026-01-01'), bigbrotr.distinct_authors(), bigbrotr.distinct_authors('{}', '2026-01-01')$$, 'ok'),
	(:'r', $$SELECT bigbrotr.redundancy('2026-01-01'), bigbrotr.relay_overlap('wss://a.io', '2026-01-01'), bigbrotr.relay_cover('2026-01-01')$$, 'ok'),
	(:'r', $$SELECT bigbrotr.relay_cover_keys(1, 2, 3, 4), bigbrotr.hashtag_days('2026-01-01'), bigbrotr.relay_series('wss://a.io'), bigbrotr.pagerank()$$, 'ok'),
	(:'r', 'SELECT bigbrotr.refresh()', '42501: permission denied for function refresh'),
	('bigbrotr_operator', 'SELECT bigbrotr.refresh()', 'ok'),
	('bigbrotr_operator', $$SELECT bigbrotr.refresh('kind_counts')$$, 'ok'),
	('bigbrotr_operator', format('SELECT (SELECT count(*) FROM bigbrotr.event_ingest(%L::text)), bigbrotr.refresh()', :'event'), 'ok'),
	('bigbrotr_operator', $$SELECT bigbrotr.refresh('nothing')$$, '42704: analytics view "nothing" does not exist'),
	('bigbrotr_operator', 'SELECT bigbrotr.rebuild()', 'ok'),
	('bigbrotr_operator', 'SELECT * FROM bigbrotr.verify()', 'ok'),
	('bigbrotr_operator', $$SELECT bigbrotr.event_delete('{1}')$$, '42501: permission denied for function event_delete'),
	('bigbrotr_operator', $$SELECT bigbrotr.observation_delete(1, '{1}')$$, '42501: permission denied for function observation_delete'),
	(:'r', 'SELECT bigbrotr.partition_ensure()', '42501: permission denied for function partition_ensure'),
	(:'r', $$SELECT bigbrotr.packed_unpack(5, 0, '\x0100010306')$$, 'ok'),
	(:'r', 'SELECT bigbrotr.packed_verify()', 'ok'),
	(:'r', 'SELECT bigbrotr.retention_preview(), bigbrotr.archive_partitions(), bigbrotr.archive_bytes()', 'ok'),
	(:'r', $$INSERT INTO bigbrotr.retention (name, max_age) VALUES ('x', '1 year')$$, '42501: permission denied for table retention'),
	('bigbrotr_operator', $$INSERT INTO bigbrotr.retention (name, max_age) VALUES ('x', '1 year')$$, 'ok'),
	('bigbrotr_operator', 'SELECT bigbrotr.orphan_clean()', '42501: permission denied for function orphan_clean'),
	('bigbrotr_operator', 'SELECT bigbrotr.orphan_observation(1)', '42501: permission denied for function orphan_observation'),
	('bigbrotr_operator', 'SELECT bigbrotr.orphan_document(1)', '42501: permission denied for function orphan_document'),
	('bigbrotr_operator', 'SELECT bigbrotr.orphan_sample(1)', '42501: permission denied for function orphan_sample'),
	('bigbrotr_operator', $$SELECT bigbrotr.packed_delete('{1}')$$, '42501: permission denied for function packed_delete'),
	('bigbrotr_operator', 'SELECT bigbrotr.compact_step(true)', '42501: permission denied for function compact_step'),
	(:'r', $$SELECT bigbrotr.pause('seeder')$$, '42501: permission denied for function pause'),
	(:'r', $$SELECT bigbrotr.run('seeder')$$, '42501: permission denied for function run'),
	('bigbrotr_writer', $$SELECT bigbrotr.pause('seeder')$$, '42501: permission denied for function pause'),
	('bigbrotr_writer', $$INSERT INTO bigbrotr.seed (url) VALUES ('wss://a.io')$$, '42501: permission denied for table seed'),
	('bigbrotr_writer', $$UPDATE bigbrotr.event SET kind = 1$$, '42501: permission denied for table event'),
	('bigbrotr_writer', $$DELETE FROM bigbrotr.observation$$, '42501: permission denied for table observation'),
	('bigbrotr_writer', $$DELETE FROM bigbrotr.relay$$, '42501: permission denied for table relay'),
	('bigbrotr_writer', $$INSERT INTO bigbrotr.relay (id, url, network) VALUES (1, 'wss://a.io', 'clearnet')$$, '428C9: cannot insert a non-DEFAULT value into column "id"'),
	('bigbrotr_writer', $$INSERT INTO bigbrotr.relay (url, network) VALUES ('wss://a.io', 'clearnet')$$, 'ok'),
	('bigbrotr_writer', $$INSERT INTO bigbrotr.candidate (url, network) VALUES ('wss://a.io', 'clearnet')$$, 'ok'),
	('bigbrotr_operator', $$INSERT INTO bigbrotr.seed (url) VALUES ('wss://a.io')$$, 'ok'),
	('bigbrotr_operator', $$SELECT bigbrotr.pause('seeder')$$, 'ok'),
	('bigbrotr_operator', $$SELECT bigbrotr.resume('seeder')$$, 'ok'),
	('bigbrotr_operator', $$SELECT bigbrotr.wake()$$, 'ok'),
	('bigbrotr_operator', $$SELECT bigbrotr.run('seeder')$$, '55000: no bigbrotr scheduler is running in this database'),
	(:'r', $$SELECT bigbrotr.rtt_document(c) FROM bigbrotr.check_unpack(decode(repeat('00', 44), 'hex')) AS c$$, 'ok'),
	(:'r', $$SELECT bigbrotr.check_unpack('\x00')$$, 'XX001: length of packed checks, 1 bytes, is not a multiple of 22'),
	(:'r', $$SELECT bigbrotr.relay_uptime('wss://a.io'), bigbrotr.relay_rtt('wss://a.io', 0.95), bigbrotr.relay_changes('wss://a.io', now())$$, 'ok'),
	(:'r', $$SELECT bigbrotr.check_pack(ARRAY[c]) FROM bigbrotr.check_unpack(decode(repeat('00', 22), 'hex')) AS c$$, 'ok'),
	(:'r', $$SELECT bigbrotr.python_number('7')$$, 'ok'),
	(:'r', $$SELECT bigbrotr.observe('{1}', ARRAY[sha256('a')], '{1}', '{1}')$$, '42501: permission denied for function observe'),
	('bigbrotr_writer', $$SELECT bigbrotr.observe('{1}', ARRAY[sha256('a')], '{1}', '{1}')$$, 'ok'),
	('bigbrotr_writer', $$SELECT bigbrotr.observe('{1,2}', ARRAY[sha256('a')], '{1}', '{1}')$$, '2202E: arrays must have the same length'),
	('bigbrotr_writer', $$SELECT bigbrotr.observe('{1}', ARRAY['a'::bytea], '{1}', '{1}')$$, '22023: event id must be 32 bytes long'),
	('bigbrotr_writer', $$SELECT bigbrotr.observe('{NULL}', ARRAY[sha256('a')], '{1}', '{1}')$$, '22004: arrays must not contain nulls'),
	('bigbrotr_writer', $$CALL bigbrotr.import_jsonl('/etc/passwd')$$, '42501: permission denied for procedure import_jsonl'),
	('bigbrotr_operator', $$CALL bigbrotr.import_jsonl('/etc/passwd')$$, '42501: must be a member of role pg_read_server_files to access files of the server'),
	('bigbrotr_operator', $$CALL bigbrotr.export_jsonl('/tmp/x')$$, '42501: must be a member of role pg_write_server_files to access files of the server'),
	('bigbrotr_operator', $$SELECT bigbrotr.import_step(1)$$, '42501: must be a member of role pg_read_server_files to access files of the server'),
	('bigbrotr_operator', $$SELECT bigbrotr.export_step(1)$$, '42501: must be a member of role pg_write_server_files to access files of the server'),
	('bigbrotr_operator', $$CALL bigbrotr.import_python('public')$$, '42501: permission denied for procedure import_python'),
	('bigbrotr_operator', $$SELECT bigbrotr.import_python_step(1)$$, '42501: permission denied for function import_python_step'),
	('bigbrotr_operator', $$SELECT bigbrotr.python_relays('public', NULL)$$, '42501: permission denied for function python_relays'),
	('bigbrotr_operator', $$SELECT bigbrotr.python_candidates('public', NULL)$$, '42501: permission denied for function python_candidates'),
	('bigbrotr_operator', $$SELECT bigbrotr.python_documents('public', NULL)$$, '42501: permission denied for function python_documents'),
	('bigbrotr_operator', $$SELECT bigbrotr.python_events('public', NULL)$$, '42501: permission denied for function python_events'),
	(:'r', $$SELECT bigbrotr.peer_ms('[["a","7"]]', 'a'), bigbrotr.peer_words('[["a","b"]]', 'a', 'b')$$, 'ok'),
	('bigbrotr_operator', $$SELECT bigbrotr.peer_fold()$$, '42501: permission denied for function peer_fold'),
	('bigbrotr_operator', $$SELECT bigbrotr.peer_expire()$$, '42501: permission denied for function peer_expire'),
	('bigbrotr_operator', $$UPDATE bigbrotr.peer_monitor SET counted = false, trusted = true$$, 'ok'),
	('bigbrotr_operator', $$SELECT bigbrotr.peer_spread('')$$, '42501: permission denied for function peer_spread'),
	(:'r', $$SELECT bigbrotr.check('wss://a.io')$$, '42501: permission denied for function check'),
	('bigbrotr_operator', $$SELECT bigbrotr.check('wss://a.io')$$, 'P0002: relay "wss://a.io" does not exist'),
	('bigbrotr_operator', $$SELECT bigbrotr.check_request(1)$$, '55000: monitor is not running in this database'),
	('bigbrotr_operator', $$SELECT bigbrotr.run('nothing')$$, '42704: service "nothing" does not exist'),
	('bigbrotr_operator', $$SELECT bigbrotr.run(NULL)$$, '42704: service "" does not exist'),
	('bigbrotr_operator', $$SELECT bigbrotr.pause('nothing')$$, '42704: service "nothing" does not exist'),
	('bigbrotr_operator', $$SELECT bigbrotr.resume(NULL)$$, '42704: service "<NULL>" does not exist'),
	('bigbrotr_operator', $$UPDATE bigbrotr.service SET runs = 0$$, '42501: permission denied for table service'),
	('bigbrotr_operator', $$INSERT INTO bigbrotr.service (name) VALUES ('mine')$$, '42501: permission denied for table service'),
	('bigbrotr_operator', $$SELECT bigbrotr.partition_ensure()$$, '42501: permission denied for function partition_ensure'),
	('bigbrotr_operator', $$UPDATE bigbrotr.relay SET priority = 1, excluded = false, filter = '{"kinds":[1]}', since = 1, until = 2, page_limit = 3, max_requests_per_minute = 4, timeout_ms = 500, next_sync_at = now()$$, 'ok'),
	('bigbrotr_operator', $$UPDATE bigbrotr.relay SET state = 'dead'$$, '42501: permission denied for table relay'),
	('bigbrotr_writer', $$UPDATE bigbrotr.relay SET excluded = true$$, '42501: permission denied for table relay'),
	('bigbrotr_operator', $$DROP TABLE bigbrotr.relay$$, '42501: must be owner of table relay'),
	('bigbrotr_operator', $$CREATE TABLE bigbrotr.mine ()$$, '42501: permission denied for schema bigbrotr'),
	('bigbrotr_operator', $$DROP EXTENSION bigbrotr$$, '42501: must be owner of extension bigbrotr'),
	('bigbrotr_operator', $$SET bigbrotr.allow_drop = on$$, '42501: permission denied to set parameter "bigbrotr.allow_drop"'),
	('bb_nobody', $$SELECT bigbrotr.event_verify('{}')$$, '42501: permission denied for schema bigbrotr'),
	('bb_nobody', $$SELECT '[]'::bigbrotr.tags$$, '42501: permission denied for schema bigbrotr');
SELECT is(pg_temp.try(who, statement), result, format('%s: %s', who, left(statement, 60)))
FROM call;
-- the functions that exist were all called as somebody
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_type t ON t.oid = p.prorettype
	WHERE p.pronamespace = 'bigbrotr'::regnamespace AND p.proname NOT IN ('tags_in', 'tags_out', 'tags_recv', 'tags_send', 'tags_eq', 'tags_ne',
		'tags_to_jsonb', 'jsonb_to_tags', 'tags_gin_values', 'tags_gin_query', 'tags_gin_match', 'service_restore', 'source_restore', 'packed_handler', 'service_set_paused', 'partition_make', 'partition_month', 'event_ingest')
		AND NOT EXISTS (SELECT FROM call WHERE statement LIKE '%bigbrotr.' || p.proname || '(%')
	$$, 'no function is left out');

-- partitions that are made later are reached like the others: by the parent
SELECT bigbrotr.partition_ensure(now() + interval '7 months');
SELECT format('INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey) VALUES (bigbrotr.partition_bound(now() + interval ''6 months''), 0, 1, sha256(''a''), sha256(''b''))') AS later \gset
SELECT is(pg_temp.try('bigbrotr_writer', :'later'), 'ok', 'a writer writes into a later partition');
SELECT is(pg_temp.try('bigbrotr_reader', :'later'), '42501: permission denied for table event', 'a reader does not');
:later;
SELECT is(pg_temp.try('bigbrotr_reader', 'SELECT 1 / count(*) FROM bigbrotr.event WHERE id = sha256(''a'')'), 'ok', 'a reader reads it there');
SELECT is_empty($$
	SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid, unnest('{bigbrotr_reader,bigbrotr_writer,bigbrotr_operator}'::name[]) r
	WHERE c.relnamespace = 'bigbrotr'::regnamespace AND has_table_privilege(r, c.oid, 'SELECT,INSERT,UPDATE,DELETE,TRUNCATE')
	$$, 'nobody has rights on a partition itself');
SELECT is(pg_temp.try('bigbrotr_reader', 'SELECT * FROM bigbrotr.event_old'), '42501: permission denied for table event_old', 'a partition asked for by name is refused');

SELECT * FROM finish();
ROLLBACK;
