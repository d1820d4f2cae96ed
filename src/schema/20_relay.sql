-- Relays, and what may become one.

CREATE TABLE bigbrotr.relay (
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	url text NOT NULL UNIQUE CHECK (octet_length(url) <= 2048),
	network text NOT NULL CHECK (network IN ('clearnet', 'tor', 'i2p', 'loki')),
	state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'degraded', 'dead', 'parked')),
	discovered_at bigint NOT NULL DEFAULT extract(epoch FROM now())::bigint,
	promoted_at timestamptz,
	last_ok_at timestamptz,
	last_failed_at timestamptz,
	failures integer NOT NULL DEFAULT 0,
	failure text,
	reason text,
	next_sync_at timestamptz NOT NULL DEFAULT now(),
	events_received bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.relay IS 'relays that have proved to speak Nostr';
COMMENT ON COLUMN bigbrotr.relay.id IS 'number used by observation, coverage and rejected_event';
COMMENT ON COLUMN bigbrotr.relay.url IS 'canonical address, see relay_normalize';
COMMENT ON COLUMN bigbrotr.relay.network IS 'clearnet, tor, i2p or loki';
COMMENT ON COLUMN bigbrotr.relay.state IS 'live, degraded (failing), dead (given up, asked rarely) or parked (by an operator)';
COMMENT ON COLUMN bigbrotr.relay.discovered_at IS 'unix seconds of the first time the address was seen';
COMMENT ON COLUMN bigbrotr.relay.promoted_at IS 'when the candidate became a relay';
COMMENT ON COLUMN bigbrotr.relay.last_ok_at IS 'last time it answered';
COMMENT ON COLUMN bigbrotr.relay.last_failed_at IS 'last time it did not';
COMMENT ON COLUMN bigbrotr.relay.failures IS 'failures in a row';
COMMENT ON COLUMN bigbrotr.relay.failure IS 'class of the last failure';
COMMENT ON COLUMN bigbrotr.relay.reason IS 'the last failure in words';
COMMENT ON COLUMN bigbrotr.relay.next_sync_at IS 'not synchronized before this time';
COMMENT ON COLUMN bigbrotr.relay.events_received IS 'events it has sent us, known ones included';

CREATE INDEX relay_next_sync_at_idx ON bigbrotr.relay (next_sync_at)
	WHERE state IN ('live', 'degraded', 'dead');
COMMENT ON INDEX bigbrotr.relay_next_sync_at_idx IS 'which relays are due';

CREATE TABLE bigbrotr.candidate (
	url text PRIMARY KEY CHECK (octet_length(url) <= 2048),
	network text NOT NULL CHECK (network IN ('clearnet', 'tor', 'i2p', 'loki')),
	source text,
	discovered_at bigint NOT NULL DEFAULT extract(epoch FROM now())::bigint,
	attempts integer NOT NULL DEFAULT 0,
	last_attempt_at timestamptz,
	next_attempt_at timestamptz NOT NULL DEFAULT now(),
	failure text,
	reason text
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.candidate IS 'addresses that may be relays; the validator tries them';
COMMENT ON COLUMN bigbrotr.candidate.url IS 'canonical address, see relay_normalize';
COMMENT ON COLUMN bigbrotr.candidate.network IS 'clearnet, tor, i2p or loki';
COMMENT ON COLUMN bigbrotr.candidate.source IS 'where it was found';
COMMENT ON COLUMN bigbrotr.candidate.discovered_at IS 'unix seconds of the first time it was found';
COMMENT ON COLUMN bigbrotr.candidate.attempts IS 'how often it was tried';
COMMENT ON COLUMN bigbrotr.candidate.last_attempt_at IS 'last try';
COMMENT ON COLUMN bigbrotr.candidate.next_attempt_at IS 'not tried before this time';
COMMENT ON COLUMN bigbrotr.candidate.failure IS 'class of the last failure';
COMMENT ON COLUMN bigbrotr.candidate.reason IS 'the last failure in words';

CREATE INDEX candidate_next_attempt_at_idx ON bigbrotr.candidate (next_attempt_at);
COMMENT ON INDEX bigbrotr.candidate_next_attempt_at_idx IS 'which candidates are due';

CREATE TABLE bigbrotr.seed (
	url text PRIMARY KEY,
	origin text NOT NULL DEFAULT 'table',
	added_at timestamptz NOT NULL DEFAULT now(),
	seeded_at timestamptz,
	outcome text,
	reason text
);
COMMENT ON TABLE bigbrotr.seed IS 'addresses to start from; insert rows here, the seeder makes candidates of them';
COMMENT ON COLUMN bigbrotr.seed.url IS 'address as given, not normalised';
COMMENT ON COLUMN bigbrotr.seed.origin IS 'table, or the file it came from';
COMMENT ON COLUMN bigbrotr.seed.added_at IS 'when the row was made';
COMMENT ON COLUMN bigbrotr.seed.seeded_at IS 'when the seeder has read it; NULL: not yet';
COMMENT ON COLUMN bigbrotr.seed.outcome IS 'what became of it';
COMMENT ON COLUMN bigbrotr.seed.reason IS 'why it was refused';
