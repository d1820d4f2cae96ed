# Hundreds of relays at once, most of them dead in ten different ways: nobody
# starves, memory stays bounded, every outcome is told.

use strict;
use warnings;
use IO::Socket::INET;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $good = 60;
my $dead = 14;					# of each kind
my %dead = (
	gone => 'refused',
	hang => '{"handshake":"hang"}',
	hang_up => '{"handshake":"hang_up"}',
	bad_accept => '{"handshake":"bad_accept"}',
	garbage => '{"handshake":"garbage"}',
	not_found => '{"http":404}',
	silent => '{"refuse":"silent"}',
	nonsense => '{"refuse":"garbage"}',
	leaves => '{"refuse":"disconnect"}',
	reserved => '{"frames":"reserved"}');
my $events = 200;
my $file = generate_events($events, 51);

my ($in, $out, $err) = ('', '', '');
my $relays = IPC::Run::start(["$ENV{BB_ROOT}/build/test/many", $file, $good, 'good={"cap":50}',
		map { ($dead, "$_=$dead{$_}") } sort keys %dead], \$in, \$out, \$err);
IPC::Run::pump($relays) until $out =~ /^ready/m or !$relays->pumpable;
my %urls;
push @{ $urls{$1} }, $2 while $out =~ /^(\w+) (ws:\S+)$/mg;
is(scalar(map { @$_ } values %urls), $good + 10 * $dead, 'the relays are there');

my $node = bigbrotr_node('main', <<CONF);
bigbrotr.clearnet_timeout = '2s'
bigbrotr.clearnet_max_connections = 20
bigbrotr.synchronizer_recheck = 0
CONF

sub query { return $node->safe_psql('postgres', shift) }

sub poll { return $node->poll_query_until('postgres', @_) }

sub values_of
{
	my ($extra, @urls) = @_;
	return join ',', map { "('$_', 'clearnet'$extra)" } @urls;
}

# Most memory that a worker and its child ever had, in MB.
sub memory_of
{
	my ($service) = @_;
	my ($most, $worker) = (0, worker_pid($node, $service));
	for my $pid ($worker, split ' ', `pgrep -P $worker`)
	{
		my ($kb) = slurp_file("/proc/$pid/status") =~ /^VmHWM:\s+(\d+) kB/m;
		$most += $kb / 1024;
	}
	return $most;
}

# --- candidates
query('INSERT INTO bigbrotr.candidate (url, network) VALUES ' . values_of('', map { @$_ } values %urls));
query("SELECT bigbrotr.run('validator')");
ok(poll("SELECT count(*) = $good FROM bigbrotr.relay"), 'the living become relays');
ok(poll("SELECT count(*) = 10 * $dead FROM bigbrotr.candidate WHERE attempts = 1 AND next_attempt_at > now()"),
	'each of the others was tried once, and is tried later');
my %class = map { split /\|/ } split /\n/, query(
	"SELECT url, failure FROM bigbrotr.candidate");
my %seen;
for my $kind (sort keys %dead)
{
	my %c = map { $class{$_} => 1 } @{ $urls{$kind} };
	is(scalar keys %c, 1, "$kind: one class (" . join(' ', keys %c) . ')');
	$seen{$_}++ for keys %c;
}
cmp_ok(scalar keys %seen, '>=', 5, 'and the classes tell them apart');
cmp_ok(memory_of('validator'), '<', 300, 'validator and child take less than 300 MB');

# --- relays: the dead ones too, twenty connections for all
query('INSERT INTO bigbrotr.relay (url, network) VALUES ' . values_of('', map { @{ $urls{$_} } } keys %dead));
query("SELECT bigbrotr.run('synchronizer')");
ok(poll("SELECT count(*) = $good * $events FROM bigbrotr.observation"), 'everything of everybody arrives');
ok(poll('SELECT count(*) = 0 FROM bigbrotr.relay WHERE passes = 0 AND failures = 0'), 'everybody had a turn');
ok(poll("SELECT count(*) = $good AND min(passes) >= 2 FROM bigbrotr.relay WHERE state = 'live'"), 'the living again and again');
is(query("SELECT max(passes) <= 2 * min(passes) + 2 FROM bigbrotr.relay WHERE state = 'live'"), 't', 'none of them much more often than another');
is(query("SELECT string_agg(DISTINCT n::text, ' ') FROM (SELECT count(*) FROM bigbrotr.observation GROUP BY relay_id) AS o (n)"),
	$events, 'each has got all of its own across');
is(query("SELECT count(*) FROM bigbrotr.relay WHERE state = 'degraded' AND failure IS NOT NULL AND next_sync_at > last_failed_at + '50 s'"),
	10 * $dead, 'the dead wait');
is(query("SELECT count(DISTINCT relay_id) FROM bigbrotr.open_gap g JOIN bigbrotr.coverage c ON c.state = 'open' AND c.range = g.range"),
	10 * $dead, 'and what they may have is a gap with a reason');
is(query('SELECT count(*) FROM bigbrotr.event'), $events, 'each event once');
cmp_ok(memory_of('synchronizer'), '<', 300, 'synchronizer and child take less than 300 MB');

# --- checks: more Tor relays are due than there may be checks, and their proxy hangs
my $proxy = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 8) or die $!;
set_conf($node, 'bigbrotr.tor_proxy' => 'socks5h://127.0.0.1:' . $proxy->sockport,
	'bigbrotr.tor_enabled' => 'on', 'bigbrotr.tor_max_connections' => 2, 'bigbrotr.tor_timeout' => '10min',
	'bigbrotr.monitor_timeout' => '10min', 'bigbrotr.monitor_concurrency' => 6);
query("SELECT bigbrotr.pause('monitor')");
query('DELETE FROM bigbrotr.relay_monitor');
query("INSERT INTO bigbrotr.relay (url, network) SELECT 'ws://' || repeat(chr(96 + n / 26), 28) || repeat(chr(97 + n % 26), 28) || '.onion', 'tor' FROM generate_series(26, 75) AS n");
query("INSERT INTO bigbrotr.relay_monitor (relay_id, next_check_at) SELECT id, now() - '1 day'::interval FROM bigbrotr.relay WHERE network = 'tor'");
query("SELECT bigbrotr.resume('monitor')");
ok(poll("SELECT count(*) = $good FROM bigbrotr.relay AS r JOIN bigbrotr.relay_monitor AS m ON m.relay_id = r.id WHERE r.state = 'live' AND r.network = 'clearnet' AND m.checked_at IS NOT NULL"),
	'a network that hangs keeps no other waiting');

$node->stop;
$relays->kill_kill(grace => 2);
done_testing();
