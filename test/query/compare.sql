-- Random filters, each answered by bigbrotr.query and count and by the naive
-- reference: psql -v from=1 -v to=N.  Prints what differs; nothing: equal.

CREATE OR REPLACE FUNCTION some_list(element text, most integer) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	list jsonb := '[]'; v jsonb;
BEGIN
	FOR i IN 1 .. CASE WHEN random() < 0.02 THEN 0 ELSE 1 + floor(random() * random() * most)::int END LOOP
		EXECUTE 'SELECT to_jsonb(' || element || ')' INTO v;
		list := list || v;
	END LOOP;
	RETURN list;
END $$;
CREATE OR REPLACE FUNCTION some_filter() RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	f jsonb := '{}'; letter text;
BEGIN
	IF random() < 0.1 THEN f := f || jsonb_build_object('ids', some_list('some_id()', 20)); END IF;
	IF random() < 0.35 THEN f := f || jsonb_build_object('authors', some_list('some_author()', 8)); END IF;
	IF random() < 0.45 THEN f := f || jsonb_build_object('kinds', some_list('some_kind()', 6)); END IF;
	IF random() < 0.35 THEN
		FOR i IN 1 .. 1 + floor(random() * random() * 3)::int LOOP
			letter := pick('{e,p,t,T,d,a,k,x,q,Z}'::text[]);
			f := f || jsonb_build_object('#' || letter, CASE letter
				WHEN 'e' THEN some_list('some_id()', 10) WHEN 'p' THEN some_list('some_author()', 5)
				WHEN 'd' THEN some_list('pick(''{a,b,"",c}''::text[])', 3) WHEN 'k' THEN '["1059"]'
				WHEN 'a' THEN some_list('some_kind() || '':'' || some_author() || '':'' || pick(''{a,b,"",c}''::text[])', 10)
				ELSE some_list('some_value()', 4) END);
		END LOOP;
	END IF;
	IF random() < 0.15 THEN f := f || jsonb_build_object('search', some_search()); END IF;
	IF random() < 0.2 THEN f := f || jsonb_build_object('since', some_time()); END IF;
	IF random() < 0.2 THEN f := f || jsonb_build_object('until', some_time()); END IF;
	IF random() < 0.7 THEN f := f || jsonb_build_object('limit', floor(random() * random() * random() * 300)::int); END IF;
	RETURN f;
END $$;

CREATE OR REPLACE FUNCTION compare(i integer) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	filters jsonb := CASE WHEN random() < 0.75 THEN some_filter() ELSE
		(SELECT coalesce(jsonb_agg(some_filter()), '[]') FROM generate_series(1, floor(random() * 4)::int)) END;
	list jsonb := CASE WHEN jsonb_typeof(filters) = 'object' THEN jsonb_build_array(filters) ELSE filters END;
	m text := pick('{archive,relay,us}'::text[]);
	mode text := CASE m WHEN 'archive' THEN m ELSE 'relay' END;
	url text := CASE m WHEN 'us' THEN 'wss://us.example.com/' END;
	most integer := pick('{5000,5000,100,7,0}'::int[]);
	a text; b text; c bigint; d bigint;
BEGIN
	SELECT string_agg(encode(q.id, 'hex'), ' ') INTO a FROM bigbrotr.query(filters, mode, most, url) AS q;
	SELECT string_agg(x.id, ' ' ORDER BY x.created_at DESC, x.id) INTO b FROM (
		SELECT DISTINCT y.id, y.created_at FROM jsonb_array_elements(list) AS f, LATERAL (
			SELECT r.id, r.created_at FROM naive(f, m) AS r ORDER BY r.created_at DESC, r.id
			LIMIT least((f ->> 'limit')::int, most)) AS y) AS x;
	IF a IS DISTINCT FROM b THEN
		RETURN format('filter %s, %s, limit %s: %s gives %s instead of %s', i, m, most, filters, left(a, 1000), left(b, 1000));
	END IF;
	IF random() < 0.3 THEN
		c := bigbrotr.count(filters, mode, url);
		SELECT count(DISTINCT r.id) INTO d FROM jsonb_array_elements(list) AS f, LATERAL naive(f, m) AS r;
		IF c <> d THEN
			RETURN format('filter %s, %s: %s counts %s instead of %s', i, m, filters, c, d);
		END IF;
	END IF;
	RETURN NULL;
END $$;
SELECT diff FROM generate_series(:from, :to) AS i, LATERAL compare(i) AS diff WHERE diff IS NOT NULL;
