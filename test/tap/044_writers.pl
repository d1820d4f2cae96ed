# Several writers with overlapping batches in any order: no deadlock, no lost
# row.  First sessions that call event_ingest, then synchronizers; then
# transactions of several calls, which can wait for each other in a circle.

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
deadlock_timeout = '100ms'
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

# --- circles
my @late = split /\n/, slurp_file(generate_events(10, 62, 1750000000, 1000));
@late = sort { ($a =~ /"created_at":(\d+)/)[0] <=> ($b =~ /"created_at":(\d+)/)[0] } @late;

# How one call with these events ends.
sub ingest
{
	return 'SELECT string_agg(outcome, $$ $$ ORDER BY n) FROM bigbrotr.event_ingest(ARRAY['
		. join(', ', map { "\$e\$$late[$_]\$e\$" } @_) . ']);';
}

sub session
{
	my $s = $node->background_psql('postgres', on_error_stop => 0);
	$s->query_safe("SET deadlock_timeout = '$_[0]'; BEGIN");
	return $s;
}

sub waiting { return query("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'postgres'") }

sub send_on { my ($s, $sql) = @_; return $s->query_until(qr/sent/, "\\echo sent\n$sql\n") }

# One transaction has event $high and another $middle; the writer has $low and
# waits for $middle; then the first wants $low, and the second lets go.
sub circle
{
	my ($low, $middle, $high, $write) = @_;
	my ($first, $second) = (session('1h'), session('1h'));
	is($first->query_safe(ingest($high)), 'new', 'a transaction has the newest event');
	is($second->query_safe(ingest($middle)), 'new', 'another one an older');
	$write->();
	ok(wait_for(sub { waiting() == 1 }), 'the writer waits');
	send_on($first, ingest($low));
	ok(wait_for(sub { waiting() == 2 }), 'the first one waits for it');
	$second->query_safe('COMMIT');
	is($first->query_safe('SELECT 1'), "new\n1", 'the writer gives way');
	$first->query_safe('COMMIT');
	$_->quit foreach $first, $second;
}

my $writer = $node->background_psql('postgres', on_error_stop => 0);
circle(0, 1, 2, sub { send_on($writer, ingest(0, 1, 2)) });
is($writer->query('SELECT 1'), "duplicate duplicate duplicate\n1", 'and finds all of it there');
$writer->quit;

append_to_file("$dir/late", join '', map { "$_\n" } @late[ 3 .. 5 ]);
my $late = start_relay('--events', "$dir/late");
my $workers = "SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM pg_stat_activity WHERE backend_type = 'bigbrotr synchronizer'";
my $pids = query($workers);
circle(3, 4, 5, sub { query("INSERT INTO bigbrotr.relay (url, network) VALUES ('$late', 'clearnet'); SELECT bigbrotr.run('synchronizer')") });
ok($node->poll_query_until('postgres', "SELECT count(*) = 3 FROM bigbrotr.observation JOIN bigbrotr.relay ON id = relay_id WHERE url = '$late'"),
	'a synchronizer, too');
is(query("SELECT failures FROM bigbrotr.relay WHERE url = '$late'"), '0', 'which is no failure');
is(query($workers), $pids, 'nor the end of a process');

# nobody can give way
my ($one, $two) = (session('1h'), session('100ms'));
is($one->query_safe(ingest(7)), 'new', 'a transaction');
is($two->query_safe(ingest(6)), 'new', 'another');
send_on($one, ingest(6));
ok(wait_for(sub { waiting() == 1 }), 'the first waits');
$two->query(ingest(7));
like($two->{stderr}, qr/ERROR:  deadlock detected.*HINT:  [^\n]*in one call of bigbrotr.event_ingest/s, 'the second is told what to do');
is($one->query_safe('SELECT 1'), "new\n1", 'the first goes on');
$one->query_safe('COMMIT');
$_->quit foreach $one, $two;
is(query('SELECT count(*) FROM bigbrotr.event WHERE created_at >= 1750000000'), 8, 'no event is lost, none is there twice');
$node->stop;
done_testing();
