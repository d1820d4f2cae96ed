# Mode relay of bigbrotr.query, whatever is done to the archive by hand: what
# bigbrotr.ruling has must never be less than what events say, and its answers
# are those of the naive reference (test/query).

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $seed = $ENV{BB_QUERY_SEED} // 20261121;
my $filters = $ENV{BB_QUERY_FILTERS} // 60;
my $dir = "$ENV{BB_ROOT}/test/query";
my $node = bigbrotr_node('main', "bigbrotr.databases = ''\n");
my $from = 1;
my $db = 'postgres';

# Entries that events have and ruling has not, in partitions that are covered.
my $missing = <<'SQL';
SELECT count(*) FROM bigbrotr.event AS e JOIN pg_trigger AS t ON t.tgrelid = e.tableoid AND t.tgname = 'ruling_note' AND t.tgenabled = 'A',
	unnest(bigbrotr.ruling_codes(e.kind, e.pubkey, e.tags)) AS c (code)
WHERE NOT EXISTS (SELECT FROM bigbrotr.ruling AS r WHERE r.code = c.code AND r.key = e.key)
SQL
my $uncovered = <<'SQL';
SELECT coalesce(string_agg(i.inhrelid::regclass::text, ' ' ORDER BY 1), '') FROM pg_inherits AS i WHERE i.inhparent = 'bigbrotr.event'::regclass
	AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = i.inhrelid AND t.tgname = 'ruling_note' AND t.tgenabled = 'A')
SQL

sub sql { return $node->safe_psql($db, $_[0]); }

# What differs in so many random filters; before: statements of the same session.
sub compare
{
	my ($n, $before) = @_;
	my $to = $from + $n - 1;
	my $out = $node->safe_psql($db, ($before // '') . "SET client_min_messages = warning;\n\\set from $from\n\\set to $to\n"
		  . "SELECT setseed(($seed % 999983 + $from) % 999983 / 999983.0);\n" . slurp_file("$dir/compare.sql")) =~ s/^\s+//r;
	$from = $to + 1;
	return $out;
}

sub holds
{
	my ($what, $partitions) = @_;
	is(sql($uncovered), $partitions // '', "$what: what is covered");
	is(sql($missing), '0', "$what: no entry is missing there");
	sql('CALL again()');
	is(compare($filters), '', "$what: the same answers");
	return;
}

sub events
{
	my ($prefix, $where) = @_;
	# keys that fit their times: bounds of created_at are bounds of the key
	return "INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, sig, tags, content) "
	  . "SELECT bigbrotr.key_first(e.created_at + 1) + (e.key + 1000) % 536870912, e.created_at + 1, e.kind, "
	  . "sha256('$prefix' || e.id), e.pubkey, NULL, e.tags, e.content FROM bigbrotr.event AS e WHERE $where";
}

diag("seed $seed");
sql('SELECT bigbrotr.partition_ensure()');
$node->command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-v', "seed=$seed", '-v', 'rows=1200', '-f', "$dir/reference.sql", 'postgres' ], 'an archive');
holds('rows by hand');

# can it fail?
isnt(compare(200, "BEGIN;\nTRUNCATE bigbrotr.ruling;\n"), '', 'without its entries the answers are wrong: nothing else is asked');

sql('CREATE TABLE aside AS SELECT * FROM bigbrotr.event WHERE (bigbrotr.id_code(id) % 3 = 0) AND kind IN (0, 3, 5, 62, 10002, 30023, 30078)');
sql('DELETE FROM bigbrotr.event AS e USING aside AS a WHERE a.key = e.key');
holds('a third of what decides is deleted by hand');
sql('INSERT INTO bigbrotr.event SELECT * FROM aside');
holds('and stored again, late');
sql("UPDATE bigbrotr.event SET kind = 5 WHERE kind = 7; UPDATE bigbrotr.event SET kind = 7 WHERE kind = 62 AND created_at % 2 = 0");
holds('kinds are changed by hand');
sql("UPDATE bigbrotr.event SET kind = 62, tags = '[[\"relay\",\"ALL_RELAYS\"]]' WHERE key = (SELECT key FROM bigbrotr.event WHERE kind = 1 ORDER BY created_at DESC OFFSET 20 LIMIT 1)");
holds('somebody vanished');
sql('TRUNCATE bigbrotr.event_2022');
holds('a partition is emptied');

# retention: only what is in the archive counts
my $stale = 'SELECT count(*) FROM bigbrotr.ruling AS r WHERE NOT EXISTS (SELECT FROM bigbrotr.event AS e WHERE e.key = r.key)';
my $before = sql($stale);
cmp_ok($before, '>', 0, 'what is deleted by hand leaves entries behind');
sql("SELECT bigbrotr.event_delete(array_agg(key)) FROM bigbrotr.event WHERE kind IN (5, 62, 30023) AND created_at % 3 = 0");
is(sql($stale), $before, 'what retention removes leaves none');
holds('retention took deletions, requests and versions');

# partitions that come and go
my $bound = sql("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = 'bigbrotr.event_2023_11'::regclass");
sql('ALTER TABLE bigbrotr.event DETACH PARTITION bigbrotr.event_2023_11');
holds('a partition is taken off');
sql('INSERT INTO bigbrotr.event_2023_11 (key, created_at, kind, id, pubkey, tags, content) '
	  . "SELECT key + 7, created_at, kind, sha256('aside' || id), pubkey, tags, content FROM bigbrotr.event_2023_11 WHERE kind IN (0, 5, 30023, 10002)");
# one of them deletes what is served; so says a snapshot of any age that sees it
my $target = sql("SELECT encode(id, 'hex') FROM bigbrotr.query('{\"kinds\":[1]}', 'relay', 1)");
sql("INSERT INTO bigbrotr.event_2023_11 (key, created_at, kind, id, pubkey, tags) SELECT k.key + 1, k.key >> 29, 5, sha256('deletes'), pubkey, "
	  . "'[[\"e\",\"$target\"]]' FROM bigbrotr.event, (SELECT max(key) AS key FROM bigbrotr.event_2023_11) AS k WHERE id = '\\x$target'");
my $served = "SELECT bigbrotr.count('{\"ids\":[\"$target\"]}', 'relay');\n";
my $answer = "SELECT md5(string_agg(encode(id, 'hex'), ',' ORDER BY n)) FROM (SELECT q.id, row_number() OVER () AS n FROM bigbrotr.query('{}', 'relay', 100000) AS q) AS q;\n";
my @old = map { $node->background_psql('postgres') } 1 .. 2;
is($old[0]->query_safe("BEGIN ISOLATION LEVEL REPEATABLE READ; $served"), '1', 'one that is not in the archive deletes nothing');
sql("ALTER TABLE bigbrotr.event ATTACH PARTITION bigbrotr.event_2023_11 $bound");
holds('rows were stored in it meanwhile', 'bigbrotr.event_2023_11');
is($old[1]->query_safe("BEGIN ISOLATION LEVEL REPEATABLE READ; $served"), '0', 'attached, it does');
my @first = map { $_->query_safe($answer) } @old;
is($first[0], $first[1], 'to one that began before, too');
sql('SELECT bigbrotr.partition_ensure()');
is($_->query_safe($served), '0', 'an old snapshot does not believe what was covered later') for @old;
is($_->query_safe($answer), $first[0], 'and sees all as before') for @old;
$_->quit for @old;
is(sql($served), '0', 'a new one does');
holds('the owner covered it');

my $off = sub {
	my ($what, $begin, $end, $left) = @_;
	my $prefix = 'off' . $from;
	sql("$begin; " . events($prefix, 'e.kind IN (0, 3, 5, 62, 30023) AND bigbrotr.id_code(e.id) % 4 = 1') . "; $end");
	holds($what, $left);
	sql('SELECT bigbrotr.partition_ensure()');
	holds("$what, covered again");
	sql('DELETE FROM bigbrotr.event WHERE sig IS NULL');
};
my $all = sql('SELECT string_agg(i.inhrelid::regclass::text, \' \' ORDER BY 1) FROM pg_inherits AS i WHERE i.inhparent = \'bigbrotr.event\'::regclass');
$off->('without triggers', 'ALTER TABLE bigbrotr.event DISABLE TRIGGER ALL', 'ALTER TABLE bigbrotr.event ENABLE TRIGGER ALL', $all);
$off->('as a replica', 'SET session_replication_role = replica', 'RESET session_replication_role', '');

# a range that no partition has, then one that somebody made
sql('DROP TABLE bigbrotr.event_2020; CREATE TABLE made (LIKE bigbrotr.event INCLUDING CONSTRAINTS); ALTER TABLE made ADD PRIMARY KEY (key)');
holds('a month is gone');
my @range = (sql("SELECT bigbrotr.partition_bound('2020-01-01')"), sql("SELECT bigbrotr.partition_bound('2021-01-01')"));
sql('INSERT INTO made (key, created_at, kind, id, pubkey, tags, content) '
	  . "SELECT $range[0] + row_number() OVER (), $range[0] >> 29, kind, sha256('made' || id), pubkey, tags, content FROM bigbrotr.event WHERE kind IN (0, 1, 5, 62)");
sql("ALTER TABLE bigbrotr.event ATTACH PARTITION made FOR VALUES FROM ($range[0]) TO ($range[1])");
holds('somebody made another', 'made');
sql('SELECT bigbrotr.partition_ensure()');
holds('and it is covered');

# new months are cut off event_future
sql("SELECT bigbrotr.partition_ensure(now() + interval '5 months')");
holds('months were made ahead');

# who may only store events
sql('CREATE ROLE writer; GRANT USAGE ON SCHEMA bigbrotr TO writer; GRANT USAGE ON TYPE bigbrotr.tags TO writer; GRANT INSERT ON bigbrotr.event TO writer; '
	  . 'GRANT EXECUTE ON FUNCTION bigbrotr.id_code, bigbrotr.author_code, bigbrotr.time_code, bigbrotr.time_slot TO writer');
my $n = sql('SELECT count(*) FROM bigbrotr.ruling');
sql("SET ROLE writer; INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, tags) VALUES (1704412800::bigint << 29, 1704412800, 5, sha256('w'), sha256('w'), "
	  . "'[[\"e\",\"" . ('ab' x 32) . "\"],[\"e\",\"" . ('ab' x 32) . "\"],[\"e\",\"" . ('cd' x 32) . "\"]]')");
is(sql('SELECT count(*) FROM bigbrotr.ruling') - $n, 2, 'its entries are written, each once');

# what a light event says is not known, and no relay could serve it
my $at = 1704412900;
my $insert = "INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, tags) VALUES ((${at}::bigint << 29)";
my $count = q(SELECT bigbrotr.count(jsonb_build_object('authors', jsonb_build_array(encode(sha256('light'), 'hex'))), 'relay'));
sql("$insert, $at, 0, sha256('0'), sha256('light'), '[]'); $insert + 1, $at, 1, sha256('1'), sha256('light'), '[]'); $insert + 2, $at, 30000, sha256('2'), sha256('light'), '[]')");
is(sql($count), 3, 'three events');
sql("$insert + 3, $at + 1, 5, sha256('3'), sha256('light'), NULL); $insert + 4, $at + 1, 30000, sha256('4'), sha256('light'), NULL)");
sql("$insert + 5, $at + 1, 0, sha256('5'), sha256('light'), NULL)");
is(sql($count), 3, 'light ones replace and delete nothing');
is(sql("SELECT count(*) FROM bigbrotr.ruling AS r JOIN bigbrotr.event AS e USING (key) WHERE e.tags IS NULL"), 0, 'and have no entries');
sql("DELETE FROM bigbrotr.event WHERE pubkey = sha256('light')");
holds('as before');

# restored
my $dump = PostgreSQL::Test::Utils::tempdir() . '/a.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE whole TEMPLATE template0; CREATE DATABASE data TEMPLATE template0');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('whole'), $dump ], 'pg_restore');
$db = 'whole';
holds('restored');
is(sql($stale), 0, 'without what nobody says any more');
$db = 'data';
$node->command_ok([ 'pg_restore', '--exit-on-error', '--schema-only', '-d', $node->connstr('data'), $dump ], 'tables only');
is(sql($uncovered), '', 'covered: nothing is in them');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--data-only', '--disable-triggers', '-t', 'event_2023_11', '-t', 'event_old', '-t', 'made', '-d', $node->connstr('data'), $dump ],
	'rows, without triggers');
holds('restored without triggers', 'bigbrotr.event_2023_11 bigbrotr.event_old made');
sql('SELECT bigbrotr.partition_ensure()');
holds('and covered');
$db = 'postgres';

# by ingest, in batches: the file is read twice
my $events = PostgreSQL::Test::Utils::tempdir() . '/events.jsonl';
IPC::Run::run([ "$ENV{BB_ROOT}/build/test/genmix", 3000, 5, 1750000000 ], '>', $events) or die 'genmix failed';
$node->safe_psql('postgres', 'TRUNCATE bigbrotr.event, bigbrotr.ruling');
sql("CALL bigbrotr.import_jsonl('$events'); CALL bigbrotr.import_jsonl('$events', NULL, true)");
is(sql($missing), '0', 'events that were imported have their entries');
is(sql('SELECT count(*) FROM bigbrotr.ruling'), sql('SELECT count(*) FROM bigbrotr.event AS e, unnest(bigbrotr.ruling_codes(e.kind, e.pubkey, e.tags))'), 'each once');
cmp_ok(sql('SELECT count(*) FROM bigbrotr.ruling'), '>', 500, 'some hundreds');

$node->stop;
done_testing();
