-- Events and observations: range-partitioned on key.  The parents have no
-- index and no key; the partitions have (src/schema/30_partition.sql).

-- Eight columns: with nine, a light row would have a bitmap of NULLs that takes
-- eight bytes more.
-- CHECKs are written flat: a nested AND comes back from pg_dump flattened,
-- and a partition then no longer fits its parent.
CREATE TABLE bigbrotr.event (
	key bigint NOT NULL CHECK (key >= 0),
	created_at bigint NOT NULL,
	kind integer NOT NULL CHECK (kind >= 0 AND kind <= 65535),
	id bytea NOT NULL CHECK (octet_length(id) = 32),
	pubkey bytea NOT NULL CHECK (octet_length(pubkey) = 32),
	sig bytea CHECK (octet_length(sig) = 64),
	tags bigbrotr.tags,
	content text
) PARTITION BY RANGE (key);
COMMENT ON TABLE bigbrotr.event IS 'every archived event, once; its signature was verified before it was stored';
COMMENT ON COLUMN bigbrotr.event.key IS
	'created_at, clamped to 34 bits, << 29 | first 29 bits of the id; the next free key on a collision';
COMMENT ON COLUMN bigbrotr.event.created_at IS 'Unix seconds, as claimed by the author';
COMMENT ON COLUMN bigbrotr.event.kind IS 'NIP-01 kind, 0 to 65535';
COMMENT ON COLUMN bigbrotr.event.id IS 'SHA-256 of the canonical form, 32 bytes';
COMMENT ON COLUMN bigbrotr.event.pubkey IS 'x-only public key of the author, 32 bytes';
COMMENT ON COLUMN bigbrotr.event.sig IS 'BIP-340 signature, 64 bytes; NULL if stored light';
COMMENT ON COLUMN bigbrotr.event.tags IS 'tags; NULL if stored light';
COMMENT ON COLUMN bigbrotr.event.content IS
	'content; NULL if stored light; one that contains U+0000 is stored as the body of a JSON string, see event_flags';

CREATE TABLE bigbrotr.observation (
	key bigint NOT NULL,
	relay_id integer NOT NULL,
	seen_at integer NOT NULL
) PARTITION BY RANGE (key);
COMMENT ON TABLE bigbrotr.observation IS
	'which relay served which event, and when it was first seen there; recent ones, observation_all has all';
COMMENT ON COLUMN bigbrotr.observation.key IS 'event.key';
COMMENT ON COLUMN bigbrotr.observation.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.observation.seen_at IS
	'seconds since 2020-01-01 00:00 UTC; view event_relay has Unix seconds';
