-- Analytics: what ingest tells the refresher, and the tallies it keeps
-- (docs/analytics.md).  Nothing here is written by anybody but the archive
-- (ingest_delta) and src/pg/fold*.c (everything else).

CREATE TABLE bigbrotr.ingest_delta (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	removed boolean NOT NULL DEFAULT false,
	keys bigint[] NOT NULL DEFAULT '{}',
	seen_keys bigint[] NOT NULL DEFAULT '{}',
	seen_relays integer[] NOT NULL DEFAULT '{}',
	gone boolean[],
	pubkeys bytea[],
	kinds integer[],
	created_ats bigint[],
	ds bytea[]
) WITH (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_analyze_scale_factor = 1);
COMMENT ON TABLE bigbrotr.ingest_delta IS
	'what transactions added to the archive or took from it, until the refresher has counted it';
COMMENT ON COLUMN bigbrotr.ingest_delta.id IS 'order: what takes something away comes behind what added it';
COMMENT ON COLUMN bigbrotr.ingest_delta.at IS 'start of the transaction';
COMMENT ON COLUMN bigbrotr.ingest_delta.removed IS 'false: these were added; true: these are gone';
COMMENT ON COLUMN bigbrotr.ingest_delta.keys IS 'event.key of new events; removed: of the events of seen_keys and of those that are gone';
COMMENT ON COLUMN bigbrotr.ingest_delta.seen_keys IS 'observation.key of the observations';
COMMENT ON COLUMN bigbrotr.ingest_delta.seen_relays IS 'observation.relay_id, in the same order';
COMMENT ON COLUMN bigbrotr.ingest_delta.gone IS 'removed only, for each of keys: the event itself is gone';
COMMENT ON COLUMN bigbrotr.ingest_delta.pubkeys IS 'removed only: event.pubkey of each of keys';
COMMENT ON COLUMN bigbrotr.ingest_delta.kinds IS 'removed only: event.kind';
COMMENT ON COLUMN bigbrotr.ingest_delta.created_ats IS 'removed only: event.created_at';
COMMENT ON COLUMN bigbrotr.ingest_delta.ds IS 'removed only: d_digest of the tags';
CREATE INDEX ingest_delta_removed_idx ON bigbrotr.ingest_delta (id) WHERE removed;
COMMENT ON INDEX bigbrotr.ingest_delta_removed_idx IS 'what was removed; mostly nothing';

CREATE TABLE bigbrotr.tally_author (
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	pubkey bytea NOT NULL UNIQUE CHECK (octet_length(pubkey) = 32),
	events bigint NOT NULL DEFAULT 0,
	kinds integer NOT NULL DEFAULT 0,
	first_at bigint,
	last_at bigint
) WITH (fillfactor = 75);
COMMENT ON TABLE bigbrotr.tally_author IS 'authors: numbers for their keys, and what they published';
COMMENT ON COLUMN bigbrotr.tally_author.id IS 'number of the author in the other tallies';
COMMENT ON COLUMN bigbrotr.tally_author.pubkey IS 'event.pubkey';
COMMENT ON COLUMN bigbrotr.tally_author.events IS 'events; 0: all were removed';
COMMENT ON COLUMN bigbrotr.tally_author.kinds IS 'different kinds among them';
COMMENT ON COLUMN bigbrotr.tally_author.first_at IS 'oldest created_at';
COMMENT ON COLUMN bigbrotr.tally_author.last_at IS 'newest created_at';
CREATE INDEX tally_author_hex_idx ON bigbrotr.tally_author (encode(pubkey, 'hex'));
COMMENT ON INDEX bigbrotr.tally_author_hex_idx IS 'authors by the text that pubkey_counts shows';

CREATE TABLE bigbrotr.tally_author_kind (
	author_id integer NOT NULL,
	kind integer NOT NULL,
	events bigint NOT NULL,
	PRIMARY KEY (author_id, kind)
) WITH (fillfactor = 80);
COMMENT ON TABLE bigbrotr.tally_author_kind IS 'events of each author and kind';
COMMENT ON COLUMN bigbrotr.tally_author_kind.author_id IS 'tally_author.id';
COMMENT ON COLUMN bigbrotr.tally_author_kind.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_author_kind.events IS 'events';

CREATE TABLE bigbrotr.tally_kind (
	kind integer PRIMARY KEY,
	events bigint NOT NULL DEFAULT 0,
	authors bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.tally_kind IS 'events of each kind';
COMMENT ON COLUMN bigbrotr.tally_kind.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_kind.events IS 'events';
COMMENT ON COLUMN bigbrotr.tally_kind.authors IS 'different authors';

CREATE TABLE bigbrotr.tally_total (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	events bigint NOT NULL DEFAULT 0,
	authors bigint NOT NULL DEFAULT 0,
	first_at bigint,
	last_at bigint,
	position bigint NOT NULL DEFAULT 0,
	counted_at timestamptz
) WITH (fillfactor = 10);
COMMENT ON TABLE bigbrotr.tally_total IS 'the sums of everything; one row';
COMMENT ON COLUMN bigbrotr.tally_total.one IS 'true';
COMMENT ON COLUMN bigbrotr.tally_total.events IS 'events';
COMMENT ON COLUMN bigbrotr.tally_total.authors IS 'different authors';
COMMENT ON COLUMN bigbrotr.tally_total.first_at IS 'oldest created_at';
COMMENT ON COLUMN bigbrotr.tally_total.last_at IS 'newest created_at';
COMMENT ON COLUMN bigbrotr.tally_total.position IS 'last row of ingest_delta that was counted';
COMMENT ON COLUMN bigbrotr.tally_total.counted_at IS 'when that was';

CREATE TABLE bigbrotr.tally_day (
	day integer PRIMARY KEY,
	events bigint NOT NULL DEFAULT 0,
	authors bigint NOT NULL DEFAULT 0,
	kinds integer NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.tally_day IS 'events of each day of created_at';
COMMENT ON COLUMN bigbrotr.tally_day.day IS 'days since 1970-01-01 UTC; 2145042906 and -2440589 hold all that a date cannot';
COMMENT ON COLUMN bigbrotr.tally_day.events IS 'events';
COMMENT ON COLUMN bigbrotr.tally_day.authors IS 'different authors';
COMMENT ON COLUMN bigbrotr.tally_day.kinds IS 'different kinds';

CREATE TABLE bigbrotr.tally_day_author (
	day integer NOT NULL,
	author_id integer NOT NULL,
	events bigint NOT NULL,
	PRIMARY KEY (day, author_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE bigbrotr.tally_day_author IS 'events of each author on each day';
COMMENT ON COLUMN bigbrotr.tally_day_author.day IS 'tally_day.day';
COMMENT ON COLUMN bigbrotr.tally_day_author.author_id IS 'tally_author.id';
COMMENT ON COLUMN bigbrotr.tally_day_author.events IS 'events';

CREATE TABLE bigbrotr.tally_day_kind (
	day integer NOT NULL,
	kind integer NOT NULL,
	events bigint NOT NULL,
	PRIMARY KEY (day, kind)
) WITH (fillfactor = 80);
COMMENT ON TABLE bigbrotr.tally_day_kind IS 'events of each kind on each day';
COMMENT ON COLUMN bigbrotr.tally_day_kind.day IS 'tally_day.day';
COMMENT ON COLUMN bigbrotr.tally_day_kind.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_day_kind.events IS 'events';

CREATE TABLE bigbrotr.tally_time (
	slot bigint PRIMARY KEY,
	events bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 60);
COMMENT ON TABLE bigbrotr.tally_time IS 'events by ten minutes of created_at, for windows that end now';
COMMENT ON COLUMN bigbrotr.tally_time.slot IS 'created_at / 600';
COMMENT ON COLUMN bigbrotr.tally_time.events IS 'events';

CREATE TABLE bigbrotr.tally_relay (
	relay_id integer PRIMARY KEY,
	events bigint NOT NULL DEFAULT 0,
	authors bigint NOT NULL DEFAULT 0,
	kinds integer NOT NULL DEFAULT 0,
	first_at bigint,
	last_at bigint
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.tally_relay IS 'what each relay has shown';
COMMENT ON COLUMN bigbrotr.tally_relay.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.tally_relay.events IS 'events';
COMMENT ON COLUMN bigbrotr.tally_relay.authors IS 'different authors';
COMMENT ON COLUMN bigbrotr.tally_relay.kinds IS 'different kinds';
COMMENT ON COLUMN bigbrotr.tally_relay.first_at IS 'oldest created_at';
COMMENT ON COLUMN bigbrotr.tally_relay.last_at IS 'newest created_at';

CREATE TABLE bigbrotr.tally_relay_kind (
	relay_id integer NOT NULL,
	kind integer NOT NULL,
	events bigint NOT NULL DEFAULT 0,
	authors bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (relay_id, kind)
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.tally_relay_kind IS 'events of each kind on each relay';
COMMENT ON COLUMN bigbrotr.tally_relay_kind.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.tally_relay_kind.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_relay_kind.events IS 'events';
COMMENT ON COLUMN bigbrotr.tally_relay_kind.authors IS 'different authors';

CREATE TABLE bigbrotr.tally_relay_author (
	relay_id integer NOT NULL,
	author_id integer NOT NULL,
	kind integer NOT NULL,
	events integer NOT NULL,
	first_at bigint,
	last_at bigint,
	PRIMARY KEY (relay_id, author_id, kind)
) WITH (fillfactor = 80);
COMMENT ON TABLE bigbrotr.tally_relay_author IS 'events of each author and kind on each relay';
COMMENT ON COLUMN bigbrotr.tally_relay_author.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.tally_relay_author.author_id IS 'tally_author.id';
COMMENT ON COLUMN bigbrotr.tally_relay_author.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_relay_author.events IS 'events';
COMMENT ON COLUMN bigbrotr.tally_relay_author.first_at IS 'oldest created_at';
COMMENT ON COLUMN bigbrotr.tally_relay_author.last_at IS 'newest created_at';

CREATE TABLE bigbrotr.tally_network (
	network text PRIMARY KEY,
	events bigint NOT NULL DEFAULT 0,
	authors bigint NOT NULL DEFAULT 0,
	kinds integer NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
COMMENT ON TABLE bigbrotr.tally_network IS 'what the relays of each network have shown';
COMMENT ON COLUMN bigbrotr.tally_network.network IS 'relay.network';
COMMENT ON COLUMN bigbrotr.tally_network.events IS 'different events';
COMMENT ON COLUMN bigbrotr.tally_network.authors IS 'different authors';
COMMENT ON COLUMN bigbrotr.tally_network.kinds IS 'different kinds';

CREATE TABLE bigbrotr.tally_network_author (
	network text NOT NULL,
	author_id integer NOT NULL,
	relays integer NOT NULL DEFAULT 0,
	PRIMARY KEY (author_id, network)
) WITH (fillfactor = 80);
COMMENT ON TABLE bigbrotr.tally_network_author IS 'on how many relays of a network an author was seen';
COMMENT ON COLUMN bigbrotr.tally_network_author.network IS 'relay.network';
COMMENT ON COLUMN bigbrotr.tally_network_author.author_id IS 'tally_author.id';
COMMENT ON COLUMN bigbrotr.tally_network_author.relays IS 'relays';

CREATE TABLE bigbrotr.tally_network_kind (
	network text NOT NULL,
	kind integer NOT NULL,
	relays integer NOT NULL DEFAULT 0,
	PRIMARY KEY (network, kind)
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.tally_network_kind IS 'on how many relays of a network a kind was seen';
COMMENT ON COLUMN bigbrotr.tally_network_kind.network IS 'relay.network';
COMMENT ON COLUMN bigbrotr.tally_network_kind.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_network_kind.relays IS 'relays';

CREATE TABLE bigbrotr.tally_network_event (
	key bigint NOT NULL,
	network text NOT NULL,
	PRIMARY KEY (key, network)
) WITH (fillfactor = 100);
COMMENT ON TABLE bigbrotr.tally_network_event IS
	'exceptions: for clearnet, the events that were not seen there; for the other networks those that were';
COMMENT ON COLUMN bigbrotr.tally_network_event.key IS 'event.key';
COMMENT ON COLUMN bigbrotr.tally_network_event.network IS 'relay.network';

CREATE TABLE bigbrotr.tally_latest (
	author_id integer NOT NULL,
	kind integer NOT NULL,
	d bytea NOT NULL,
	key bigint NOT NULL,
	created_at bigint NOT NULL,
	id bytea NOT NULL,
	PRIMARY KEY (author_id, kind, d)
) WITH (fillfactor = 80);
COMMENT ON TABLE bigbrotr.tally_latest IS
	'newest event of each author and replaceable kind, and of each author, addressable kind and d tag (NIP-01)';
COMMENT ON COLUMN bigbrotr.tally_latest.author_id IS 'tally_author.id';
COMMENT ON COLUMN bigbrotr.tally_latest.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_latest.d IS 'd_digest of the tags; empty for a replaceable kind';
COMMENT ON COLUMN bigbrotr.tally_latest.key IS 'event.key';
COMMENT ON COLUMN bigbrotr.tally_latest.created_at IS 'event.created_at';
COMMENT ON COLUMN bigbrotr.tally_latest.id IS 'event.id: the lowest of those of the same second';

CREATE TABLE bigbrotr.tally_orphan (
	key bigint NOT NULL,
	relay_id integer NOT NULL,
	PRIMARY KEY (key, relay_id)
) WITH (fillfactor = 100);
COMMENT ON TABLE bigbrotr.tally_orphan IS
	'observations that were counted when their event was gone: counted with it should it return';
COMMENT ON COLUMN bigbrotr.tally_orphan.key IS 'observation.key';
COMMENT ON COLUMN bigbrotr.tally_orphan.relay_id IS 'observation.relay_id';

SELECT pg_catalog.pg_extension_config_dump('bigbrotr.ingest_delta', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_author', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_author_kind', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_kind', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_total', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_day', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_day_author', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_day_kind', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_time', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_relay', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_relay_kind', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_relay_author', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_network', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_network_author', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_network_kind', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_network_event', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_latest', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_orphan', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.ingest_delta_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.tally_author_id_seq', '');
