-- A naive reference for bigbrotr.query and count: jsonb, no index, each rule
-- of the NIPs as one NOT EXISTS.  It shares nothing with the C code.
-- psql -v seed=N -v rows=N; needs the extension with its partitions.
-- Events without tags are light.

SELECT setseed((:seed % 1000000) / 1000000.0);

CREATE TABLE ref (n integer PRIMARY KEY, id text, pubkey text, created_at bigint, kind integer, tags jsonb, content text, key bigint, d text,
	served boolean, served_us boolean, words tsvector);

CREATE FUNCTION pick(anyarray) RETURNS anyelement LANGUAGE sql VOLATILE AS
	$$ SELECT $1[1 + floor(random() * cardinality($1))::int] $$;
-- few authors, few seconds, few values: ties, replacements and hits are many
CREATE FUNCTION some_author() RETURNS text LANGUAGE sql VOLATILE AS
	$$ SELECT encode(sha256(convert_to('author' || floor(random() * random() * 15), 'UTF8')), 'hex') $$;
CREATE FUNCTION some_time() RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT pick(ARRAY[-5, 0, 1577836799, 1577836800, 1577836800 + floor(random() * 3)::bigint, 1600000000, 1672531199,
		1672531200, 1700000000 + floor(random() * 20)::bigint, 1700000000 + floor(random() * 20)::bigint,
		1700000000 + floor(random() * 5000000)::bigint, extract(epoch FROM now())::bigint + 86400,
		4294967295, 4294967296, 4294968000, 17179869183, 17179869184, 1700000000000]) $$;
CREATE FUNCTION some_kind() RETURNS integer LANGUAGE sql VOLATILE AS
	$$ SELECT pick('{0,0,1,1,1,1,1,3,5,5,5,7,7,62,1059,1059,9735,10002,20001,30023,30023,30078,32767,39999,40000,65535}'::int[]) $$;
CREATE FUNCTION some_value() RETURNS text LANGUAGE sql VOLATILE AS
	$$ SELECT pick(ARRAY['', 'x', 'nostr', 'Nostr', 'ä', '0123456789abcdef', '0123456789abcdeF', 'a"b\c', repeat('long', 3000), '🙂']) $$;
CREATE FUNCTION some_word() RETURNS text LANGUAGE sql VOLATILE AS
	$$ SELECT pick('{a,Cat,cats,dog,the,Über,https://nostr.example.com/a/b,well-known,12:30,nostr:npub1x,#tag,x_y,日本,"c''t"}'::text[]) $$;
CREATE FUNCTION some_content() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() < 0.01 THEN repeat('filler ', 2500) ELSE '' END
		|| coalesce(string_agg(some_word(), pick('{" ",", ",". ","
"}'::text[])), '') FROM generate_series(1, floor(random() * random() * 12)::int) $$;
CREATE FUNCTION some_search() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(string_agg(pick(ARRAY['', '', '', '', '-', '"', 'or ', '( & ', 'include:spam ', 'domain:a.b ']) || some_word(), '  '), pick('{"",include:spam,"  ",!!}'::text[]))
	FROM generate_series(1, floor(random() * 3)::int) $$;
CREATE FUNCTION some_id() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() < 0.9 THEN (SELECT id FROM ref WHERE n = (SELECT 1 + floor(random() * max(n))::int FROM ref))
		ELSE encode(sha256(convert_to(random()::text, 'UTF8')), 'hex') END $$;
CREATE FUNCTION some_tag() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT CASE floor(random() * 19)::int
		WHEN 0 THEN jsonb_build_array('e', some_id()) WHEN 1 THEN jsonb_build_array('e', some_id(), 'wss://relay')
		WHEN 2 THEN jsonb_build_array('p', some_author()) WHEN 3 THEN jsonb_build_array('p', some_author(), 'x')
		WHEN 4 THEN jsonb_build_array('t', some_value()) WHEN 5 THEN jsonb_build_array('T', some_value())
		WHEN 6 THEN jsonb_build_array('d', pick('{a,b,"",c}'::text[])) WHEN 7 THEN jsonb_build_array('d', pick('{a,b}'::text[]))
		WHEN 8 THEN jsonb_build_array('a', some_kind() || ':' || some_author() || ':' || pick('{a,b,"",c}'::text[]))
		WHEN 9 THEN jsonb_build_array('a', pick('{0,10002}'::text[]) || ':' || some_author() || ':')
		WHEN 10 THEN jsonb_build_array('expiration', pick('{1,1500000000,99999999999,x,""}'::text[]))
		WHEN 11 THEN pick(ARRAY['["-"]', '["x"]', '["x"]', '["x"]']::jsonb[])
		WHEN 12 THEN jsonb_build_array('relay', pick('{ALL_RELAYS,wss://us.example.com/,wss://b.com}'::text[]))
		WHEN 13 THEN '["k","1059"]' WHEN 14 THEN '["d"]' WHEN 15 THEN jsonb_build_array('subject', some_value())
		WHEN 16 THEN jsonb_build_array('-x', '-') ELSE jsonb_build_array(chr(97 + floor(random() * 26)::int), some_value()) END $$;
CREATE FUNCTION some_tags(kind integer) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(jsonb_agg(t), '[]') FROM (
		SELECT some_tag() AS t FROM generate_series(1, floor(random() * 5)::int + (kind = 5)::int)
		UNION ALL SELECT jsonb_build_array('relay', pick('{ALL_RELAYS,wss://us.example.com/}'::text[])) WHERE kind = 62 AND random() < 0.15
		UNION ALL SELECT jsonb_build_array('p', some_author()) WHERE kind = 1059) AS x $$;

-- Some ids share their first 29 bits, also the highest: such keys go on to the next free one, or second.
SELECT format('INSERT INTO ref SELECT %s, CASE WHEN random() < 0.05 THEN pick((CASE WHEN t < 17179869183 THEN ''{0000000,fffffff,8888888}'' ELSE ''{0000000}'' END)::text[]) || substr(x, 8) ELSE x END,
	some_author(), t, k, CASE WHEN whole THEN some_tags(k) END, CASE WHEN whole THEN some_content() END FROM (SELECT random() > 0.05 AS whole) AS w, some_time() AS t, encode(sha256(convert_to(random()::text, ''UTF8'')), ''hex'') AS x, some_kind() AS k', i)
FROM generate_series(1, :rows) AS i
\gexec
DO $$
DECLARE
	r record; free bigint;
BEGIN
	FOR r IN SELECT * FROM ref ORDER BY n LOOP
		free := (least(greatest(r.created_at, 0), 17179869183) << 29) | (('x' || substr(r.id, 1, 8))::bit(32)::bigint >> 3);
		WHILE EXISTS (SELECT FROM ref WHERE key = free) LOOP
			free := free + 1;
		END LOOP;
		UPDATE ref SET key = free WHERE n = r.n;
	END LOOP;
END $$;
INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, sig, tags, content)
SELECT key, created_at, kind, decode(id, 'hex'), decode(pubkey, 'hex'), CASE WHEN tags IS NOT NULL THEN decode(repeat(id, 2), 'hex') END, tags::text::bigbrotr.tags, content
FROM ref ORDER BY n;

-- What a relay would serve now, of which one URL is known or none.
CREATE TABLE reftag (id text, pubkey text, kind integer, created_at bigint, name text, value text);
CREATE FUNCTION serves(r ref, url text) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT r.tags IS NOT NULL AND r.kind NOT BETWEEN 20000 AND 29999
	AND NOT EXISTS (SELECT FROM reftag t WHERE t.id = r.id AND t.name = '-')
	AND NOT EXISTS (SELECT FROM reftag t WHERE t.id = r.id AND t.name = 'expiration' AND t.value ~ '^[0-9]+$'
		AND t.value::numeric <= extract(epoch FROM now()))
	AND NOT ((r.kind IN (0, 3) OR r.kind BETWEEN 10000 AND 19999 OR r.kind BETWEEN 30000 AND 39999)
		AND EXISTS (SELECT FROM ref o WHERE o.pubkey = r.pubkey AND o.kind = r.kind AND o.tags IS NOT NULL
			AND (r.kind < 30000 OR o.d = r.d)
			AND (o.created_at > r.created_at OR o.created_at = r.created_at AND o.id < r.id)))
	AND (r.kind IN (5, 62) OR NOT EXISTS (SELECT FROM reftag t WHERE t.kind = 5 AND t.pubkey = r.pubkey
		AND t.name = 'e' AND t.value = r.id))
	AND NOT EXISTS (SELECT FROM reftag t WHERE t.kind = 5 AND t.pubkey = r.pubkey AND t.created_at >= r.created_at
		AND t.name = 'a' AND t.value = r.kind || ':' || r.pubkey || ':' || CASE WHEN r.kind >= 30000 THEN r.d ELSE '' END
		AND (r.kind IN (0, 3) OR r.kind BETWEEN 10000 AND 19999 OR r.kind BETWEEN 30000 AND 39999))
	AND NOT (r.kind = 1059 AND EXISTS (SELECT FROM reftag t JOIN reftag k USING (id) JOIN reftag p ON p.id = r.id AND p.name = 'p'
		WHERE t.kind = 5 AND t.pubkey = p.value AND t.name = 'e' AND t.value = r.id AND k.name = 'k' AND k.value = '1059'))
	AND (r.kind = 62 OR NOT EXISTS (SELECT FROM reftag t WHERE t.kind = 62 AND t.created_at >= r.created_at
		AND t.name = 'relay' AND t.value IN ('ALL_RELAYS', url)
		AND (t.pubkey = r.pubkey OR r.kind = 1059
			AND EXISTS (SELECT FROM reftag p WHERE p.id = r.id AND p.name = 'p' AND p.value = t.pubkey)))) $$;
CREATE INDEX ON reftag (id);
CREATE INDEX ON reftag (value, name);
-- Completes ref.
CREATE PROCEDURE conclude() LANGUAGE plpgsql AS $$
BEGIN
	UPDATE ref SET d = coalesce((SELECT t ->> 1 FROM jsonb_array_elements(tags) WITH ORDINALITY AS x (t, o)
		WHERE t ->> 0 = 'd' ORDER BY o LIMIT 1), '');
	TRUNCATE reftag;
	INSERT INTO reftag SELECT r.id, r.pubkey, r.kind, r.created_at, t ->> 0, t ->> 1 FROM ref r, jsonb_array_elements(r.tags) AS t;
	ANALYZE ref, reftag;
	UPDATE ref r SET words = CASE WHEN kind NOT IN (4, 13, 1059) THEN to_tsvector('simple', left(content, 16384)) END,
		served = serves(r, NULL), served_us = serves(r, 'wss://us.example.com/');
END $$;
CALL conclude();
-- Makes ref what event has now: after somebody has changed that.
CREATE PROCEDURE again() LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE ref;
	INSERT INTO ref (n, id, pubkey, created_at, kind, tags, content, key)
	SELECT row_number() OVER (ORDER BY key), encode(id, 'hex'), encode(pubkey, 'hex'), created_at, kind, tags::text::jsonb, content, key
	FROM bigbrotr.event;
	CALL conclude();
END $$;

-- Words of a search that are not extensions; NULL: none.
CREATE FUNCTION terms(search text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT nullif(btrim(string_agg(w, ' ' ORDER BY o)), '') FROM regexp_split_to_table(search, '\s+') WITH ORDINALITY AS x (w, o)
	WHERE w !~ '^[A-Za-z][A-Za-z0-9_-]*:[^/]' OR (length(search) - length(replace(search, '"', '')) > 0
		AND (SELECT sum(length(v) - length(replace(v, '"', ''))) FROM regexp_split_to_table(search, '\s+') WITH ORDINALITY AS y (v, p) WHERE p < o) % 2 = 1) $$;
-- What one filter finds, without its limit.
CREATE FUNCTION naive(f jsonb, mode text) RETURNS SETOF ref LANGUAGE sql STABLE AS $$
	SELECT r.* FROM ref r, (SELECT terms(f ->> 'search') AS terms, websearch_to_tsquery('simple', terms(f ->> 'search')) AS query OFFSET 0) AS s
	WHERE CASE mode WHEN 'archive' THEN true WHEN 'relay' THEN served ELSE served_us END
		AND (f -> 'ids' ? r.id) IS NOT FALSE
		AND (f -> 'authors' ? r.pubkey) IS NOT FALSE
		AND (f -> 'kinds' @> to_jsonb(r.kind)) IS NOT FALSE
		AND r.created_at >= coalesce((f ->> 'since')::numeric, r.created_at)
		AND r.created_at <= coalesce((f ->> 'until')::numeric, r.created_at)
		AND (s.terms IS NULL OR r.words @@ s.query)
		AND NOT EXISTS (SELECT FROM jsonb_each(f) AS m (name, list) WHERE name LIKE '#_'
			AND NOT EXISTS (SELECT FROM jsonb_array_elements(r.tags) AS t
				WHERE '#' || (t ->> 0) = name AND list ? (t ->> 1))) $$;
