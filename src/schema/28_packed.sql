-- The compact tier: observations of closed months as packed lists
-- (src/nostr/obspack.h), once by event and once by relay, so that each
-- direction is one index lookup.  See src/pg/compact.h.

CREATE TABLE bigbrotr.observation_by_event (
	first_key bigint PRIMARY KEY CHECK (first_key >= 0),
	last_key bigint NOT NULL,
	n integer NOT NULL CHECK (n > 0),
	data bytea NOT NULL,
	CHECK (last_key >= first_key)
);
COMMENT ON TABLE bigbrotr.observation_by_event IS
	'packed observations by event: which relays served the events of a range of keys; read them through observation_all';
COMMENT ON COLUMN bigbrotr.observation_by_event.first_key IS 'event.key of the first item; ranges never overlap';
COMMENT ON COLUMN bigbrotr.observation_by_event.last_key IS 'event.key of the last item';
COMMENT ON COLUMN bigbrotr.observation_by_event.n IS 'number of observations in the block';
COMMENT ON COLUMN bigbrotr.observation_by_event.data IS 'packed observations; format in src/nostr/obspack.h';

CREATE TABLE bigbrotr.observation_by_relay (
	first_key bigint NOT NULL CHECK (first_key >= 0),
	last_key bigint NOT NULL,
	relay_id integer NOT NULL CHECK (relay_id > 0),
	n integer NOT NULL CHECK (n > 0),
	data bytea NOT NULL,
	PRIMARY KEY (relay_id, first_key),
	CHECK (last_key >= first_key)
);
COMMENT ON TABLE bigbrotr.observation_by_relay IS
	'the same packed observations by relay: which events of a range of keys it served; read them through observation_all';
COMMENT ON COLUMN bigbrotr.observation_by_relay.first_key IS 'event.key of the first item; ranges of one relay never overlap';
COMMENT ON COLUMN bigbrotr.observation_by_relay.last_key IS 'event.key of the last item';
COMMENT ON COLUMN bigbrotr.observation_by_relay.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.observation_by_relay.n IS 'number of observations in the block';
COMMENT ON COLUMN bigbrotr.observation_by_relay.data IS 'packed observations; format in src/nostr/obspack.h';

-- Four blocks fill a page; they do not compress any further.  Few rows, each
-- worth hundreds: vacuumed early.
ALTER TABLE bigbrotr.observation_by_event ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE bigbrotr.observation_by_relay ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE bigbrotr.observation_by_event SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE bigbrotr.observation_by_relay SET (autovacuum_vacuum_scale_factor = 0.05);

CREATE FUNCTION bigbrotr.packed_handler() RETURNS fdw_handler
	AS 'MODULE_PATHNAME', 'bigbrotr_packed_handler' LANGUAGE C STRICT;
COMMENT ON FUNCTION bigbrotr.packed_handler() IS
	'foreign data wrapper handler: scans packed observations by relay, by key, or whole';
CREATE FOREIGN DATA WRAPPER bigbrotr_packed HANDLER bigbrotr.packed_handler NO VALIDATOR;
COMMENT ON FOREIGN DATA WRAPPER bigbrotr_packed IS
	'presents the packed observations of this database as rows; accesses nothing foreign';
CREATE SERVER bigbrotr_packed FOREIGN DATA WRAPPER bigbrotr_packed;
COMMENT ON SERVER bigbrotr_packed IS 'this database, for foreign table observation_packed';

CREATE FOREIGN TABLE bigbrotr.observation_packed (
	key bigint NOT NULL,
	relay_id integer NOT NULL,
	seen_at integer NOT NULL
) SERVER bigbrotr_packed;
COMMENT ON FOREIGN TABLE bigbrotr.observation_packed IS 'packed observations as rows';
COMMENT ON COLUMN bigbrotr.observation_packed.key IS 'event.key';
COMMENT ON COLUMN bigbrotr.observation_packed.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.observation_packed.seen_at IS 'seconds since 2020-01-01 00:00 UTC';

CREATE VIEW bigbrotr.observation_all AS
	SELECT key, relay_id, seen_at FROM bigbrotr.observation
	UNION ALL
	SELECT key, relay_id, seen_at FROM bigbrotr.observation_packed;
COMMENT ON VIEW bigbrotr.observation_all IS
	'which relay served which event, and when it was first seen there: rows and packed observations; fast by relay_id, by key, and by both';
COMMENT ON COLUMN bigbrotr.observation_all.key IS 'event.key';
COMMENT ON COLUMN bigbrotr.observation_all.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.observation_all.seen_at IS 'seconds since 2020-01-01 00:00 UTC; view event_relay has Unix seconds';

CREATE TABLE bigbrotr.compaction (
	partition text PRIMARY KEY,
	position bigint,
	observations bigint NOT NULL DEFAULT 0,
	duplicates bigint NOT NULL DEFAULT 0,
	slices bigint NOT NULL DEFAULT 0,
	started_at timestamptz,
	finished_at timestamptz,
	moved_xid xid8,
	inserts_seen bigint,
	looked_at timestamptz,
	waiting_since timestamptz,
	quiet boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.compaction IS
	'progress of packing, by closed partition of observation; not dumped, since a restored archive starts anew';
COMMENT ON COLUMN bigbrotr.compaction.partition IS 'partition of observation';
COMMENT ON COLUMN bigbrotr.compaction.position IS 'everything below this key is packed; NULL if not being packed';
COMMENT ON COLUMN bigbrotr.compaction.observations IS 'total number of rows packed';
COMMENT ON COLUMN bigbrotr.compaction.duplicates IS 'number of rows dropped because they were packed already';
COMMENT ON COLUMN bigbrotr.compaction.slices IS 'number of transactions used';
COMMENT ON COLUMN bigbrotr.compaction.started_at IS 'when packing last started';
COMMENT ON COLUMN bigbrotr.compaction.finished_at IS 'when packing last finished';
COMMENT ON COLUMN bigbrotr.compaction.moved_xid IS
	'transaction that packed the last rows; the empty partition is truncated when no snapshot precedes it';
COMMENT ON COLUMN bigbrotr.compaction.inserts_seen IS 'number of rows ever inserted, when last looked at';
COMMENT ON COLUMN bigbrotr.compaction.looked_at IS 'when it was last examined for rows that arrived late';
COMMENT ON COLUMN bigbrotr.compaction.waiting_since IS 'since when there are enough rows to pack';
COMMENT ON COLUMN bigbrotr.compaction.quiet IS 'whether few rows arrived between the last two looks';

CREATE FUNCTION bigbrotr.compact_step(force boolean DEFAULT false, max_rows integer DEFAULT 100000) RETURNS boolean
	AS 'MODULE_PATHNAME', 'bigbrotr_compact_step' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION bigbrotr.compact_step(boolean, integer) IS
	'packs at most max_rows observations of the oldest partition that is due (with force: older than bigbrotr.compact_after, quiet or not), in this transaction; returns whether there may be more. Only for the owner';
CREATE FUNCTION bigbrotr.packed_unpack(first_key bigint, relay integer, data bytea,
		OUT key bigint, OUT relay_id integer, OUT seen_at integer) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'bigbrotr_packed_unpack' LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 400;
COMMENT ON FUNCTION bigbrotr.packed_unpack(bigint, integer, bytea) IS
	'observations in one block of observation_by_event (relay 0) or observation_by_relay';
CREATE FUNCTION bigbrotr.packed_delete(keys bigint[], relay integer DEFAULT 0, OUT key bigint, OUT relay_id integer)
	RETURNS SETOF record AS 'MODULE_PATHNAME', 'bigbrotr_packed_delete' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION bigbrotr.packed_delete(bigint[], integer) IS
	'removes packed observations of these events (event.key; relay 0: of all relays) and returns them; internal, used by event_delete and observation_delete';
CREATE FUNCTION bigbrotr.packed_verify(OUT relay_id integer, OUT key bigint, OUT wrong text) RETURNS SETOF record
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN QUERY
	SELECT coalesce(e.relay_id, r.relay_id), coalesce(e.key, r.key),
		   CASE WHEN e.key IS NULL THEN 'only by relay' WHEN r.key IS NULL THEN 'only by event'
				ELSE 'different seen_at' END
	FROM (SELECT u.key, u.relay_id, u.seen_at FROM bigbrotr.observation_by_event AS b,
		  bigbrotr.packed_unpack(b.first_key, 0, b.data) AS u) AS e
	FULL JOIN (SELECT u.key, u.relay_id, u.seen_at FROM bigbrotr.observation_by_relay AS b,
		  bigbrotr.packed_unpack(b.first_key, b.relay_id, b.data) AS u) AS r
		ON e.key OPERATOR(pg_catalog.=) r.key AND e.relay_id OPERATOR(pg_catalog.=) r.relay_id
	WHERE e.seen_at IS DISTINCT FROM r.seen_at;
END
$$;
COMMENT ON FUNCTION bigbrotr.packed_verify() IS
	'differences between the two forms of the packed observations; none unless the archive was modified by hand. Reads all of them';

SELECT pg_catalog.pg_extension_config_dump('bigbrotr.observation_by_event', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.observation_by_relay', '');

CREATE TABLE bigbrotr.index_pack (
	partition text PRIMARY KEY,
	inserts_seen bigint,
	looked_at timestamptz,
	quiet boolean NOT NULL DEFAULT false,
	tried_at timestamptz,
	packed_at timestamptz,
	bytes bigint
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.index_pack IS
	'closed partitions of event whose btree indexes the refresher rebuilds once they are quiet; not dumped, since a restored archive starts anew';
COMMENT ON COLUMN bigbrotr.index_pack.partition IS 'partition of event';
COMMENT ON COLUMN bigbrotr.index_pack.inserts_seen IS 'number of rows ever inserted, when last looked at';
COMMENT ON COLUMN bigbrotr.index_pack.looked_at IS 'when it was last examined';
COMMENT ON COLUMN bigbrotr.index_pack.quiet IS 'whether few rows arrived between the last two looks';
COMMENT ON COLUMN bigbrotr.index_pack.tried_at IS 'when rebuilding last started';
COMMENT ON COLUMN bigbrotr.index_pack.packed_at IS 'when rebuilding last finished';
COMMENT ON COLUMN bigbrotr.index_pack.bytes IS
	'size of the btree indexes at that time, in bytes; they are rebuilt when they have grown by a fifth';
