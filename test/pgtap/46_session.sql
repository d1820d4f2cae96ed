-- Functions mean the same whatever a session has set, and leave its settings
-- as they were.
BEGIN;
SELECT no_plan();
SELECT ok(bigbrotr.partition_ensure() >= 0, 'there are partitions');

SET LOCAL standard_conforming_strings = off;
SET LOCAL escape_string_warning = off;
SELECT is(count(*) FILTER (WHERE lo = 0), 1::bigint, 'partitions have bounds where a backslash is an escape')
FROM bigbrotr.archive_partitions();
SET LOCAL standard_conforming_strings = on;

SET LOCAL quote_all_identifiers = on;
INSERT INTO bigbrotr.search_index (config) VALUES ('pg_catalog.simple');
SELECT bigbrotr.search_index_make('bigbrotr.event_old');
SELECT is(bigbrotr.search_index_of('bigbrotr.event_old') IS NULL, false, 'an index for search is found where names are quoted');
SET LOCAL quote_all_identifiers = off;

INSERT INTO bigbrotr.observation (key, relay_id, seen_at) VALUES (1, 1, 1);
SET LOCAL lock_timeout = '7s';
SELECT ok(bigbrotr.compact_step(true), 'an observation is packed');
SELECT is(current_setting('lock_timeout'), '7s', 'and the session waits for locks as long as it did');

SELECT * FROM finish();
ROLLBACK;
