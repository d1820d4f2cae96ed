-- Looking for events by index: single-letter tags, and codes of ids, authors and times.

CREATE FUNCTION bigbrotr.tags_any(bigbrotr.tags, text[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_any' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_any(bigbrotr.tags, text[]) IS
	'is one of these there, each written as letter:value? Only the first value of a tag counts, as in NIP-01';
CREATE FUNCTION bigbrotr.tags_all(bigbrotr.tags, text[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_all' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_all(bigbrotr.tags, text[]) IS
	'are all of these there, each written as letter:value? Only the first value of a tag counts, as in NIP-01';

CREATE OPERATOR bigbrotr.&& (
	LEFTARG = bigbrotr.tags, RIGHTARG = text[], FUNCTION = bigbrotr.tags_any,
	RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR bigbrotr.&& (bigbrotr.tags, text[]) IS 'has one of these tags, each written as letter:value';
CREATE OPERATOR bigbrotr.@> (
	LEFTARG = bigbrotr.tags, RIGHTARG = text[], FUNCTION = bigbrotr.tags_all,
	RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR bigbrotr.@> (bigbrotr.tags, text[]) IS 'has all of these tags, each written as letter:value';

CREATE FUNCTION bigbrotr.tags_gin_values(bigbrotr.tags, internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_gin_values' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_gin_values(bigbrotr.tags, internal, internal) IS 'GIN: the keys of a row';
CREATE FUNCTION bigbrotr.tags_gin_query(text[], internal, int2, internal, internal, internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_gin_query' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_gin_query(text[], internal, int2, internal, internal, internal, internal) IS
	'GIN: the keys of a search';
CREATE FUNCTION bigbrotr.tags_gin_match(internal, int2, text[], int4, internal, internal, internal) RETURNS "char"
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_gin_match' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_gin_match(internal, int2, text[], int4, internal, internal, internal) IS
	'GIN: may a row with these keys match?';

CREATE OPERATOR CLASS bigbrotr.tags_ops DEFAULT FOR TYPE bigbrotr.tags USING gin AS
	OPERATOR 1 bigbrotr.&& (bigbrotr.tags, text[]),
	OPERATOR 2 bigbrotr.@> (bigbrotr.tags, text[]),
	FUNCTION 2 bigbrotr.tags_gin_values(bigbrotr.tags, internal, internal),
	FUNCTION 3 bigbrotr.tags_gin_query(text[], internal, int2, internal, internal, internal, internal),
	FUNCTION 6 bigbrotr.tags_gin_match(internal, int2, text[], int4, internal, internal, internal),
	STORAGE int4;
COMMENT ON OPERATOR CLASS bigbrotr.tags_ops USING gin IS
	'single-letter tags by the code of letter and value, compared again';
COMMENT ON OPERATOR FAMILY bigbrotr.tags_ops USING gin IS
	'single-letter tags by the code of letter and value, compared again';


CREATE FUNCTION bigbrotr.id_code(id bytea) RETURNS integer
	AS 'MODULE_PATHNAME', 'bigbrotr_id_code' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.id_code(bytea) IS
	'last four bytes of an id, by which events are indexed; others may have the same';
CREATE FUNCTION bigbrotr.author_code(pubkey bytea, kind integer DEFAULT 0) RETURNS integer
	AS 'MODULE_PATHNAME', 'bigbrotr_author_code' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.author_code(bytea, integer) IS
	'26 bits of a public key and 6 bits of a kind, by which events are indexed; others may have the same. All kinds of an author lie in the 64 codes from author_code(pubkey)';
CREATE FUNCTION bigbrotr.time_code(key bigint) RETURNS integer
	AS 'MODULE_PATHNAME', 'bigbrotr_time_code' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.time_code(bigint) IS
	'the second of a key in four bytes: seconds since 1970 - 2^31; what lies beyond 2106 is one';
CREATE FUNCTION bigbrotr.time_slot(key bigint) RETURNS integer
	AS 'MODULE_PATHNAME', 'bigbrotr_time_slot' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION bigbrotr.key_first(created_at bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'bigbrotr_key_first' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.key_first(bigint) IS 'smallest key that an event of that second can have';
CREATE FUNCTION bigbrotr.key_last(created_at bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'bigbrotr_key_last' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.key_last(bigint) IS
	'greatest key that an event of that second can have: where keys are taken, the next free one may be in the next second';
COMMENT ON FUNCTION bigbrotr.time_slot(bigint) IS
	'the 256 seconds that a key is in, counted from 1970; what lies beyond 2106 is in the last of them';
