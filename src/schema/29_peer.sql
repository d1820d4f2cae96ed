-- Other monitors (NIP-66): their reports on the relays that we know.  One row
-- per monitor and relay, whatever they send; nothing in it is trusted.

CREATE TABLE bigbrotr.peer_news (
	pubkey bytea NOT NULL,
	kind integer NOT NULL,
	created_at bigint NOT NULL,
	tags bigbrotr.tags NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
COMMENT ON TABLE bigbrotr.peer_news IS
	'new events of kinds 10166 and 30166 that the refresher has not read yet; those with more than 8 kB of tags are ignored';
COMMENT ON COLUMN bigbrotr.peer_news.pubkey IS 'event.pubkey';
COMMENT ON COLUMN bigbrotr.peer_news.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.peer_news.created_at IS 'event.created_at';
COMMENT ON COLUMN bigbrotr.peer_news.tags IS 'event.tags, also in a light archive';

CREATE TABLE bigbrotr.peer_monitor (
	pubkey bytea PRIMARY KEY CHECK (octet_length(pubkey) = 32),
	counted boolean NOT NULL DEFAULT true,
	trusted boolean NOT NULL DEFAULT false,
	relays integer NOT NULL DEFAULT 0,
	announced_at bigint,
	frequency_s integer NOT NULL DEFAULT 3600 CHECK (frequency_s >= 60 AND frequency_s <= 86400),
	checks text[] NOT NULL DEFAULT '{}',
	geohash text,
	last_report_at bigint,
	reports bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.peer_monitor IS
	'other monitors, that is, authors of kinds 10166 and 30166; at most 200. One that is silent for 30 days is removed; when the table is full, a new one replaces one that was seen on fewer relays';
COMMENT ON COLUMN bigbrotr.peer_monitor.pubkey IS 'event.pubkey';
COMMENT ON COLUMN bigbrotr.peer_monitor.counted IS
	'if false, it has no vote in relay_comparison; an operator may set it';
COMMENT ON COLUMN bigbrotr.peer_monitor.trusted IS 'if true, it is never removed or replaced; an operator may set it';
COMMENT ON COLUMN bigbrotr.peer_monitor.relays IS
	'largest number of relays on which its events were seen (see peer_spread); fake monitors are rarely on many';
COMMENT ON COLUMN bigbrotr.peer_monitor.announced_at IS
	'created_at of its newest announcement (kind 10166), Unix seconds; NULL if none was seen';
COMMENT ON COLUMN bigbrotr.peer_monitor.frequency_s IS
	'seconds between its reports as announced, 60 to 86400; 3600 if it announces nothing sensible';
COMMENT ON COLUMN bigbrotr.peer_monitor.checks IS 'checks that it announces (tag c)';
COMMENT ON COLUMN bigbrotr.peer_monitor.geohash IS 'its location as announced (tag g)';
COMMENT ON COLUMN bigbrotr.peer_monitor.last_report_at IS
	'created_at of its newest report (kind 30166) that is not from the future, Unix seconds';
COMMENT ON COLUMN bigbrotr.peer_monitor.reports IS 'number of its reports that were read';

CREATE TABLE bigbrotr.peer_report (
	relay_id integer NOT NULL,
	pubkey bytea NOT NULL,
	reported_at bigint NOT NULL,
	open_ms integer,
	read_ms integer,
	write_ms integer,
	requirements text[],
	PRIMARY KEY (relay_id, pubkey)
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.peer_report IS
	'newest report of each monitor on each known relay; read it through monitor_report';
COMMENT ON COLUMN bigbrotr.peer_report.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.peer_report.pubkey IS 'peer_monitor.pubkey';
COMMENT ON COLUMN bigbrotr.peer_report.reported_at IS 'created_at of the report, Unix seconds';
COMMENT ON COLUMN bigbrotr.peer_report.open_ms IS
	'milliseconds to open (rtt-open); NULL if not reported, or not a number below 1,000,000';
COMMENT ON COLUMN bigbrotr.peer_report.read_ms IS 'milliseconds to read (rtt-read)';
COMMENT ON COLUMN bigbrotr.peer_report.write_ms IS 'milliseconds to write (rtt-write)';
COMMENT ON COLUMN bigbrotr.peer_report.requirements IS
	'what it says the relay requires (tag R): auth, writes, pow, payment; with ! if not required';
CREATE INDEX peer_report_reported_at_idx ON bigbrotr.peer_report (reported_at);
COMMENT ON INDEX bigbrotr.peer_report_reported_at_idx IS 'finds reports that are too old to matter';

SELECT pg_catalog.pg_extension_config_dump('bigbrotr.peer_news', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.peer_monitor', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.peer_report', '');

CREATE FUNCTION bigbrotr.peer_ms(tags bigbrotr.tags, name text) RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT CASE WHEN t.value ~ '^[0-9]{1,6}([.][0-9]{1,9})?$' THEN least(round(t.value::numeric), 999999)::integer END
	FROM (SELECT bigbrotr.tag_first(peer_ms.tags, peer_ms.name) AS value) AS t
$$;
COMMENT ON FUNCTION bigbrotr.peer_ms(bigbrotr.tags, text) IS
	'first value of the tag with this name, in milliseconds; NULL if it is not a number from 0 to 999999';

CREATE FUNCTION bigbrotr.peer_words(tags bigbrotr.tags, name text, pattern text) RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT coalesce(array_agg(DISTINCT v.value), '{}') FROM (
		SELECT u.value FROM unnest(bigbrotr.tag_values(peer_words.tags, peer_words.name)) AS u (value)
		WHERE u.value ~ peer_words.pattern LIMIT 16) AS v
$$;
COMMENT ON FUNCTION bigbrotr.peer_words(bigbrotr.tags, text, text) IS
	'at most 16 values of the tag with this name that match the regular expression pattern';

CREATE FUNCTION bigbrotr.peer_spread(pubkey bytea) RETURNS integer
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	keys bigint[];
	lo bigint := bigbrotr.key_first(extract(epoch FROM pg_catalog.now())::bigint OPERATOR(pg_catalog.-) 2592000);
	hi bigint;
	n integer;
BEGIN
	SELECT pg_catalog.array_agg(x.key), pg_catalog.min(x.key), pg_catalog.max(x.key) INTO keys, lo, hi
	FROM (SELECT e.key FROM bigbrotr.event AS e
		  WHERE e.pubkey OPERATOR(pg_catalog.=) peer_spread.pubkey AND e.kind OPERATOR(pg_catalog.=) ANY ('{10166,30166}')
			AND e.key OPERATOR(pg_catalog.>=) lo LIMIT 100) AS x;
	IF keys IS NULL THEN
		RETURN 0;
	END IF;
	SELECT pg_catalog.count(DISTINCT o.relay_id) INTO n FROM bigbrotr.observation_all AS o
	WHERE o.key OPERATOR(pg_catalog.=) ANY (keys) AND o.key OPERATOR(pg_catalog.>=) lo AND o.key OPERATOR(pg_catalog.<=) hi;
	RETURN n;
END
$$;
COMMENT ON FUNCTION bigbrotr.peer_spread(bytea) IS
	'number of relays on which the announcements and reports of a monitor were seen, from at most 100 events of the last 30 days; internal, used by peer_fold';

CREATE FUNCTION bigbrotr.peer_fold(batch integer DEFAULT 2000) RETURNS bigint
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
	WITH taken AS (
		DELETE FROM bigbrotr.peer_news AS n
		WHERE n.ctid = ANY (ARRAY(SELECT x.ctid FROM bigbrotr.peer_news AS x LIMIT peer_fold.batch))
		RETURNING n.pubkey, n.kind, n.created_at, n.tags
	), own AS (
		SELECT decode(p.event::jsonb ->> 'pubkey', 'hex') AS pubkey FROM bigbrotr.publication AS p WHERE p.slot = '10166'
	), sound AS (
		-- dates lie: nothing from the future, and no report that is too old to matter
		SELECT t.* FROM taken AS t
		WHERE t.created_at <= extract(epoch FROM now()) + 900
			AND (t.kind = 10166 OR t.created_at > extract(epoch FROM now()) - 7 * 86400)
			AND t.pubkey NOT IN (SELECT o.pubkey FROM own AS o)
	), author AS (
		SELECT s.pubkey, max(s.created_at) FILTER (WHERE s.kind = 10166) AS announced_at,
			   max(s.created_at) FILTER (WHERE s.kind = 30166) AS last_report_at,
			   count(*) FILTER (WHERE s.kind = 30166) AS reports,
			   (array_agg(s.tags ORDER BY s.created_at DESC) FILTER (WHERE s.kind = 10166))[1] AS tags,
			   EXISTS (SELECT FROM bigbrotr.peer_monitor AS m WHERE m.pubkey = s.pubkey) AS known,
			   bigbrotr.peer_spread(s.pubkey) AS relays
		FROM sound AS s GROUP BY s.pubkey
	), ranked AS (
		-- beyond the free places: one of them for each that was seen least, if it was seen on more relays
		SELECT a.*, row_number() OVER (PARTITION BY a.known ORDER BY a.relays DESC, a.reports DESC, a.pubkey)
			   - (SELECT greatest(0, 200 - count(*)) FROM bigbrotr.peer_monitor AS x) AS place FROM author AS a
	), weakest AS (
		SELECT m.pubkey, m.relays, row_number() OVER (ORDER BY m.relays, m.reports, m.pubkey) AS place
		FROM bigbrotr.peer_monitor AS m
		WHERE m.counted AND NOT m.trusted AND m.pubkey NOT IN (SELECT a.pubkey FROM author AS a)
	), displaced AS (
		DELETE FROM bigbrotr.peer_monitor AS m USING weakest AS w, ranked AS a
		WHERE m.pubkey = w.pubkey AND NOT a.known AND a.place = w.place AND a.relays > w.relays
	), monitor AS (
		INSERT INTO bigbrotr.peer_monitor AS m (pubkey, relays, announced_at, frequency_s, checks, geohash, last_report_at, reports)
		SELECT a.pubkey, a.relays, a.announced_at,
			   CASE WHEN bigbrotr.tag_first(a.tags, 'frequency') ~ '^[0-9]{1,9}$'
			   THEN greatest(60, least(86400, bigbrotr.tag_first(a.tags, 'frequency')::integer)) ELSE 3600 END,
			   coalesce(bigbrotr.peer_words(a.tags, 'c', '^[a-z0-9-]{1,16}$'), '{}'),
			   substring(bigbrotr.tag_first(a.tags, 'g') FROM '^[0-9b-hjkmnp-z]{1,12}$'), a.last_report_at, a.reports
		FROM ranked AS a
		WHERE a.known OR a.place <= 0 OR EXISTS (SELECT FROM weakest AS w WHERE w.place = a.place AND a.relays > w.relays)
		ORDER BY a.pubkey
		ON CONFLICT (pubkey) DO UPDATE SET
			relays = greatest(m.relays, excluded.relays),
			frequency_s = CASE WHEN excluded.announced_at > coalesce(m.announced_at, 0) THEN excluded.frequency_s ELSE m.frequency_s END,
			checks = CASE WHEN excluded.announced_at > coalesce(m.announced_at, 0) THEN excluded.checks ELSE m.checks END,
			geohash = CASE WHEN excluded.announced_at > coalesce(m.announced_at, 0) THEN excluded.geohash ELSE m.geohash END,
			announced_at = greatest(m.announced_at, excluded.announced_at),
			last_report_at = greatest(m.last_report_at, excluded.last_report_at),
			reports = m.reports + excluded.reports
		RETURNING m.pubkey
	), newest AS (
		SELECT DISTINCT ON (r.id, s.pubkey) r.id, s.pubkey, s.created_at, s.tags
		FROM sound AS s
		JOIN monitor AS m ON m.pubkey = s.pubkey
		JOIN bigbrotr.relay AS r ON r.url = bigbrotr.relay_normalize(bigbrotr.tag_first(s.tags, 'd'))
		WHERE s.kind = 30166
		ORDER BY r.id, s.pubkey, s.created_at DESC
	), report AS (
		INSERT INTO bigbrotr.peer_report AS p (relay_id, pubkey, reported_at, open_ms, read_ms, write_ms, requirements)
		SELECT n.id, n.pubkey, n.created_at, bigbrotr.peer_ms(n.tags, 'rtt-open'), bigbrotr.peer_ms(n.tags, 'rtt-read'),
			   bigbrotr.peer_ms(n.tags, 'rtt-write'), bigbrotr.peer_words(n.tags, 'R', '^!?(auth|writes|pow|payment)$')
		FROM newest AS n
		ON CONFLICT (relay_id, pubkey) DO UPDATE SET reported_at = excluded.reported_at, open_ms = excluded.open_ms,
			read_ms = excluded.read_ms, write_ms = excluded.write_ms, requirements = excluded.requirements
			WHERE excluded.reported_at > p.reported_at
	)
	SELECT count(*) FROM taken
$$;
COMMENT ON FUNCTION bigbrotr.peer_fold(integer) IS
	'moves at most batch rows of peer_news into peer_monitor and peer_report; returns their number; internal, used by the refresher';

CREATE FUNCTION bigbrotr.peer_expire(batch integer DEFAULT 2000) RETURNS bigint
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$
	WITH old AS (
		DELETE FROM bigbrotr.peer_report AS p
		WHERE p.ctid = ANY (ARRAY(SELECT x.ctid FROM bigbrotr.peer_report AS x
								  WHERE x.reported_at < extract(epoch FROM now())::bigint - 7 * 86400 LIMIT peer_expire.batch))
		RETURNING p.relay_id
	), silent AS (
		DELETE FROM bigbrotr.peer_monitor AS m
		WHERE m.counted AND NOT m.trusted AND greatest(m.last_report_at, m.announced_at) < extract(epoch FROM now())::bigint - 30 * 86400
		RETURNING m.pubkey
	)
	SELECT (SELECT count(*) FROM old) + (SELECT count(*) FROM silent)
$$;
COMMENT ON FUNCTION bigbrotr.peer_expire(integer) IS
	'removes at most batch reports older than a week, and monitors silent for 30 days; internal, used by the refresher';

CREATE VIEW bigbrotr.monitor_report AS
	SELECT r.url AS relay_url, p.pubkey, to_timestamp(p.reported_at) AS reported_at,
		   p.reported_at >= extract(epoch FROM now()) - 2 * m.frequency_s AS online,
		   m.last_report_at >= extract(epoch FROM now()) - 2 * m.frequency_s AS alive,
		   m.counted, p.open_ms, p.read_ms, p.write_ms, p.requirements
	FROM bigbrotr.peer_report AS p
	JOIN bigbrotr.relay AS r ON r.id = p.relay_id
	JOIN bigbrotr.peer_monitor AS m ON m.pubkey = p.pubkey;
COMMENT ON VIEW bigbrotr.monitor_report IS 'newest report of every other monitor on every known relay';
COMMENT ON COLUMN bigbrotr.monitor_report.relay_url IS 'relay.url';
COMMENT ON COLUMN bigbrotr.monitor_report.pubkey IS 'public key of the monitor; see npub';
COMMENT ON COLUMN bigbrotr.monitor_report.reported_at IS 'created_at of the report';
COMMENT ON COLUMN bigbrotr.monitor_report.online IS
	'whether it is no older than twice the monitor''s reporting interval; a monitor reports a relay as online or not at all';
COMMENT ON COLUMN bigbrotr.monitor_report.alive IS 'whether the monitor has reported any relay within that time';
COMMENT ON COLUMN bigbrotr.monitor_report.counted IS 'peer_monitor.counted';
COMMENT ON COLUMN bigbrotr.monitor_report.open_ms IS 'milliseconds to open, as reported';
COMMENT ON COLUMN bigbrotr.monitor_report.read_ms IS 'milliseconds to read, as reported';
COMMENT ON COLUMN bigbrotr.monitor_report.write_ms IS 'milliseconds to write, as reported';
COMMENT ON COLUMN bigbrotr.monitor_report.requirements IS
	'what it says the relay requires, see peer_report.requirements';

CREATE VIEW bigbrotr.relay_comparison AS
	SELECT r.url AS relay_url, o.opened, o.checked_at, o.open_ms, v.monitors, v.online,
		   v.online * 2 > v.monitors AS quorum,
		   CASE WHEN v.monitors >= 3 THEN o.opened <> (v.online * 2 > v.monitors) END AS disagrees,
		   v.others_open_ms, s.others_spread_ms,
		   CASE WHEN v.timed >= 3 THEN abs(o.open_ms - v.others_open_ms) > s.tolerance_ms END AS deviates,
		   CASE WHEN v.timed >= 3 THEN s.outliers END AS outliers
	FROM bigbrotr.relay AS r
	CROSS JOIN LATERAL (
		SELECT count(*) AS monitors, count(*) FILTER (WHERE m.online) AS online,
			   count(m.open_ms) FILTER (WHERE m.online) AS timed,
			   percentile_cont(0.5) WITHIN GROUP (ORDER BY m.open_ms) FILTER (WHERE m.online) AS others_open_ms,
			   array_agg(m.open_ms) FILTER (WHERE m.online AND m.open_ms IS NOT NULL) AS times
		FROM bigbrotr.monitor_report AS m WHERE m.relay_url = r.url AND m.counted AND m.alive) AS v
	CROSS JOIN LATERAL (
		SELECT d.spread AS others_spread_ms, 3 * greatest(d.spread, 0.25 * v.others_open_ms, 50) AS tolerance_ms,
			   (SELECT count(*) FROM unnest(v.times) AS t (ms)
				WHERE abs(t.ms - v.others_open_ms) > 3 * greatest(d.spread, 0.25 * v.others_open_ms, 50)) AS outliers
		FROM (SELECT 1.4826 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(t.ms - v.others_open_ms)) AS spread
			  FROM unnest(v.times) AS t (ms)) AS d) AS s
	LEFT JOIN LATERAL (
		SELECT c.checked_at, c.opened, c.dns_ms + c.tcp_ms + c.tls_ms + c.upgrade_ms AS open_ms
		FROM (SELECT x.samples FROM bigbrotr.check_series AS x WHERE x.relay_id = r.id ORDER BY x.first_at DESC LIMIT 1) AS x,
		LATERAL bigbrotr.check_unpack(x.samples) AS c ORDER BY c.checked_at DESC LIMIT 1) AS o ON true
	WHERE v.monitors > 0 OR o.checked_at IS NOT NULL;
COMMENT ON VIEW bigbrotr.relay_comparison IS
	'our last check of each relay beside the reports of other monitors, each of which has one vote';
COMMENT ON COLUMN bigbrotr.relay_comparison.relay_url IS 'relay.url';
COMMENT ON COLUMN bigbrotr.relay_comparison.opened IS 'whether it opened for us; NULL if not checked';
COMMENT ON COLUMN bigbrotr.relay_comparison.checked_at IS 'time of our last check';
COMMENT ON COLUMN bigbrotr.relay_comparison.open_ms IS 'our time to open, in milliseconds';
COMMENT ON COLUMN bigbrotr.relay_comparison.monitors IS
	'number of other monitors that are alive and have reported this relay within a week';
COMMENT ON COLUMN bigbrotr.relay_comparison.online IS 'how many of them report it online now';
COMMENT ON COLUMN bigbrotr.relay_comparison.quorum IS 'whether more than half of them do';
COMMENT ON COLUMN bigbrotr.relay_comparison.disagrees IS
	'whether our result differs from theirs; NULL if there are fewer than three';
COMMENT ON COLUMN bigbrotr.relay_comparison.others_open_ms IS 'median of their times to open, in milliseconds';
COMMENT ON COLUMN bigbrotr.relay_comparison.others_spread_ms IS
	'median absolute deviation of those times, times 1.4826 (comparable to a standard deviation, but no single outlier moves it), in milliseconds';
COMMENT ON COLUMN bigbrotr.relay_comparison.deviates IS
	'whether our time differs from the median by more than three times the greatest of that spread, a quarter of the median, and 50 ms; NULL if fewer than three report times';
COMMENT ON COLUMN bigbrotr.relay_comparison.outliers IS 'how many of their times differ by more than that';
