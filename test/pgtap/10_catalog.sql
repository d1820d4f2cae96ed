-- What the catalogs say about every object of the extension: explained,
-- private, out of reach of a hostile search_path.
BEGIN;
SELECT no_plan();
SELECT bigbrotr.partition_ensure();

CREATE TEMP VIEW member AS
SELECT d.classid, d.objid, d.objsubid, pg_describe_object(d.classid, d.objid, d.objsubid) AS name
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'bigbrotr'
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e';

-- row types, arrays and the sequence of an identity column have no need of words
SELECT is_empty($$
	SELECT name FROM member m
	WHERE coalesce(obj_description(objid, classid::regclass::name), '') = ''
		AND NOT (classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type t WHERE t.oid = m.objid AND (t.typrelid <> 0 OR t.typcategory = 'A')))
		AND NOT (classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_class c WHERE c.oid = m.objid AND c.relkind = 'S'))
	$$, 'every object of the extension has a comment');
SELECT is_empty($$
	SELECT c.oid::regclass, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.oid IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
		AND a.attnum > 0 AND NOT a.attisdropped AND coalesce(col_description(c.oid, a.attnum), '') = ''
	$$, 'every column has a comment');
SELECT is_empty($$
	SELECT t.tgrelid::regclass, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	WHERE c.relnamespace = 'bigbrotr'::regnamespace AND NOT t.tgisinternal AND t.tgparentid = 0 AND obj_description(t.oid, 'pg_trigger') IS NULL
	$$, 'every trigger has a comment');
SELECT is_empty($$
	SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
	WHERE c.oid IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)
		AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
		AND obj_description(i.indexrelid, 'pg_class') IS NULL
	$$, 'every index that is not a constraint has a comment');
SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	WHERE c.relnamespace = 'bigbrotr'::regnamespace AND obj_description(c.oid, 'pg_class') IS NULL
	$$, 'every partition has a comment');

-- nothing lives outside the schema, nothing in it is somebody else's
SELECT is_empty($$
	SELECT name FROM member WHERE classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_operator'::regclass)
		AND name NOT LIKE '%bigbrotr.%'
	$$, 'every object is in schema bigbrotr');
SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'bigbrotr'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
		AND c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)
		AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
	$$, 'every relation in it is a member or a partition');

-- rights
SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class c, aclexplode(c.relacl) a
	WHERE c.relnamespace = 'bigbrotr'::regnamespace AND a.grantee = 0
	$$, 'no relation is granted to PUBLIC');
SELECT is_empty($$
	SELECT c.oid::regclass, t.attname FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
	WHERE c.relnamespace = 'bigbrotr'::regnamespace AND a.grantee = 0
	$$, 'no column is granted to PUBLIC');
-- no ACL means the default, which is EXECUTE or USAGE for PUBLIC
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'bigbrotr'::regnamespace
		AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0))
	$$, 'no function is granted to PUBLIC');
SELECT is_empty($$
	SELECT t.oid::regtype FROM pg_type t WHERE t.typnamespace = 'bigbrotr'::regnamespace AND t.typrelid = 0 AND t.typcategory <> 'A'
		AND (t.typacl IS NULL OR EXISTS (SELECT FROM aclexplode(t.typacl) a WHERE a.grantee = 0))
	$$, 'no type is granted to PUBLIC');
SELECT is_empty($$
	SELECT n.nspname FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = 'bigbrotr' AND a.grantee = 0
	$$, 'the schema is not granted to PUBLIC');
SELECT is_empty($$
	SELECT a.grantee::regrole, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
	WHERE c.relnamespace = 'bigbrotr'::regnamespace AND a.is_grantable AND a.grantee <> c.relowner
	$$, 'nobody may pass rights on');
SELECT is_empty($$
	SELECT rolname FROM pg_roles WHERE rolname ~ '^bigbrotr_'
		AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
	$$, 'the roles can do nothing but hold rights');

-- functions
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'bigbrotr'::regnamespace AND p.prosecdef
	$$, 'no SECURITY DEFINER');
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	WHERE p.pronamespace = 'bigbrotr'::regnamespace AND l.lanname NOT IN ('c', 'internal')
		AND p.prosqlbody IS NULL
		AND NOT EXISTS (SELECT FROM unnest(p.proconfig) c WHERE c = 'search_path=pg_catalog, pg_temp')
	$$, 'every function in SQL or PL/pgSQL sets its search_path, or was parsed when it was made');
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	WHERE p.pronamespace = 'bigbrotr'::regnamespace AND l.lanname = 'c' AND p.proretset AND p.provolatile = 'i'
	$$, 'no set of rows is called immutable');
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p
	WHERE p.pronamespace = 'bigbrotr'::regnamespace AND p.provolatile = 'v' AND p.proparallel = 's'
	$$, 'what may write is not called parallel safe');

SELECT * FROM finish();
ROLLBACK;
