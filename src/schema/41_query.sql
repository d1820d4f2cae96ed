-- Queries with NIP-01 filters.

CREATE FUNCTION bigbrotr.query(filters jsonb, mode text DEFAULT 'archive', max_limit integer DEFAULT 5000,
		relay_url text DEFAULT NULL) RETURNS SETOF bigbrotr.event
	AS 'MODULE_PATHNAME', 'bigbrotr_query' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 100;
COMMENT ON FUNCTION bigbrotr.query(jsonb, text, integer, text) IS
	'events that match a NIP-01 filter or one of an array of them, newest first. Mode archive: all; relay: what a relay (of that URL, for NIP-62) would serve now';
CREATE FUNCTION bigbrotr.count(filters jsonb, mode text DEFAULT 'archive', relay_url text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'bigbrotr_count' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000;
COMMENT ON FUNCTION bigbrotr.count(jsonb, text, text) IS
	'how many events match; limits in the filters do not count. Modes as in query';
