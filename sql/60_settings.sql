-- What cannot work is refused when it is set, with the reason and a hint.
LOAD 'bigbrotr';

-- the filter of the synchronizer
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '[]';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"kinds":[1,2}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"kinds":[65536]}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"kind":[1]}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"authors":["npub1sn0wdenkukak0d9dfczzeacvhkrgz92ak56egt7vdgzn8pv2wfqqhrjdv9"]}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"#e":["abc"]}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"kinds":[1],"kinds":[2]}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"kinds":[1],"since":1700000000}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"until":1700000000}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"limit":10}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"search":"cats"}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"kinds":[]}';
SELECT '{"#t":["' || repeat('x', 65536) || '"]}' AS long \gset
\set VERBOSITY sqlstate
ALTER SYSTEM SET bigbrotr.synchronizer_filter = :'long';
\set VERBOSITY default

-- databases
ALTER SYSTEM SET bigbrotr.databases = 'a,,b';
ALTER SYSTEM SET bigbrotr.databases = '"a';
ALTER SYSTEM SET bigbrotr.databases = 'nostr, template1';
SELECT string_agg('d' || n, ',') AS long FROM generate_series(1, 65) n \gset
ALTER SYSTEM SET bigbrotr.databases = :long;

-- networks
ALTER SYSTEM SET bigbrotr.allow_networks = 'localhost';
ALTER SYSTEM SET bigbrotr.allow_networks = '127.0.0.0/8, 10.0.0.1/8';
ALTER SYSTEM SET bigbrotr.allow_networks = '10.0.0.0/33';
ALTER SYSTEM SET bigbrotr.allow_networks = '::/129';
ALTER SYSTEM SET bigbrotr.allow_networks = '010.0.0.0/8';
ALTER SYSTEM SET bigbrotr.allow_networks = 'fe80::1%eth0';

-- proxies
ALTER SYSTEM SET bigbrotr.clearnet_proxy = 'http://127.0.0.1:3128';
ALTER SYSTEM SET bigbrotr.clearnet_proxy = 'socks5://127.0.0.1:9050';
ALTER SYSTEM SET bigbrotr.tor_proxy = '127.0.0.1:9050';
ALTER SYSTEM SET bigbrotr.tor_proxy = 'socks5h://127.0.0.1';
ALTER SYSTEM SET bigbrotr.tor_proxy = 'socks5h://:9050';
ALTER SYSTEM SET bigbrotr.tor_proxy = 'socks5h://127.0.0.1:0';
ALTER SYSTEM SET bigbrotr.tor_proxy = 'socks5h://127.0.0.1:65536';
ALTER SYSTEM SET bigbrotr.tor_proxy = 'socks5h://127.0.0.1:90x';
ALTER SYSTEM SET bigbrotr.tor_proxy = 'socks5h://user:secret@127.0.0.1:9050';
ALTER SYSTEM SET bigbrotr.tor_proxy = 'socks5h://127.0.0.1:9050/';
ALTER SYSTEM SET bigbrotr.tor_proxy = '';
ALTER SYSTEM SET bigbrotr.i2p_proxy = '';
ALTER SYSTEM SET bigbrotr.loki_proxy = '';

-- files
ALTER SYSTEM SET bigbrotr.seeder_file = 'seeds.txt';
ALTER SYSTEM SET bigbrotr.ca_file = '~/ca.pem';
ALTER SYSTEM SET bigbrotr.key_file = './key';
ALTER SYSTEM SET bigbrotr.net_program = 'bigbrotr-net';
SELECT '/' || repeat('x', 1023) AS long \gset
\set VERBOSITY sqlstate
ALTER SYSTEM SET bigbrotr.key_file = :'long';
\set VERBOSITY default

-- resolvers
ALTER SYSTEM SET bigbrotr.dns_servers = 'dns.example.com';
ALTER SYSTEM SET bigbrotr.dns_servers = '9.9.9.9:0';
ALTER SYSTEM SET bigbrotr.dns_servers = '9.9.9.9:65536';
ALTER SYSTEM SET bigbrotr.dns_servers = '9.9.9.9:';
ALTER SYSTEM SET bigbrotr.dns_servers = '[9.9.9.9]';
ALTER SYSTEM SET bigbrotr.dns_servers = '[2620:fe::fe';
ALTER SYSTEM SET bigbrotr.dns_servers = '[2620:fe::fe]x';
ALTER SYSTEM SET bigbrotr.dns_servers = ':::::';
ALTER SYSTEM SET bigbrotr.dns_servers = '9.9.9.9,,8.8.8.8';
ALTER SYSTEM SET bigbrotr.dns_servers = '9.9.9.9,';
ALTER SYSTEM SET bigbrotr.dns_servers = '9.9.9.9 8.8.8.8';
SELECT string_agg('9.9.9.' || n, ',') AS long FROM generate_series(100, 130) n \gset
ALTER SYSTEM SET bigbrotr.dns_servers = :'long';

-- numbers, words, names
ALTER SYSTEM SET bigbrotr.synchronizer_interval = '1 lightyear';
ALTER SYSTEM SET bigbrotr.synchronizer_interval = '2 years';
-- each PostgreSQL words the bounds in its own way
\set VERBOSITY sqlstate
ALTER SYSTEM SET bigbrotr.synchronizer_interval = -1;
ALTER SYSTEM SET bigbrotr.synchronizer_page = 0;
ALTER SYSTEM SET bigbrotr.clearnet_timeout = '1ms';
ALTER SYSTEM SET bigbrotr.max_message_size = '1GB';
ALTER SYSTEM SET bigbrotr.net_memory_limit = '1MB';
\set VERBOSITY default
SELECT name, unit, min_val, max_val FROM pg_settings
WHERE name ~ '\.(synchronizer_interval|synchronizer_page|clearnet_timeout|max_message_size|net_memory_limit)$' ORDER BY 1;
ALTER SYSTEM SET bigbrotr.archive = 'heavy';
ALTER SYSTEM SET bigbrotr.invalid_certificate = 'ignore';
ALTER SYSTEM SET bigbrotr.enabled = 'perhaps';
-- 14 warns of an unknown name when it loads the library, and has no way to refuse it later
DO $$
BEGIN
	IF current_setting('server_version_num')::int >= 150000 THEN
		SET bigbrotr.no_such_setting = 1;
		RAISE EXCEPTION 'an unknown name was taken';
	END IF;
EXCEPTION WHEN invalid_name THEN
	NULL;
END
$$;
-- only the server's configuration steers the workers
SET bigbrotr.synchronizer_interval = 1;
