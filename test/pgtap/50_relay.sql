-- Addresses of relays through SQL: each reason once, and the decisions that
-- differ from the Python system.  test_relay_url has all vectors and every
-- edge of the special-purpose address registries.
BEGIN;
SELECT no_plan();
\set v3 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid

CREATE TEMP TABLE address (raw text, url text, why text);
INSERT INTO address VALUES
	('WSS://Relay.Damus.IO:443//a/./b/../c/', 'wss://relay.damus.io/a/c', NULL),
	('ws://relay.damus.io', 'wss://relay.damus.io', NULL),
	('ws://relay.damus.io:80', 'wss://relay.damus.io', NULL),
	('wss://relay.damus.io:80', 'wss://relay.damus.io:80', NULL),
	('wss://café.com', 'wss://xn--caf-dma.com', NULL),
	('wss://[2606:4700:0:0:0:0:0:1111]:8080', 'wss://[2606:4700::1111]:8080', NULL),
	('wss://' || :'v3' || '.onion', 'ws://' || :'v3' || '.onion', NULL),
	('', NULL, 'empty'),
	('wss://h.io/' || repeat('a', 2048), NULL, 'too_long'),
	(E'wss://h.io/a\nb', NULL, 'bad_character'),
	('relay.damus.io', NULL, 'no_scheme'),
	('https://relay.damus.io', NULL, 'bad_scheme'),
	('wss://user:pw@relay.damus.io', NULL, 'userinfo'),
	('wss://', NULL, 'no_host'),
	('wss://relay', NULL, 'bad_host'),
	('wss://relay..damus.io', NULL, 'bad_host'),
	('wss://localhost', NULL, 'special_name'),
	('wss://foo.localhost', NULL, 'special_name'),
	('wss://umbrel.local:4848', NULL, 'special_name'),
	('wss://relay.internal', NULL, 'special_name'),
	('wss://relay.example.com', NULL, 'special_name'),
	('ws://short.onion', NULL, 'bad_overlay'),
	('wss://relay.damus.io:0', NULL, 'bad_port'),
	('wss://relay.damus.io/a b', NULL, 'bad_character'),
	('wss://relay.damus.io/-a', NULL, 'bad_path'),
	('wss://relay.damus.io/wss://other.com', NULL, 'bad_path'),
	('wss://relay.damus.io?x=1', NULL, 'query'),
	('wss://relay.damus.io#f', NULL, 'fragment');
INSERT INTO address SELECT 'wss://' || a, NULL, 'special_address' FROM unnest('{0.0.0.0,10.1.2.3,100.64.0.1,127.0.0.1,169.254.1.1,172.16.0.1,192.0.0.1,192.0.2.1,192.88.99.1,192.168.1.1,198.18.0.1,198.51.100.1,203.0.113.1,224.0.0.1,240.0.0.1,255.255.255.255,[::],[::1],[::ffff:8.8.8.8],[64:ff9b::808:808],[64:ff9b:1::1],[100::1],[2001::1],[2001:2::1],[2001:20::1],[2001:db8::1],[2002:808:808::1],[3fff::1],[5f00::1],[fc00::1],[fe80::1],[fec0::1],[ff02::1]}'::text[]) a;

SELECT is(bigbrotr.relay_normalize(raw), url, 'normal form of ' || translate(left(raw, 50), E'\n', ' ')) FROM address;
SELECT is(split_part(bigbrotr.relay_reject_reason(raw), ':', 1), why, 'reason for ' || translate(left(raw, 50), E'\n', ' ')) FROM address;
SELECT is_empty($$SELECT raw FROM address WHERE url IS NOT NULL AND bigbrotr.relay_normalize(url) IS DISTINCT FROM url$$, 'a normal form is its own');
SELECT is_empty($$SELECT raw FROM address WHERE why IS NOT NULL AND bigbrotr.relay_reject_reason(raw) !~ '^[a-z_]+: .'$$, 'every reason has its words');

SELECT * FROM finish();
ROLLBACK;
