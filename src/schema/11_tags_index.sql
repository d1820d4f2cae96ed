-- Index support for event: operators on single-letter tags, and codes of ids, authors and times.

CREATE FUNCTION bigbrotr.tags_any(bigbrotr.tags, text[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_any' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_any(bigbrotr.tags, text[]) IS
	'implementation of && operator: has any of these tags, each written letter:value; only the first value of a tag counts, as in NIP-01';
CREATE FUNCTION bigbrotr.tags_all(bigbrotr.tags, text[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_all' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_all(bigbrotr.tags, text[]) IS
	'implementation of @> operator: has all of these tags, each written letter:value; only the first value of a tag counts, as in NIP-01';

CREATE OPERATOR bigbrotr.&& (
	LEFTARG = bigbrotr.tags, RIGHTARG = text[], FUNCTION = bigbrotr.tags_any,
	RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR bigbrotr.&& (bigbrotr.tags, text[]) IS 'has any of these tags, each written letter:value';
CREATE OPERATOR bigbrotr.@> (
	LEFTARG = bigbrotr.tags, RIGHTARG = text[], FUNCTION = bigbrotr.tags_all,
	RESTRICT = contsel, JOIN = contjoinsel
);
COMMENT ON OPERATOR bigbrotr.@> (bigbrotr.tags, text[]) IS 'has all of these tags, each written letter:value';

CREATE FUNCTION bigbrotr.tags_gin_values(bigbrotr.tags, internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_gin_values' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_gin_values(bigbrotr.tags, internal, internal) IS 'GIN support: keys of a row';
CREATE FUNCTION bigbrotr.tags_gin_query(text[], internal, int2, internal, internal, internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_gin_query' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_gin_query(text[], internal, int2, internal, internal, internal, internal) IS
	'GIN support: keys of a search';
CREATE FUNCTION bigbrotr.tags_gin_match(internal, int2, text[], int4, internal, internal, internal) RETURNS "char"
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_gin_match' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_gin_match(internal, int2, text[], int4, internal, internal, internal) IS
	'GIN support: whether a row with these keys may match';

CREATE OPERATOR CLASS bigbrotr.tags_ops DEFAULT FOR TYPE bigbrotr.tags USING gin AS
	OPERATOR 1 bigbrotr.&& (bigbrotr.tags, text[]),
	OPERATOR 2 bigbrotr.@> (bigbrotr.tags, text[]),
	FUNCTION 2 bigbrotr.tags_gin_values(bigbrotr.tags, internal, internal),
	FUNCTION 3 bigbrotr.tags_gin_query(text[], internal, int2, internal, internal, internal, internal),
	FUNCTION 6 bigbrotr.tags_gin_match(internal, int2, text[], int4, internal, internal, internal),
	STORAGE int4;
COMMENT ON OPERATOR CLASS bigbrotr.tags_ops USING gin IS
	'single-letter tags, by hash of letter and value; matches are rechecked';
COMMENT ON OPERATOR FAMILY bigbrotr.tags_ops USING gin IS
	'single-letter tags, by hash of letter and value; matches are rechecked';


CREATE FUNCTION bigbrotr.id_code(id bytea) RETURNS integer
	AS 'MODULE_PATHNAME', 'bigbrotr_id_code' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.id_code(bytea) IS 'last four bytes of an event id, for the index on ids; not unique';
CREATE FUNCTION bigbrotr.author_code(pubkey bytea, kind integer DEFAULT 0) RETURNS integer
	AS 'MODULE_PATHNAME', 'bigbrotr_author_code' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.author_code(bytea, integer) IS
	'26 bits of a public key and 6 bits of a kind, for the index on authors; not unique. All kinds of an author are within 64 codes from author_code(pubkey) on';
CREATE FUNCTION bigbrotr.time_code(key bigint) RETURNS integer
	AS 'MODULE_PATHNAME', 'bigbrotr_time_code' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.time_code(bigint) IS
	'second of a key in four bytes: Unix seconds minus 2^31; all times after 2106 share the last code';
CREATE FUNCTION bigbrotr.time_slot(key bigint) RETURNS integer
	AS 'MODULE_PATHNAME', 'bigbrotr_time_slot' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.time_slot(bigint) IS
	'number of the 256-second slot of a key, counted from 1970; all times after 2106 are in the last slot';
CREATE FUNCTION bigbrotr.key_first(created_at bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'bigbrotr_key_first' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.key_first(bigint) IS 'smallest key that an event of this second (Unix seconds) can have';
CREATE FUNCTION bigbrotr.key_last(created_at bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'bigbrotr_key_last' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.key_last(bigint) IS
	'greatest key that an event of this second (Unix seconds) can have; where keys are taken, the next free one may be in the next second';
