-- After queries.sql and its statements: who was seen to have those events, as
-- statements to be run next, a line each.  Every event on one to three of 100
-- relays, few of which have most.
INSERT INTO bigbrotr.relay (url, network, excluded)
SELECT 'wss://r' || i || '.nostr.com', 'clearnet', true FROM generate_series(1, 100) AS i;
SELECT format('l INSERT INTO bigbrotr.observation (key, relay_id, seen_at) '
	'SELECT e.key, r.relay, (e.key >> 29) - 1577836800 + (random() * random() * 86400)::int FROM %s AS e, '
	'LATERAL (SELECT DISTINCT 1 + (random() * random() * 99)::int AS relay FROM generate_series(1, 3) WHERE e.key > 0) AS r ORDER BY 1', inhrelid::regclass)
FROM pg_inherits WHERE inhparent = 'bigbrotr.event'::regclass AND pg_relation_size(inhrelid) > 0;
