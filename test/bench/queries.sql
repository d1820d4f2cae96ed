-- An archive of about :events events for the benchmark of queries, with
-- frequent and rare authors, kinds and tags; ids, keys and signatures are made
-- up.  From 24 months ago until now, twice as many at the end as at the start,
-- within a month in no order.

CREATE FUNCTION author(n double precision) RETURNS bytea LANGUAGE sql IMMUTABLE AS
	$$ SELECT sha256(('a' || floor(n)::bigint)::bytea) $$;
-- one of n, the first ones much more often
CREATE FUNCTION often(n double precision) RETURNS double precision LANGUAGE sql VOLATILE AS
	$$ SELECT n ^ random() - 1 $$;

CREATE FUNCTION fill(lo bigint, hi bigint, n integer, seed integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setseed(seed / 1000.0);
	INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, sig, tags, content)
	SELECT DISTINCT ON (key) (at << 29) | (('x' || encode(substr(id, 1, 4), 'hex'))::bit(32)::bigint >> 3) AS key,
		at, kind, id, author(who), id || id,
		(CASE WHEN kind IN (3, 10000) THEN '[]' ELSE
			format('[["p","%s"]%s%s%s]', encode(author(p), 'hex'),
				CASE WHEN r1 < 0.7 THEN format(',["e","%s","wss://relay.example.com","reply"]', encode(sha256(('e' || e)::bytea), 'hex')) ELSE '' END,
				CASE WHEN r2 < 0.15 THEN format(',["t","t%s"]', t) ELSE '' END,
				CASE WHEN kind >= 30000 THEN format(',["d","d%s"]', e) ELSE '' END) END)::bigbrotr.tags,
		repeat(encode(substr(id, 5, 16), 'base64') || ' ', (r3 * 17)::int)
	FROM (SELECT lo + floor(random() * (hi - lo))::bigint AS at, sha256((seed || '.' || i)::bytea) AS id,
		often(200000) AS who, often(200000) AS p, floor(random() * 200000)::int AS e, floor(often(20000))::int AS t,
		random() AS r1, random() AS r2, random() AS r3,
		('{1,1,1,1,1,1,1,7,7,7,7,7,7,9735,9735,6,0,3,10002,1059,30078,5,1984,30023,10000,4}'::int[])[1 + floor(random() * random() * 26)::int] AS kind
		FROM generate_series(1, n) AS i) AS x;
END $$;

SELECT bigbrotr.partition_ensure();
SELECT extract(epoch FROM now())::bigint AS now \gset
SELECT format('SELECT fill(%s, %s, %s, %s)', :now - (24 - m) * 2629800, :now - (23 - m) * 2629800, round(:events / 36.0 * (1 + m / 23.0)), m)
FROM generate_series(0, 23) AS m
\gexec
VACUUM (ANALYZE) bigbrotr.event;
