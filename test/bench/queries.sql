-- An archive of about :events events for the benchmark of queries, with
-- frequent and rare authors, kinds, tags and words; ids, keys and signatures
-- are made up.  From 24 months ago until now, twice as many at the end as at
-- the start, within a month in no order.  Ends with what is to be run next:
-- one statement a line, those of one letter beside each other, the letters one
-- after the other: l(oad), i(ndex), v(acuum).

CREATE FUNCTION author(n double precision) RETURNS bytea LANGUAGE sql IMMUTABLE AS
	$$ SELECT sha256(('a' || floor(n)::bigint)::bytea) $$;
-- one of n, the first ones much more often
CREATE FUNCTION often(n double precision) RETURNS double precision LANGUAGE sql VOLATILE AS
	$$ SELECT n ^ random() - 1 $$;

-- Contents are two phrases and a word of their own.
SELECT setseed(0.5);
CREATE TABLE phrase AS SELECT n, string_agg('w' || floor(often(50000))::int, ' ') AS words
	FROM generate_series(0, 9999) AS n, generate_series(1, 1 + (n % 40)) AS w GROUP BY n;

CREATE FUNCTION fill(lo bigint, hi bigint, n integer, seed integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setseed(seed / 1000.0);
	INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, sig, tags, content)
	SELECT key, at, kind, id, author(who), id || id,
		(CASE WHEN kind IN (3, 10000) THEN '[]' ELSE
			format('[["p","%s"]%s%s%s]', encode(author(p), 'hex'),
				CASE WHEN r1 < 0.7 THEN format(',["e","%s","wss://relay.example.com","reply"]', encode(sha256(('e' || e)::bytea), 'hex')) ELSE '' END,
				CASE WHEN r2 < 0.15 THEN format(',["t","t%s"]', t) ELSE '' END,
				CASE WHEN kind >= 30000 THEN format(',["d","d%s"]', e) ELSE '' END) END)::bigbrotr.tags,
		CASE WHEN kind IN (7, 9735) THEN '+' WHEN kind IN (4, 1059) THEN encode(id || id || id || id, 'base64')
			ELSE a.words || ' ' || b.words || ' x' || e END
	FROM (SELECT DISTINCT ON (key) * FROM (
			SELECT (at << 29) | (('x' || encode(substr(id, 1, 4), 'hex'))::bit(32)::bigint >> 3) AS key, *
			FROM (SELECT lo + floor(random() * (hi - lo))::bigint AS at, sha256((seed || '.' || i)::bytea) AS id,
				often(200000) AS who, often(200000) AS p, floor(random() * 200000)::int AS e, floor(often(20000))::int AS t,
				random() AS r1, random() AS r2, floor(random() * 10000)::int AS one, floor(random() * 10000)::int AS two,
				('{1,1,1,1,1,1,1,7,7,7,7,7,7,9735,9735,6,0,3,10002,1059,30078,5,1984,30023,10000,4}'::int[])[1 + floor(random() * random() * 26)::int] AS kind
				FROM generate_series(1, n) AS i) AS x) AS x ORDER BY key) AS x
		JOIN phrase AS a ON a.n = one JOIN phrase AS b ON b.n = two
	ORDER BY id;
END $$;

-- A server is loaded before it is indexed.
CREATE TABLE later AS
	SELECT i.indrelid::regclass AS part, i.indexrelid::regclass AS name, k.conname,
		CASE WHEN k.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
			ELSE format('ALTER TABLE %s ADD %s', i.indrelid::regclass, pg_get_constraintdef(k.oid)) END AS make
	FROM pg_inherits AS h JOIN pg_index AS i ON i.indrelid = h.inhrelid LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype = 'p'
	WHERE h.inhparent = 'bigbrotr.event'::regclass;
SELECT CASE WHEN conname IS NULL THEN format('DROP INDEX %s', name) ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', part, conname) END FROM later
\gexec
SELECT extract(epoch FROM now())::bigint AS now \gset
SELECT format('l SELECT fill(%s, %s, %s, %s)', :now - (24 - m) * 2629800, :now - (23 - m) * 2629800, round(:events / 36.0 * (1 + m / 23.0)), m)
FROM generate_series(0, 23) AS m;
SELECT 'i ' || string_agg(make, '; ') FROM later GROUP BY part;
SELECT format('v VACUUM (ANALYZE) %s', part) FROM later GROUP BY part;
