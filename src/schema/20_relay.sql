-- Relays, candidates and seeds.

CREATE FUNCTION bigbrotr.filter_normalize(filter text) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_filter_normalize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.filter_normalize(text) IS
	'canonical text of a NIP-01 filter that relays can be synchronized with; NULL if it is not one';
CREATE FUNCTION bigbrotr.filter_reject_reason(filter text) RETURNS text
	AS 'MODULE_PATHNAME', 'bigbrotr_filter_reject_reason' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigbrotr.filter_reject_reason(text) IS
	'why relays cannot be synchronized with this filter ("name: text"); NULL if they can';

CREATE TABLE bigbrotr.relay (
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	url text NOT NULL UNIQUE CHECK (octet_length(url) <= 2048),
	network text NOT NULL CHECK (network IN ('clearnet', 'tor', 'i2p', 'loki')),
	-- its life
	state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'degraded', 'dead', 'parked')),
	discovered_at bigint NOT NULL DEFAULT extract(epoch FROM now())::bigint,
	promoted_at timestamptz,
	last_ok_at timestamptz,
	last_failed_at timestamptz,
	failures integer NOT NULL DEFAULT 0,
	failure text,
	reason text,
	failure_counts jsonb NOT NULL DEFAULT '{}',
	next_sync_at timestamptz NOT NULL DEFAULT now(),
	live_since timestamptz,
	passes bigint NOT NULL DEFAULT 0,
	events_received bigint NOT NULL DEFAULT 0,
	observations bigint NOT NULL DEFAULT 0,
	-- what an operator may set
	priority smallint NOT NULL DEFAULT 0 CHECK (priority >= 0 AND priority <= 100),
	excluded boolean NOT NULL DEFAULT false,
	filter text CHECK (bigbrotr.filter_reject_reason(filter) IS NULL),
	since bigint CHECK (since >= 0),
	until bigint CHECK (until >= 0),
	page_limit integer CHECK (page_limit >= 1 AND page_limit <= 10000),
	max_requests_per_minute integer CHECK (max_requests_per_minute >= 1 AND max_requests_per_minute <= 60000),
	timeout_ms integer CHECK (timeout_ms >= 100 AND timeout_ms <= 600000),
	-- what was learned
	max_page integer,
	negentropy boolean,
	negentropy_at timestamptz,
	auth text CHECK (auth IN ('accepted', 'refused')),
	learned_requests_per_minute integer,
	identity bytea CHECK (octet_length(identity) = 32),
	identity_at timestamptz,
	limits jsonb,
	alias_of integer CHECK (alias_of <> id),
	-- where the rotating re-check is
	recheck_started_at timestamptz,
	recheck_below bigint,
	recheck_tries smallint NOT NULL DEFAULT 0,
	recheck_held bigint NOT NULL DEFAULT 0,
	recheck_missed bigint NOT NULL DEFAULT 0,
	recall real
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.relay IS 'addresses that have proved to be Nostr relays';
COMMENT ON COLUMN bigbrotr.relay.id IS 'identifier, used by observation, coverage and rejected_event';
COMMENT ON COLUMN bigbrotr.relay.url IS 'canonical address, see relay_normalize';
COMMENT ON COLUMN bigbrotr.relay.network IS 'clearnet, tor, i2p or loki';
COMMENT ON COLUMN bigbrotr.relay.state IS
	'live; degraded: the last pass failed; dead: unreachable for days, tried ever more rarely; parked: unreachable for months, not tried until somebody mentions it again';
COMMENT ON COLUMN bigbrotr.relay.discovered_at IS 'when the address was first seen, Unix seconds';
COMMENT ON COLUMN bigbrotr.relay.promoted_at IS 'when the candidate became a relay';
COMMENT ON COLUMN bigbrotr.relay.last_ok_at IS 'when a pass last succeeded';
COMMENT ON COLUMN bigbrotr.relay.last_failed_at IS 'when a pass last failed';
COMMENT ON COLUMN bigbrotr.relay.failures IS 'consecutive failures';
COMMENT ON COLUMN bigbrotr.relay.failure IS 'class of the last failure; NULL if the last pass succeeded';
COMMENT ON COLUMN bigbrotr.relay.reason IS 'message of the last failure';
COMMENT ON COLUMN bigbrotr.relay.failure_counts IS 'total number of failures by class';
COMMENT ON COLUMN bigbrotr.relay.next_sync_at IS
	'not synchronized before this time; infinity: parked. An operator may set it to now()';
COMMENT ON COLUMN bigbrotr.relay.live_since IS 'since when a subscription to its new events is open; NULL if none is';
COMMENT ON COLUMN bigbrotr.relay.passes IS 'number of successful passes';
COMMENT ON COLUMN bigbrotr.relay.events_received IS 'number of events it has sent, including known ones';
COMMENT ON COLUMN bigbrotr.relay.observations IS
	'approximate number of observations the synchronizer made of it; table observation has the exact number';
COMMENT ON COLUMN bigbrotr.relay.priority IS
	'0 to 100; above 0, connections are reserved for it (up to half of those of its network), greater numbers first';
COMMENT ON COLUMN bigbrotr.relay.excluded IS 'if true, never contacted';
COMMENT ON COLUMN bigbrotr.relay.filter IS
	'NIP-01 filter to synchronize with, without since, until and limit; NULL means bigbrotr.synchronizer_filter';
COMMENT ON COLUMN bigbrotr.relay.since IS
	'oldest created_at to ask for, Unix seconds; NULL means bigbrotr.synchronizer_since';
COMMENT ON COLUMN bigbrotr.relay.until IS 'newest created_at to ask for, Unix seconds; NULL means no end';
COMMENT ON COLUMN bigbrotr.relay.page_limit IS 'events to ask for per request; NULL means bigbrotr.synchronizer_page';
COMMENT ON COLUMN bigbrotr.relay.max_requests_per_minute IS
	'requests per minute; NULL means what the relay seems to accept';
COMMENT ON COLUMN bigbrotr.relay.timeout_ms IS
	'longest wait for an answer, in milliseconds; NULL means the timeout of its network';
COMMENT ON COLUMN bigbrotr.relay.max_page IS 'learned: largest number of events in one answer';
COMMENT ON COLUMN bigbrotr.relay.negentropy IS 'learned: whether NIP-77 works; NULL if not tried';
COMMENT ON COLUMN bigbrotr.relay.negentropy_at IS
	'when that was learned; a negative result is tried again after a month';
COMMENT ON COLUMN bigbrotr.relay.auth IS
	'learned: accepted or refused, our NIP-42 authentication; NULL if it never asked for any';
COMMENT ON COLUMN bigbrotr.relay.learned_requests_per_minute IS 'learned: requests per minute it accepts';
COMMENT ON COLUMN bigbrotr.relay.identity IS 'SHA-256 of its NIP-11 document';
COMMENT ON COLUMN bigbrotr.relay.identity_at IS 'when that document was read';
COMMENT ON COLUMN bigbrotr.relay.limits IS 'limits stated in its NIP-11 document: max_limit, default_limit, ...';
COMMENT ON COLUMN bigbrotr.relay.alias_of IS
	'relay.id of the same relay under another path of the same host; aliases are not synchronized';
COMMENT ON COLUMN bigbrotr.relay.recheck_started_at IS 'start of the current or last round of re-checks';
COMMENT ON COLUMN bigbrotr.relay.recheck_below IS
	'the current round still has to re-check what is older than this, Unix seconds; NULL if no round is running';
COMMENT ON COLUMN bigbrotr.relay.recheck_tries IS 'number of failed attempts to re-check the next window of the round';
COMMENT ON COLUMN bigbrotr.relay.recheck_held IS 'number of events the relay showed in the round';
COMMENT ON COLUMN bigbrotr.relay.recheck_missed IS 'how many of those had not been observed there before';
COMMENT ON COLUMN bigbrotr.relay.recall IS
	'0 to 1: share of the events shown in the last finished round that had been observed before';

CREATE INDEX relay_next_sync_at_idx ON bigbrotr.relay (network, next_sync_at)
	WHERE NOT excluded AND alias_of IS NULL;
COMMENT ON INDEX bigbrotr.relay_next_sync_at_idx IS 'finds the relays that are due';
CREATE INDEX relay_priority_idx ON bigbrotr.relay (network, next_sync_at) WHERE priority > 0 AND NOT excluded AND alias_of IS NULL;
CREATE INDEX relay_identity_idx ON bigbrotr.relay (identity) WHERE identity IS NOT NULL;
COMMENT ON INDEX bigbrotr.relay_identity_idx IS 'finds the relays with the same NIP-11 document';
CREATE INDEX relay_alias_of_idx ON bigbrotr.relay (alias_of) WHERE alias_of IS NOT NULL;
COMMENT ON INDEX bigbrotr.relay_alias_of_idx IS 'finds the aliases of a relay';
COMMENT ON INDEX bigbrotr.relay_priority_idx IS 'finds the relays with reserved connections that are due';

CREATE TABLE bigbrotr.candidate (
	url text PRIMARY KEY CHECK (octet_length(url) <= 2048),
	network text NOT NULL CHECK (network IN ('clearnet', 'tor', 'i2p', 'loki')),
	source text,
	authors integer NOT NULL DEFAULT 0,
	discovered_at bigint NOT NULL DEFAULT extract(epoch FROM now())::bigint,
	attempts integer NOT NULL DEFAULT 0,
	failure_counts jsonb NOT NULL DEFAULT '{}',
	last_attempt_at timestamptz,
	next_attempt_at timestamptz NOT NULL DEFAULT now(),
	failure text,
	reason text
) WITH (fillfactor = 70);
COMMENT ON TABLE bigbrotr.candidate IS 'addresses that may be relays and wait for validation';
COMMENT ON COLUMN bigbrotr.candidate.url IS 'canonical address, see relay_normalize';
COMMENT ON COLUMN bigbrotr.candidate.network IS 'clearnet, tor, i2p or loki';
COMMENT ON COLUMN bigbrotr.candidate.source IS
	'where it was first found: seed, event, source (a list on the web) or import';
COMMENT ON COLUMN bigbrotr.candidate.authors IS
	'approximate number of authors that mention it; follows mention.authors in steps of an eighth';
COMMENT ON COLUMN bigbrotr.candidate.discovered_at IS 'when it was first found, Unix seconds';
COMMENT ON COLUMN bigbrotr.candidate.attempts IS 'number of attempts to validate it';
COMMENT ON COLUMN bigbrotr.candidate.failure_counts IS 'number of failures by class';
COMMENT ON COLUMN bigbrotr.candidate.last_attempt_at IS 'time of the last attempt';
COMMENT ON COLUMN bigbrotr.candidate.next_attempt_at IS
	'not tried before this time; infinity: parked after a dozen failures, until somebody mentions it again';
COMMENT ON COLUMN bigbrotr.candidate.failure IS 'class of the last failure';
COMMENT ON COLUMN bigbrotr.candidate.reason IS 'message of the last failure';

CREATE INDEX candidate_next_attempt_at_idx ON bigbrotr.candidate (network, next_attempt_at);
COMMENT ON INDEX bigbrotr.candidate_next_attempt_at_idx IS 'finds the candidates that are due';

CREATE TABLE bigbrotr.seed (
	url text PRIMARY KEY,
	origin text NOT NULL DEFAULT 'table',
	added_at timestamptz NOT NULL DEFAULT now(),
	seeded_at timestamptz,
	outcome text,
	reason text
);
COMMENT ON TABLE bigbrotr.seed IS 'addresses to start from; insert rows here, and the seeder makes them candidates';
COMMENT ON COLUMN bigbrotr.seed.url IS 'address as given, not normalized';
COMMENT ON COLUMN bigbrotr.seed.origin IS 'table, or path of the file it came from';
COMMENT ON COLUMN bigbrotr.seed.added_at IS 'when the row was inserted';
COMMENT ON COLUMN bigbrotr.seed.seeded_at IS 'when the seeder processed it; NULL if not yet';
COMMENT ON COLUMN bigbrotr.seed.outcome IS 'result of processing it';
COMMENT ON COLUMN bigbrotr.seed.reason IS 'why it was refused';
