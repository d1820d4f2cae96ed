-- Analytics beyond the Python system: authors, kinds and hashtags over time,
-- how relays overlap, uptime and round-trip times, the follow graph.

CREATE VIEW bigbrotr.author_lifespan AS
	SELECT t.pubkey, t.events, t.first_at, t.last_at, t.days::bigint AS active_days
	FROM bigbrotr.tally_author AS t WHERE t.events > 0;
COMMENT ON VIEW bigbrotr.author_lifespan IS 'first and last activity of each author';
COMMENT ON COLUMN bigbrotr.author_lifespan.pubkey IS 'event.pubkey';
COMMENT ON COLUMN bigbrotr.author_lifespan.events IS 'number of events';
COMMENT ON COLUMN bigbrotr.author_lifespan.first_at IS 'oldest created_at, Unix seconds';
COMMENT ON COLUMN bigbrotr.author_lifespan.last_at IS 'newest created_at, Unix seconds';
COMMENT ON COLUMN bigbrotr.author_lifespan.active_days IS 'number of days (UTC) with an event';

CREATE VIEW bigbrotr.kind_days AS
	SELECT bigbrotr.tally_date(t.day) AS day, t.kind, t.events FROM bigbrotr.tally_day_kind AS t WHERE t.events > 0;
COMMENT ON VIEW bigbrotr.kind_days IS 'number of events by day and kind';
COMMENT ON COLUMN bigbrotr.kind_days.day IS 'day of created_at in UTC';
COMMENT ON COLUMN bigbrotr.kind_days.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.kind_days.events IS 'number of events';

CREATE FUNCTION bigbrotr.active_authors(period text, since date, until date DEFAULT current_date)
	RETURNS TABLE (starts date, authors bigint, new_authors bigint, events bigint)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF active_authors.period NOT IN ('day', 'week', 'month', 'quarter', 'year') THEN
		RAISE EXCEPTION 'period must be day, week, month, quarter or year'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY SELECT x.starts, count(DISTINCT x.author_id), count(DISTINCT x.author_id) FILTER (WHERE x.fresh), sum(x.events)::bigint
		FROM (SELECT date_trunc(active_authors.period, bigbrotr.tally_date(t.day)::timestamp)::date AS starts, t.author_id, t.events,
				bigbrotr.tally_day(a.first_at) = t.day AS fresh
			FROM bigbrotr.tally_day_author AS t JOIN bigbrotr.tally_author AS a ON a.id = t.author_id
			WHERE t.day BETWEEN bigbrotr.tally_day(active_authors.since) AND bigbrotr.tally_day(active_authors.until)
				AND t.events > 0) AS x
		GROUP BY x.starts ORDER BY x.starts;
END
$$;
COMMENT ON FUNCTION bigbrotr.active_authors(text, date, date) IS
	'for each period (day, week, month, quarter or year, UTC) from since to until, which cut the first and the last one: authors who published, authors whose first event falls in it, and events; exact';

CREATE FUNCTION bigbrotr.distinct_authors(relays text[] DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL)
	RETURNS bigint
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off
	AS $$
DECLARE
	result bigint;
	ids integer[] := ARRAY(SELECT r.id FROM bigbrotr.relay AS r WHERE r.url = ANY (distinct_authors.relays));
	first integer := bigbrotr.tally_day(coalesce(distinct_authors.since, '-infinity'));
	last integer := bigbrotr.tally_day(coalesce(distinct_authors.until, 'infinity'));
	-- keys of those days, and some more: the times of events decide
	lo bigint := least(greatest(first, 0) * 86400::bigint, 17179869183) << 29;
	hi bigint := least((greatest(last, 0) + 2) * 86400::bigint, 17179869183) << 29 | 536870911;
BEGIN
	IF relays IS NULL AND since IS NULL AND until IS NULL THEN
		SELECT coalesce(max(t.authors), 0) INTO result FROM bigbrotr.tally_total AS t;
	ELSIF relays IS NULL THEN
		SELECT count(DISTINCT t.author_id) INTO result FROM bigbrotr.tally_day_author AS t
		WHERE t.day BETWEEN first AND last AND t.events > 0;
	ELSIF since IS NULL AND until IS NULL THEN
		SELECT count(DISTINCT t.author_id) INTO result FROM bigbrotr.tally_relay_author AS t
		WHERE t.relay_id = ANY (ids) AND t.events > 0;
	ELSE
		-- the days not in WHERE: the planner would expect that they leave nearly nothing
		SELECT count(DISTINCT e.pubkey) FILTER (WHERE bigbrotr.tally_day(e.created_at) BETWEEN first AND last) INTO result
		FROM bigbrotr.observation_all AS o JOIN bigbrotr.event AS e ON e.key = o.key
		WHERE o.relay_id = ANY (ids) AND o.key >= lo AND o.key <= hi AND e.key >= lo AND e.key <= hi;
	END IF;
	RETURN result;
END
$$;
COMMENT ON FUNCTION bigbrotr.distinct_authors(text[], date, date) IS
	'number of distinct authors on any of these relays (NULL: all) from since to until (UTC days, inclusive; NULL: no bound); exact. Reads tallies, and if both relays and days are given the observations of that time';

CREATE FUNCTION bigbrotr.redundancy(since timestamptz, until timestamptz DEFAULT now())
	RETURNS TABLE (relays bigint, events bigint)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off
	AS $$
DECLARE
	lo bigint := bigbrotr.partition_bound(redundancy.since);
	hi bigint := bigbrotr.partition_bound(redundancy.until);
BEGIN
	RETURN QUERY SELECT coalesce(o.n, 0), count(*) FROM bigbrotr.event AS e
		LEFT JOIN (SELECT x.key, count(*) AS n FROM bigbrotr.observation_all AS x
			WHERE x.key >= lo AND x.key < hi GROUP BY x.key) AS o ON o.key = e.key
		WHERE e.key >= lo AND e.key < hi GROUP BY 1 ORDER BY 1;
END
$$;
COMMENT ON FUNCTION bigbrotr.redundancy(timestamptz, timestamptz) IS
	'of the events created between since and until, how many are on no relay, on one, on two, ...';

CREATE FUNCTION bigbrotr.relay_overlap(relay_url text, since timestamptz, until timestamptz DEFAULT now())
	RETURNS TABLE (other_url text, shared bigint, share double precision)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off
	AS $$
DECLARE
	lo bigint := bigbrotr.partition_bound(relay_overlap.since);
	hi bigint := bigbrotr.partition_bound(relay_overlap.until);
	relay integer;
	own bigint;
BEGIN
	SELECT r.id INTO relay FROM bigbrotr.relay AS r WHERE r.url = relay_overlap.relay_url;
	SELECT count(*) INTO own FROM bigbrotr.observation_all AS o WHERE o.relay_id = relay AND o.key >= lo AND o.key < hi;
	RETURN QUERY SELECT r.url, x.n, x.n::double precision / own
		FROM (SELECT p.relay_id, count(*) AS n FROM bigbrotr.observation_all AS o
			JOIN bigbrotr.observation_all AS p ON p.key = o.key AND p.relay_id <> relay
			WHERE o.relay_id = relay AND o.key >= lo AND o.key < hi AND p.key >= lo AND p.key < hi
			GROUP BY p.relay_id) AS x
		JOIN bigbrotr.relay AS r ON r.id = x.relay_id ORDER BY x.n DESC, r.url;
END
$$;
COMMENT ON FUNCTION bigbrotr.relay_overlap(text, timestamptz, timestamptz) IS
	'other relays that have events of this one created between since and until: number of shared events, and their share of its events';

CREATE FUNCTION bigbrotr.relay_cover_keys(since bigint, until bigint, max_relays integer, max_observations bigint,
		OUT step integer, OUT relay_id integer, OUT added bigint, OUT covered double precision) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'bigbrotr_relay_cover' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION bigbrotr.relay_cover_keys(bigint, bigint, integer, bigint) IS
	'internal, used by relay_cover: takes keys instead of times';
CREATE FUNCTION bigbrotr.relay_cover(since timestamptz, until timestamptz DEFAULT now(), max_relays integer DEFAULT 20,
		max_observations bigint DEFAULT 50000000)
	RETURNS TABLE (step integer, relay_url text, added bigint, covered double precision)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN QUERY SELECT c.step, r.url, c.added, c.covered
		FROM bigbrotr.relay_cover_keys(bigbrotr.partition_bound(relay_cover.since),
			bigbrotr.partition_bound(relay_cover.until), relay_cover.max_relays, relay_cover.max_observations) AS c
		LEFT JOIN bigbrotr.relay AS r ON r.id = c.relay_id ORDER BY c.step;
END
$$;
COMMENT ON FUNCTION bigbrotr.relay_cover(timestamptz, timestamptz, integer, bigint) IS
	'at most max_relays relays that together hold most events created between since and until, chosen greedily: each adds most to those before; covered is the share of the events that any relay has. Fails beyond max_observations, which take 4 bytes of memory each';

CREATE FUNCTION bigbrotr.hashtag_days(since date, until date DEFAULT current_date, top integer DEFAULT 20)
	RETURNS TABLE (day date, hashtag text, events bigint, authors bigint)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off
	AS $$
BEGIN
	RETURN QUERY SELECT x.day, x.hashtag, x.events, x.authors FROM (
			SELECT bigbrotr.tally_date(bigbrotr.tally_day(e.created_at)) AS day, h.t AS hashtag, count(*) AS events, count(DISTINCT e.pubkey) AS authors,
				row_number() OVER (PARTITION BY bigbrotr.tally_day(e.created_at) ORDER BY count(DISTINCT e.pubkey) DESC, count(*) DESC, h.t) AS place
			FROM bigbrotr.event AS e,
			LATERAL (SELECT DISTINCT lower(v) AS t FROM unnest(bigbrotr.tag_values(e.tags, 't')) AS v WHERE v <> '') AS h
			WHERE e.key >= bigbrotr.partition_bound(hashtag_days.since::timestamp AT TIME ZONE 'UTC')
				AND e.key < bigbrotr.partition_bound((hashtag_days.until + 1)::timestamp AT TIME ZONE 'UTC')
			GROUP BY bigbrotr.tally_day(e.created_at), h.t) AS x
		WHERE x.place <= hashtag_days.top ORDER BY x.day, x.place;
END
$$;
COMMENT ON FUNCTION bigbrotr.hashtag_days(date, date, integer) IS
	'the top hashtags of each day (UTC) by number of authors, in lower case; reads the events of those days';

CREATE FUNCTION bigbrotr.relay_series(relay_url text, bucket interval DEFAULT '1 day', since timestamptz DEFAULT now() - interval '30 days',
		until timestamptz DEFAULT now())
	RETURNS TABLE (starts timestamptz, checks bigint, uptime double precision, open_ms double precision,
		read_ms double precision, write_ms double precision)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN QUERY SELECT date_bin(relay_series.bucket, c.checked_at, timestamptz '2020-01-01 00:00+00'), count(*),
			avg(c.opened::integer)::double precision, percentile_cont(0.5) WITHIN GROUP (ORDER BY c.dns_ms + c.tcp_ms + c.tls_ms + c.upgrade_ms),
			percentile_cont(0.5) WITHIN GROUP (ORDER BY c.read_ms), percentile_cont(0.5) WITHIN GROUP (ORDER BY c.write_ms)
		FROM bigbrotr.relay AS r JOIN bigbrotr.check_series AS s ON s.relay_id = r.id,
		LATERAL bigbrotr.check_unpack(s.samples) AS c
		WHERE r.url = relay_series.relay_url AND c.checked_at BETWEEN relay_series.since AND relay_series.until
		GROUP BY 1 ORDER BY 1;
END
$$;
COMMENT ON FUNCTION bigbrotr.relay_series(text, interval, timestamptz, timestamptz) IS
	'checks of a relay by time bucket: how many, share in which it opened (0 to 1), median milliseconds to open, read and write';

CREATE FUNCTION bigbrotr.pagerank(damping double precision DEFAULT 0.85, iterations integer DEFAULT 100,
		tolerance double precision DEFAULT 1e-6, max_edges bigint DEFAULT 50000000,
		OUT pubkey bytea, OUT rank double precision, OUT follows integer, OUT followers integer) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'bigbrotr_pagerank' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 100000;
COMMENT ON FUNCTION bigbrotr.pagerank(double precision, integer, double precision, bigint) IS
	'PageRank of the follow graph (newest kind 3 of each author, as of the last refresh); ranks sum to 1. Ends when they change by less than tolerance in sum, or after this many iterations; takes 4 bytes of memory per edge, about 150 per public key, and fails beyond max_edges';
