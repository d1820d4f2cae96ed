# The server stops, crashes and starts again; a standby, and its promotion.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $total = 30000;
my $relay = start_relay('--events', generate_events($total, 9), '--delay_ms', 100);
my $node = bigbrotr_node('main', <<'CONF');
bigbrotr.synchronizer_page = 200
wal_level = replica
max_wal_senders = 4
CONF
my %all = (scheduler => 1, validator => 1, synchronizer => 1);
seed_relays($node, $relay);

# All processes of bigbrotr-net of this server.
sub children
{
	return map { net_pids(worker_pid($node, $_)) } 'validator', 'synchronizer';
}

sub progress
{
	my ($than) = @_;
	return wait_for(sub {
		my $n = $node->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.event');
		$n > $than ? $n : 0;
	});
}

my $seen = progress(0);
ok($seen, 'a synchronization runs');
for my $mode ('fast', 'immediate')
{
	my @children;
	ok(wait_for(sub { @children = children(); @children == 2 }), 'two bigbrotr-net');
	elapsed("stop $mode", sub { $node->stop($mode) });
	ok(wait_for(sub { !grep { kill 0, $_ } @children }), "all gone after stop $mode");
	$node->start;
	ok(wait_workers($node, 'postgres', %all), 'workers after the start');
	$seen = progress($seen);
	ok($seen, 'the synchronization goes on');
}

# The postmaster dies: so do all, by themselves.
my @all;
ok(wait_for(sub { @all = (children(), map { worker_pid($node, $_) } 'launcher', keys %all); @all == 6 }),
	'launcher, three workers, two bigbrotr-net');
$node->kill9;
ok(wait_for(sub { !grep { kill 0, $_ } @all }), 'nothing outlives the postmaster');
$node->start;
ok(progress($seen), 'the synchronization goes on');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.event'), '<', $total, 'all of this within it');

# A standby reads, and runs nothing.
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', 'CREATE TABLE public.mark ()');
ok($standby->poll_query_until('postgres', "SELECT to_regclass('public.mark') IS NOT NULL"), 'the standby follows');
my $ours = "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'bigbrotr%'";
is($standby->safe_psql('postgres', $ours), '0', 'nothing of ours runs on it');
cmp_ok($standby->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.event_relay'), '>', 0, 'the archive can be read');
is($standby->safe_psql('postgres', 'SELECT DISTINCT state FROM bigbrotr.status'), 'stopped', 'so can the status');
my ($rc, $out, $err) = $standby->psql('postgres', "SELECT bigbrotr.run('validator')");
like($err, qr/no bigbrotr scheduler is running in this database/, 'a request is refused');

$node->stop;
$standby->promote;
ok(wait_workers($standby, 'postgres', %all), 'workers run after the promotion');
ok($standby->poll_query_until('postgres', "SELECT count(*) = $total FROM bigbrotr.observation"),
	'and complete the archive');
is($standby->safe_psql('postgres', 'SELECT count(DISTINCT id) FROM bigbrotr.event'), $total, 'every event once');

$standby->stop;
done_testing();
