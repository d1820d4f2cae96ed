-- Maintaining the analytics: refresh, rebuild, verify; removing from the archive.

CREATE FUNCTION bigbrotr.refresh(name text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'bigbrotr_refresh' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET jit = off;
COMMENT ON FUNCTION bigbrotr.refresh(text) IS
	'brings an analytics view (name, see analytics_status; NULL: all) up to date; returns how many events and observations were counted. Views share their tallies, so all counted views are refreshed';
CREATE FUNCTION bigbrotr.rebuild(name text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'bigbrotr_rebuild' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET jit = off;
COMMENT ON FUNCTION bigbrotr.rebuild(text) IS
	'recomputes the tallies of an analytics view (name, see analytics_status; NULL: all) from the archive, in one transaction that can be canceled; returns the number of events counted. Views share their tallies, so all counted views are rebuilt';
CREATE FUNCTION bigbrotr.verify(name text DEFAULT NULL, OUT view text, OUT rows bigint, OUT missing bigint,
		OUT surplus bigint, OUT columns text, OUT sample text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'bigbrotr_verify' LANGUAGE C VOLATILE PARALLEL UNSAFE
	ROWS 15 SET search_path = pg_catalog, pg_temp SET jit = off;
COMMENT ON FUNCTION bigbrotr.verify(text) IS
	'compares an analytics view (name, see analytics_status; NULL: all) with a full recomputation from the archive, after counting what waits: number of rows, rows missing in the view, surplus rows, columns in which rows of the same key differ, and one such row as JSON';

CREATE FUNCTION bigbrotr.event_delete(keys bigint[]) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	size CONSTANT integer := 200;
	slice bigint[];
	lo bigint;
	hi bigint;
	gone bigint[];
	pubkeys bytea[];
	kinds integer[];
	times bigint[];
	ds bytea[];
	seen_keys bigint[];
	seen_relays integer[];
	packed_keys bigint[];
	packed_relays integer[];
	rulings bigint[];
	ruling_keys bigint[];
	n bigint := 0;
BEGIN
	-- Nobody is between an observation and its commit while we look: none is
	-- left behind, and what comes later stands behind us in the queue.
	IF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.<>) 'read committed' THEN
		RAISE EXCEPTION 'removing from the archive requires isolation level read committed'
			USING ERRCODE = 'invalid_transaction_state';
	END IF;
	-- in the order in which writers take the two locks
	PERFORM bigbrotr.packed_delete('{}');
	LOCK TABLE bigbrotr.observation IN SHARE ROW EXCLUSIVE MODE;
	FOR i IN 0 .. (coalesce(pg_catalog.cardinality(keys), 0) OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog./) size LOOP
		SELECT pg_catalog.array_agg(DISTINCT k.key), pg_catalog.min(k.key), pg_catalog.max(k.key) INTO slice, lo, hi
		FROM pg_catalog.unnest(keys[i OPERATOR(pg_catalog.*) size OPERATOR(pg_catalog.+) 1 : (i OPERATOR(pg_catalog.+) 1) OPERATOR(pg_catalog.*) size]) AS k (key);
		-- first, for the lock that it takes: nothing of them is packed from now on
		SELECT pg_catalog.array_agg(o.key), pg_catalog.array_agg(o.relay_id) INTO packed_keys, packed_relays
		FROM bigbrotr.packed_delete(slice) AS o;
		WITH e AS (DELETE FROM bigbrotr.event AS e WHERE e.key OPERATOR(pg_catalog.=) ANY (slice)
				AND e.key OPERATOR(pg_catalog.>=) lo AND e.key OPERATOR(pg_catalog.<=) hi
				RETURNING e.key, e.pubkey, e.kind, e.created_at, bigbrotr.d_digest(e.tags) AS d,
					bigbrotr.ruling_codes(e.kind, e.pubkey, e.tags) AS codes),
			c AS (SELECT u.code, e.key FROM e, pg_catalog.unnest(e.codes) AS u (code))
		SELECT pg_catalog.array_agg(e.key), pg_catalog.array_agg(e.pubkey), pg_catalog.array_agg(e.kind),
			   pg_catalog.array_agg(e.created_at), pg_catalog.array_agg(e.d),
			   (SELECT pg_catalog.array_agg(c.code) FROM c), (SELECT pg_catalog.array_agg(c.key) FROM c)
		INTO gone, pubkeys, kinds, times, ds, rulings, ruling_keys FROM e;
		IF rulings IS NOT NULL THEN
			-- the first condition for the index, whatever the planner expects
			DELETE FROM bigbrotr.ruling AS r USING ROWS FROM (pg_catalog.unnest(rulings), pg_catalog.unnest(ruling_keys)) AS u (code, key)
			WHERE r.code OPERATOR(pg_catalog.=) ANY (rulings) AND r.code OPERATOR(pg_catalog.=) u.code
				AND r.key OPERATOR(pg_catalog.=) u.key;
		END IF;
		-- later than the events: what was seen of them in between goes too
		WITH o AS (DELETE FROM bigbrotr.observation AS o WHERE o.key OPERATOR(pg_catalog.=) ANY (slice)
				AND o.key OPERATOR(pg_catalog.>=) lo AND o.key OPERATOR(pg_catalog.<=) hi RETURNING o.key, o.relay_id)
		SELECT pg_catalog.array_agg(o.key), pg_catalog.array_agg(o.relay_id) INTO seen_keys, seen_relays FROM o;
		CONTINUE WHEN gone IS NULL AND seen_keys IS NULL AND packed_keys IS NULL;
		INSERT INTO bigbrotr.ingest_delta (removed, keys, seen_keys, seen_relays, gone, pubkeys, kinds, created_ats, ds)
		VALUES (true, coalesce(gone, '{}'), coalesce(pg_catalog.array_cat(seen_keys, packed_keys), '{}'),
				coalesce(pg_catalog.array_cat(seen_relays, packed_relays), '{}'),
				pg_catalog.array_fill(true, ARRAY[coalesce(pg_catalog.cardinality(gone), 0)]), coalesce(pubkeys, '{}'),
				coalesce(kinds, '{}'), coalesce(times, '{}'), coalesce(ds, '{}'));
		n := n OPERATOR(pg_catalog.+) coalesce(pg_catalog.cardinality(gone), 0);
	END LOOP;
	RETURN n;
END
$$;
COMMENT ON FUNCTION bigbrotr.event_delete(bigint[]) IS
	'removes events (event.key) and their observations from the archive and from the analytics; returns the number of events. Blocks ingest until the transaction ends, so pass few at a time. A plain DELETE leaves the analytics wrong: verify finds that, rebuild repairs it. Only for the owner';
CREATE FUNCTION bigbrotr.observation_delete(relay_id integer, keys bigint[]) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	size CONSTANT integer := 1000;
	slice bigint[];
	lo bigint;
	hi bigint;
	gone bigint[];
	packed bigint[];
	n bigint := 0;
BEGIN
	-- Nobody is between an observation and its commit while we look: none is
	-- left behind, and what comes later stands behind us in the queue.
	IF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.<>) 'read committed' THEN
		RAISE EXCEPTION 'removing from the archive requires isolation level read committed'
			USING ERRCODE = 'invalid_transaction_state';
	END IF;
	-- in the order in which writers take the two locks
	PERFORM bigbrotr.packed_delete('{}');
	LOCK TABLE bigbrotr.observation IN SHARE ROW EXCLUSIVE MODE;
	FOR i IN 0 .. (coalesce(pg_catalog.cardinality(keys), 0) OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog./) size LOOP
		SELECT pg_catalog.array_agg(DISTINCT k.key), pg_catalog.min(k.key), pg_catalog.max(k.key) INTO slice, lo, hi
		FROM pg_catalog.unnest(keys[i OPERATOR(pg_catalog.*) size OPERATOR(pg_catalog.+) 1 : (i OPERATOR(pg_catalog.+) 1) OPERATOR(pg_catalog.*) size]) AS k (key);
		SELECT pg_catalog.array_agg(o.key) INTO packed FROM bigbrotr.packed_delete(slice, observation_delete.relay_id) AS o;
		WITH o AS (DELETE FROM bigbrotr.observation AS o WHERE o.relay_id OPERATOR(pg_catalog.=) observation_delete.relay_id
				AND o.key OPERATOR(pg_catalog.=) ANY (slice)
				AND o.key OPERATOR(pg_catalog.>=) lo AND o.key OPERATOR(pg_catalog.<=) hi RETURNING o.key)
		SELECT pg_catalog.array_agg(o.key) INTO gone FROM o;
		gone := pg_catalog.array_cat(gone, packed);
		CONTINUE WHEN gone IS NULL;
		INSERT INTO bigbrotr.ingest_delta (removed, keys, seen_keys, seen_relays, gone, pubkeys, kinds, created_ats, ds)
		SELECT true, coalesce(pg_catalog.array_agg(e.key), '{}'), gone,
			   pg_catalog.array_fill(observation_delete.relay_id, ARRAY[pg_catalog.cardinality(gone)]),
			   pg_catalog.array_fill(false, ARRAY[pg_catalog.count(e.key)::integer]), coalesce(pg_catalog.array_agg(e.pubkey), '{}'),
			   coalesce(pg_catalog.array_agg(e.kind), '{}'), coalesce(pg_catalog.array_agg(e.created_at), '{}'),
			   coalesce(pg_catalog.array_agg(bigbrotr.d_digest(e.tags)), '{}')
		FROM bigbrotr.event AS e WHERE e.key OPERATOR(pg_catalog.=) ANY (gone)
			AND e.key OPERATOR(pg_catalog.>=) lo AND e.key OPERATOR(pg_catalog.<=) hi;
		n := n OPERATOR(pg_catalog.+) pg_catalog.cardinality(gone);
	END LOOP;
	RETURN n;
END
$$;
COMMENT ON FUNCTION bigbrotr.observation_delete(integer, bigint[]) IS
	'removes observations (event.key) of one relay (relay.id) from the archive and from the analytics; returns how many. Only for the owner';
