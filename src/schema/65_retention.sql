-- Retention: policies for removing events, carried out by the refresher.

CREATE TABLE bigbrotr.retention (
	name text PRIMARY KEY CHECK (octet_length(name) BETWEEN 1 AND 64),
	enabled boolean NOT NULL DEFAULT true,
	kinds integer[] CHECK (cardinality(kinds) BETWEEN 1 AND 256 AND array_position(kinds, NULL) IS NULL),
	max_age interval CHECK (max_age >= interval '1 hour' AND max_age <= interval '1000 years'),
	max_bytes bigint CHECK (max_bytes > 0),
	floor bigint,
	removed bigint NOT NULL DEFAULT 0,
	partitions bigint NOT NULL DEFAULT 0,
	removed_xid xid8,
	last_removed_at timestamptz,
	CHECK ((max_age IS NULL) <> (max_bytes IS NULL)),
	CHECK (max_bytes IS NULL OR kinds IS NULL)
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.retention IS
	'policies for removing events from the archive: by age, for some kinds or all, or the oldest months when it is too large. Insert rows here; retention_preview shows their effect';
COMMENT ON COLUMN bigbrotr.retention.name IS 'name of the policy; part of the reason for which events are refused';
COMMENT ON COLUMN bigbrotr.retention.enabled IS 'if false, it removes and refuses nothing';
COMMENT ON COLUMN bigbrotr.retention.kinds IS 'kinds it applies to; NULL means all';
COMMENT ON COLUMN bigbrotr.retention.max_age IS 'events with an older created_at are removed';
COMMENT ON COLUMN bigbrotr.retention.max_bytes IS
	'while archive_bytes() exceeds this number of bytes, the oldest month is removed: events and observations with all indexes. Analytics and what is known of relays do not count, since no removal makes them smaller';
COMMENT ON COLUMN bigbrotr.retention.floor IS
	'Unix seconds: events of these kinds with an older created_at are removed, and refused when a relay shows them again; maintained by the refresher. To get removed months back, an operator sets it to NULL and raises max_bytes';
COMMENT ON COLUMN bigbrotr.retention.removed IS 'number of events removed';
COMMENT ON COLUMN bigbrotr.retention.partitions IS 'number of partitions emptied and truncated';
COMMENT ON COLUMN bigbrotr.retention.removed_xid IS
	'transaction of the last removal; partitions are truncated when no snapshot precedes it';
COMMENT ON COLUMN bigbrotr.retention.last_removed_at IS 'when events were last removed';
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.retention', '');

CREATE FUNCTION bigbrotr.archive_partitions(OUT name text, OUT lo bigint, OUT hi bigint, OUT bytes bigint) RETURNS SETOF record
	LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN QUERY
	SELECT pg_catalog.substr(c.relname::text, 7),
		   coalesce(pg_catalog.substring(b.bound, 'FROM [(]''?(-?[0-9]+)')::bigint, 0),
		   coalesce(pg_catalog.substring(b.bound, 'TO [(]''?(-?[0-9]+)')::bigint, 9223372036854775807),
		   pg_catalog.pg_total_relation_size(c.oid) OPERATOR(pg_catalog.+) coalesce(pg_catalog.pg_total_relation_size(
			   pg_catalog.to_regclass('bigbrotr.observation_' OPERATOR(pg_catalog.||) pg_catalog.substr(c.relname::text, 7))), 0)
	FROM pg_catalog.pg_inherits AS i JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.inhrelid,
		LATERAL (SELECT pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bound) AS b
	WHERE i.inhparent OPERATOR(pg_catalog.=) 'bigbrotr.event'::pg_catalog.regclass
	ORDER BY 2;
END
$$;
COMMENT ON FUNCTION bigbrotr.archive_partitions() IS
	'pairs of partitions event_NAME and observation_NAME: keys from lo to below hi, and their size on disk in bytes';

CREATE FUNCTION bigbrotr.archive_bytes() RETURNS bigint
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	n bigint;
	packed bigint;
BEGIN
	SELECT pg_catalog.sum(p.bytes) INTO n FROM bigbrotr.archive_partitions() AS p;
	-- Files of packed observations do not shrink: what is left in them is
	-- counted, at 70 bytes beside the data for the row and its key.
	SELECT pg_catalog.sum(least(pg_catalog.pg_total_relation_size(t.oid), pg_catalog.pg_stat_get_live_tuples(t.oid)
			OPERATOR(pg_catalog.*) (coalesce(s.avg_width, 2000) OPERATOR(pg_catalog.+) 70))) INTO packed
	FROM (VALUES ('bigbrotr.observation_by_event'::pg_catalog.regclass, 'observation_by_event'),
			('bigbrotr.observation_by_relay'::pg_catalog.regclass, 'observation_by_relay')) AS t (oid, name)
	LEFT JOIN pg_catalog.pg_stats AS s ON s.schemaname OPERATOR(pg_catalog.=) 'bigbrotr'
		AND s.tablename OPERATOR(pg_catalog.=) t.name AND s.attname OPERATOR(pg_catalog.=) 'data';
	RETURN coalesce(n, 0) OPERATOR(pg_catalog.+) coalesce(packed, 0);
END
$$;
COMMENT ON FUNCTION bigbrotr.archive_bytes() IS
	'size of events and observations on disk with all indexes, in bytes; packed observations are estimated from statistics';

CREATE FUNCTION bigbrotr.retention_preview(OUT policy text, OUT events bigint, OUT oldest timestamptz, OUT newest timestamptz,
		OUT bytes_now bigint) RETURNS SETOF record
	LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	r record;
	below bigint;
	months numeric;
BEGIN
	bytes_now := bigbrotr.archive_bytes();
	SELECT greatest(pg_catalog.sum(p.bytes), 1) INTO months FROM bigbrotr.archive_partitions() AS p;
	FOR r IN SELECT * FROM bigbrotr.retention AS t ORDER BY t.name LOOP
		IF r.max_age IS NOT NULL THEN
			below := bigbrotr.partition_bound(pg_catalog.now() OPERATOR(pg_catalog.-) r.max_age);
		ELSE
			-- as many of the oldest months as are over the limit, what is packed counted in their
			-- proportion; empty ones take less than 256 kB
			SELECT pg_catalog.max(q.hi) INTO below FROM (
				SELECT p.hi, coalesce(pg_catalog.sum(p.bytes) OVER (ORDER BY p.lo ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
				FROM bigbrotr.archive_partitions() AS p
				WHERE p.bytes OPERATOR(pg_catalog.>) 262144 AND p.hi OPERATOR(pg_catalog.<=) bigbrotr.partition_bound(pg_catalog.now())) AS q
			WHERE (q.before OPERATOR(pg_catalog.*) bytes_now OPERATOR(pg_catalog./) months) OPERATOR(pg_catalog.<) (bytes_now OPERATOR(pg_catalog.-) r.max_bytes);
		END IF;
		policy := r.name;
		SELECT pg_catalog.count(*), pg_catalog.to_timestamp(pg_catalog.min(e.key) OPERATOR(pg_catalog.>>) 29),
			   pg_catalog.to_timestamp(pg_catalog.max(e.key) OPERATOR(pg_catalog.>>) 29)
		INTO events, oldest, newest FROM bigbrotr.event AS e
		WHERE e.key OPERATOR(pg_catalog.<) below AND (r.kinds IS NULL OR e.kind OPERATOR(pg_catalog.=) ANY (r.kinds));
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION bigbrotr.retention_preview() IS
	'what each retention policy would remove now, enabled or not: number of events, oldest and newest created_at, and the current archive_bytes; changes nothing';
