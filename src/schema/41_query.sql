-- Queries with NIP-01 filters.

CREATE FUNCTION bigbrotr.query(filters jsonb, mode text DEFAULT 'archive', max_limit integer DEFAULT 5000,
		relay_url text DEFAULT NULL) RETURNS SETOF bigbrotr.event
	AS 'MODULE_PATHNAME', 'bigbrotr_query' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 100;
COMMENT ON FUNCTION bigbrotr.query(jsonb, text, integer, text) IS
	'events that match a NIP-01 filter or any of an array of filters, newest first. max_limit bounds the limit of each filter. Mode archive: all events; relay: those that a relay (relay_url, for NIP-62) would serve now';
CREATE FUNCTION bigbrotr.count(filters jsonb, mode text DEFAULT 'archive', relay_url text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'bigbrotr_count' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000;
COMMENT ON FUNCTION bigbrotr.count(jsonb, text, text) IS
	'number of events that match; limits in the filters are ignored. Modes as in query';
