-- The matrix of rights: each role x every relation and function of the
-- extension.  A reader may read everything and call what changes nothing;
-- what goes beyond that is listed here, and only that.
BEGIN;
SELECT no_plan();
CREATE ROLE bb_nobody;

CREATE TEMP TABLE beyond_read (role name, relation text, privileges text[]);
INSERT INTO beyond_read VALUES
	('bigbrotr_writer', 'event', '{INSERT}'),
	('bigbrotr_writer', 'observation', '{INSERT}'),
	('bigbrotr_writer', 'rejected_event', '{INSERT,UPDATE}'),
	('bigbrotr_writer', 'counter', '{INSERT,UPDATE}'),
	('bigbrotr_writer', 'candidate', '{INSERT,UPDATE,DELETE}'),
	('bigbrotr_writer', 'coverage', '{INSERT,UPDATE,DELETE}'),
	('bigbrotr_writer', 'coverage_filter', '{INSERT}'),
	('bigbrotr_writer', 'peer_news', '{INSERT}'),
	('bigbrotr_writer', 'mention', '{INSERT,UPDATE}'),
	('bigbrotr_writer', 'mention_refused', '{INSERT,UPDATE}'),
	('bigbrotr_operator', 'source', '{INSERT,UPDATE,DELETE}'),
	('bigbrotr_operator', 'retention', '{INSERT,UPDATE,DELETE}'),
	('bigbrotr_operator', 'seed', '{INSERT,UPDATE,DELETE}'),
	('bigbrotr_operator', 'transfer', '{INSERT,UPDATE}'),
	('bigbrotr_writer', 'ingest_delta', '{INSERT}'),
	('bigbrotr_operator', 'ingest_delta', '{INSERT,UPDATE,DELETE}'),
	('bigbrotr_operator', 'maintenance', '{INSERT,UPDATE,DELETE}');
INSERT INTO beyond_read SELECT 'bigbrotr_operator', relname, '{INSERT,UPDATE,DELETE}' FROM pg_class
	WHERE relnamespace = 'bigbrotr'::regnamespace AND relname ~ '^tally_' AND relkind = 'r';
-- an operator is a writer
INSERT INTO beyond_read SELECT 'bigbrotr_operator', relation, privileges FROM beyond_read WHERE role = 'bigbrotr_writer';

CREATE TEMP TABLE beyond_call (role name, function text);
INSERT INTO beyond_call VALUES
	('bigbrotr_writer', 'event_ingest(text[],text,timestamp with time zone)'),
	('bigbrotr_writer', 'event_ingest(text,text,timestamp with time zone)'),
	('bigbrotr_writer', 'coverage_record(integer,text,bigint,bigint,text,text,text)'),
	('bigbrotr_writer', 'observe(bigint[],bytea[],integer[],bigint[])'),
	('bigbrotr_operator', 'import_step(integer)'),
	('bigbrotr_operator', 'export_step(integer)'),
	('bigbrotr_operator', 'import_jsonl(text,text,boolean)'),
	('bigbrotr_operator', 'export_jsonl(text,boolean)'),
	('bigbrotr_operator', 'run(text)'),
	('bigbrotr_operator', 'wake()'),
	('bigbrotr_operator', 'check_request(integer)'),
	('bigbrotr_operator', '"check"(text,interval)'),
	('bigbrotr_operator', 'service_set_paused(text,boolean)'),
	('bigbrotr_operator', 'pause(text)'),
	('bigbrotr_operator', 'resume(text)'),
	('owner', 'compact_step(boolean,integer)'),
	('owner', 'search_enable(regconfig)'),
	('owner', 'search_enable_step(regconfig)'),
	('owner', 'search_disable()'),
	('owner', 'search_index_make(regclass)'),
	('owner', 'ruling_cover(regclass)'),
	('owner', 'ruling_note()'),
	('owner', 'orphan_clean(boolean,integer)'),
	('owner', 'orphan_observation(integer)'),
	('owner', 'orphan_document(integer)'),
	('owner', 'orphan_sample(integer)'),
	('owner', 'packed_delete(bigint[],integer)'),
	('owner', 'packed_handler()'),
	('bigbrotr_operator', 'refresh(text)'),
	('bigbrotr_operator', 'rebuild(text)'),
	('bigbrotr_operator', 'verify(text)'),
	('owner', 'event_delete(bigint[])'),
	('owner', 'observation_delete(integer,bigint[])'),
	('owner', 'service_restore()'),
	('owner', 'peer_fold(integer)'),
	('owner', 'peer_spread(bytea)'),
	('owner', 'import_python(text,boolean)'),
	('owner', 'import_python_step(integer)'),
	('owner', 'python_relays(text,jsonb)'),
	('owner', 'python_candidates(text,jsonb)'),
	('owner', 'python_documents(text,jsonb)'),
	('owner', 'python_events(text,jsonb)'),
	('owner', 'peer_expire(integer)'),
	('owner', 'source_restore()'),
	('owner', 'partition_make(text,bigint,bigint)'),
	('owner', 'partition_month(text,bigint,bigint)'),
	('owner', 'partition_ensure(timestamp with time zone)');
INSERT INTO beyond_call SELECT 'bigbrotr_operator', function FROM beyond_call WHERE role = 'bigbrotr_writer';

CREATE TEMP VIEW relation AS
SELECT c.oid, c.relname, c.relkind FROM pg_class c
JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
WHERE c.relnamespace = 'bigbrotr'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S');
CREATE TEMP VIEW function AS
SELECT p.oid, regexp_replace(p.oid::regprocedure::text, '^bigbrotr\.', '') AS name FROM pg_proc p
WHERE p.pronamespace = 'bigbrotr'::regnamespace;
CREATE TEMP TABLE role (name name);
INSERT INTO role VALUES ('bb_nobody'), ('bigbrotr_reader'), ('bigbrotr_writer'), ('bigbrotr_operator');

-- the list names things that exist
SELECT is_empty('SELECT relation FROM beyond_read WHERE relation NOT IN (SELECT relname FROM relation)', 'no stale relation in the list');
SELECT is_empty('SELECT function FROM beyond_call WHERE function NOT IN (SELECT name FROM function)', 'no stale function in the list');

SELECT is_empty($$
	SELECT r.name, t.relname, p AS privilege, has_table_privilege(r.name, t.oid, p) AS has
	FROM role r, relation t, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p
	WHERE t.relkind <> 'S' AND has_table_privilege(r.name, t.oid, p) IS DISTINCT FROM
		(r.name <> 'bb_nobody' AND (p = 'SELECT' OR EXISTS (
			SELECT FROM beyond_read b WHERE b.role = r.name AND b.relation = t.relname AND p = ANY (b.privileges))))
	$$, 'roles x relations');
SELECT is_empty($$
	SELECT r.name, t.relname, p FROM role r, relation t, unnest('{USAGE,UPDATE}'::text[]) p
	WHERE t.relkind = 'S' AND has_sequence_privilege(r.name, t.oid, p)
		AND (r.name, t.relname, p) IS DISTINCT FROM ('bigbrotr_operator', 'tally_author_id_seq', 'USAGE')
	$$, 'nobody may move a sequence, but refresh() numbers authors');
SELECT is_empty($$
	SELECT r.name, f.name, has_function_privilege(r.name, f.oid, 'EXECUTE') AS has
	FROM role r, function f
	WHERE has_function_privilege(r.name, f.oid, 'EXECUTE') IS DISTINCT FROM
		(r.name <> 'bb_nobody' AND CASE WHEN f.name IN (SELECT function FROM beyond_call)
		 THEN EXISTS (SELECT FROM beyond_call b WHERE b.role = r.name AND b.function = f.name) ELSE true END)
	$$, 'roles x functions');
-- single columns: an operator pauses and sets the overrides of a relay, and
-- cannot touch the record of the runs or what was learned
SELECT results_eq($$
	SELECT r.name, c.relname, p COLLATE "C", string_agg(a.attname, ' ' ORDER BY a.attnum) COLLATE "C"
	FROM role r, relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0,
		unnest('{INSERT,UPDATE}'::text[]) p
	WHERE has_column_privilege(r.name, c.oid, a.attnum, p) AND NOT has_table_privilege(r.name, c.oid, p)
	GROUP BY r.name, c.relname, p ORDER BY 1, 2, 3 $$,
	$$ VALUES ('bigbrotr_operator'::name, 'peer_monitor'::name, 'UPDATE' COLLATE "C", 'counted trusted' COLLATE "C"),
		('bigbrotr_operator', 'relay', 'INSERT', 'url network discovered_at'),
		('bigbrotr_operator', 'relay', 'UPDATE', 'next_sync_at observations priority excluded filter since until page_limit max_requests_per_minute timeout_ms'),
		('bigbrotr_operator', 'service', 'UPDATE', 'paused'),
		('bigbrotr_writer', 'relay', 'INSERT', 'url network discovered_at'),
		('bigbrotr_writer', 'relay', 'UPDATE', 'next_sync_at observations') $$, 'rights on single columns');
SELECT is_empty($$
	SELECT name FROM role WHERE has_schema_privilege(name, 'bigbrotr', 'CREATE')
	$$, 'nobody may create objects in the schema');
SELECT is((SELECT string_agg(name, ',' ORDER BY name) FROM role WHERE has_schema_privilege(name, 'bigbrotr', 'USAGE')),
	'bigbrotr_operator,bigbrotr_reader,bigbrotr_writer', 'who may look into the schema');

SELECT * FROM finish();
ROLLBACK;
