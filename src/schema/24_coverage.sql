-- Coverage: which windows of created_at a relay was asked for, and what is proved.

CREATE TABLE bigbrotr.coverage_filter (
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	filter text NOT NULL CHECK (octet_length(filter) <= 65536),
	digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
	first_used_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE bigbrotr.coverage_filter IS
	'filters with which relays were synchronized; each has coverage of its own';
COMMENT ON COLUMN bigbrotr.coverage_filter.id IS 'identifier, used by coverage';
COMMENT ON COLUMN bigbrotr.coverage_filter.filter IS 'NIP-01 filter without since, until and limit, in canonical form';
COMMENT ON COLUMN bigbrotr.coverage_filter.digest IS 'SHA-256 of the filter, which may be too long to index';
COMMENT ON COLUMN bigbrotr.coverage_filter.first_used_at IS 'when the filter was first used';

CREATE TABLE bigbrotr.coverage (
	relay_id integer NOT NULL,
	filter_id integer NOT NULL,
	range int8range NOT NULL CHECK (NOT isempty(range)),
	state text NOT NULL CHECK (state IN ('open', 'paged', 'complete')),
	proof text,
	reason text,
	tried integer NOT NULL DEFAULT 1 CHECK (tried > 0),
	first_at timestamptz NOT NULL DEFAULT now(),
	checked_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (relay_id, filter_id, range),
	CHECK ((state = 'complete') = (proof IS NOT NULL)),
	CHECK ((state = 'open') = (reason IS NOT NULL))
);
COMMENT ON TABLE bigbrotr.coverage IS
	'windows of created_at that were asked for, by relay and filter, and whether they are complete; windows of one relay and filter never overlap';
COMMENT ON COLUMN bigbrotr.coverage.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.coverage.filter_id IS 'coverage_filter.id';
COMMENT ON COLUMN bigbrotr.coverage.range IS 'window of created_at, Unix seconds';
COMMENT ON COLUMN bigbrotr.coverage.state IS 'open: a gap; paged: received, not yet confirmed; complete: proved';
COMMENT ON COLUMN bigbrotr.coverage.proof IS
	'how it was proved: nip77, nip67_finish, empty_page_confirmed, narrowed_and_repeated, ...';
COMMENT ON COLUMN bigbrotr.coverage.reason IS 'why it is open';
COMMENT ON COLUMN bigbrotr.coverage.tried IS
	'number of attempts while it was open; if paged, one more than the vain attempts at its lowest second';
COMMENT ON COLUMN bigbrotr.coverage.first_at IS
	'when a part of it first had this state, that is, since when a gap exists';
COMMENT ON COLUMN bigbrotr.coverage.checked_at IS
	'when it was last asked for, including re-checks, which ask for a long interval in several windows and count at the last';

CREATE FUNCTION bigbrotr.coverage_record(relay_id integer, filter text, since bigint, until bigint,
		state text, proof text DEFAULT NULL, reason text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'bigbrotr_coverage_record' LANGUAGE C VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION bigbrotr.coverage_record(integer, text, bigint, bigint, text, text, text) IS
	'records what is known of a window of a relay and filter, for imports: since and until in Unix seconds, inclusive (until NULL: no end); state open with a reason, paged, or complete with a proof';
CREATE FUNCTION bigbrotr.coverage_missing(relay_id integer, filter text, since bigint DEFAULT 0,
		until bigint DEFAULT NULL, OUT first bigint, OUT last bigint) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'bigbrotr_coverage_missing' LANGUAGE C VOLATILE PARALLEL UNSAFE
	ROWS 10 SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION bigbrotr.coverage_missing(integer, text, bigint, bigint) IS
	'windows (first and last in Unix seconds, inclusive; last NULL: no end) that the next pass would ask a relay for, newest first';

SELECT pg_catalog.pg_extension_config_dump('bigbrotr.coverage_filter', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.coverage_filter_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.coverage', '');
