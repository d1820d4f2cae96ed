-- Refused events, counters, and the services.

CREATE TABLE bigbrotr.rejected_event (
	relay_id integer NOT NULL,
	reason text NOT NULL,
	slot smallint NOT NULL CHECK (slot BETWEEN 0 AND 7),
	count bigint NOT NULL,
	event_id bytea CHECK (octet_length(event_id) = 32),
	sample bytea CHECK (octet_length(sample) <= 4096),
	detail text,
	first_seen_at timestamptz NOT NULL,
	last_seen_at timestamptz NOT NULL,
	PRIMARY KEY (relay_id, reason, slot)
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.rejected_event IS 'refused events: a count and up to eight samples per relay and reason';
COMMENT ON COLUMN bigbrotr.rejected_event.relay_id IS 'relay.id, or 0 when no relay is known';
COMMENT ON COLUMN bigbrotr.rejected_event.reason IS
	'name of the reason, as in event_reject_reason, or database_NNNNN with the SQLSTATE of a server error';
COMMENT ON COLUMN bigbrotr.rejected_event.slot IS 'first byte of the id, or of the SHA-256 of the sample, modulo 8';
COMMENT ON COLUMN bigbrotr.rejected_event.count IS 'number of refused events counted in this row';
COMMENT ON COLUMN bigbrotr.rejected_event.event_id IS 'id that the sample claims, if readable';
COMMENT ON COLUMN bigbrotr.rejected_event.sample IS 'first 4096 bytes of the first such event';
COMMENT ON COLUMN bigbrotr.rejected_event.detail IS 'reason in words, for the sample';
COMMENT ON COLUMN bigbrotr.rejected_event.first_seen_at IS 'when such an event was first refused';
COMMENT ON COLUMN bigbrotr.rejected_event.last_seen_at IS 'when such an event was last refused';

CREATE TABLE bigbrotr.counter (
	service text NOT NULL,
	worker integer NOT NULL,
	name text NOT NULL,
	value bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (service, worker, name)
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.counter IS
	'monotonic counters; one row per worker, so that workers never wait for each other';
COMMENT ON COLUMN bigbrotr.counter.service IS 'name of the service, or ingest for event_ingest';
COMMENT ON COLUMN bigbrotr.counter.worker IS 'number of the worker within its service';
COMMENT ON COLUMN bigbrotr.counter.name IS 'name of the counter: events, observations, rejected, ...';
COMMENT ON COLUMN bigbrotr.counter.value IS 'total';

CREATE TABLE bigbrotr.service (
	name text PRIMARY KEY,
	paused boolean NOT NULL DEFAULT false,
	last_started_at timestamptz,
	last_finished_at timestamptz,
	last_error text,
	runs bigint NOT NULL DEFAULT 0,
	failures bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.service IS 'the services and the results of their last runs';
COMMENT ON COLUMN bigbrotr.service.name IS 'name of the service';
COMMENT ON COLUMN bigbrotr.service.paused IS 'if true, not started; see pause and resume';
COMMENT ON COLUMN bigbrotr.service.last_started_at IS 'start of the last run';
COMMENT ON COLUMN bigbrotr.service.last_finished_at IS 'end of the last run, successful or not';
COMMENT ON COLUMN bigbrotr.service.last_error IS 'error of the last run; NULL if it succeeded';
COMMENT ON COLUMN bigbrotr.service.runs IS 'number of runs started';
COMMENT ON COLUMN bigbrotr.service.failures IS 'number of runs that ended in an error';

INSERT INTO bigbrotr.service (name) VALUES ('seeder'), ('finder'), ('validator'), ('synchronizer'), ('monitor'), ('refresher');

-- CREATE EXTENSION makes these rows, and a restore loads them again: those of the dump win.
CREATE FUNCTION bigbrotr.service_restore() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	UPDATE bigbrotr.service AS s
	SET paused = NEW.paused, last_started_at = NEW.last_started_at,
		last_finished_at = NEW.last_finished_at, last_error = NEW.last_error,
		runs = NEW.runs, failures = NEW.failures
	WHERE s.name OPERATOR(pg_catalog.=) NEW.name;
	IF FOUND THEN
		RETURN NULL;
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION bigbrotr.service_restore() IS
	'trigger function: turns the insertion of an existing service into an update, for pg_restore';
CREATE TRIGGER service_restore BEFORE INSERT ON bigbrotr.service
	FOR EACH ROW EXECUTE FUNCTION bigbrotr.service_restore();
COMMENT ON TRIGGER service_restore ON bigbrotr.service IS
	'lets pg_restore load rows that CREATE EXTENSION has already made';

-- Partitions are ordinary tables and dumped as such; the parents hold nothing.
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.relay', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.relay_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.candidate', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.seed', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.event', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.observation', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.rejected_event', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.counter', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.service', '');
