-- Control of the services: state, pause, resume, run now.

CREATE FUNCTION bigbrotr.worker_status(OUT service text, OUT worker integer, OUT pid integer,
		OUT state text, OUT started_at timestamptz) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'bigbrotr_worker_status' LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 8;
COMMENT ON FUNCTION bigbrotr.worker_status() IS
	'background workers of this database; no rows without shared_preload_libraries';
CREATE FUNCTION bigbrotr.run(service text) RETURNS void
	AS 'MODULE_PATHNAME', 'bigbrotr_run_service' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION bigbrotr.run(text) IS
	'requests one run of a service now: seeder, finder and refresher even if paused; validator, synchronizer and monitor check for work, and it fails if they do not run';
CREATE FUNCTION bigbrotr.wake() RETURNS void
	AS 'MODULE_PATHNAME', 'bigbrotr_wake' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION bigbrotr.wake() IS 'makes the scheduler of this database check what is due';

CREATE FUNCTION bigbrotr.service_set_paused(service text, value boolean) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	UPDATE bigbrotr.service AS s SET paused = service_set_paused.value
	WHERE s.name OPERATOR(pg_catalog.=) service_set_paused.service;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'service "%" does not exist', service
			USING ERRCODE = 'undefined_object', HINT = 'See bigbrotr.service for the available services.';
	END IF;
	PERFORM bigbrotr.wake();
END
$$;
COMMENT ON FUNCTION bigbrotr.service_set_paused(text, boolean) IS 'internal, used by pause and resume';
CREATE FUNCTION bigbrotr.pause(service text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	PERFORM bigbrotr.service_set_paused(service, true);
END
$$;
COMMENT ON FUNCTION bigbrotr.pause(text) IS 'stops a service until resume, also across restarts';
CREATE FUNCTION bigbrotr.resume(service text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	PERFORM bigbrotr.service_set_paused(service, false);
END
$$;
COMMENT ON FUNCTION bigbrotr.resume(text) IS 'lets a paused service run again';
