-- Functions over events, addresses and NIP-19 names.

CREATE FUNCTION bigbrotr.event_verify(event text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'bigbrotr_event_verify' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION bigbrotr.event_verify(text) IS
	'whether this JSON text is a valid Nostr event: format, id and signature';
CREATE FUNCTION bigbrotr.event_reject_reason(event text) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_event_reject_reason' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION bigbrotr.event_reject_reason(text) IS
	'why this JSON text is not a valid event ("name: text"); NULL if it is one';
CREATE FUNCTION bigbrotr.event_json(event bigbrotr.event) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_event_json' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION bigbrotr.event_json(bigbrotr.event) IS
	'the event as NIP-01 JSON, with id and signature verified again; fails if the row is corrupted or light';

CREATE FUNCTION bigbrotr.event_flags(event bigbrotr.event) RETURNS smallint
	AS 'MODULE_PATHNAME', 'bigbrotr_event_flags' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION bigbrotr.event_flags(bigbrotr.event) IS
	'bits 0-1: how control characters are written in the hashed text (0 raw, 1 escaped, 2 escaped with DEL); bit 2: content is JSON-escaped because it contains U+0000. Found by hashing; NULL if the event is light';

CREATE FUNCTION bigbrotr.event_ingest(events text[], relay_url text DEFAULT NULL, seen_at timestamptz DEFAULT now(),
		OUT n integer, OUT id bytea, OUT outcome text, OUT reason text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'bigbrotr_event_ingest' LANGUAGE C VOLATILE PARALLEL UNSAFE
	ROWS 100 SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION bigbrotr.event_ingest(text[], text, timestamptz) IS
	'verifies and stores events (JSON texts), with an observation at seen_at if a relay is given; outcome is new, observed, duplicate or invalid. Takes up to a million events; one call per transaction never deadlocks with other writers. Rejections and mentions are written at commit';
CREATE FUNCTION bigbrotr.event_ingest(event text, relay_url text DEFAULT NULL, seen_at timestamptz DEFAULT now(),
		OUT n integer, OUT id bytea, OUT outcome text, OUT reason text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'bigbrotr_event_ingest_one' LANGUAGE C VOLATILE PARALLEL UNSAFE
	ROWS 1 SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION bigbrotr.event_ingest(text, text, timestamptz) IS
	'verifies and stores one event (JSON text), with an observation at seen_at if a relay is given; outcome is new, observed, duplicate or invalid';

CREATE FUNCTION bigbrotr.relay_normalize(url text) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_relay_normalize' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.relay_normalize(text) IS 'canonical address of a relay; NULL if it is not one';
CREATE FUNCTION bigbrotr.relay_reject_reason(url text) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_relay_reject_reason' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.relay_reject_reason(text) IS
	'why this is not the address of a relay ("name: text"); NULL if it is one';

CREATE FUNCTION bigbrotr.npub(pubkey bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_npub' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.npub(bytea) IS 'npub (NIP-19) of a public key given as 32 bytes';
CREATE FUNCTION bigbrotr.npub(pubkey text) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_npub_hex' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.npub(text) IS 'npub (NIP-19) of a public key given as 64 hexadecimal digits';
CREATE FUNCTION bigbrotr.note(id bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_note' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.note(bytea) IS 'note (NIP-19) of an event id given as 32 bytes';
CREATE FUNCTION bigbrotr.note(id text) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_note_hex' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.note(text) IS 'note (NIP-19) of an event id given as 64 hexadecimal digits';
CREATE FUNCTION bigbrotr.nip19_decode(name text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'bigbrotr_nip19_decode' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.nip19_decode(text) IS
	'the 32 bytes in an npub, note, nprofile or nevent, or the author in an naddr; secret keys are refused';
CREATE FUNCTION bigbrotr.nip19_hex(name text) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_nip19_hex' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.nip19_hex(text) IS 'nip19_decode as 64 hexadecimal digits';
