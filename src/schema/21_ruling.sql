-- Index over what events say about other events, by code: with it mode relay of
-- bigbrotr.query finds deletions, requests to vanish and newer versions without
-- searching every partition.  See src/pg/ruling.h, ruling_cover.c and docs/queries.md.

-- An index over the keys of event, not dumped: the trigger writes it again.
-- The same entry may be there twice.
CREATE TABLE bigbrotr.ruling (
	code bigint NOT NULL,
	key bigint NOT NULL
) WITH (autovacuum_vacuum_insert_scale_factor = 0.1);
COMMENT ON TABLE bigbrotr.ruling IS
	'index over what events of kinds 5 and 62 and of replaceable and addressable kinds say about other events; hints that bigbrotr.query rechecks in mode relay. Light events have no entries';
COMMENT ON COLUMN bigbrotr.ruling.code IS
	'hash of an author and a statement (this event is deleted, this address is deleted, this is a newer version, I vanished); see ruling_codes';
COMMENT ON COLUMN bigbrotr.ruling.key IS 'event.key of the event that makes the statement; it may be gone';
CREATE INDEX ruling_code_key_idx ON bigbrotr.ruling (code, key);
COMMENT ON INDEX bigbrotr.ruling_code_key_idx IS 'one lookup for each statement that may be made about an event';

CREATE FUNCTION bigbrotr.ruling_codes(kind integer, pubkey bytea, tags bigbrotr.tags) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'bigbrotr_ruling_codes' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.ruling_codes(integer, bytea, bigbrotr.tags) IS
	'codes (ruling.code) of the statements that an event of this kind, author and tags makes; most make none, and for a light event they are unknown';

CREATE FUNCTION bigbrotr.ruling_note() RETURNS trigger
	AS 'MODULE_PATHNAME', 'bigbrotr_ruling_note' LANGUAGE C;
COMMENT ON FUNCTION bigbrotr.ruling_note() IS 'trigger function: adds the entries of an event to bigbrotr.ruling';
CREATE TRIGGER ruling_note AFTER INSERT OR UPDATE ON bigbrotr.event FOR EACH ROW
	WHEN (NEW.tags IS NOT NULL AND (NEW.kind OPERATOR(pg_catalog.=) ANY ('{0,3,5,62}'::integer[])
		OR NEW.kind OPERATOR(pg_catalog.>=) 10000 AND NEW.kind OPERATOR(pg_catalog.<) 40000
		AND (NEW.kind OPERATOR(pg_catalog.<) 20000 OR NEW.kind OPERATOR(pg_catalog.>=) 30000)))
	EXECUTE FUNCTION bigbrotr.ruling_note();
COMMENT ON TRIGGER ruling_note ON bigbrotr.event IS
	'maintains bigbrotr.ruling; ENABLE ALWAYS on a partition records that all its entries exist, and only ruling_cover may set that';

CREATE FUNCTION bigbrotr.ruling_cover(part regclass) RETURNS bigint
	LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	n bigint;
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid OPERATOR(pg_catalog.=) part
			   AND t.tgname OPERATOR(pg_catalog.=) 'ruling_note' AND t.tgenabled OPERATOR(pg_catalog.=) 'A') THEN
		RETURN 0;
	END IF;
	IF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.<>) 'read committed' THEN
		RAISE EXCEPTION 'ruling_cover requires isolation level read committed'
			USING ERRCODE = 'invalid_transaction_state';
	END IF;
	-- keeps writers of this partition out; what is read next is all there is
	EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER ruling_note', part);
	EXECUTE pg_catalog.format('INSERT INTO bigbrotr.ruling (code, key) '
		'SELECT c.code, e.key FROM %s AS e, pg_catalog.unnest(bigbrotr.ruling_codes(e.kind, e.pubkey, e.tags)) AS c (code) '
		'WHERE NOT EXISTS (SELECT FROM bigbrotr.ruling AS r WHERE r.code OPERATOR(pg_catalog.=) c.code AND r.key OPERATOR(pg_catalog.=) e.key) '
		'ORDER BY c.code', part);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END
$$;
COMMENT ON FUNCTION bigbrotr.ruling_cover(regclass) IS
	'adds the missing entries of a partition of event to bigbrotr.ruling and marks the partition as covered; returns their number. Blocks writers of the partition; only for the owner; internal, used by partition_ensure';
