# pg_upgrade of a server with an archive: the contents are the same, and the
# workers go on.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $total = 3000;
my $events = generate_events($total, 41);
my $old = bigbrotr_node('old');
seed_relays($old, start_relay('--events', $events));
ok($old->poll_query_until('postgres', "SELECT count(*) = $total FROM bigbrotr.observation"), 'an archive');
$old->stop;

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
my $conf = slurp_file($old->data_dir . '/postgresql.conf');
my ($ours) = $conf =~ /^(shared_preload_libraries.*)/ms;
$new->append_conf('postgresql.conf', join "\n", grep { /^(?:shared_preload|max_worker|fsync|bigbrotr)/ } split "\n", $ours);
my $bin = $new->config_data('--bindir');
chdir PostgreSQL::Test::Utils::tempdir();
command_ok([ 'pg_upgrade', '--no-sync', '--old-bindir', $bin, '--new-bindir', $bin,
		'--old-datadir', $old->data_dir, '--new-datadir', $new->data_dir,
		'--socketdir', $new->host, '--old-port', $old->port, '--new-port', $new->port ], 'pg_upgrade');

$new->start;
ok(wait_workers($new, 'postgres', scheduler => 1, validator => 1, synchronizer => 1), 'workers run');
is($new->safe_psql('postgres', "SELECT encode(id, 'hex') FROM bigbrotr.event ORDER BY 1"),
	event_ids($events), 'ids equal the ground truth');
is($new->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.event e WHERE NOT bigbrotr.event_verify(bigbrotr.event_json(e))'),
	'0', 'every event verifies');
my $more = start_relay('--events', generate_events(100, 42, 1720000000));
seed_relays($new, $more);
ok($new->poll_query_until('postgres', "SELECT count(*) = $total + 100 FROM bigbrotr.observation"), 'the work goes on');

$new->stop;
done_testing();
