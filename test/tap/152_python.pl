# The database of the Python system: what was in it is in the archive, once;
# interrupted, repeated, and through postgres_fdw.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $node = bigbrotr_node('python', "bigbrotr.databases = ''\n");
my $total = 3000;
my $events = generate_events($total, 81);
my $schema = slurp_file("$ENV{BB_ROOT}/test/bench/python_schema.sql") =~ s/\bpy_//gr;

sub one { return $node->safe_psql($_[1] // 'postgres', $_[0]) }

one('CREATE DATABASE old');
$node->safe_psql('old', $schema);
$node->safe_psql('old', <<"SQL");
CREATE TABLE metadata (id bytea, type text, data jsonb NOT NULL, PRIMARY KEY (id, type));
CREATE TABLE relay_metadata (relay_url text REFERENCES relay, metadata_id bytea NOT NULL, metadata_type text, generated_at bigint,
	PRIMARY KEY (relay_url, generated_at, metadata_type), FOREIGN KEY (metadata_id, metadata_type) REFERENCES metadata);
CREATE TABLE service_state (service_name text, state_type text, state_key text, state_value jsonb NOT NULL, PRIMARY KEY (service_name, state_type, state_key));

-- one address that is none here, one written otherwise, one that two rows mean
INSERT INTO relay SELECT 'wss://r' || i || '.bigbrotr.org', 'clearnet', 1700000000 + i FROM generate_series(1, 20) AS i;
INSERT INTO relay VALUES ('wss://relay.local', 'clearnet', 1), ('wss://x.bigbrotr.org:443', 'clearnet', 5), ('wss://x.bigbrotr.org', 'clearnet', 7),
	('wss://weird.bigbrotr.org', 'freenet', 1);

CREATE TEMP TABLE lines (line json);
COPY lines FROM '$events' WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02');
INSERT INTO event SELECT decode(line ->> 'id', 'hex'), decode(line ->> 'pubkey', 'hex'), (line ->> 'created_at')::bigint, (line ->> 'kind')::int,
	line -> 'tags', tagvalues((line -> 'tags')::jsonb), line ->> 'content', decode(line ->> 'sig', 'hex') FROM lines;
-- what a database without checks may hold
INSERT INTO event VALUES (sha256('forged'), sha256('a'), 1700000000, 1, '[]', '{}', 'forged', decode(repeat('00', 64), 'hex')),
	('\\x00', sha256('a'), -5, -1, '{"a":1}', '{}', '', '\\x');
INSERT INTO event_relay SELECT e.id, r.url, 1750000000 + n FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM event) AS e,
	LATERAL (SELECT url FROM relay ORDER BY md5(url || n) LIMIT 1 + n % 4) AS r;

-- documents: the same for weeks, then another, then the first again; times that are none
INSERT INTO metadata SELECT sha256(convert_to(d.data::text, 'UTF8')), d.type, d.data FROM (
	SELECT 'nip11_info' AS type, jsonb_build_object('data', jsonb_build_object('name', 'relay ' || i), 'logs', '{"success":true}'::jsonb) AS data FROM generate_series(1, 3) AS i
	UNION ALL SELECT 'nip66_ssl', '{"data":{"ssl_valid":true},"logs":{"success":true}}'
	UNION ALL SELECT 'nip66_rtt', jsonb_build_object('data', jsonb_build_object('rtt_open', i, 'rtt_read', i + 1), 'logs', '{"open_success":true,"read_success":true,"write_success":false,"write_reason":"no"}'::jsonb) FROM generate_series(1, 200) AS i
	UNION ALL SELECT 'nip66_rtt', '{"data":{"rtt_open":"fast"},"logs":{"open_success":true}}'
	UNION ALL SELECT 'nip66_rtt', '{"data":{},"logs":{"open_success":false,"open_reason":"timeout"}}'
	UNION ALL SELECT 'something_else', '{}') AS d;
INSERT INTO relay_metadata SELECT 'wss://r' || r || '.bigbrotr.org', m.id, m.type, 1700000000 + i * 100 FROM generate_series(1, 20) AS r, generate_series(1, 100) AS i,
	metadata AS m WHERE m.data #>> '{data,name}' = 'relay ' || CASE WHEN i <= 40 THEN 1 WHEN i <= 70 THEN 2 ELSE 1 END;
INSERT INTO relay_metadata SELECT 'wss://r' || r || '.bigbrotr.org', m.id, m.type, 1700000000 + (m.data #>> '{data,rtt_open}')::int * 100
	FROM generate_series(1, 3) AS r, metadata AS m WHERE m.data #>> '{data,rtt_open}' ~ '^[0-9]';
INSERT INTO relay_metadata SELECT 'wss://r4.bigbrotr.org', m.id, m.type, 1700000000 + row_number() OVER (ORDER BY m.id) FROM metadata AS m WHERE m.type <> 'nip11_info' AND m.data #>> '{data,rtt_open}' IS DISTINCT FROM '5';
INSERT INTO service_state SELECT 'validator', 'checkpoint', 'wss://c' || i || '.bigbrotr.org', jsonb_build_object('network', 'clearnet', 'failures', i, 'timestamp', 1) FROM generate_series(1, 30) AS i;
INSERT INTO service_state VALUES ('validator', 'checkpoint', 'wss://r1.bigbrotr.org', '{"network":"clearnet","failures":"x"}'), ('validator', 'checkpoint', 'nonsense', '{}'),
	('synchronizer', 'cursor', 'wss://r1.bigbrotr.org', '{"timestamp":1700000000,"id":"00"}');
SQL

# as foreign tables, and as a schema of its own
one(<<"SQL");
CREATE EXTENSION postgres_fdw;
CREATE SERVER old FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '@{[ $node->host ]}', port '@{[ $node->port ]}', dbname 'old');
CREATE USER MAPPING FOR CURRENT_USER SERVER old OPTIONS (user '@{[ one('SELECT current_user') ]}');
CREATE SCHEMA old;
IMPORT FOREIGN SCHEMA public LIMIT TO (relay, event, event_relay, metadata, relay_metadata, service_state) FROM SERVER old INTO old;
SQL
$node->safe_psql('old', 'CREATE EXTENSION bigbrotr');

sub check
{
	my ($how, $db) = @_;
	my $is = sub { my ($sql, $expected, $what) = @_; is(one($sql, $db), $expected, "$how: $what"); return };
	$is->('SELECT events, invalid, finished_at IS NOT NULL, place FROM bigbrotr.transfer', "$total|5|t|" . '{"stage": "end"}', 'all events; what was refused is counted');
	$is->("SELECT encode(id, 'hex') FROM bigbrotr.event ORDER BY 1", event_ids($events), 'ids equal the ground truth');
	$is->('SELECT count(*) FROM bigbrotr.event AS e WHERE NOT bigbrotr.event_verify(bigbrotr.event_json(e))', 0, 'each verifies');
	my $seen = "SELECT count(*), md5(string_agg(encode(event_id, 'hex') || u || seen_at, ',' ORDER BY event_id, u COLLATE \"C\")) FROM (";
	my $ours = one("$seen SELECT event_id, relay_url AS u, seen_at FROM bigbrotr.event_relay) AS x", $db);
	is($ours, $node->safe_psql('old', "$seen SELECT s.event_id, replace(s.relay_url, ':443', '') AS u, min(s.seen_at) AS seen_at FROM event_relay AS s JOIN event AS e ON e.id = s.event_id "
			. "WHERE length(e.sig) = 64 AND e.content <> 'forged' AND s.relay_url NOT IN ('wss://relay.local', 'wss://weird.bigbrotr.org') GROUP BY 1, 2) AS x"), "$how: observations are the same")
	  or diag(one("SELECT relay_url, count(*) FROM bigbrotr.event_relay GROUP BY 1", $db));
	$is->("SELECT count(*), min(discovered_at) FILTER (WHERE url = 'wss://x.bigbrotr.org'), sum(discovered_at) FROM bigbrotr.relay", '21|5|' . (5 + 20 * 1700000000 + 210), 'relays');
	$is->('SELECT count(*), sum(attempts), count(DISTINCT source) FROM bigbrotr.candidate', '30|465|1', 'candidates');
	$is->('SELECT count(*) FROM bigbrotr.coverage', 0, 'no cursor is taken for a proof');
	my $hashes = "SELECT string_agg(DISTINCT relay_url || metadata_type || encode(metadata_id, 'hex'), ',' ORDER BY relay_url || metadata_type || encode(metadata_id, 'hex')) FROM";
	is(one("SELECT md5(x) FROM ($hashes bigbrotr.relay_metadata WHERE metadata_type <> 'nip66_rtt') AS t (x)", $db),
		$node->safe_psql('old', "SELECT md5(x) FROM ($hashes relay_metadata WHERE metadata_type IN ('nip11_info', 'nip66_ssl')) AS t (x)"), "$how: documents keep their hashes");
	$is->("SELECT string_agg(d.checks || ' ' || d.generated_at - 1700000000 || ' ' || d.confirmed_at - 1700000000, ', ' ORDER BY generated_at) FROM bigbrotr.relay_document AS d JOIN bigbrotr.relay ON id = relay_id "
		  . "WHERE url = 'wss://r1.bigbrotr.org' AND type = 'nip11_info'", '40 100 4000, 30 4100 7000, 30 7100 10000', 'an unchanged document is one row');
	$is->("SELECT count(*), sum(open_ms), sum(read_ms), bool_and(opened), bool_or(write_ok), min(extract(epoch FROM checked_at))::bigint FROM bigbrotr.relay_check WHERE relay_url = 'wss://r2.bigbrotr.org'",
		'200|20100|20300|t|f|1700000100', 'times of round trips are a series');
	$is->("SELECT count(*), count(*) FILTER (WHERE NOT opened), count(*) FILTER (WHERE open_ms = 0) FROM bigbrotr.relay_check WHERE relay_url = 'wss://r4.bigbrotr.org'", '201|1|1', 'what is no time does no harm');
	return;
}

# Every partition is stored as all others are, and as a new archive has it.
sub check_storage
{
	my ($how, $db) = @_;
	my @got = storage_settings($node, $db);
	my %forms;
	foreach my $line (@got)
	{
		my ($table, $parent) = $line =~ /^(bigbrotr\.((?:event|observation)_(?=20\d\d|old|future))\w+)/ or next;
		push @{$forms{$parent}{ $line =~ s/\b(event|observation)_(?:20\d\d(?:_\d\d)?|old|future)/$1_X/gr }}, $table;
	}
	is(join(' ', map { scalar keys %{$forms{$_}} } sort keys %forms), '1 1', "$how: partitions are stored alike")
	  or diag(explain(\%forms));
	is(join("\n", @got), join("\n", storage_settings($node, 'fresh')), "$how: and as in a new archive");
	return;
}

my ($in, $out) = ('', '');
my $h = IPC::Run::start([ 'psql', '-qX', '-d', $node->connstr('postgres'), '-c', "CALL bigbrotr.import_python('old')" ], '<', \$in, '>', \$out, '2>&1');
ok($node->poll_query_until('postgres', 'SELECT count(*) > 0 FROM bigbrotr.transfer WHERE events > 0'), 'an import runs');
one("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'CALL bigbrotr.%'");
IPC::Run::finish($h);
is(one('SELECT finished_at IS NULL AND events < ' . $total . ' FROM bigbrotr.transfer'), 't', 'and is interrupted');
one("CALL bigbrotr.import_python('old')");
check('foreign tables', 'postgres');
one("CALL bigbrotr.import_python('old', restart => true)");
is(one('SELECT events, known FROM bigbrotr.transfer'), "$total|$total", 'again from the beginning: all is known');
one('UPDATE bigbrotr.transfer SET invalid = 5');
check('twice', 'postgres');
one("CALL bigbrotr.import_python('public')", 'old');
check('a schema beside', 'old');
one('CREATE DATABASE fresh');
one('CREATE EXTENSION bigbrotr; SELECT bigbrotr.partition_ensure()', 'fresh');
check_storage('foreign tables', 'postgres');
check_storage('a schema beside', 'old');

my ($rc, undef, $err) = $node->psql('postgres', "CALL bigbrotr.import_python('nowhere')");
like($err, qr/relation "nowhere\.relay" does not exist/, 'a schema that is not there');
$node->stop;
done_testing();
