-- Orphans: what nothing refers to any more, removed in batches by the refresher.

CREATE TABLE bigbrotr.orphan (
	kind text PRIMARY KEY CHECK (kind IN ('observation', 'document', 'sample')),
	position bigint NOT NULL DEFAULT 0,
	removed bigint NOT NULL DEFAULT 0,
	rounds bigint NOT NULL DEFAULT 0,
	round_at timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.orphan IS 'progress of removing what nothing refers to any more';
COMMENT ON COLUMN bigbrotr.orphan.kind IS
	'what is removed: observation (of an event that is gone), document (that no relay has), sample (of a rejected event, 90 days after the last one)';
COMMENT ON COLUMN bigbrotr.orphan.position IS 'observation: key that the current round has reached; otherwise unused';
COMMENT ON COLUMN bigbrotr.orphan.removed IS 'number of rows removed (sample: emptied, the counts stay)';
COMMENT ON COLUMN bigbrotr.orphan.rounds IS 'number of rounds finished';
COMMENT ON COLUMN bigbrotr.orphan.round_at IS 'when the last round finished';
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.orphan', '');

CREATE FUNCTION bigbrotr.orphan_observation(size integer, OUT handled bigint, OUT gone bigint)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	since bigint;
	lo bigint;
	hi bigint;
	n bigint;
	keys bigint[];
	patience text := pg_catalog.current_setting('lock_timeout');
BEGIN
	SELECT o.position INTO since FROM bigbrotr.orphan AS o WHERE o.kind OPERATOR(pg_catalog.=) 'observation';
	SELECT pg_catalog.min(o.key), pg_catalog.max(o.key), pg_catalog.count(*) INTO lo, hi, n
	FROM (SELECT a.key FROM bigbrotr.observation_all AS a WHERE a.key OPERATOR(pg_catalog.>=) since ORDER BY a.key LIMIT size) AS o;
	handled := n;
	gone := 0;
	IF n OPERATOR(pg_catalog.>) 0 THEN
		SELECT pg_catalog.array_agg(o.key) INTO keys
		FROM (SELECT DISTINCT a.key FROM bigbrotr.observation_all AS a
			  WHERE a.key OPERATOR(pg_catalog.>=) lo AND a.key OPERATOR(pg_catalog.<=) hi) AS o
		LEFT JOIN (SELECT e.key FROM bigbrotr.event AS e WHERE e.key OPERATOR(pg_catalog.>=) lo AND e.key OPERATOR(pg_catalog.<=) hi) AS e
			ON e.key OPERATOR(pg_catalog.=) o.key
		WHERE e.key IS NULL;
		IF keys IS NOT NULL THEN
			gone := pg_catalog.cardinality(keys);
			-- writers would wait behind us for a transaction that is open
			BEGIN
				PERFORM pg_catalog.set_config('lock_timeout', '300ms', true);
				PERFORM bigbrotr.event_delete(keys);
				PERFORM pg_catalog.set_config('lock_timeout', patience, true);
			EXCEPTION WHEN lock_not_available THEN
				handled := 0;
				gone := 0;
				RETURN;
			END;
		END IF;
	END IF;
	UPDATE bigbrotr.orphan AS o SET removed = o.removed OPERATOR(pg_catalog.+) gone,
		position = CASE WHEN n OPERATOR(pg_catalog.<) size THEN 0 ELSE hi OPERATOR(pg_catalog.+) 1 END,
		rounds = o.rounds OPERATOR(pg_catalog.+) (n OPERATOR(pg_catalog.<) size)::integer,
		round_at = CASE WHEN n OPERATOR(pg_catalog.<) size THEN pg_catalog.now() ELSE o.round_at END
	WHERE o.kind OPERATOR(pg_catalog.=) 'observation';
END
$$;
COMMENT ON FUNCTION bigbrotr.orphan_observation(integer) IS
	'examines the next size observations and removes those whose event is gone; gone is the number of such events; internal, used by orphan_clean';

CREATE FUNCTION bigbrotr.orphan_document(size integer) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	n bigint;
BEGIN
	IF NOT EXISTS (SELECT FROM bigbrotr.document AS d WHERE NOT EXISTS
				   (SELECT FROM bigbrotr.relay_document AS r WHERE r.document_id OPERATOR(pg_catalog.=) d.id)) THEN
		RETURN 0;
	END IF;
	-- a check that finds the same again would refer to what is being removed
	BEGIN
		LOCK TABLE bigbrotr.relay_document IN SHARE MODE NOWAIT;
	EXCEPTION WHEN lock_not_available THEN
		RETURN 0;
	END;
	WITH gone AS (DELETE FROM bigbrotr.document AS d WHERE d.ctid OPERATOR(pg_catalog.=) ANY (ARRAY(
			SELECT x.ctid FROM bigbrotr.document AS x WHERE NOT EXISTS
				(SELECT FROM bigbrotr.relay_document AS r WHERE r.document_id OPERATOR(pg_catalog.=) x.id) LIMIT size)) RETURNING 1)
	SELECT pg_catalog.count(*) INTO n FROM gone;
	UPDATE bigbrotr.orphan AS o SET removed = o.removed OPERATOR(pg_catalog.+) n WHERE o.kind OPERATOR(pg_catalog.=) 'document';
	RETURN n;
END
$$;
COMMENT ON FUNCTION bigbrotr.orphan_document(integer) IS
	'removes at most size documents that no relay has; internal, used by orphan_clean';

CREATE FUNCTION bigbrotr.orphan_sample(size integer) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	n bigint;
BEGIN
	WITH old AS (UPDATE bigbrotr.rejected_event AS r SET sample = NULL, detail = NULL
		WHERE r.ctid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT x.ctid FROM bigbrotr.rejected_event AS x
			WHERE x.sample IS NOT NULL AND x.last_seen_at OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) '90 days'::interval)
			LIMIT size FOR UPDATE SKIP LOCKED)) RETURNING 1)
	SELECT pg_catalog.count(*) INTO n FROM old;
	UPDATE bigbrotr.orphan AS o SET removed = o.removed OPERATOR(pg_catalog.+) n WHERE o.kind OPERATOR(pg_catalog.=) 'sample';
	RETURN n;
END
$$;
COMMENT ON FUNCTION bigbrotr.orphan_sample(integer) IS
	'empties at most size samples of events rejected long ago; internal, used by orphan_clean';

CREATE FUNCTION bigbrotr.orphan_clean(force boolean DEFAULT false, size integer DEFAULT 20000) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	r record;
	n bigint := 0;
BEGIN
	IF coalesce(size, 0) OPERATOR(pg_catalog.<) 1 THEN
		RAISE EXCEPTION 'size must be positive' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	INSERT INTO bigbrotr.orphan (kind) SELECT k.kind FROM pg_catalog.unnest('{observation,document,sample}'::text[]) AS k (kind)
	WHERE NOT EXISTS (SELECT FROM bigbrotr.orphan AS o WHERE o.kind OPERATOR(pg_catalog.=) k.kind) ON CONFLICT DO NOTHING;
	SELECT * INTO r FROM bigbrotr.orphan AS o WHERE o.kind OPERATOR(pg_catalog.=) 'observation';
	IF force OR r.position OPERATOR(pg_catalog.>) 0 OR r.round_at IS NULL
		OR r.round_at OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) '7 days'::interval) THEN
		SELECT x.handled INTO n FROM bigbrotr.orphan_observation(size) AS x;
	END IF;
	SELECT * INTO r FROM bigbrotr.orphan AS o WHERE o.kind OPERATOR(pg_catalog.=) 'document';
	IF force OR r.round_at IS NULL OR r.round_at OPERATOR(pg_catalog.<) (pg_catalog.now() OPERATOR(pg_catalog.-) '1 day'::interval) THEN
		IF (bigbrotr.orphan_document(1000) OPERATOR(pg_catalog.+) bigbrotr.orphan_sample(1000)) OPERATOR(pg_catalog.<) 1000 THEN
			UPDATE bigbrotr.orphan AS o SET rounds = o.rounds OPERATOR(pg_catalog.+) 1, round_at = pg_catalog.now()
			WHERE o.kind OPERATOR(pg_catalog.<>) 'observation';
		ELSE
			RETURN greatest(n, size);
		END IF;
	END IF;
	RETURN n;
END
$$;
COMMENT ON FUNCTION bigbrotr.orphan_clean(boolean, integer) IS
	'removes one batch of orphans, see table orphan; returns how many observations were examined: size or more means that there is more. With force, before a round is due. Only for the owner';
