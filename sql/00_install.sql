-- The extension installs, explains itself, and gives PUBLIC nothing.
SET client_min_messages = warning;
CREATE EXTENSION bigbrotr;
RESET client_min_messages;

-- objects without a comment: none
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS uncommented
FROM pg_depend d
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'bigbrotr'
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	AND obj_description(d.objid, d.classid::regclass::name) IS NULL
	AND NOT (d.classid = 'pg_type'::regclass AND (SELECT typtype = 'c' OR typcategory = 'A' FROM pg_type WHERE oid = d.objid))
	AND NOT (d.classid = 'pg_class'::regclass AND (SELECT relkind = 'S' FROM pg_class WHERE oid = d.objid))
ORDER BY 1;
SELECT a.attrelid::regclass AS relation, a.attname AS uncommented
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'bigbrotr'::regnamespace AND c.relkind IN ('r', 'p', 'v')
	AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL
ORDER BY 1, 2;

-- nothing for PUBLIC
SELECT p.oid::regprocedure AS public FROM pg_proc p
WHERE p.pronamespace = 'bigbrotr'::regnamespace
	AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0));
SELECT c.oid::regclass AS public FROM pg_class c, aclexplode(c.relacl) a
WHERE c.relnamespace = 'bigbrotr'::regnamespace AND a.grantee = 0;

-- who may do what
CREATE TEMP TABLE who (n int, role name);
INSERT INTO who VALUES (1, 'bigbrotr_reader'), (2, 'bigbrotr_writer'), (3, 'bigbrotr_operator');
SELECT c.relname,
	(SELECT string_agg((SELECT string_agg(left(p, 1), '' ORDER BY p) FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) p
						WHERE has_table_privilege(w.role, c.oid, p)), ' ' ORDER BY w.n) FROM who w) AS "reader writer operator"
FROM pg_class c WHERE c.relnamespace = 'bigbrotr'::regnamespace AND c.relkind IN ('r', 'p', 'v')
ORDER BY c.relname COLLATE "C";
SELECT p.oid::regprocedure::text COLLATE "C" AS function,
	(SELECT string_agg(CASE WHEN has_function_privilege(w.role, p.oid, 'EXECUTE') THEN 'x' ELSE '-' END, '' ORDER BY w.n) FROM who w) AS rwo
FROM pg_proc p WHERE p.pronamespace = 'bigbrotr'::regnamespace ORDER BY 1;
SELECT has_column_privilege('bigbrotr_operator', 'bigbrotr.service', 'paused', 'UPDATE') AS may_pause,
	has_column_privilege('bigbrotr_operator', 'bigbrotr.service', 'runs', 'UPDATE') AS may_forge;

SELECT service, state, paused, runs FROM bigbrotr.status ORDER BY service;
SELECT bigbrotr.pause('nobody');
SELECT * FROM bigbrotr.progress;
INSERT INTO bigbrotr.service (name, paused, runs) VALUES ('seeder', true, 7);
SELECT name, paused, runs FROM bigbrotr.service ORDER BY name;
UPDATE bigbrotr.service SET paused = false, runs = 0 WHERE name = 'seeder';
