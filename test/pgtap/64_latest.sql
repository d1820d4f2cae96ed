-- The newest of each author, kind and identifier is the same in the analytics
-- and in what a relay would serve, however the d tag is written.
BEGIN;
SELECT no_plan();
SELECT bigbrotr.partition_ensure();

-- n is also the time; two of the same identifier replace each other
CREATE TEMP TABLE e AS SELECT n, kind, tags, d FROM (VALUES
	(1, 30023, '[]', ''), (2, 30023, '[["d"]]', ''), (3, 30023, '[["d"],["d","x"]]', ''), (4, 30023, '[["d",""],["d","x"]]', ''),
	(5, 30023, '[["d","x"],["d"]]', 'x'), (6, 30023, '[["t"],["dd","y"],["D","z"],["","x"],["d","x","y"],["d","z"]]', 'x'), (7, 30023, '[["t","x"]]', ''),
	(8, 30023, '[["d","0123456789abcdef"]]', '0123456789abcdef'), (9, 30023, '[["d","0123456789ABCDEF"]]', '0123456789ABCDEF'),
	(10, 30023, '[["e","x"],["d","0123456789abcdef"]]', '0123456789abcdef'), (11, 30023, '[["d"," x"]]', ' x'), (12, 30023, '[["d","X"]]', 'X'),
	(13, 10002, '[["d","x"]]', ''), (14, 10002, '[]', ''), (15, 30024, '[["d","x"]]', 'x')) AS v (n, kind, tags, d);
SELECT results_eq('SELECT bigbrotr.d_tag(tags::bigbrotr.tags) FROM e WHERE kind >= 30000 ORDER BY n', 'SELECT d FROM e WHERE kind >= 30000 ORDER BY n', 'the identifier');
INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, tags, content, sig)
SELECT (1700000000::bigint + n) << 29, 1700000000 + n, kind, sha256(int4send(n)), sha256('a'), tags::bigbrotr.tags, '', sha512('a') FROM e ORDER BY n;
SELECT bigbrotr.rebuild();
PREPARE newest AS SELECT 1700000000::bigint + max(n) FROM e GROUP BY kind, d ORDER BY 1;
SELECT results_eq($$SELECT created_at FROM bigbrotr.events_addressable_latest UNION ALL SELECT created_at FROM bigbrotr.events_replaceable_latest ORDER BY 1$$,
	'newest', 'in the analytics');
SELECT results_eq($$SELECT created_at FROM bigbrotr.query('{}', 'relay') ORDER BY 1$$, 'newest', 'and for a relay');
SELECT results_eq($$SELECT d_tag FROM bigbrotr.events_addressable_latest ORDER BY created_at$$,
	'SELECT d FROM e AS a WHERE kind >= 30000 AND NOT EXISTS (SELECT FROM e AS b WHERE b.kind = a.kind AND b.d = a.d AND b.n > a.n) ORDER BY n', 'under its identifier');
SELECT is_empty('SELECT * FROM bigbrotr.verify() WHERE missing + surplus > 0', 'as counted anew');

SELECT * FROM finish();
ROLLBACK;
