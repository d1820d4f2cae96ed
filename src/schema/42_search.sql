-- Full text search in contents: an optional index.

CREATE FUNCTION bigbrotr.search_vector(config regconfig, kind integer, content text) RETURNS tsvector
	AS 'MODULE_PATHNAME', 'bigbrotr_search_vector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION bigbrotr.search_vector(regconfig, integer, text) IS
	'searchable words of an event: those of the first 16 kB of its content; NULL for encrypted kinds (4, 13, 1059). Never fails';

CREATE TABLE bigbrotr.search_index (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	config text NOT NULL,
	ready boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE bigbrotr.search_index IS
	'configuration of the search index; one row, made by search_enable, if there is an index';
COMMENT ON COLUMN bigbrotr.search_index.one IS 'always true';
COMMENT ON COLUMN bigbrotr.search_index.config IS 'text search configuration, schema-qualified';
COMMENT ON COLUMN bigbrotr.search_index.ready IS 'whether every partition has the index';
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.search_index', '');

CREATE FUNCTION bigbrotr.search_index_of(part regclass) RETURNS regclass
	LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
	AS $$
BEGIN
	RETURN (SELECT i.indexrelid FROM pg_catalog.pg_index AS i
			WHERE i.indrelid OPERATOR(pg_catalog.=) part
			AND pg_catalog.pg_get_indexdef(i.indexrelid) OPERATOR(pg_catalog.~) 'bigbrotr[.]search_vector[(]' LIMIT 1);
END
$$;
COMMENT ON FUNCTION bigbrotr.search_index_of(regclass) IS 'search index of a partition of event, or NULL';

CREATE FUNCTION bigbrotr.search_index_make(part regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	wanted text := (SELECT i.config FROM bigbrotr.search_index AS i);
BEGIN
	IF wanted IS NOT NULL AND bigbrotr.search_index_of(part) IS NULL THEN
		EXECUTE pg_catalog.format('CREATE INDEX ON %s USING gin (bigbrotr.search_vector(%L::pg_catalog.regconfig, kind, content))',
								  part, wanted);
	END IF;
END
$$;
COMMENT ON FUNCTION bigbrotr.search_index_make(regclass) IS
	'creates the search index of a partition of event if the archive has one; internal, used by search_enable and partition_make';

CREATE FUNCTION bigbrotr.search_enable_step(config regconfig) RETURNS boolean
	LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	wanted text;
	part regclass;
BEGIN
	SELECT pg_catalog.format('%I.%I', n.nspname, c.cfgname) INTO STRICT wanted
	FROM pg_catalog.pg_ts_config AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.cfgnamespace
	WHERE c.oid OPERATOR(pg_catalog.=) config;
	IF NOT EXISTS (SELECT FROM bigbrotr.search_index) THEN
		-- no partition is made meanwhile; who makes one later sees the row
		LOCK TABLE bigbrotr.event IN SHARE UPDATE EXCLUSIVE MODE;
		INSERT INTO bigbrotr.search_index AS i (config) VALUES (wanted) ON CONFLICT DO NOTHING;
		RETURN true;
	END IF;
	IF (SELECT i.config FROM bigbrotr.search_index AS i) OPERATOR(pg_catalog.<>) wanted THEN
		RAISE EXCEPTION 'search index has a different configuration'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CALL bigbrotr.search_disable() first.';
	END IF;
	SELECT h.inhrelid::regclass INTO part FROM pg_catalog.pg_inherits AS h
	WHERE h.inhparent OPERATOR(pg_catalog.=) 'bigbrotr.event'::regclass AND bigbrotr.search_index_of(h.inhrelid::regclass) IS NULL
	LIMIT 1;
	IF part IS NOT NULL THEN
		PERFORM bigbrotr.search_index_make(part);
		RETURN true;
	END IF;
	UPDATE bigbrotr.search_index AS i SET ready = true;
	RETURN false;
END
$$;
COMMENT ON FUNCTION bigbrotr.search_enable_step(regconfig) IS
	'creates the search index of one partition, blocking writers of that partition only; returns whether there is more; internal, used by search_enable';
CREATE PROCEDURE bigbrotr.search_enable(config regconfig DEFAULT 'pg_catalog.simple')
	AS 'MODULE_PATHNAME', 'bigbrotr_search_enable' LANGUAGE C;
COMMENT ON PROCEDURE bigbrotr.search_enable(regconfig) IS
	'creates the search index on every partition of event, each in its own transaction; CALL it again after an interruption. Later partitions get it, too. Only for the owner';

CREATE PROCEDURE bigbrotr.search_disable()
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	part regclass;
BEGIN
	LOCK TABLE bigbrotr.event IN SHARE UPDATE EXCLUSIVE MODE;
	DELETE FROM bigbrotr.search_index;
	FOR part IN SELECT bigbrotr.search_index_of(h.inhrelid::regclass) FROM pg_catalog.pg_inherits AS h
			WHERE h.inhparent OPERATOR(pg_catalog.=) 'bigbrotr.event'::regclass LOOP
		IF part IS NOT NULL THEN
			EXECUTE pg_catalog.format('DROP INDEX %s', part);
		END IF;
	END LOOP;
END
$$;
COMMENT ON PROCEDURE bigbrotr.search_disable() IS 'drops the search index. Only for the owner';
