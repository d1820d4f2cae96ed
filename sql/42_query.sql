-- Queries with filters: what is refused, what plain predicates do.  Which
-- events a filter finds is compared with a reference in test/tap/070_query.pl.
SELECT bigbrotr.partition_ensure() >= 0 AS there;
BEGIN;
INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, sig, tags, content)
SELECT bigbrotr.partition_bound(to_timestamp(1700000000 + n / 2)) + n, 1700000000 + n / 2, 1 + n % 3, sha256(('id' || n)::bytea), sha256(('author' || n % 5)::bytea),
	decode(repeat('00', 64), 'hex'), format('[["t","a%s"],["t","b%s"],["title","x"],["d"]]', n % 7, n % 11)::bigbrotr.tags, n::text
FROM generate_series(0, 99) AS n;
SELECT content, created_at FROM bigbrotr.query('{"kinds":[1],"limit":4}');
SELECT content FROM bigbrotr.query('[{"kinds":[1],"limit":2},{"#t":["a1"],"limit":2},{"kinds":[1,2],"limit":1}]');
SELECT content FROM bigbrotr.query(format('{"authors":["%s"],"#t":["a1","a2"],"until":1700000020}', encode(sha256('author3'), 'hex'))::jsonb);
SELECT bigbrotr.count('{"kinds":[1,2],"limit":1}'), bigbrotr.count('[{"kinds":[1]},{"kinds":[1,2]},{"#t":["b3"]}]'), bigbrotr.count('[]');
SELECT count(*) FROM bigbrotr.query('{}', max_limit => 7);
SELECT count(*) FROM bigbrotr.query('{"kinds":[]}');
SELECT content FROM bigbrotr.query('{"search":"17 or 42 include:spam"}');

-- operators, with and without the index
SET LOCAL search_path = bigbrotr, public;
SELECT count(*) FILTER (WHERE tags && '{t:a1,t:b3}') AS any, count(*) FILTER (WHERE tags @> '{t:a1,t:b3}') AS all,
	count(*) FILTER (WHERE tags && '{}') AS any_of_none, count(*) FILTER (WHERE tags @> '{}') AS all_of_none FROM event;
SET LOCAL enable_seqscan = off;
SELECT count(*) FROM event WHERE tags && '{t:a1,t:b3}';
SELECT count(*) FROM event WHERE tags @> '{t:a1,t:b3}';
SELECT count(*) FROM event WHERE tags @> '{}';
ROLLBACK;

SELECT bigbrotr.query('{"ids":["abc"]}');
SELECT bigbrotr.query('[{"kinds":[1]},{"name":1}]');
SELECT bigbrotr.query('7');
SELECT bigbrotr.query('{}', 'everything');
SELECT bigbrotr.query('{}', max_limit => -1);
SELECT bigbrotr.query(NULL);
SELECT count(*) FROM bigbrotr.query((SELECT jsonb_agg('{}'::jsonb) FROM generate_series(1, 101)));
SELECT FROM bigbrotr.event WHERE tags OPERATOR(bigbrotr.&&) '{nostr}';
