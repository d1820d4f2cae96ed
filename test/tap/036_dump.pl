# pg_dump and pg_restore of an archive: the contents are identical, and the
# workers go on in the restored one.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $total = 12000;
my $events = generate_events($total, 12);
my $relay = start_relay('--events', $events, '--delay_ms', 50);
my $node = bigbrotr_node('main', "bigbrotr.synchronizer_page = 200\n");
my $dir = PostgreSQL::Test::Utils::tempdir();
my %all = (scheduler => 1, validator => 1, synchronizer => 1);
my @tables = split ' ', $node->safe_psql('postgres', <<'SQL');
SELECT c.oid::regclass FROM pg_extension AS x, unnest(x.extconfig) AS t(oid)
JOIN pg_class AS c ON c.oid = t.oid AND c.relkind IN ('r', 'p') WHERE extname = 'bigbrotr' ORDER BY 1
SQL

my @views = qw(event_stats relay_stats kind_counts kind_counts_by_relay pubkey_counts pubkey_counts_by_relay network_stats
	relay_software_counts supported_nip_counts event_daily_counts events_replaceable_latest events_addressable_latest relay_metadata_latest);

sub dump_to
{
	my ($db, $name, @restore) = @_;
	$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/$name.dump", '-d', $node->connstr($db) ], "pg_dump: $name");
	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0");
	$node->command_ok([ 'pg_restore', '--exit-on-error', @restore, '-d', $node->connstr($name), "$dir/$name.dump" ],
		"pg_restore @restore: $name");
	return;
}

# Everything that is in an archive, and how it is kept.
sub contents
{
	my ($db) = @_;
	my @out;
	push @out, $node->safe_psql($db,
		"SELECT '$_', count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM $_ AS t")
	  for @tables;
	push @out, split "\n", $node->safe_psql($db, <<'SQL');
SELECT c.oid::regclass, pg_get_expr(c.relpartbound, c.oid), obj_description(c.oid, 'pg_class'),
	(SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname) FROM pg_constraint AS k WHERE k.conrelid = c.oid)
FROM pg_class AS c WHERE c.relnamespace = 'bigbrotr'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname
SQL
	push @out, storage_settings($node, $db), $node->safe_psql($db, 'SELECT last_value FROM bigbrotr.relay_id_seq');
	return @out;
}

# What it says when it is asked: filters of every sort, and who has what.
sub answers
{
	my ($db) = @_;
	my ($id, $pubkey, $at) = split /\|/, $node->safe_psql('postgres',
		"SELECT encode(id, 'hex'), encode(pubkey, 'hex'), created_at FROM bigbrotr.event ORDER BY key OFFSET 5000 LIMIT 1");
	my ($tag) = $node->safe_psql('postgres', "SELECT bigbrotr.tag_first(tags, 'p') FROM bigbrotr.event WHERE bigbrotr.tag_first(tags, 'p') IS NOT NULL ORDER BY key LIMIT 1");
	my @filters = ('{}', '{"kinds":[1]}', '{"kinds":[0,3,7],"limit":50}', qq({"authors":["$pubkey"]}), qq({"ids":["$id"]}), qq({"#p":["$tag"]}),
		qq({"since":$at}), qq({"until":$at,"limit":100}), qq([{"kinds":[7]},{"authors":["$pubkey"],"since":$at}]),
		'{"search":"event"}', qq({"search":"-event","limit":100}));
	return join "\n", (map {
		my $f = $_;
		map { $node->safe_psql($db, "SELECT count(*), md5(string_agg(encode(id, 'hex'), ',' ORDER BY n)), bigbrotr.count('$f', '$_') "
			  . "FROM (SELECT q.id, row_number() OVER () AS n FROM bigbrotr.query('$f', '$_', 100000) AS q) AS q") } qw(archive relay)
	} @filters),
	  $node->safe_psql($db, "SELECT count(*), md5(string_agg(x::text, E'\\n' ORDER BY x::text)) FROM bigbrotr.event_relay AS x"),
	  (map { "$_ " . $node->safe_psql($db, "SELECT count(*), md5(string_agg(x::text, E'\\n' ORDER BY x::text)) FROM bigbrotr.$_ AS x") } @views),
	  $node->safe_psql($db, 'SELECT count(*) FROM bigbrotr.packed_verify()');
}

# The lines that only one of two lists has.
sub difference
{
	my ($one, $other) = @_;
	my %count;
	$count{"only before: $_"}++ for grep { my $l = $_; !grep { $_ eq $l } @$other } @$one;
	$count{"only after: $_"}++ for grep { my $l = $_; !grep { $_ eq $l } @$one } @$other;
	return join "\n", sort keys %count;
}

cmp_ok(scalar @tables, '>', 5, 'tables of the extension are dumped');

# In the middle of the work.
seed_relays($node, $relay, 'ws://127.0.0.1:1', 'wss://[nonsense');
ok($node->poll_query_until('postgres', 'SELECT count(*) > 1000 FROM bigbrotr.event'), 'a synchronization runs');
dump_to('postgres', 'midway');
cmp_ok($node->safe_psql('midway', 'SELECT count(*) FROM bigbrotr.event'), '<', $total, 'dumped in the middle of it');
is($node->safe_psql('midway', <<'SQL'), '0', 'each event with its observation');
SELECT count(*) FROM bigbrotr.event AS e FULL JOIN bigbrotr.observation AS o USING (key)
WHERE e.key IS NULL OR o.key IS NULL
SQL

# When all is there and nobody works.
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM bigbrotr.coverage WHERE state = 'complete' AND lower(range) = 0"), 'it ends');
set_conf($node, 'bigbrotr.enabled' => 'off');
ok(wait_workers($node, 'postgres'), 'no workers');
$node->safe_psql('postgres', 'CALL bigbrotr.search_enable()');
$node->safe_psql('postgres', 'SELECT bigbrotr.refresh()');
# what an operator has changed
my $month = $node->safe_psql('postgres', 'SELECT tableoid::regclass FROM bigbrotr.event LIMIT 1');
$node->safe_psql('postgres', "ALTER TABLE $month SET (fillfactor = 71, toast.autovacuum_enabled = off); "
	. "ALTER TABLE $month ALTER tags SET STATISTICS 321, ALTER pubkey SET (n_distinct = -0.2), ALTER content SET COMPRESSION pglz, ALTER content SET STORAGE external; "
	. "ALTER INDEX ${month}_pkey SET (fillfactor = 72)");
my @contents = contents('postgres');
like(join("\n", @contents), qr/^$month\|.*fillfactor=71.*n_distinct=-0\.2.*fillfactor=?'?72/m, 'settings are compared');
my $answers = answers('postgres');
like($answers, qr/^$total\|/, 'the whole archive is among the answers');
like($answers, qr/^kind_counts [1-9]/m, 'and what was counted');
dump_to('postgres', 'whole');
is(difference(\@contents, [ contents('whole') ]), '', 'the restored archive is identical');
dump_to('whole', 'again', '--jobs', 2);
is(difference(\@contents, [ contents('again') ]), '', 'and so is its copy, restored in parallel');
is(answers('again'), $answers, 'which gives the same answers');

# With its observations packed.
$node->safe_psql('again', "DO \$\$ BEGIN WHILE bigbrotr.compact_step(true) LOOP COMMIT; END LOOP; END \$\$");
is($node->safe_psql('again', 'SELECT count(*) FROM bigbrotr.observation'), 0, 'no observation is left as a row');
is(answers('again'), $answers, 'packed, it gives the same answers');
my @packed = contents('again');
dump_to('again', 'packed');
is(difference(\@packed, [ contents('packed') ]), '', 'the restored archive is identical');
is(answers('packed'), $answers, 'and gives the same answers');

# They go on where they stood: the one in the middle, and the complete one.
set_conf($node, 'bigbrotr.databases' => 'midway, whole', 'bigbrotr.enabled' => 'on');
for my $db ('midway', 'whole')
{
	ok(wait_workers($node, $db, %all), "workers run in $db");
	ok($node->poll_query_until($db, "SELECT count(*) = $total FROM bigbrotr.event"), 'all events');
	ok($node->poll_query_until($db, "SELECT count(*) = $total FROM bigbrotr.observation"), 'each observed once');
	is($node->safe_psql($db, "SELECT encode(id, 'hex') FROM bigbrotr.event ORDER BY 1"),
		event_ids($events), 'ids equal the ground truth');
}
my $second = start_relay('--events', $events);
$node->safe_psql('whole', "INSERT INTO bigbrotr.seed (url) VALUES ('$second')");
ok(wait_for(sub { ($node->psql('whole', "SELECT bigbrotr.run('seeder')"))[0] == 0 }), 'a new relay for the restored one');
ok($node->poll_query_until('whole', 'SELECT count(*) = 2 * ' . $total . ' FROM bigbrotr.observation'),
	'its observations arrive');
is($node->safe_psql('whole', 'SELECT count(*) FROM bigbrotr.event'), $total, 'its events were known');

$node->stop;
done_testing();
