# Many relays with overlapping copies while bigbrotr-net and then the worker
# itself are killed: the archive equals the ground truth at the end, and a
# killed child is nobody else's business.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $count = 20000;
my $file = generate_events($count, 11);
my $node = bigbrotr_node('main', "bigbrotr.synchronizer_slice = '2s'\nrestart_after_crash = on\n");

# Ten relays: relay r has the lines whose number modulo 10 is not r.
open my $in, '<', $file or die $!;
my @lines = <$in>;
close $in;
my @urls;
my $pairs = 0;
for my $r (0 .. 9)
{
	my $part = "$file.$r";
	open my $out, '>', $part or die $!;
	for my $i (0 .. $#lines)
	{
		next if $i % 10 == $r;
		print $out $lines[$i];
		$pairs++;
	}
	close $out;
	push @urls, start_relay('--events', $part, '--cap', 200);
}

my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
seed_relays($node, @urls);
ok($node->poll_query_until('postgres', 'SELECT count(*) = 10 FROM bigbrotr.relay'), 'ten relays');

# The child of the synchronizer, four times (its back-off doubles each time).
my $killed = 0;
my $worker = $node->safe_psql('postgres',
	"SELECT pid FROM pg_stat_activity WHERE backend_type = 'bigbrotr synchronizer' LIMIT 1");
for my $attempt (1 .. 600)
{
	my $child = `pgrep -P $worker -x bigbrotr-net`;
	chomp $child;
	$killed += kill 'KILL', $child if $child =~ /^\d+$/;
	last if $killed == 4;
	select undef, undef, undef, 0.1;
}
is($killed, 4, 'bigbrotr-net was killed and came back');
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started, 'the server did not notice');
is($node->safe_psql('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'bigbrotr synchronizer'"),
	'1', 'nor did the worker');

# The worker itself: crash recovery, then the same.
my $pid = $node->safe_psql('postgres',
	"SELECT pid FROM pg_stat_activity WHERE backend_type = 'bigbrotr synchronizer' LIMIT 1");
my $offset = -s $node->logfile;
kill 'KILL', $pid;
for my $attempt (1 .. 600)
{
	last if slurp_file($node->logfile, $offset) =~ /database system is ready to accept connections/;
	select undef, undef, undef, 0.1;
}
like(slurp_file($node->logfile, $offset), qr/database system is ready to accept connections/, 'crash recovery');

ok($node->poll_query_until('postgres', "SELECT count(*) = $count FROM bigbrotr.event"), 'every event once');
ok($node->poll_query_until('postgres', "SELECT count(*) = $pairs FROM bigbrotr.observation"),
	'every pair of event and relay once');
is($node->safe_psql('postgres', "SELECT encode(id, 'hex') FROM bigbrotr.event ORDER BY 1"),
	event_ids($file), 'ids equal the ground truth');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 10 FROM bigbrotr.coverage WHERE state = 'complete' AND lower(range) = 0"),
	'every relay is covered to the bottom');

$node->stop;
done_testing();
