# Several writers with overlapping batches in any order: no deadlock, no lost
# row.  First sessions that call event_ingest, then synchronizers.

use strict;
use warnings;
use List::Util qw(shuffle);
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $total = 2400;
my $batches = 240;				# of more events than one statement takes
my $relays = 16;
my $file = generate_events($total, 61);
my @lines = split /\n/, slurp_file($file);
my $node = bigbrotr_node('main', <<'CONF');
bigbrotr.synchronizer_workers = 4
bigbrotr.synchronizer_page = 100
bigbrotr.synchronizer_tail = 0
bigbrotr.synchronizer_recheck = 0
bigbrotr.validator_interval = 0
bigbrotr.monitor_interval = 0
CONF
my $dir = PostgreSQL::Test::Utils::tempdir();

sub query { return $node->safe_psql('postgres', shift) }

sub deadlocks
{
	my $log = () = slurp_file($node->logfile) =~ /deadlock detected/g;
	return $log + query("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'");
}

# --- four sessions; some events of each batch are refused
query('CREATE TABLE pool (n int, event text); CREATE SEQUENCE batch;'
	. 'CREATE TABLE told (batch int, outcome text, count bigint)');
my @broken = map { my $l = $lines[$_]; $l =~ s/"sig":"../"sig":"00/; $l } 0 .. 39;
push @broken, map { my $l = $lines[$_]; $l =~ s/"id":"../"id":"zz/; $l } 40 .. 79;
append_to_file("$dir/pool", join '', map { "$_\t" . (($lines[$_] // $broken[$_ - $total]) =~ s/\\/\\\\/gr) . "\n" } 0 .. $total + 79);
query("COPY pool FROM '$dir/pool'");
append_to_file("$dir/ingest.sql", <<'SQL');
SELECT nextval('batch') AS b \gset
INSERT INTO told SELECT :b, e.outcome, count(*) FROM bigbrotr.event_ingest(
	ARRAY(SELECT p.event FROM pool AS p ORDER BY hashint8extended(p.n, :b) LIMIT 1200),
	CASE WHEN :b % 4 > 0 THEN 'ws://127.0.0.' || :b % 4 END) AS e GROUP BY 2;
SQL
$node->command_ok([ 'pgbench', '-n', '-c', 4, '-t', $batches / 4, '-f', "$dir/ingest.sql", 'postgres' ],
	"$batches batches from four sessions");
is(deadlocks(), 0, 'no deadlock');
is(query('SELECT count(DISTINCT batch) FROM told'), $batches, 'each batch was taken');
is(query('SELECT count(*) FROM bigbrotr.event'), $total, 'no event is lost');
is(query("SELECT sum(count) FROM told WHERE outcome = 'new'"), $total, 'each was new once');
is(query('SELECT string_agg(DISTINCT n::text, \' \') FROM (SELECT count(*) FROM bigbrotr.observation GROUP BY relay_id) AS o (n)'),
	$total, 'no observation is lost');
is(query("SELECT sum(count) FROM told WHERE outcome = 'invalid'"),
	query('SELECT sum(count) FROM bigbrotr.rejected_event'), 'nor a refusal');

# --- four synchronizers; every relay has three quarters of the events
query('DELETE FROM bigbrotr.relay; TRUNCATE bigbrotr.event, bigbrotr.observation');
my @urls;
my $expected = 0;
for my $r (1 .. $relays)
{
	my @some = (shuffle(@lines))[ 0 .. $total * 3 / 4 - 1 ];
	append_to_file("$dir/relay$r", join '', map { "$_\n" } @some);
	push @urls, start_relay('--events', "$dir/relay$r");
	$expected += @some;
}
query('INSERT INTO bigbrotr.relay (url, network) VALUES ' . join ',', map { "('$_', 'clearnet')" } @urls);
query("SELECT bigbrotr.run('synchronizer')");
ok($node->poll_query_until('postgres', "SELECT count(*) = $expected FROM bigbrotr.observation"),
	'four synchronizers: no observation is lost');
is(query('SELECT count(*) FROM bigbrotr.event'), $total, 'nor an event');
is(deadlocks(), 0, 'and no deadlock');
is(query('SELECT count(*) FROM bigbrotr.relay WHERE failures > 0'), 0, 'nothing was tried again');
is(query("SELECT count(DISTINCT worker) FROM bigbrotr.counter WHERE service = 'synchronizer' AND name = 'observations'"),
	4, 'each of the four wrote');
$node->stop;
done_testing();
