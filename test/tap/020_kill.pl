# Ten relays with overlapping copies while bigbrotr-net, ten times, and then
# the worker itself are killed: a killed child is nobody else's business, and
# the archive equals the ground truth at the end.

use strict;
use warnings;
use Digest::MD5 'md5_hex';
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $count = 50000;
my $kills = 10;
my $file = generate_events($count, 11);

# The pause makes the synchronization last for longer than ten losses.
my $node = bigbrotr_node('main', <<'CONF');
bigbrotr.synchronizer_slice = '5s'
bigbrotr.synchronizer_page = 100
restart_after_crash = on
CONF

# Ten relays: relay r has the lines whose number modulo 10 is not r.
open my $in, '<', $file or die $!;
my @lines = <$in>;
close $in;
my %truth;
for my $r (0 .. 9)
{
	my $part = "$file.$r";
	my @ids;
	open my $out, '>', $part or die $!;
	for my $i (grep { $_ % 10 != $r } 0 .. $#lines)
	{
		print $out $lines[$i];
		push @ids, $lines[$i] =~ /"id":"([0-9a-f]{64})"/;
	}
	close $out;
	my $url = start_relay('--events', $part, '--delay_ms', 120);
	$truth{$url} = @ids . ' ' . md5_hex(join '', sort @ids);
}
my $pairs = 9 * $count;

my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
my $session = $node->background_psql('postgres');
my $me = $session->query_safe('SELECT pg_backend_pid()');
seed_relays($node, keys %truth);
ok($node->poll_query_until('postgres', 'SELECT count(*) = 10 FROM bigbrotr.relay'), 'ten relays');
ok($node->poll_query_until('postgres', 'SELECT count(*) > 0 FROM bigbrotr.event'), 'events come');

my $worker = worker_pid($node, 'synchronizer');
my ($done, $usable, $child) = (0, 0, 0);
while ($done < $kills)
{
	$child = wait_for(sub { my ($new) = net_pids($worker); $new && $new != $child ? $new : undef }) or last;
	# it shall have delivered, and lived as long as it was waited for
	my $had = $session->query_safe('SELECT count(*) FROM bigbrotr.observation');
	wait_for(sub { $session->query_safe('SELECT count(*) FROM bigbrotr.observation') > $had });
	wait_for(sub { `ps -o etimes= -p $child` >= 2 });
	last if !kill 'KILL', $child;
	$done++;
	$usable++ if $session->query_safe('SELECT pg_backend_pid()') == $me;
}
my $midway = $session->query_safe('SELECT count(*) FROM bigbrotr.observation');
note("$midway of $pairs observations after $done losses");
is($done, $kills, 'bigbrotr-net was killed ten times');
cmp_ok($midway, '<', $pairs, 'during the synchronization');
is($usable, $kills, 'a session went on working');
is(worker_pid($node, 'synchronizer'), $worker, 'and so did the worker');
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started, 'the server did not notice');
my $log = slurp_file($node->logfile);
unlike($log, qr/terminating any other active server processes/, 'nor did other processes');
my @waits = $log =~ /bigbrotr-net was lost: .* restarting it in (\d+) s/g;
is("@waits", join(' ', (1) x $kills), 'one line for each loss, each made good after a second');
$session->quit;

# The worker itself: crash recovery, then the same.
my @children = net_pids($worker);
my $offset = -s $node->logfile;
kill 'KILL', $worker;
ok(wait_log($node, qr/database system is ready to accept connections/, $offset), 'crash recovery');
ok(wait_for(sub { !grep { kill 0, $_ } @children }), 'no bigbrotr-net is left behind');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'bigbrotr synchronizer'"),
	'workers come back');

ok($node->poll_query_until('postgres', "SELECT count(*) = $count FROM bigbrotr.event"), 'every event once');
ok($node->poll_query_until('postgres', "SELECT count(*) = $pairs FROM bigbrotr.observation"),
	'every pair of event and relay once');
is($node->safe_psql('postgres', "SELECT encode(id, 'hex') FROM bigbrotr.event ORDER BY 1"),
	event_ids($file), 'ids equal the ground truth');
is($node->safe_psql('postgres', <<'SQL'), join("\n", map { "$_ $truth{$_}" } sort keys %truth), 'and so do the pairs');
SELECT relay_url || ' ' || count(*) || ' ' || md5(string_agg(encode(event_id, 'hex'), '' ORDER BY event_id))
FROM bigbrotr.event_relay GROUP BY relay_url ORDER BY relay_url COLLATE "C"
SQL
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 10 FROM bigbrotr.coverage WHERE state = 'complete' AND lower(range) = 0"),
	'every relay is covered to the bottom');

$node->stop;
done_testing();
