-- Results of the monitor: documents, a compact series of checks, and events to
-- publish.

CREATE TABLE bigbrotr.document (
	id bytea NOT NULL CHECK (octet_length(id) = 32),
	type text NOT NULL CHECK (type IN ('nip11_info', 'nip66_ssl', 'nip66_geo', 'nip66_net', 'nip66_dns', 'nip66_http')),
	data jsonb NOT NULL,
	raw bytea,
	PRIMARY KEY (id, type)
);
ALTER TABLE bigbrotr.document ALTER COLUMN data SET COMPRESSION lz4, ALTER COLUMN raw SET COMPRESSION lz4;
COMMENT ON TABLE bigbrotr.document IS 'documents found by checks, each distinct one once';
COMMENT ON COLUMN bigbrotr.document.id IS 'SHA-256 of the canonical JSON of data';
COMMENT ON COLUMN bigbrotr.document.type IS
	'check that produced it: nip11_info, nip66_ssl, nip66_geo, nip66_net, nip66_dns or nip66_http';
COMMENT ON COLUMN bigbrotr.document.data IS '{"data": findings, "logs": {"success", "reason"}}';
COMMENT ON COLUMN bigbrotr.document.raw IS
	'nip11_info: response body as received, of the first response with this document';

CREATE TABLE bigbrotr.relay_document (
	relay_id integer NOT NULL,
	type text NOT NULL,
	generated_at bigint NOT NULL,
	confirmed_at bigint NOT NULL,
	checks integer NOT NULL DEFAULT 1,
	document_id bytea NOT NULL,
	stable bytea NOT NULL,
	PRIMARY KEY (relay_id, type, generated_at)
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.relay_document IS
	'which relay had which document during which time; an unchanged document adds no row';
COMMENT ON COLUMN bigbrotr.relay_document.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.relay_document.type IS 'document.type';
COMMENT ON COLUMN bigbrotr.relay_document.generated_at IS 'Unix seconds of the first check that found it';
COMMENT ON COLUMN bigbrotr.relay_document.confirmed_at IS 'Unix seconds of the last check that found it unchanged';
COMMENT ON COLUMN bigbrotr.relay_document.checks IS 'number of checks that found it';
COMMENT ON COLUMN bigbrotr.relay_document.document_id IS 'document.id';
COMMENT ON COLUMN bigbrotr.relay_document.stable IS
	'hash without the parts that always change, such as TTLs in a DNS cache';

CREATE INDEX relay_document_document_id_idx ON bigbrotr.relay_document (document_id);
COMMENT ON INDEX bigbrotr.relay_document_document_id_idx IS 'finds the relays that have a document';

CREATE TABLE bigbrotr.check_series (
	relay_id integer NOT NULL,
	first_at integer NOT NULL,
	samples bytea NOT NULL,
	PRIMARY KEY (relay_id, first_at)
) WITH (fillfactor = 80);
ALTER TABLE bigbrotr.check_series ALTER COLUMN samples SET STORAGE PLAIN;
COMMENT ON TABLE bigbrotr.check_series IS
	'results of all checks, packed: 22 bytes each, up to 64 per row; read them through relay_check';
COMMENT ON COLUMN bigbrotr.check_series.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.check_series.first_at IS
	'time of the first check in the row, seconds since 2020-01-01 00:00 UTC';
COMMENT ON COLUMN bigbrotr.check_series.samples IS 'packed checks in order of time, see check_unpack';

CREATE TABLE bigbrotr.relay_monitor (
	relay_id integer PRIMARY KEY,
	next_check_at timestamptz NOT NULL DEFAULT now(),
	checked_at timestamptz,
	opened boolean,
	streak integer NOT NULL DEFAULT 0,
	changed_at timestamptz,
	checks bigint NOT NULL DEFAULT 0,
	failures bigint NOT NULL DEFAULT 0,
	failure text,
	open_reason text,
	read_reason text,
	write_reason text
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.relay_monitor IS 'state of the monitor for each relay: last and next check';
COMMENT ON COLUMN bigbrotr.relay_monitor.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.relay_monitor.next_check_at IS 'not checked before this time';
COMMENT ON COLUMN bigbrotr.relay_monitor.checked_at IS 'time of the last check';
COMMENT ON COLUMN bigbrotr.relay_monitor.opened IS 'whether the relay opened in the last check';
COMMENT ON COLUMN bigbrotr.relay_monitor.streak IS 'number of consecutive checks with that result';
COMMENT ON COLUMN bigbrotr.relay_monitor.changed_at IS 'when that result last changed';
COMMENT ON COLUMN bigbrotr.relay_monitor.checks IS 'number of checks';
COMMENT ON COLUMN bigbrotr.relay_monitor.failures IS 'number of checks in which it did not open';
COMMENT ON COLUMN bigbrotr.relay_monitor.failure IS 'class of the last failure to open';
COMMENT ON COLUMN bigbrotr.relay_monitor.open_reason IS 'why it did not open in the last check';
COMMENT ON COLUMN bigbrotr.relay_monitor.read_reason IS 'why reading failed';
COMMENT ON COLUMN bigbrotr.relay_monitor.write_reason IS 'why writing failed';

CREATE INDEX relay_monitor_next_check_at_idx ON bigbrotr.relay_monitor (next_check_at);
COMMENT ON INDEX bigbrotr.relay_monitor_next_check_at_idx IS 'finds the relays that are due';

CREATE TABLE bigbrotr.publication (
	target text NOT NULL,
	slot text NOT NULL,
	event_id bytea NOT NULL CHECK (octet_length(event_id) = 32),
	event text NOT NULL,
	queued_at timestamptz NOT NULL DEFAULT now(),
	attempts integer NOT NULL DEFAULT 0,
	next_attempt_at timestamptz DEFAULT now(),
	outcome text CHECK (outcome IN ('taken', 'refused')),
	reason text,
	answered_at timestamptz,
	PRIMARY KEY (target, slot)
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.publication IS
	'events that the monitor publishes, and the answers of the target relays; a newer event replaces the older one of its slot';
COMMENT ON COLUMN bigbrotr.publication.target IS 'address of the relay it is sent to';
COMMENT ON COLUMN bigbrotr.publication.slot IS 'what it replaces there: kind, or kind:d';
COMMENT ON COLUMN bigbrotr.publication.event_id IS 'id of the event, 32 bytes';
COMMENT ON COLUMN bigbrotr.publication.event IS 'the signed event as JSON';
COMMENT ON COLUMN bigbrotr.publication.queued_at IS 'when it was created';
COMMENT ON COLUMN bigbrotr.publication.attempts IS 'number of times it was sent without an answer';
COMMENT ON COLUMN bigbrotr.publication.next_attempt_at IS 'not sent before this time; NULL if not sent again';
COMMENT ON COLUMN bigbrotr.publication.outcome IS
	'taken: the relay answered OK; refused: the relay rejected it; NULL: waiting';
COMMENT ON COLUMN bigbrotr.publication.reason IS 'message of the relay, or why there was no answer';
COMMENT ON COLUMN bigbrotr.publication.answered_at IS 'when the relay answered';

CREATE INDEX publication_next_attempt_at_idx ON bigbrotr.publication (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
COMMENT ON INDEX bigbrotr.publication_next_attempt_at_idx IS 'finds the events to send';

SELECT pg_catalog.pg_extension_config_dump('bigbrotr.document', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.relay_document', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.check_series', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.relay_monitor', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.publication', '');

CREATE TYPE bigbrotr.check_sample AS (
	checked_at timestamptz,
	opened boolean,
	failure text,
	dns_ms integer,
	tcp_ms integer,
	tls_ms integer,
	upgrade_ms integer,
	read_ok boolean,
	read_ms integer,
	write_ok boolean,
	write_ms integer,
	write_live boolean,
	write_stored boolean,
	challenged boolean,
	nip11_ok boolean,
	nip11_ms integer
);
COMMENT ON TYPE bigbrotr.check_sample IS 'one check of a relay; its columns are described at view relay_check';

CREATE FUNCTION bigbrotr.check_unpack(samples bytea) RETURNS SETOF bigbrotr.check_sample
	LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 64
	AS 'MODULE_PATHNAME', 'bigbrotr_check_unpack';
COMMENT ON FUNCTION bigbrotr.check_unpack(bytea) IS 'checks contained in check_series.samples';

CREATE VIEW bigbrotr.relay_check AS
	SELECT r.url AS relay_url, c.checked_at, c.opened, c.failure,
		   c.dns_ms + c.tcp_ms + c.tls_ms + c.upgrade_ms AS open_ms,
		   c.dns_ms, c.tcp_ms, c.tls_ms, c.upgrade_ms, c.read_ok, c.read_ms,
		   c.write_ok, c.write_ms, c.write_live, c.write_stored, c.challenged, c.nip11_ok, c.nip11_ms
	FROM bigbrotr.check_series AS s
	JOIN bigbrotr.relay AS r ON r.id = s.relay_id,
	LATERAL bigbrotr.check_unpack(s.samples) AS c;
COMMENT ON VIEW bigbrotr.relay_check IS 'every check of every relay, one row each';
COMMENT ON COLUMN bigbrotr.relay_check.relay_url IS 'relay.url';
COMMENT ON COLUMN bigbrotr.relay_check.checked_at IS 'end of the check';
COMMENT ON COLUMN bigbrotr.relay_check.opened IS 'whether the relay opened';
COMMENT ON COLUMN bigbrotr.relay_check.failure IS 'class of the failure if it did not open';
COMMENT ON COLUMN bigbrotr.relay_check.open_ms IS
	'milliseconds to open: sum of the four phases; NULL if it did not open';
COMMENT ON COLUMN bigbrotr.relay_check.dns_ms IS 'milliseconds to resolve the name';
COMMENT ON COLUMN bigbrotr.relay_check.tcp_ms IS 'milliseconds to connect, or to connect through the proxy';
COMMENT ON COLUMN bigbrotr.relay_check.tls_ms IS 'milliseconds of the TLS handshake';
COMMENT ON COLUMN bigbrotr.relay_check.upgrade_ms IS 'milliseconds of the WebSocket upgrade';
COMMENT ON COLUMN bigbrotr.relay_check.read_ok IS 'whether it answered a subscription; NULL if not asked';
COMMENT ON COLUMN bigbrotr.relay_check.read_ms IS 'milliseconds to the first event, or to the end of an empty answer';
COMMENT ON COLUMN bigbrotr.relay_check.write_ok IS 'whether it accepted our event; NULL if none was written';
COMMENT ON COLUMN bigbrotr.relay_check.write_ms IS 'milliseconds to its OK, without proof of work and signing';
COMMENT ON COLUMN bigbrotr.relay_check.write_live IS 'whether our subscription received the event';
COMMENT ON COLUMN bigbrotr.relay_check.write_stored IS 'whether a later query found the event';
COMMENT ON COLUMN bigbrotr.relay_check.challenged IS 'whether it sent an AUTH challenge (NIP-42)';
COMMENT ON COLUMN bigbrotr.relay_check.nip11_ok IS 'whether it returned a NIP-11 document; NULL if not asked';
COMMENT ON COLUMN bigbrotr.relay_check.nip11_ms IS 'milliseconds to the first byte of that document';

-- The names of the Python system.  Round-trip times are documents there; here
-- they are made from the series when somebody asks.
CREATE FUNCTION bigbrotr.rtt_document(c bigbrotr.check_sample) RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT jsonb_build_object(
		'data', jsonb_strip_nulls(jsonb_build_object(
			'rtt_open', (c).dns_ms + (c).tcp_ms + (c).tls_ms + (c).upgrade_ms,
			'rtt_read', CASE WHEN (c).read_ok THEN (c).read_ms END,
			'rtt_write', CASE WHEN (c).write_ok THEN (c).write_ms END)),
		'logs', jsonb_strip_nulls(jsonb_build_object(
			'open_success', (c).opened, 'open_reason', (c).failure,
			'read_success', (c).read_ok, 'write_success', (c).write_ok)))
$$;
COMMENT ON FUNCTION bigbrotr.rtt_document(bigbrotr.check_sample) IS
	'a check as the nip66_rtt document of the Python system';

CREATE VIEW bigbrotr.relay_metadata AS
	SELECT r.url AS relay_url, d.generated_at, d.type AS metadata_type, d.document_id AS metadata_id
	FROM bigbrotr.relay_document AS d
	JOIN bigbrotr.relay AS r ON r.id = d.relay_id
	UNION ALL
	SELECT r.url, extract(epoch FROM c.checked_at)::bigint, 'nip66_rtt',
		   sha256(convert_to(bigbrotr.rtt_document(c)::text, 'UTF8'))
	FROM bigbrotr.check_series AS s
	JOIN bigbrotr.relay AS r ON r.id = s.relay_id,
	LATERAL bigbrotr.check_unpack(s.samples) AS c;
COMMENT ON VIEW bigbrotr.relay_metadata IS 'which relay had which document from which time on, as in the Python system';
COMMENT ON COLUMN bigbrotr.relay_metadata.relay_url IS 'relay.url';
COMMENT ON COLUMN bigbrotr.relay_metadata.generated_at IS 'Unix seconds of the check that first found it';
COMMENT ON COLUMN bigbrotr.relay_metadata.metadata_type IS 'metadata.type';
COMMENT ON COLUMN bigbrotr.relay_metadata.metadata_id IS 'metadata.id';

CREATE VIEW bigbrotr.metadata AS
	SELECT d.id, d.type, d.data FROM bigbrotr.document AS d
	UNION ALL
	SELECT DISTINCT sha256(convert_to(t.data::text, 'UTF8')), 'nip66_rtt', t.data
	FROM bigbrotr.check_series AS s,
	LATERAL bigbrotr.check_unpack(s.samples) AS c,
	LATERAL (SELECT bigbrotr.rtt_document(c) AS data) AS t;
COMMENT ON VIEW bigbrotr.metadata IS 'documents by content, as in the Python system';
COMMENT ON COLUMN bigbrotr.metadata.id IS 'SHA-256 of the content';
COMMENT ON COLUMN bigbrotr.metadata.type IS 'nip11_info, nip66_rtt, nip66_ssl, nip66_geo, nip66_net, nip66_dns or nip66_http';
COMMENT ON COLUMN bigbrotr.metadata.data IS '{"data": findings, "logs": success and reason}';

CREATE VIEW bigbrotr.relay_metadata_latest AS
	SELECT r.url AS relay_url, d.type AS metadata_type, d.generated_at, d.document_id AS metadata_id,
		   o.data, d.confirmed_at
	FROM bigbrotr.relay AS r,
	LATERAL (SELECT DISTINCT ON (x.type) x.* FROM bigbrotr.relay_document AS x
			 WHERE x.relay_id = r.id ORDER BY x.type, x.generated_at DESC) AS d
	JOIN bigbrotr.document AS o ON o.id = d.document_id AND o.type = d.type
	UNION ALL
	SELECT r.url, 'nip66_rtt', extract(epoch FROM l.checked_at)::bigint,
		   sha256(convert_to(l.data::text, 'UTF8')), l.data, extract(epoch FROM l.checked_at)::bigint
	FROM bigbrotr.relay AS r,
	LATERAL (SELECT s.samples FROM bigbrotr.check_series AS s WHERE s.relay_id = r.id
			 ORDER BY s.first_at DESC LIMIT 1) AS s,
	LATERAL (SELECT c.checked_at, bigbrotr.rtt_document(c) AS data FROM bigbrotr.check_unpack(s.samples) AS c
			 ORDER BY c.checked_at DESC LIMIT 1) AS l;
COMMENT ON VIEW bigbrotr.relay_metadata_latest IS 'current document of each type of each relay';
COMMENT ON COLUMN bigbrotr.relay_metadata_latest.relay_url IS 'relay.url';
COMMENT ON COLUMN bigbrotr.relay_metadata_latest.metadata_type IS 'metadata.type';
COMMENT ON COLUMN bigbrotr.relay_metadata_latest.generated_at IS 'Unix seconds of the check that first found it';
COMMENT ON COLUMN bigbrotr.relay_metadata_latest.metadata_id IS 'metadata.id';
COMMENT ON COLUMN bigbrotr.relay_metadata_latest.data IS 'metadata.data';
COMMENT ON COLUMN bigbrotr.relay_metadata_latest.confirmed_at IS
	'Unix seconds of the last check that found it unchanged';

CREATE VIEW bigbrotr.certificate AS
	SELECT m.relay_url, (m.data #>> '{data,ssl_valid}')::boolean AS valid, m.data #>> '{data,ssl_reason}' AS reason,
		   to_timestamp((m.data #>> '{data,ssl_expires}')::bigint) AS expires_at,
		   to_timestamp((m.data #>> '{data,ssl_expires}')::bigint) - now() AS expires_in,
		   m.data #>> '{data,ssl_issuer}' AS issuer, m.data #>> '{data,ssl_subject_cn}' AS subject_cn,
		   to_timestamp(m.confirmed_at) AS confirmed_at
	FROM bigbrotr.relay_metadata_latest AS m
	WHERE m.metadata_type = 'nip66_ssl' AND m.data #> '{data,ssl_valid}' IS NOT NULL;
COMMENT ON VIEW bigbrotr.certificate IS 'TLS certificate of each relay; order by expires_at to see which expire next';
COMMENT ON COLUMN bigbrotr.certificate.relay_url IS 'relay.url';
COMMENT ON COLUMN bigbrotr.certificate.valid IS 'whether it is trusted for the name of the relay';
COMMENT ON COLUMN bigbrotr.certificate.reason IS 'why it is not';
COMMENT ON COLUMN bigbrotr.certificate.expires_at IS 'end of its validity';
COMMENT ON COLUMN bigbrotr.certificate.expires_in IS 'time until then';
COMMENT ON COLUMN bigbrotr.certificate.issuer IS 'organization that issued it';
COMMENT ON COLUMN bigbrotr.certificate.subject_cn IS 'common name of its subject';
COMMENT ON COLUMN bigbrotr.certificate.confirmed_at IS 'when it was last seen';

CREATE FUNCTION bigbrotr.relay_uptime(relay_url text, since timestamptz DEFAULT now() - interval '30 days',
									  until timestamptz DEFAULT now()) RETURNS double precision
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT avg(c.opened::int)::double precision
	FROM bigbrotr.relay AS r
	JOIN bigbrotr.check_series AS s ON s.relay_id = r.id,
	LATERAL bigbrotr.check_unpack(s.samples) AS c
	WHERE r.url = relay_uptime.relay_url AND c.checked_at BETWEEN relay_uptime.since AND relay_uptime.until
$$;
COMMENT ON FUNCTION bigbrotr.relay_uptime(text, timestamptz, timestamptz) IS
	'share of the checks between since and until in which the relay opened, 0 to 1; NULL if it was not checked';

CREATE FUNCTION bigbrotr.relay_rtt(relay_url text, fraction double precision DEFAULT 0.5,
								   since timestamptz DEFAULT now() - interval '30 days', until timestamptz DEFAULT now(),
								   OUT open_ms double precision, OUT read_ms double precision,
								   OUT write_ms double precision, OUT checks bigint)
	RETURNS record
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT percentile_cont(relay_rtt.fraction) WITHIN GROUP (ORDER BY c.open_ms),
		   percentile_cont(relay_rtt.fraction) WITHIN GROUP (ORDER BY c.read_ms),
		   percentile_cont(relay_rtt.fraction) WITHIN GROUP (ORDER BY c.write_ms), count(*)
	FROM bigbrotr.relay_check AS c
	WHERE c.relay_url = relay_rtt.relay_url AND c.checked_at BETWEEN relay_rtt.since AND relay_rtt.until
$$;
COMMENT ON FUNCTION bigbrotr.relay_rtt(text, double precision, timestamptz, timestamptz) IS
	'percentile (fraction 0 to 1; 0.5 is the median) of the milliseconds to open, read and write, over the checks between since and until';

CREATE FUNCTION bigbrotr.relay_changes(relay_url text, since timestamptz, until timestamptz DEFAULT now())
	RETURNS TABLE (changed_at timestamptz, metadata_type text, field text, old jsonb, new jsonb)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT to_timestamp(d.generated_at), d.type, f.field, p.data #> ARRAY['data', f.field], n.data #> ARRAY['data', f.field]
	FROM bigbrotr.relay AS r
	JOIN bigbrotr.relay_document AS d ON d.relay_id = r.id
	JOIN bigbrotr.document AS n ON n.id = d.document_id AND n.type = d.type,
	LATERAL (SELECT o.data FROM bigbrotr.relay_document AS x
			 JOIN bigbrotr.document AS o ON o.id = x.document_id AND o.type = x.type
			 WHERE x.relay_id = d.relay_id AND x.type = d.type AND x.generated_at < d.generated_at
			 ORDER BY x.generated_at DESC LIMIT 1) AS p,
	LATERAL (SELECT k AS field FROM jsonb_object_keys(coalesce(p.data -> 'data', '{}')) AS k
			 UNION SELECT k FROM jsonb_object_keys(coalesce(n.data -> 'data', '{}')) AS k) AS f
	WHERE r.url = relay_changes.relay_url AND d.generated_at BETWEEN extract(epoch FROM relay_changes.since) AND extract(epoch FROM relay_changes.until)
		AND p.data #> ARRAY['data', f.field] IS DISTINCT FROM n.data #> ARRAY['data', f.field]
	ORDER BY 1, 2, 3
$$;
COMMENT ON FUNCTION bigbrotr.relay_changes(text, timestamptz, timestamptz) IS
	'fields of a relay''s documents that changed between since and until, with old and new value';

CREATE FUNCTION bigbrotr.check_request(relay_id integer) RETURNS void
	LANGUAGE c VOLATILE STRICT
	AS 'MODULE_PATHNAME', 'bigbrotr_check_request';
COMMENT ON FUNCTION bigbrotr.check_request(integer) IS 'asks the monitor to check a relay now; internal, used by check';

CREATE FUNCTION bigbrotr.check(relay_url text, wait interval DEFAULT '60 seconds')
	RETURNS TABLE (metadata_type text, data jsonb)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	relay integer;
	canonical text := bigbrotr.relay_normalize(relay_url);
	before timestamptz;
	after timestamptz;
	started timestamptz := pg_catalog.clock_timestamp();
BEGIN
	IF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.<>) 'read committed' THEN
		RAISE EXCEPTION 'bigbrotr.check() requires isolation level read committed'
			USING ERRCODE = 'invalid_transaction_state',
				  HINT = 'Results of a check that starts now would not be visible in this transaction.';
	END IF;
	SELECT r.id INTO relay FROM bigbrotr.relay AS r WHERE r.url OPERATOR(pg_catalog.=) canonical;
	IF relay IS NULL THEN
		RAISE EXCEPTION 'relay "%" does not exist', relay_url
			USING ERRCODE = 'no_data_found',
				  HINT = 'Only validated relays can be checked. To add one, insert its address into bigbrotr.seed.';
	END IF;
	SELECT m.checked_at INTO before FROM bigbrotr.relay_monitor AS m WHERE m.relay_id OPERATOR(pg_catalog.=) relay;
	PERFORM bigbrotr.check_request(relay);
	LOOP
		SELECT m.checked_at INTO after FROM bigbrotr.relay_monitor AS m WHERE m.relay_id OPERATOR(pg_catalog.=) relay;
		EXIT WHEN after IS DISTINCT FROM before;
		IF pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) (started OPERATOR(pg_catalog.+) wait) THEN
			RAISE EXCEPTION 'check did not finish within %', wait
				USING ERRCODE = 'query_canceled', HINT = 'The check continues; see bigbrotr.relay_check later.';
		END IF;
		PERFORM pg_catalog.pg_sleep(0.05);
	END LOOP;
	RETURN QUERY SELECT l.metadata_type, l.data FROM bigbrotr.relay_metadata_latest AS l
		WHERE l.relay_url OPERATOR(pg_catalog.=) canonical ORDER BY 1;
END
$$;
COMMENT ON FUNCTION bigbrotr.check(text, interval) IS
	'checks a relay now, waits for the result at most as long as given, and returns the current document of each type; can be canceled';
