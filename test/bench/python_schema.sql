-- The tables and indexes of the Python system 6.6.9, in SQL of our own: the
-- baseline of sizes and rates.  16 hash partitions each, as there.

CREATE TABLE py_relay (url text PRIMARY KEY, network text NOT NULL, discovered_at bigint NOT NULL);

CREATE TABLE py_event (
	id bytea NOT NULL,
	pubkey bytea NOT NULL,
	created_at bigint NOT NULL,
	kind integer NOT NULL,
	tags jsonb NOT NULL,
	tagvalues text[] NOT NULL,
	content text NOT NULL,
	sig bytea NOT NULL,
	PRIMARY KEY (id)
) PARTITION BY HASH (id);

CREATE TABLE py_event_relay (
	event_id bytea NOT NULL REFERENCES py_event ON DELETE CASCADE,
	relay_url text NOT NULL REFERENCES py_relay ON DELETE CASCADE,
	seen_at bigint NOT NULL,
	PRIMARY KEY (event_id, relay_url)
) PARTITION BY HASH (event_id);

SELECT format('CREATE TABLE %1$s_p%2$s PARTITION OF %1$s FOR VALUES WITH (MODULUS 16, REMAINDER %2$s)', t, i)
FROM unnest(ARRAY['py_event', 'py_event_relay']) AS t, generate_series(0, 15) AS i
\gexec

CREATE INDEX ON py_event (created_at DESC, id DESC);
CREATE INDEX ON py_event (kind, created_at DESC);
CREATE INDEX ON py_event (pubkey, created_at DESC);
CREATE INDEX ON py_event (pubkey, kind, created_at DESC);
CREATE INDEX ON py_event USING gin (tagvalues);
CREATE INDEX ON py_event_relay (seen_at DESC);
CREATE INDEX ON py_event_relay (relay_url, seen_at, event_id);

-- key:value of every tag with a name of one character
CREATE FUNCTION py_tagvalues(tags jsonb) RETURNS text[]
	LANGUAGE sql IMMUTABLE
	RETURN (SELECT coalesce(array_agg((t ->> 0) || ':' || (t ->> 1)), '{}')
			FROM jsonb_array_elements(tags) AS t WHERE length(t ->> 0) = 1);
