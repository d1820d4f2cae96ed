-- Where addresses of relays were found: one row per address, whatever became
-- of it.

CREATE FUNCTION bigbrotr.via_names(via integer) RETURNS text[]
	AS 'MODULE_PATHNAME', 'bigbrotr_via_names' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.via_names(integer) IS
	'names of the bits of mention.via: r (tag), hint (third element of e, p, a, q), recommend (kind 2), contacts (3), relay_list (10002), dm_list (10050), blocked (10006), search (10007), favourite (10012), relay_set (30002), discovery (30166), monitor (10166), relay_tag, tag (any other), nip19, text (of an event), source (a list on the web)';
CREATE FUNCTION bigbrotr.sketch_merge(a bytea, b bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'bigbrotr_sketch_merge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.sketch_merge(bytea, bytea) IS
	'union of two sketches of authors, see mention.author_sketch';
CREATE FUNCTION bigbrotr.sketch_count(sketch bytea) RETURNS integer
	AS 'MODULE_PATHNAME', 'bigbrotr_sketch_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.sketch_count(bytea) IS 'number of authors in a sketch: exact up to 24, estimated beyond';

CREATE TABLE bigbrotr.mention (
	url text PRIMARY KEY CHECK (octet_length(url) <= 2048),
	host text NOT NULL,
	domain text NOT NULL,
	via integer NOT NULL,
	mentions bigint NOT NULL,
	authors integer NOT NULL,
	author_sketch bytea NOT NULL DEFAULT '' CHECK (octet_length(author_sketch) <= 257),
	first_seen_at timestamptz NOT NULL DEFAULT now(),
	last_seen_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.mention IS
	'addresses mentioned by events or by lists on the web; workers update the counts of known ones about once a minute';
COMMENT ON COLUMN bigbrotr.mention.url IS 'canonical address, see relay_normalize';
COMMENT ON COLUMN bigbrotr.mention.host IS
	'host of the address; at most bigbrotr.finder_max_per_host addresses of a host are taken';
COMMENT ON COLUMN bigbrotr.mention.domain IS
	'who controls the host: its registrable domain, or the network of a numeric address; at most bigbrotr.finder_max_per_domain addresses of a domain are taken';
COMMENT ON COLUMN bigbrotr.mention.via IS 'bit mask of the ways in which it was mentioned, see via_names';
COMMENT ON COLUMN bigbrotr.mention.mentions IS 'number of events that mention it, plus appearances on lists';
COMMENT ON COLUMN bigbrotr.mention.authors IS 'number of authors of those events: exact up to 24, estimated beyond';
COMMENT ON COLUMN bigbrotr.mention.author_sketch IS 'sketch from which authors is computed';
COMMENT ON COLUMN bigbrotr.mention.first_seen_at IS 'when it was first mentioned';
COMMENT ON COLUMN bigbrotr.mention.last_seen_at IS 'when it was last mentioned, accurate to about a minute';
CREATE INDEX mention_host_idx ON bigbrotr.mention (host);
COMMENT ON INDEX bigbrotr.mention_host_idx IS 'counts the addresses of a host';
CREATE INDEX mention_domain_idx ON bigbrotr.mention (domain);
COMMENT ON INDEX bigbrotr.mention_domain_idx IS 'counts the addresses of a domain';

CREATE TABLE bigbrotr.mention_refused (
	scope text NOT NULL CHECK (scope IN ('host', 'domain')),
	name text NOT NULL,
	count bigint NOT NULL,
	sample text NOT NULL,
	first_refused_at timestamptz NOT NULL DEFAULT now(),
	last_refused_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (scope, name)
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.mention_refused IS
	'mentions of addresses that were not taken because their host or domain has too many';
COMMENT ON COLUMN bigbrotr.mention_refused.scope IS
	'limit that was exceeded: host (bigbrotr.finder_max_per_host) or domain (bigbrotr.finder_max_per_domain)';
COMMENT ON COLUMN bigbrotr.mention_refused.name IS 'the host or domain';
COMMENT ON COLUMN bigbrotr.mention_refused.count IS
	'number of mentions refused; may include the same address many times';
COMMENT ON COLUMN bigbrotr.mention_refused.sample IS 'first address refused';
COMMENT ON COLUMN bigbrotr.mention_refused.first_refused_at IS 'when a mention was first refused';
COMMENT ON COLUMN bigbrotr.mention_refused.last_refused_at IS 'when a mention was last refused';

CREATE VIEW bigbrotr.discovery AS
	SELECT m.url, coalesce(r.state, CASE WHEN c.url IS NOT NULL THEN 'candidate' ELSE 'known' END) AS state,
		   bigbrotr.via_names(m.via) AS via, m.mentions, m.authors, m.first_seen_at, m.last_seen_at, m.domain
	FROM bigbrotr.mention AS m
	LEFT JOIN bigbrotr.relay AS r ON r.url = m.url
	LEFT JOIN bigbrotr.candidate AS c ON c.url = m.url;
COMMENT ON VIEW bigbrotr.discovery IS 'addresses that were found, and what became of them';
COMMENT ON COLUMN bigbrotr.discovery.url IS 'canonical address';
COMMENT ON COLUMN bigbrotr.discovery.state IS
	'state of the relay; candidate: waiting for validation; known: neither relay nor candidate';
COMMENT ON COLUMN bigbrotr.discovery.via IS 'how it was mentioned, see via_names';
COMMENT ON COLUMN bigbrotr.discovery.mentions IS 'number of mentions';
COMMENT ON COLUMN bigbrotr.discovery.authors IS 'number of authors who mention it';
COMMENT ON COLUMN bigbrotr.discovery.first_seen_at IS 'when it was first mentioned';
COMMENT ON COLUMN bigbrotr.discovery.last_seen_at IS 'when it was last mentioned';
COMMENT ON COLUMN bigbrotr.discovery.domain IS 'who controls the host: its registrable domain or network';

SELECT pg_catalog.pg_extension_config_dump('bigbrotr.mention', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.mention_refused', '');
