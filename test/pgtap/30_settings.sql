-- Every setting explains itself, and can be read and reloaded.
BEGIN;
SELECT no_plan();
CREATE TEMP VIEW setting AS SELECT * FROM pg_settings WHERE name LIKE 'bigbrotr.%';

SELECT cmp_ok((SELECT count(*) FROM setting), '>=', 37::bigint, 'the settings are there');
SELECT is_empty($$ SELECT name FROM setting WHERE coalesce(short_desc, '') = '' OR short_desc NOT LIKE '%.' $$,
	'every setting has a short description, a sentence');
SELECT is_empty($$ SELECT name FROM setting WHERE coalesce(extra_desc, '') = '' OR extra_desc NOT LIKE '%.' $$,
	'every setting has a long description of sentences');
SELECT is_empty($$ SELECT name, short_desc FROM setting WHERE extra_desc = short_desc $$, 'the long one says more');
SELECT is_empty($$ SELECT name FROM setting WHERE vartype = 'integer' AND unit IS NULL
		AND name ~ '_(interval|timeout|overlap|slice|delay|age|size|memory_limit|tail|after)$' $$,
	'times and sizes have a unit');
SELECT is_empty($$ SELECT name FROM setting WHERE vartype = 'integer'
		AND (min_val::bigint < -1 OR max_val::bigint <= min_val::bigint
			 OR (unit IS NOT NULL AND max_val::bigint = 2147483647)) $$,
	'numbers have bounds that mean something');
SELECT is_empty($$ SELECT name FROM setting WHERE context NOT IN ('sighup', 'superuser') $$,
	'a reload or a superuser changes them, no restart');
SELECT is_empty($$ SELECT name FROM setting WHERE vartype = 'integer' AND NOT boot_val::bigint BETWEEN min_val::bigint AND max_val::bigint $$,
	'the defaults lie within the bounds');

-- paths on the server are not for everybody's eyes
CREATE ROLE bb_nobody;
SET LOCAL ROLE bb_nobody;
SELECT count(*) = 0 AS hidden FROM pg_settings WHERE name ~ '^bigbrotr.*_(file|program)$' \gset
RESET ROLE;
SELECT is(:'hidden'::text, 't', 'files are hidden from those who may not read all settings');

SELECT * FROM finish();
ROLLBACK;
