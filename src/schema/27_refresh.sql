-- The tasks of the refresher.

CREATE TABLE bigbrotr.maintenance (
	task text PRIMARY KEY,
	started_at timestamptz,
	finished_at timestamptz,
	steps bigint NOT NULL DEFAULT 0,
	last_done bigint NOT NULL DEFAULT 0,
	done bigint NOT NULL DEFAULT 0,
	failures bigint NOT NULL DEFAULT 0,
	failed_at timestamptz,
	last_error text
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.maintenance IS
	'tasks of the refresher and their progress; a row is made by the first run of a task';
COMMENT ON COLUMN bigbrotr.maintenance.task IS 'name of the task';
COMMENT ON COLUMN bigbrotr.maintenance.started_at IS 'start of the last run';
COMMENT ON COLUMN bigbrotr.maintenance.finished_at IS 'when the last run completed; NULL if there is more to do';
COMMENT ON COLUMN bigbrotr.maintenance.steps IS 'total number of steps, each a transaction';
COMMENT ON COLUMN bigbrotr.maintenance.last_done IS 'items handled in the last run so far, in units of the task';
COMMENT ON COLUMN bigbrotr.maintenance.done IS 'total number of items handled';
COMMENT ON COLUMN bigbrotr.maintenance.failures IS 'number of steps that failed';
COMMENT ON COLUMN bigbrotr.maintenance.failed_at IS 'when a step last failed';
COMMENT ON COLUMN bigbrotr.maintenance.last_error IS 'error of that step; NULL if a later step succeeded';

SELECT pg_catalog.pg_extension_config_dump('bigbrotr.maintenance', '');
