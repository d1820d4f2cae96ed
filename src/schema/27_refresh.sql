-- Maintenance: what the refresher does.

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
COMMENT ON TABLE bigbrotr.maintenance IS 'the tasks of the refresher and how far they are; a row is made by the first run';
COMMENT ON COLUMN bigbrotr.maintenance.task IS 'name of the task';
COMMENT ON COLUMN bigbrotr.maintenance.started_at IS 'start of the last run';
COMMENT ON COLUMN bigbrotr.maintenance.finished_at IS 'when that was done; NULL: more is to do';
COMMENT ON COLUMN bigbrotr.maintenance.steps IS 'steps ever; each is a transaction';
COMMENT ON COLUMN bigbrotr.maintenance.last_done IS 'what the last run has handled so far, in units of the task';
COMMENT ON COLUMN bigbrotr.maintenance.done IS 'what was ever handled';
COMMENT ON COLUMN bigbrotr.maintenance.failures IS 'steps that ended in an error';
COMMENT ON COLUMN bigbrotr.maintenance.failed_at IS 'when one last did';
COMMENT ON COLUMN bigbrotr.maintenance.last_error IS 'that error; NULL: a later step went well';

SELECT pg_catalog.pg_extension_config_dump('bigbrotr.maintenance', '');
