-- Views under the names of the Python system, and the state of the services.

CREATE VIEW bigbrotr.event_relay AS
	SELECT e.id AS event_id, r.url AS relay_url, o.seen_at::bigint + 1577836800 AS seen_at
	FROM bigbrotr.observation_all AS o
	JOIN bigbrotr.relay AS r ON r.id = o.relay_id
	JOIN bigbrotr.event AS e ON e.key = o.key;
COMMENT ON VIEW bigbrotr.event_relay IS 'which event was seen on which relay, and when first, as in the Python system';
COMMENT ON COLUMN bigbrotr.event_relay.event_id IS 'event.id';
COMMENT ON COLUMN bigbrotr.event_relay.relay_url IS 'relay.url';
COMMENT ON COLUMN bigbrotr.event_relay.seen_at IS 'Unix seconds at which it was first seen there';

CREATE VIEW bigbrotr.service_state AS
	SELECT 'validator'::text AS service_name, 'checkpoint'::text AS state_type, c.url AS state_key,
		   jsonb_build_object('network', c.network, 'failures', c.attempts,
							  'timestamp', coalesce(extract(epoch FROM c.last_attempt_at)::bigint, c.discovered_at)) AS state_value
	FROM bigbrotr.candidate AS c
	UNION ALL
	SELECT 'synchronizer', 'cursor', r.url,
		   jsonb_build_object('timestamp', max(upper(v.range) - 1), 'id', repeat('0', 64))
	FROM bigbrotr.coverage AS v
	JOIN bigbrotr.relay AS r ON r.id = v.relay_id
	WHERE v.state IN ('complete', 'paged') AND NOT upper_inf(v.range)
	GROUP BY r.url;
COMMENT ON VIEW bigbrotr.service_state IS
	'candidates and cursors in the form of the Python system; tables candidate and coverage have more';
COMMENT ON COLUMN bigbrotr.service_state.service_name IS 'validator or synchronizer';
COMMENT ON COLUMN bigbrotr.service_state.state_type IS 'checkpoint or cursor';
COMMENT ON COLUMN bigbrotr.service_state.state_key IS 'address of the candidate or relay';
COMMENT ON COLUMN bigbrotr.service_state.state_value IS
	'validator: network, failures, timestamp; synchronizer: timestamp, id';

CREATE VIEW bigbrotr.status AS
	SELECT coalesce(s.name, w.service) AS service, w.worker, w.pid, coalesce(w.state, 'stopped') AS state,
		   w.started_at, s.paused, s.last_started_at, s.last_finished_at, s.last_error, s.runs, s.failures
	FROM bigbrotr.service AS s
	FULL JOIN bigbrotr.worker_status() AS w ON w.service = s.name;
COMMENT ON VIEW bigbrotr.status IS 'services: what is running, and how the last runs ended';
COMMENT ON COLUMN bigbrotr.status.service IS 'name of the service';
COMMENT ON COLUMN bigbrotr.status.worker IS 'number of the worker within its service';
COMMENT ON COLUMN bigbrotr.status.pid IS 'process ID, see pg_stat_activity';
COMMENT ON COLUMN bigbrotr.status.state IS 'what the worker is doing; stopped if there is no process';
COMMENT ON COLUMN bigbrotr.status.started_at IS 'start of the process';
COMMENT ON COLUMN bigbrotr.status.paused IS 'if true, not started; see pause and resume';
COMMENT ON COLUMN bigbrotr.status.last_started_at IS 'start of the last run';
COMMENT ON COLUMN bigbrotr.status.last_finished_at IS 'end of the last run';
COMMENT ON COLUMN bigbrotr.status.last_error IS 'error of the last run; NULL if it succeeded';
COMMENT ON COLUMN bigbrotr.status.runs IS 'number of runs started';
COMMENT ON COLUMN bigbrotr.status.failures IS 'number of runs that ended in an error';
