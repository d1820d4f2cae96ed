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
	'what transactions added to the archive or removed from it and the refresher has not counted yet';
COMMENT ON COLUMN bigbrotr.ingest_delta.id IS 'order: a removal follows what added the same thing';
COMMENT ON COLUMN bigbrotr.ingest_delta.at IS 'start of the transaction';
COMMENT ON COLUMN bigbrotr.ingest_delta.removed IS 'false: added; true: removed';
COMMENT ON COLUMN bigbrotr.ingest_delta.keys IS
	'event.key of new events; if removed, of the events of seen_keys and of the removed events';
COMMENT ON COLUMN bigbrotr.ingest_delta.seen_keys IS 'observation.key of the observations';
COMMENT ON COLUMN bigbrotr.ingest_delta.seen_relays IS 'observation.relay_id, in the same order';
COMMENT ON COLUMN bigbrotr.ingest_delta.gone IS 'if removed, for each of keys: whether the event itself was removed';
COMMENT ON COLUMN bigbrotr.ingest_delta.pubkeys IS 'if removed, event.pubkey of each of keys';
COMMENT ON COLUMN bigbrotr.ingest_delta.kinds IS 'if removed, event.kind of each of keys';
COMMENT ON COLUMN bigbrotr.ingest_delta.created_ats IS 'if removed, event.created_at of each of keys';
COMMENT ON COLUMN bigbrotr.ingest_delta.ds IS 'if removed, d_digest of the tags of each of keys';
CREATE INDEX ingest_delta_removed_idx ON bigbrotr.ingest_delta (id) WHERE removed;
COMMENT ON INDEX bigbrotr.ingest_delta_removed_idx IS 'finds removals; usually empty';

CREATE TABLE bigbrotr.tally_author (
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	pubkey bytea NOT NULL UNIQUE CHECK (octet_length(pubkey) = 32),
	events bigint NOT NULL DEFAULT 0,
	kinds integer NOT NULL DEFAULT 0,
	days integer NOT NULL DEFAULT 0,
	first_at bigint,
	last_at bigint
) WITH (fillfactor = 75);
COMMENT ON TABLE bigbrotr.tally_author IS
	'number of events by author; maps public keys to the numbers used in the other tallies';
COMMENT ON COLUMN bigbrotr.tally_author.id IS 'number of the author in the other tallies';
COMMENT ON COLUMN bigbrotr.tally_author.pubkey IS 'event.pubkey';
COMMENT ON COLUMN bigbrotr.tally_author.events IS 'number of events; 0 if all were removed';
COMMENT ON COLUMN bigbrotr.tally_author.kinds IS 'number of distinct kinds';
COMMENT ON COLUMN bigbrotr.tally_author.days IS 'number of days (UTC) with an event';
COMMENT ON COLUMN bigbrotr.tally_author.first_at IS 'oldest created_at, Unix seconds';
COMMENT ON COLUMN bigbrotr.tally_author.last_at IS 'newest created_at, Unix seconds';
CREATE INDEX tally_author_hex_idx ON bigbrotr.tally_author (encode(pubkey, 'hex'));
COMMENT ON INDEX bigbrotr.tally_author_hex_idx IS 'finds authors by the text that pubkey_counts shows';

CREATE TABLE bigbrotr.tally_author_kind (
	author_id integer NOT NULL,
	kind integer NOT NULL,
	events bigint NOT NULL,
	PRIMARY KEY (author_id, kind)
) WITH (fillfactor = 80);
COMMENT ON TABLE bigbrotr.tally_author_kind IS 'number of events by author and kind';
COMMENT ON COLUMN bigbrotr.tally_author_kind.author_id IS 'tally_author.id';
COMMENT ON COLUMN bigbrotr.tally_author_kind.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_author_kind.events IS 'number of events';

CREATE TABLE bigbrotr.tally_kind (
	kind integer PRIMARY KEY,
	events bigint NOT NULL DEFAULT 0,
	authors bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.tally_kind IS 'number of events by kind';
COMMENT ON COLUMN bigbrotr.tally_kind.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_kind.events IS 'number of events';
COMMENT ON COLUMN bigbrotr.tally_kind.authors IS 'number of distinct authors';

CREATE TABLE bigbrotr.tally_total (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	events bigint NOT NULL DEFAULT 0,
	authors bigint NOT NULL DEFAULT 0,
	first_at bigint,
	last_at bigint,
	position bigint NOT NULL DEFAULT 0,
	counted_at timestamptz
) WITH (fillfactor = 10);
COMMENT ON TABLE bigbrotr.tally_total IS 'totals of the archive, in one row';
COMMENT ON COLUMN bigbrotr.tally_total.one IS 'always true';
COMMENT ON COLUMN bigbrotr.tally_total.events IS 'number of events';
COMMENT ON COLUMN bigbrotr.tally_total.authors IS 'number of distinct authors';
COMMENT ON COLUMN bigbrotr.tally_total.first_at IS 'oldest created_at, Unix seconds';
COMMENT ON COLUMN bigbrotr.tally_total.last_at IS 'newest created_at, Unix seconds';
COMMENT ON COLUMN bigbrotr.tally_total.position IS 'ingest_delta.id of the last row counted';
COMMENT ON COLUMN bigbrotr.tally_total.counted_at IS 'when that row was counted';

CREATE TABLE bigbrotr.tally_day (
	day integer PRIMARY KEY,
	events bigint NOT NULL DEFAULT 0,
	authors bigint NOT NULL DEFAULT 0,
	kinds integer NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.tally_day IS 'number of events by day of created_at';
COMMENT ON COLUMN bigbrotr.tally_day.day IS
	'days since 1970-01-01 UTC; 2145042906 and -2440589 stand for all times that a date cannot represent';
COMMENT ON COLUMN bigbrotr.tally_day.events IS 'number of events';
COMMENT ON COLUMN bigbrotr.tally_day.authors IS 'number of distinct authors';
COMMENT ON COLUMN bigbrotr.tally_day.kinds IS 'number of distinct kinds';

CREATE TABLE bigbrotr.tally_day_author (
	day integer NOT NULL,
	author_id integer NOT NULL,
	events bigint NOT NULL,
	PRIMARY KEY (day, author_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE bigbrotr.tally_day_author IS 'number of events by day and author';
COMMENT ON COLUMN bigbrotr.tally_day_author.day IS 'tally_day.day';
COMMENT ON COLUMN bigbrotr.tally_day_author.author_id IS 'tally_author.id';
COMMENT ON COLUMN bigbrotr.tally_day_author.events IS 'number of events';

CREATE TABLE bigbrotr.tally_day_kind (
	day integer NOT NULL,
	kind integer NOT NULL,
	events bigint NOT NULL,
	PRIMARY KEY (day, kind)
) WITH (fillfactor = 80);
COMMENT ON TABLE bigbrotr.tally_day_kind IS 'number of events by day and kind';
COMMENT ON COLUMN bigbrotr.tally_day_kind.day IS 'tally_day.day';
COMMENT ON COLUMN bigbrotr.tally_day_kind.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_day_kind.events IS 'number of events';

CREATE TABLE bigbrotr.tally_time (
	slot bigint PRIMARY KEY,
	events bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 60);
COMMENT ON TABLE bigbrotr.tally_time IS 'number of events by ten minutes of created_at, for time windows that end now';
COMMENT ON COLUMN bigbrotr.tally_time.slot IS 'created_at / 600';
COMMENT ON COLUMN bigbrotr.tally_time.events IS 'number of events';

CREATE TABLE bigbrotr.tally_relay (
	relay_id integer PRIMARY KEY,
	events bigint NOT NULL DEFAULT 0,
	authors bigint NOT NULL DEFAULT 0,
	kinds integer NOT NULL DEFAULT 0,
	first_at bigint,
	last_at bigint
) WITH (fillfactor = 50);
COMMENT ON TABLE bigbrotr.tally_relay IS 'totals by relay of the events seen there';
COMMENT ON COLUMN bigbrotr.tally_relay.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.tally_relay.events IS 'number of events';
COMMENT ON COLUMN bigbrotr.tally_relay.authors IS 'number of distinct authors';
COMMENT ON COLUMN bigbrotr.tally_relay.kinds IS 'number of distinct kinds';
COMMENT ON COLUMN bigbrotr.tally_relay.first_at IS 'oldest created_at, Unix seconds';
COMMENT ON COLUMN bigbrotr.tally_relay.last_at IS 'newest created_at, Unix seconds';

CREATE TABLE bigbrotr.tally_relay_kind (
	relay_id integer NOT NULL,
	kind integer NOT NULL,
	events bigint NOT NULL DEFAULT 0,
	authors bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (relay_id, kind)
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.tally_relay_kind IS 'number of events by relay and kind';
COMMENT ON COLUMN bigbrotr.tally_relay_kind.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.tally_relay_kind.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_relay_kind.events IS 'number of events';
COMMENT ON COLUMN bigbrotr.tally_relay_kind.authors IS 'number of distinct authors';

CREATE TABLE bigbrotr.tally_relay_author (
	relay_id integer NOT NULL,
	author_id integer NOT NULL,
	kind integer NOT NULL,
	events integer NOT NULL,
	first_at bigint,
	last_at bigint,
	PRIMARY KEY (relay_id, author_id, kind)
) WITH (fillfactor = 80);
COMMENT ON TABLE bigbrotr.tally_relay_author IS 'number of events by relay, author and kind';
COMMENT ON COLUMN bigbrotr.tally_relay_author.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.tally_relay_author.author_id IS 'tally_author.id';
COMMENT ON COLUMN bigbrotr.tally_relay_author.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_relay_author.events IS 'number of events';
COMMENT ON COLUMN bigbrotr.tally_relay_author.first_at IS 'oldest created_at, Unix seconds';
COMMENT ON COLUMN bigbrotr.tally_relay_author.last_at IS 'newest created_at, Unix seconds';

CREATE TABLE bigbrotr.tally_network (
	network text PRIMARY KEY,
	events bigint NOT NULL DEFAULT 0,
	authors bigint NOT NULL DEFAULT 0,
	kinds integer NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
COMMENT ON TABLE bigbrotr.tally_network IS 'totals by network of the events seen on its relays';
COMMENT ON COLUMN bigbrotr.tally_network.network IS 'relay.network';
COMMENT ON COLUMN bigbrotr.tally_network.events IS 'number of distinct events';
COMMENT ON COLUMN bigbrotr.tally_network.authors IS 'number of distinct authors';
COMMENT ON COLUMN bigbrotr.tally_network.kinds IS 'number of distinct kinds';

CREATE TABLE bigbrotr.tally_network_author (
	network text NOT NULL,
	author_id integer NOT NULL,
	relays integer NOT NULL DEFAULT 0,
	PRIMARY KEY (author_id, network)
) WITH (fillfactor = 80);
COMMENT ON TABLE bigbrotr.tally_network_author IS 'number of relays of a network on which an author was seen';
COMMENT ON COLUMN bigbrotr.tally_network_author.network IS 'relay.network';
COMMENT ON COLUMN bigbrotr.tally_network_author.author_id IS 'tally_author.id';
COMMENT ON COLUMN bigbrotr.tally_network_author.relays IS 'number of relays';

CREATE TABLE bigbrotr.tally_network_kind (
	network text NOT NULL,
	kind integer NOT NULL,
	relays integer NOT NULL DEFAULT 0,
	PRIMARY KEY (network, kind)
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.tally_network_kind IS 'number of relays of a network on which a kind was seen';
COMMENT ON COLUMN bigbrotr.tally_network_kind.network IS 'relay.network';
COMMENT ON COLUMN bigbrotr.tally_network_kind.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_network_kind.relays IS 'number of relays';

CREATE TABLE bigbrotr.tally_network_event (
	key bigint NOT NULL,
	network text NOT NULL,
	PRIMARY KEY (key, network)
) WITH (fillfactor = 100);
COMMENT ON TABLE bigbrotr.tally_network_event IS
	'exceptions: for clearnet, events that were not seen there; for other networks, events that were';
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
	'newest event by author and replaceable kind, and by author, addressable kind and d tag (NIP-01)';
COMMENT ON COLUMN bigbrotr.tally_latest.author_id IS 'tally_author.id';
COMMENT ON COLUMN bigbrotr.tally_latest.kind IS 'event.kind';
COMMENT ON COLUMN bigbrotr.tally_latest.d IS 'd_digest of the tags; empty for a replaceable kind';
COMMENT ON COLUMN bigbrotr.tally_latest.key IS 'event.key';
COMMENT ON COLUMN bigbrotr.tally_latest.created_at IS 'event.created_at';
COMMENT ON COLUMN bigbrotr.tally_latest.id IS 'event.id; the lowest among events of the same second';

CREATE TABLE bigbrotr.tally_orphan (
	key bigint NOT NULL,
	relay_id integer NOT NULL,
	PRIMARY KEY (key, relay_id)
) WITH (fillfactor = 100);
COMMENT ON TABLE bigbrotr.tally_orphan IS
	'observations whose event was gone when they were counted; counted with the event if it returns';
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
