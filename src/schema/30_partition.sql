-- Partitions of event and observation: event_old, event_2020 to event_2022,
-- event_2023_01 and on by month, event_future.  None is made by CREATE
-- EXTENSION: a restore would find them in its way.

CREATE FUNCTION bigbrotr.partition_bound(at timestamptz) RETURNS bigint
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	-- keys hold 34 bits of seconds
	RETURN CASE WHEN at OPERATOR(pg_catalog.<) '1970-01-01 00:00+00' THEN 0
		WHEN at OPERATOR(pg_catalog.>=) '2514-05-30 01:53:04+00' THEN 9223372036854775807
		ELSE pg_catalog.floor(pg_catalog.date_part('epoch', at))::bigint OPERATOR(pg_catalog.<<) 29 END;
END
$$;
COMMENT ON FUNCTION bigbrotr.partition_bound(timestamptz) IS
	'smallest key of an event of this second; defined for any time, including infinity';

CREATE FUNCTION bigbrotr.partition_make(suffix text, lo bigint, hi bigint) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	parent text;
	part text;
	low text := coalesce(lo::text, 'MINVALUE');
	high text := coalesce(hi::text, 'MAXVALUE');
BEGIN
	FOREACH parent IN ARRAY ARRAY['event', 'observation'] LOOP
		part := parent OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) suffix;
		CONTINUE WHEN pg_catalog.to_regclass(pg_catalog.format('bigbrotr.%I', part)) IS NOT NULL;
		EXECUTE pg_catalog.format('CREATE TABLE bigbrotr.%I (LIKE bigbrotr.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
								  part, parent);
		IF parent OPERATOR(pg_catalog.=) 'event' THEN
			EXECUTE pg_catalog.format('ALTER TABLE bigbrotr.%I ADD PRIMARY KEY (key)', part);
			-- what each is for and costs: docs/queries.md
			EXECUTE pg_catalog.format('CREATE INDEX ON bigbrotr.%I (kind, bigbrotr.time_slot(key))', part);
			EXECUTE pg_catalog.format('CREATE INDEX ON bigbrotr.%I (bigbrotr.author_code(pubkey, kind), bigbrotr.time_code(key))', part);
			EXECUTE pg_catalog.format('CREATE INDEX ON bigbrotr.%I (bigbrotr.id_code(id))', part);
			EXECUTE pg_catalog.format('CREATE INDEX ON bigbrotr.%I USING gin (tags) WITH (fastupdate = off)', part);
			PERFORM bigbrotr.search_index_make(pg_catalog.format('bigbrotr.%I', part)::regclass);
			EXECUTE pg_catalog.format('ALTER TABLE bigbrotr.%I ALTER COLUMN tags SET COMPRESSION lz4, '
									  'ALTER COLUMN content SET COMPRESSION lz4', part);
			-- Never updated: frozen by the vacuum that first sees a page.  Two rows
			-- to a page before TOAST is used take 2.4 % less than four.
			EXECUTE pg_catalog.format('ALTER TABLE bigbrotr.%I SET (toast_tuple_target = 4064, '
									  'autovacuum_freeze_min_age = 0, toast.autovacuum_freeze_min_age = 0, '
									  'autovacuum_vacuum_insert_scale_factor = 0.1)', part);
		ELSE
			EXECUTE pg_catalog.format('ALTER TABLE bigbrotr.%I ADD PRIMARY KEY (relay_id, key)', part);
			EXECUTE pg_catalog.format('CREATE INDEX ON bigbrotr.%I (key)', part);
			-- index-only scans of what a relay has need vacuumed pages
			EXECUTE pg_catalog.format('ALTER TABLE bigbrotr.%I SET (autovacuum_vacuum_insert_scale_factor = 0.1)', part);
		END IF;
		EXECUTE pg_catalog.format('COMMENT ON TABLE bigbrotr.%I IS %L', part,
			'partition of ' OPERATOR(pg_catalog.||) parent OPERATOR(pg_catalog.||) ', made by partition_ensure');
		EXECUTE pg_catalog.format('ALTER TABLE bigbrotr.%I ATTACH PARTITION bigbrotr.%I FOR VALUES FROM (%s) TO (%s)',
								  parent, part, low, high);
		IF parent OPERATOR(pg_catalog.=) 'event' THEN
			PERFORM bigbrotr.ruling_cover(pg_catalog.format('bigbrotr.%I', part)::regclass);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION bigbrotr.partition_make(text, bigint, bigint) IS
	'creates one pair of partitions of event and observation, for keys from lo to below hi; internal, used by partition_ensure';

CREATE FUNCTION bigbrotr.partition_month(suffix text, lo bigint, hi bigint) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	parent text;
	part text;
BEGIN
	FOREACH parent IN ARRAY ARRAY['event', 'observation'] LOOP
		EXECUTE pg_catalog.format('ALTER TABLE bigbrotr.%I DETACH PARTITION bigbrotr.%I', parent,
								  parent OPERATOR(pg_catalog.||) '_future');
	END LOOP;
	PERFORM bigbrotr.partition_make(suffix, lo, hi);
	FOREACH parent IN ARRAY ARRAY['event', 'observation'] LOOP
		part := parent OPERATOR(pg_catalog.||) '_future';
		EXECUTE pg_catalog.format('WITH gone AS (DELETE FROM bigbrotr.%I WHERE key OPERATOR(pg_catalog.<) %s RETURNING *) '
								  'INSERT INTO bigbrotr.%I SELECT * FROM gone', part, hi, parent);
		EXECUTE pg_catalog.format('ALTER TABLE bigbrotr.%I ATTACH PARTITION bigbrotr.%I FOR VALUES FROM (%s) TO (MAXVALUE)',
								  parent, part, hi);
	END LOOP;
END
$$;
COMMENT ON FUNCTION bigbrotr.partition_month(text, bigint, bigint) IS
	'splits one month off the partitions for future events; internal, used by partition_ensure';

CREATE FUNCTION bigbrotr.partition_ensure(until timestamptz DEFAULT now() + interval '2 months') RETURNS integer
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
	AS $$
DECLARE
	made integer := 0;
	fresh boolean;
	m timestamptz;
	nxt timestamptz;
	suffix text;
BEGIN
	IF until OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.+) '10 years'::interval) THEN
		RAISE EXCEPTION 'partitions can be created at most ten years ahead'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	-- one at a time; workers that only write are not kept out
	LOCK TABLE bigbrotr.event IN SHARE UPDATE EXCLUSIVE MODE;
	fresh := pg_catalog.to_regclass('bigbrotr.event_future') IS NULL;
	IF fresh THEN
		PERFORM bigbrotr.partition_make('old', NULL, bigbrotr.partition_bound('2020-01-01'));
		FOR y IN 2020 .. 2022 LOOP
			PERFORM bigbrotr.partition_make(y::text,
				bigbrotr.partition_bound(pg_catalog.make_timestamptz(y, 1, 1, 0, 0, 0)),
				bigbrotr.partition_bound(pg_catalog.make_timestamptz(y OPERATOR(pg_catalog.+) 1, 1, 1, 0, 0, 0)));
		END LOOP;
		made := 4;
	END IF;
	m := '2023-01-01 00:00+00';
	WHILE m OPERATOR(pg_catalog.<=) until LOOP
		nxt := m OPERATOR(pg_catalog.+) '1 month'::interval;
		suffix := pg_catalog.to_char(m, 'YYYY_MM');
		IF pg_catalog.to_regclass('bigbrotr.event_' OPERATOR(pg_catalog.||) suffix) IS NULL THEN
			IF fresh THEN
				PERFORM bigbrotr.partition_make(suffix, bigbrotr.partition_bound(m), bigbrotr.partition_bound(nxt));
			ELSE
				PERFORM bigbrotr.partition_month(suffix, bigbrotr.partition_bound(m), bigbrotr.partition_bound(nxt));
			END IF;
			made := made OPERATOR(pg_catalog.+) 1;
		END IF;
		m := nxt;
	END LOOP;
	IF fresh THEN
		PERFORM bigbrotr.partition_make('future', bigbrotr.partition_bound(m), NULL);
		made := made OPERATOR(pg_catalog.+) 1;
	END IF;
	-- what was attached by hand, restored without triggers, or taken off and on above
	PERFORM bigbrotr.ruling_cover(i.inhrelid::regclass) FROM pg_catalog.pg_inherits AS i
	WHERE i.inhparent OPERATOR(pg_catalog.=) 'bigbrotr.event'::regclass;
	RETURN made;
END
$$;
COMMENT ON FUNCTION bigbrotr.partition_ensure(timestamptz) IS
	'creates the partitions of event and observation up to this time; returns how many pairs were created. Only for the owner';
