-- The type tags: an event's tags, packed (src/nostr/tags.h); text is JSON.

CREATE TYPE bigbrotr.tags;

CREATE FUNCTION bigbrotr.tags_in(cstring) RETURNS bigbrotr.tags
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_in(cstring) IS 'input function: a JSON array of arrays of strings';
CREATE FUNCTION bigbrotr.tags_out(bigbrotr.tags) RETURNS cstring
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_out(bigbrotr.tags) IS 'output function: a compact JSON array of arrays of strings';
CREATE FUNCTION bigbrotr.tags_recv(internal) RETURNS bigbrotr.tags
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_recv(internal) IS 'binary input function: the packed form, validated';
CREATE FUNCTION bigbrotr.tags_send(bigbrotr.tags) RETURNS bytea
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_send(bigbrotr.tags) IS 'binary output function: the packed form';

CREATE TYPE bigbrotr.tags (
	INPUT = bigbrotr.tags_in,
	OUTPUT = bigbrotr.tags_out,
	RECEIVE = bigbrotr.tags_recv,
	SEND = bigbrotr.tags_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE bigbrotr.tags IS 'tags of a Nostr event; the text form is the JSON array';

CREATE FUNCTION bigbrotr.tags_eq(bigbrotr.tags, bigbrotr.tags) RETURNS boolean
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_eq' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_eq(bigbrotr.tags, bigbrotr.tags) IS
	'implementation of = operator: same tags in the same order';
CREATE FUNCTION bigbrotr.tags_ne(bigbrotr.tags, bigbrotr.tags) RETURNS boolean
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_ne' LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_ne(bigbrotr.tags, bigbrotr.tags) IS 'implementation of <> operator';

CREATE OPERATOR bigbrotr.= (
	LEFTARG = bigbrotr.tags, RIGHTARG = bigbrotr.tags, FUNCTION = bigbrotr.tags_eq,
	COMMUTATOR = OPERATOR(bigbrotr.=), NEGATOR = OPERATOR(bigbrotr.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR bigbrotr.= (bigbrotr.tags, bigbrotr.tags) IS 'same tags in the same order';
CREATE OPERATOR bigbrotr.<> (
	LEFTARG = bigbrotr.tags, RIGHTARG = bigbrotr.tags, FUNCTION = bigbrotr.tags_ne,
	COMMUTATOR = OPERATOR(bigbrotr.<>), NEGATOR = OPERATOR(bigbrotr.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR bigbrotr.<> (bigbrotr.tags, bigbrotr.tags) IS 'different tags, or in a different order';

CREATE FUNCTION bigbrotr.tags_to_jsonb(bigbrotr.tags) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'bigbrotr_tags_to_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tags_to_jsonb(bigbrotr.tags) IS 'tags as jsonb; fails if they contain U+0000';
CREATE FUNCTION bigbrotr.jsonb_to_tags(jsonb) RETURNS bigbrotr.tags
	AS 'MODULE_PATHNAME', 'bigbrotr_jsonb_to_tags' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.jsonb_to_tags(jsonb) IS 'tags from a jsonb array of arrays of strings';

CREATE CAST (bigbrotr.tags AS jsonb) WITH FUNCTION bigbrotr.tags_to_jsonb(bigbrotr.tags);
COMMENT ON CAST (bigbrotr.tags AS jsonb) IS 'tags as jsonb; fails if they contain U+0000';
CREATE CAST (jsonb AS bigbrotr.tags) WITH FUNCTION bigbrotr.jsonb_to_tags(jsonb);
COMMENT ON CAST (jsonb AS bigbrotr.tags) IS 'tags from a jsonb array of arrays of strings';

CREATE FUNCTION bigbrotr.tag_count(tags bigbrotr.tags) RETURNS integer
	AS 'MODULE_PATHNAME', 'bigbrotr_tag_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tag_count(bigbrotr.tags) IS 'number of tags';
CREATE FUNCTION bigbrotr.tag_values(tags bigbrotr.tags, name text) RETURNS text[]
	AS 'MODULE_PATHNAME', 'bigbrotr_tag_values' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tag_values(bigbrotr.tags, text) IS
	'first value of each tag with this name, in order; NULL for a value that contains U+0000';
CREATE FUNCTION bigbrotr.tag_first(tags bigbrotr.tags, name text) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_tag_first' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.tag_first(bigbrotr.tags, text) IS
	'value of the first tag with this name that has one; NULL if there is none';
