-- bigbrotr 0.1: the objects of the extension, in the order of src/schema.
--
-- Every name is qualified and nothing is created "if not exists" or "or
-- replace": the script never takes over an object that somebody else made.
\echo Use "CREATE EXTENSION bigbrotr" to load this file. \quit

SET LOCAL search_path TO pg_catalog, pg_temp;

DO $do$
BEGIN
	IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' THEN
		RAISE EXCEPTION 'bigbrotr requires a database with encoding UTF8'
			USING ERRCODE = 'feature_not_supported', HINT = 'Use CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0.';
	END IF;
END
$do$;

-- Roles belong to the cluster: another database may have made them already.
DO $do$
DECLARE
	r text;
BEGIN
	FOREACH r IN ARRAY ARRAY['bigbrotr_reader', 'bigbrotr_writer', 'bigbrotr_operator']
	LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS p
					   WHERE p.rolname OPERATOR(pg_catalog.=) r::pg_catalog.name) THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', r);
		END IF;
	END LOOP;
END
$do$;
GRANT bigbrotr_reader TO bigbrotr_writer;
GRANT bigbrotr_writer TO bigbrotr_operator;

COMMENT ON SCHEMA bigbrotr IS
	'bigbrotr: an observatory of the Nostr network: its relays, their health, and the events they serve';
