-- Imports and exports: files of JSON lines, and the database of the Python
-- system.  In steps, each a transaction; table transfer records the progress.

CREATE TABLE bigbrotr.transfer (
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	direction text NOT NULL CHECK (direction IN ('import', 'export', 'python')),
	source text NOT NULL CHECK (source <> ''),
	relay_url text NOT NULL DEFAULT '',
	position bigint NOT NULL DEFAULT 0,
	size bigint,
	place jsonb,
	events bigint NOT NULL DEFAULT 0,
	observations bigint NOT NULL DEFAULT 0,
	known bigint NOT NULL DEFAULT 0,
	invalid bigint NOT NULL DEFAULT 0,
	started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	updated_at timestamptz,
	finished_at timestamptz,
	UNIQUE (direction, source, relay_url)
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.transfer IS
	'imports and exports and their progress; CALL the procedure again to continue one';
COMMENT ON COLUMN bigbrotr.transfer.id IS 'identifier';
COMMENT ON COLUMN bigbrotr.transfer.direction IS
	'import or export of JSON lines, or python: import from a schema of the Python system';
COMMENT ON COLUMN bigbrotr.transfer.source IS 'path of the file, or name of the schema';
COMMENT ON COLUMN bigbrotr.transfer.relay_url IS 'relay on which the events of the file were seen; empty if none';
COMMENT ON COLUMN bigbrotr.transfer.position IS 'bytes of the file processed; python: rows';
COMMENT ON COLUMN bigbrotr.transfer.size IS
	'size of the file in bytes when last looked at; greater than position at the end if the last line is incomplete';
COMMENT ON COLUMN bigbrotr.transfer.place IS 'where to continue';
COMMENT ON COLUMN bigbrotr.transfer.events IS 'import: number of new events; export: number of events written';
COMMENT ON COLUMN bigbrotr.transfer.observations IS 'number of new observations';
COMMENT ON COLUMN bigbrotr.transfer.known IS 'number of events that were already archived';
COMMENT ON COLUMN bigbrotr.transfer.invalid IS 'number of items refused; for events, rejected_event has the reasons';
COMMENT ON COLUMN bigbrotr.transfer.started_at IS 'time of the first call';
COMMENT ON COLUMN bigbrotr.transfer.updated_at IS 'time of the last step';
COMMENT ON COLUMN bigbrotr.transfer.finished_at IS 'when it was completed; NULL if it is running or was interrupted';
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.transfer', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.transfer_id_seq', '');

CREATE FUNCTION bigbrotr.import_step(transfer integer) RETURNS boolean
	AS 'MODULE_PATHNAME', 'bigbrotr_import_step' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION bigbrotr.import_step(integer) IS
	'reads about a megabyte of a file; returns whether there is more; internal, used by import_jsonl';
CREATE FUNCTION bigbrotr.export_step(transfer integer) RETURNS boolean
	AS 'MODULE_PATHNAME', 'bigbrotr_export_step' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION bigbrotr.export_step(integer) IS
	'writes some megabytes of a file; returns whether there is more; internal, used by export_jsonl';
CREATE PROCEDURE bigbrotr.import_jsonl(path text, relay_url text DEFAULT NULL, restart boolean DEFAULT false)
	AS 'MODULE_PATHNAME', 'bigbrotr_import_jsonl' LANGUAGE C;
COMMENT ON PROCEDURE bigbrotr.import_jsonl(text, text, boolean) IS
	'imports events from a file of the server, one JSON object per line, with observations if a relay is given; continues where the last call for the same file stopped, unless restart. Needs pg_read_server_files';
CREATE PROCEDURE bigbrotr.export_jsonl(path text, restart boolean DEFAULT false)
	AS 'MODULE_PATHNAME', 'bigbrotr_export_jsonl' LANGUAGE C;
COMMENT ON PROCEDURE bigbrotr.export_jsonl(text, boolean) IS
	'exports all events that are stored whole to a file of the server, one JSON object per line, oldest first; continues where the last call stopped, unless restart. Needs pg_write_server_files';

CREATE FUNCTION bigbrotr.observe(created_ats bigint[], ids bytea[], relay_ids integer[], seen_ats bigint[]) RETURNS bigint
	AS 'MODULE_PATHNAME', 'bigbrotr_observe' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION bigbrotr.observe(bigint[], bytea[], integer[], bigint[]) IS
	'adds observations of archived events, given by created_at and id, on relays (relay.id) at times (Unix seconds); returns how many were new';
CREATE FUNCTION bigbrotr.check_pack(samples bigbrotr.check_sample[]) RETURNS bytea
	AS 'MODULE_PATHNAME', 'bigbrotr_check_pack' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.check_pack(bigbrotr.check_sample[]) IS
	'packs checks for check_series.samples; reverse of check_unpack';

CREATE FUNCTION bigbrotr.python_number(value text) RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$ SELECT CASE WHEN python_number.value ~ '^[0-9]{1,7}([.][0-9]{1,9})?$' THEN python_number.value::numeric::integer END $$;
COMMENT ON FUNCTION bigbrotr.python_number(text) IS 'milliseconds as stored by the Python system; NULL if not a number';

-- Each stage reads the rows behind a place, in the order of an index that the
-- Python system has, and returns how many there were and the next place.
CREATE FUNCTION bigbrotr.python_relays(source text, place jsonb, OUT n bigint, OUT bad bigint, OUT upto jsonb)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	EXECUTE pg_catalog.format($q$
		WITH batch AS (
			SELECT r.url, r.network, r.discovered_at, CASE WHEN r.network IN ('clearnet', 'tor', 'i2p', 'loki')
				THEN bigbrotr.relay_normalize(r.url) END AS canonical
			FROM %1$I.relay AS r WHERE r.url > $1 ORDER BY r.url LIMIT 1000
		), added AS (
			INSERT INTO bigbrotr.relay AS t (url, network, discovered_at, promoted_at)
			SELECT b.canonical, min(b.network), min(b.discovered_at), to_timestamp(min(b.discovered_at))
			FROM batch AS b WHERE b.canonical IS NOT NULL
			GROUP BY 1 ORDER BY 1
			ON CONFLICT (url) DO UPDATE SET discovered_at = least(t.discovered_at, excluded.discovered_at)
		)
		SELECT count(*), count(*) FILTER (WHERE b.canonical IS NULL),
			   jsonb_build_object('stage', 'relay', 'after', max(b.url)) FROM batch AS b
	$q$, source) INTO n, bad, upto USING coalesce(place OPERATOR(pg_catalog.->>) 'after', '');
END
$$;
COMMENT ON FUNCTION bigbrotr.python_relays(text, jsonb) IS
	'imports relays of the Python system; internal, used by import_python';

CREATE FUNCTION bigbrotr.python_events(source text, place jsonb, OUT n bigint, OUT done bigint, OUT bad bigint, OUT observed bigint, OUT upto jsonb)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	texts text[];
	ids bytea[];
	last_at bigint;
	last_id bytea;
BEGIN
	EXECUTE pg_catalog.format($q$
		SELECT count(*), array_agg(json_build_object('id', encode(e.id, 'hex'), 'pubkey', encode(e.pubkey, 'hex'),
			'created_at', e.created_at, 'kind', e.kind, 'tags', e.tags, 'content', e.content, 'sig', encode(e.sig, 'hex'))::text),
			array_agg(e.id), max(e.created_at), (array_agg(e.id ORDER BY e.created_at DESC, e.id DESC))[1]
		FROM (SELECT * FROM %1$I.event AS x WHERE x.created_at >= $1 AND (x.created_at > $1 OR x.id > $2)
			  ORDER BY x.created_at, x.id LIMIT 500) AS e
	$q$, source) INTO n, texts, ids, last_at, last_id
		USING coalesce((place OPERATOR(pg_catalog.->>) 'created_at')::bigint, '-9223372036854775808'),
			  coalesce(pg_catalog.decode(place OPERATOR(pg_catalog.->>) 'id', 'hex'), '');
	done := 0;
	bad := 0;
	observed := 0;
	IF n OPERATOR(pg_catalog.=) 0 THEN
		RETURN;
	END IF;
	SELECT pg_catalog.count(*) FILTER (WHERE i.outcome OPERATOR(pg_catalog.=) 'new'),
		   pg_catalog.count(*) FILTER (WHERE i.outcome OPERATOR(pg_catalog.=) 'invalid') INTO done, bad
	FROM bigbrotr.event_ingest(texts) AS i;
	EXECUTE pg_catalog.format($q$
		SELECT bigbrotr.observe(array_agg(o.created_at), array_agg(o.id), array_agg(o.relay), array_agg(o.seen_at))
		FROM (SELECT e.created_at, e.id, r.id AS relay, s.seen_at
			  FROM %1$I.event_relay AS s
			  JOIN %1$I.event AS e ON e.id = s.event_id
			  JOIN bigbrotr.relay AS r ON r.url = bigbrotr.relay_normalize(s.relay_url)
			  WHERE s.event_id = ANY ($1) AND octet_length(s.event_id) = 32) AS o
	$q$, source) INTO observed USING ids;
	observed := coalesce(observed, 0);
	upto := pg_catalog.jsonb_build_object('stage', 'event', 'created_at', last_at, 'id', pg_catalog.encode(last_id, 'hex'));
END
$$;
COMMENT ON FUNCTION bigbrotr.python_events(text, jsonb) IS
	'imports and verifies events of the Python system with their observations; internal, used by import_python';

CREATE FUNCTION bigbrotr.python_documents(source text, place jsonb, OUT n bigint, OUT upto jsonb)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	urls text[];
BEGIN
	EXECUTE pg_catalog.format($q$
		SELECT count(*), array_agg(x.url), jsonb_build_object('stage', 'document', 'after', max(x.url))
		FROM (SELECT r.url FROM %1$I.relay AS r WHERE r.url > $1 ORDER BY r.url LIMIT 5) AS x
	$q$, source) INTO n, urls, upto USING coalesce(place OPERATOR(pg_catalog.->>) 'after', '');
	EXECUTE pg_catalog.format($q$
		INSERT INTO bigbrotr.document (id, type, data)
		SELECT DISTINCT ON (m.id, m.type) m.id, m.type, m.data
		FROM %1$I.relay_metadata AS d
		JOIN %1$I.metadata AS m ON m.id = d.metadata_id AND m.type = d.metadata_type
		WHERE d.relay_url = ANY ($1) AND octet_length(m.id) = 32
			AND m.type IN ('nip11_info', 'nip66_ssl', 'nip66_geo', 'nip66_net', 'nip66_dns', 'nip66_http')
		ORDER BY m.id, m.type
		ON CONFLICT DO NOTHING
	$q$, source) USING urls;
	-- the same document again and again is one row
	EXECUTE pg_catalog.format($q$
		INSERT INTO bigbrotr.relay_document AS t (relay_id, type, generated_at, confirmed_at, checks, document_id, stable)
		SELECT s.relay_id, s.type, min(s.generated_at), max(s.generated_at), count(*), s.id, s.id
		FROM (SELECT x.*, row_number() OVER w - row_number() OVER (PARTITION BY x.relay_id, x.type, x.id ORDER BY x.generated_at) AS run
			  FROM (SELECT r.id AS relay_id, d.metadata_type AS type, d.generated_at, min(d.metadata_id::text)::bytea AS id
					FROM %1$I.relay_metadata AS d
					JOIN bigbrotr.relay AS r ON r.url = bigbrotr.relay_normalize(d.relay_url)
					JOIN bigbrotr.document AS m ON m.id = d.metadata_id AND m.type = d.metadata_type
					WHERE d.relay_url = ANY ($1) GROUP BY 1, 2, 3) AS x
			  WINDOW w AS (PARTITION BY x.relay_id, x.type ORDER BY x.generated_at)) AS s
		GROUP BY s.relay_id, s.type, s.id, s.run
		ON CONFLICT (relay_id, type, generated_at) DO UPDATE
		SET confirmed_at = greatest(t.confirmed_at, excluded.confirmed_at), checks = greatest(t.checks, excluded.checks)
	$q$, source) USING urls;
	-- times of round trips go to the series; the time to open was not taken apart
	EXECUTE pg_catalog.format($q$
		INSERT INTO bigbrotr.check_series AS t (relay_id, first_at, samples)
		SELECT s.relay_id, min(s.at) - 1577836800, bigbrotr.check_pack(array_agg(s.sample ORDER BY s.at))
		FROM (SELECT x.relay_id, x.at, (row_number() OVER (PARTITION BY x.relay_id ORDER BY x.at) - 1) / 64 AS part,
				ROW(to_timestamp(x.at), x.open IS NOT NULL, CASE WHEN x.open IS NULL THEN 'other' END, 0, x.open, 0, 0,
					CASE WHEN x.logs ->> 'read_success' IN ('true', 'false') THEN x.read IS NOT NULL END, x.read,
					CASE WHEN x.logs ->> 'write_success' IN ('true', 'false') THEN x.write IS NOT NULL END, x.write,
					false, false, false, NULL, NULL)::bigbrotr.check_sample AS sample
			  FROM (SELECT DISTINCT ON (r.id, d.generated_at) r.id AS relay_id, d.generated_at AS at, m.data -> 'logs' AS logs,
						CASE WHEN m.data #>> '{logs,open_success}' = 'true' THEN coalesce(bigbrotr.python_number(m.data #>> '{data,rtt_open}'), 0) END AS open,
						CASE WHEN m.data #>> '{logs,read_success}' = 'true' THEN coalesce(bigbrotr.python_number(m.data #>> '{data,rtt_read}'), 0) END AS read,
						CASE WHEN m.data #>> '{logs,write_success}' = 'true' THEN coalesce(bigbrotr.python_number(m.data #>> '{data,rtt_write}'), 0) END AS write
					FROM %1$I.relay_metadata AS d
					JOIN bigbrotr.relay AS r ON r.url = bigbrotr.relay_normalize(d.relay_url)
					JOIN %1$I.metadata AS m ON m.id = d.metadata_id AND m.type = d.metadata_type
					WHERE d.relay_url = ANY ($1) AND d.metadata_type = 'nip66_rtt' AND d.generated_at BETWEEN 1577836800 AND 3725320446
					ORDER BY r.id, d.generated_at, d.metadata_id) AS x) AS s
		GROUP BY s.relay_id, s.part
		ON CONFLICT (relay_id, first_at) DO UPDATE SET samples = excluded.samples
		WHERE octet_length(excluded.samples) > octet_length(t.samples)
	$q$, source) USING urls;
END
$$;
COMMENT ON FUNCTION bigbrotr.python_documents(text, jsonb) IS
	'imports metadata of some relays of the Python system; internal, used by import_python';

CREATE FUNCTION bigbrotr.python_candidates(source text, place jsonb, OUT n bigint, OUT bad bigint, OUT upto jsonb)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	EXECUTE pg_catalog.format($q$
		WITH batch AS (
			SELECT s.state_key, s.state_value, CASE WHEN s.state_value ->> 'network' IN ('clearnet', 'tor', 'i2p', 'loki')
				THEN bigbrotr.relay_normalize(s.state_key) END AS canonical
			FROM %1$I.service_state AS s
			WHERE s.service_name = 'validator' AND s.state_type = 'checkpoint' AND s.state_key > $1
			ORDER BY s.state_key LIMIT 1000
		), added AS (
			INSERT INTO bigbrotr.candidate (url, network, source, attempts)
			SELECT b.canonical, min(b.state_value ->> 'network'), 'import',
				   max(coalesce(bigbrotr.python_number(b.state_value ->> 'failures'), 0))
			FROM batch AS b
			WHERE b.canonical IS NOT NULL AND NOT EXISTS (SELECT FROM bigbrotr.relay AS r WHERE r.url = b.canonical)
			GROUP BY 1 ORDER BY 1
			ON CONFLICT DO NOTHING
		)
		SELECT count(*), count(*) FILTER (WHERE b.canonical IS NULL),
			   jsonb_build_object('stage', 'candidate', 'after', max(b.state_key)) FROM batch AS b
	$q$, source) INTO n, bad, upto USING coalesce(place OPERATOR(pg_catalog.->>) 'after', '');
END
$$;
COMMENT ON FUNCTION bigbrotr.python_candidates(text, jsonb) IS
	'imports candidates of the Python system''s validator; internal, used by import_python';

CREATE FUNCTION bigbrotr.import_python_step(transfer integer) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	schema_name text;
	place jsonb;
	stage text;
	read bigint := 0;
	done bigint := 0;
	bad bigint := 0;
	observed bigint := 0;
	upto jsonb;
BEGIN
	SELECT t.source, coalesce(t.place, '{"stage": "relay"}') INTO schema_name, place FROM bigbrotr.transfer AS t
	WHERE t.id OPERATOR(pg_catalog.=) transfer AND t.direction OPERATOR(pg_catalog.=) 'python' FOR UPDATE;
	IF schema_name IS NULL THEN
		RAISE EXCEPTION 'there is no import from the Python system with id %', transfer USING ERRCODE = 'no_data_found';
	END IF;
	stage := place OPERATOR(pg_catalog.->>) 'stage';
	CASE stage
		WHEN 'relay' THEN
			SELECT p.n, p.bad, p.upto INTO read, bad, upto FROM bigbrotr.python_relays(schema_name, place) AS p;
		WHEN 'candidate' THEN
			SELECT p.n, p.bad, p.upto INTO read, bad, upto FROM bigbrotr.python_candidates(schema_name, place) AS p;
		WHEN 'document' THEN
			SELECT p.n, p.upto INTO read, upto FROM bigbrotr.python_documents(schema_name, place) AS p;
		WHEN 'event' THEN
			SELECT p.n, p.done, p.bad, p.observed, p.upto INTO read, done, bad, observed, upto
			FROM bigbrotr.python_events(schema_name, place) AS p;
		ELSE
			RETURN false;
	END CASE;
	-- the end of a stage: the next one; events are long, so the short ones go first
	IF read OPERATOR(pg_catalog.=) 0 THEN
		upto := pg_catalog.jsonb_build_object('stage', CASE stage
			WHEN 'relay' THEN 'candidate' WHEN 'candidate' THEN 'document' WHEN 'document' THEN 'event' ELSE 'end' END);
	END IF;
	UPDATE bigbrotr.transfer AS t SET place = upto, position = t.position OPERATOR(pg_catalog.+) read,
		events = t.events OPERATOR(pg_catalog.+) done, observations = t.observations OPERATOR(pg_catalog.+) observed,
		invalid = t.invalid OPERATOR(pg_catalog.+) bad,
		known = t.known OPERATOR(pg_catalog.+) CASE stage WHEN 'event'
			THEN read OPERATOR(pg_catalog.-) done OPERATOR(pg_catalog.-) bad ELSE 0 END,
		updated_at = pg_catalog.clock_timestamp(),
		finished_at = CASE WHEN upto OPERATOR(pg_catalog.->>) 'stage' OPERATOR(pg_catalog.=) 'end' THEN pg_catalog.clock_timestamp() END
	WHERE t.id OPERATOR(pg_catalog.=) transfer;
	RETURN upto OPERATOR(pg_catalog.->>) 'stage' OPERATOR(pg_catalog.<>) 'end';
END
$$;
COMMENT ON FUNCTION bigbrotr.import_python_step(integer) IS
	'imports one batch of one table of the Python system; returns whether there is more; internal, used by import_python';
CREATE PROCEDURE bigbrotr.import_python(source_schema text, restart boolean DEFAULT false)
	AS 'MODULE_PATHNAME', 'bigbrotr_import_python' LANGUAGE C;
COMMENT ON PROCEDURE bigbrotr.import_python(text, boolean) IS
	'imports everything from a schema with the tables of the Python system 6.6.9 (restored there, or foreign tables): relays, candidates, metadata, events, observations; continues where the last call stopped, unless restart';
