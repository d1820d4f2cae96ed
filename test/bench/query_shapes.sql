-- Twelve filters, with values drawn from the archive: milliseconds by
-- bigbrotr.query (how: archive, relay), by count, and by SQL over the schema
-- of the Python system (baseline).  Four more search for words.

CREATE FUNCTION hex(n integer, e double precision DEFAULT 1) RETURNS text[] LANGUAGE sql VOLATILE AS
	$$ SELECT array_agg(encode(author(often(200000)), 'hex')) FROM generate_series(1, n) $$;
CREATE FUNCTION ids(n integer) RETURNS text[] LANGUAGE sql VOLATILE AS $$
	SELECT array_agg((SELECT encode(id, 'hex') FROM bigbrotr.event WHERE key >= at ORDER BY key LIMIT 1)) FROM (
		SELECT ((extract(epoch FROM now()) - 100000 - random() * 2629800 * 23)::bigint << 29) AS at FROM generate_series(1, n)) AS x $$;

CREATE TABLE shape (n serial, name text, filter text, baseline text);
INSERT INTO shape (name, filter, baseline) VALUES
	('id', $$jsonb_build_object('ids', ids(1))$$, $$id = ANY (hexes(f, 'ids'))$$),
	('ids_20', $$jsonb_build_object('ids', ids(20))$$, $$id = ANY (hexes(f, 'ids'))$$),
	('author', $$jsonb_build_object('authors', hex(1), 'limit', 20)$$, $$pubkey = ANY (hexes(f, 'authors'))$$),
	('author_kind', $$jsonb_build_object('authors', hex(1), 'kinds', ARRAY[1], 'limit', 20)$$,
		$$pubkey = ANY (hexes(f, 'authors')) AND kind = ANY (ints(f))$$),
	('feed_500', $$jsonb_build_object('authors', hex(500), 'kinds', ARRAY[1, 6], 'limit', 50)$$,
		$$pubkey = ANY (hexes(f, 'authors')) AND kind = ANY (ints(f))$$),
	('kind', $$jsonb_build_object('kinds', ARRAY[('{0,1,3,4,5,6,7,1059,1984,9735,10002,30023}'::int[])[1 + floor(random() * 12)::int]], 'limit', 100)$$,
		$$kind = ANY (ints(f))$$),
	('kinds_since', $$jsonb_build_object('kinds', ARRAY[0, 3, 30023], 'since', floor(extract(epoch FROM now()) - random() * 86400 * 30), 'limit', 100)$$,
		$$kind = ANY (ints(f)) AND created_at >= (f ->> 'since')::bigint$$),
	('e', $$jsonb_build_object('#e', ARRAY[encode(sha256(('e' || floor(random() * 200000)::int)::bytea), 'hex')], 'limit', 100)$$,
		$$tagvalues && vals(f, 'e')$$),
	('p_kinds', $$jsonb_build_object('#p', hex(1), 'kinds', ARRAY[1, 7, 9735], 'limit', 50)$$,
		$$tagvalues && vals(f, 'p') AND kind = ANY (ints(f))$$),
	('t_rare', $$jsonb_build_object('#t', ARRAY['t' || floor(1000 + random() * 19000)::int], 'limit', 50)$$, $$tagvalues && vals(f, 't')$$),
	('t_popular', $$jsonb_build_object('#t', ARRAY['t' || floor(random() * 3)::int], 'limit', 50)$$, $$tagvalues && vals(f, 't')$$),
	('window', $$(SELECT jsonb_build_object('since', at - 3600, 'until', at, 'limit', 100) FROM floor(extract(epoch FROM now()) - random() * 2629800 * 23) AS at)$$,
		$$created_at >= (f ->> 'since')::bigint AND created_at <= (f ->> 'until')::bigint$$);
INSERT INTO shape (name, filter) VALUES
	('search_rare', $$jsonb_build_object('search', 'x' || floor(random() * 200000)::int, 'limit', 20)$$),
	('search_frequent', $$jsonb_build_object('search', 'w' || floor(random() * 10)::int, 'limit', 20)$$),
	('search_two', $$jsonb_build_object('search', 'w' || floor(often(1000))::int || ' w' || floor(often(50000))::int, 'limit', 20)$$),
	('search_kind', $$jsonb_build_object('search', 'w' || floor(often(50000))::int, 'kinds', ARRAY[30023], 'limit', 20)$$);

CREATE FUNCTION hexes(f jsonb, name text) RETURNS bytea[] LANGUAGE sql IMMUTABLE AS
	$$ SELECT array_agg(decode(v, 'hex')) FROM jsonb_array_elements_text(f -> name) AS v $$;
CREATE FUNCTION ints(f jsonb) RETURNS int[] LANGUAGE sql IMMUTABLE AS
	$$ SELECT array_agg(v::int) FROM jsonb_array_elements_text(f -> 'kinds') AS v $$;
CREATE FUNCTION vals(f jsonb, letter text) RETURNS text[] LANGUAGE sql IMMUTABLE AS
	$$ SELECT array_agg(letter || ':' || v) FROM jsonb_array_elements_text(f -> ('#' || letter)) AS v $$;

-- Drawn before anything is measured.
CREATE TABLE asked (shape int, run int, f jsonb, PRIMARY KEY (shape, run));
CREATE FUNCTION ask(s shape, runs integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	f jsonb;
BEGIN
	FOR i IN 1 .. runs LOOP
		EXECUTE 'SELECT ' || s.filter INTO f;
		INSERT INTO asked VALUES (s.n, i, f);
	END LOOP;
END $$;

CREATE TABLE timing (shape int, how text, ms double precision, rows bigint);
-- All of them twice, the second time counts: plans are made, and the pages are
-- where this session finds them.
CREATE FUNCTION run(s shape, how text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	a asked; t timestamptz; n bigint; lit text;
BEGIN
	FOR pass IN 1 .. 2 LOOP
		FOR a IN SELECT * FROM asked WHERE shape = s.n ORDER BY run LOOP
			IF how = 'baseline' THEN
				-- constants, as a client would send
				lit := replace(s.baseline, 'f,', quote_literal(a.f) || '::jsonb,');
				lit := replace(replace(lit, '(f)', '(' || quote_literal(a.f) || '::jsonb)'), '(f ', '(' || quote_literal(a.f) || '::jsonb ');
				lit := 'SELECT count(sig) FROM (SELECT * FROM py_event WHERE ' || lit
					|| ' ORDER BY created_at DESC, id LIMIT ' || coalesce(a.f ->> 'limit', '5000') || ') AS x';
				t := clock_timestamp();
				EXECUTE lit INTO n;
			ELSIF how = 'count' THEN
				t := clock_timestamp();
				n := bigbrotr.count(a.f);
			ELSE
				t := clock_timestamp();
				SELECT count(*) INTO n FROM bigbrotr.query(a.f, how);
			END IF;
			IF pass = 2 THEN
				INSERT INTO timing VALUES (s.n, how, extract(epoch FROM clock_timestamp() - t) * 1000, n);
			END IF;
		END LOOP;
	END LOOP;
END $$;
