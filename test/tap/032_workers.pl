# Workers one by one: terminated, paused, reloaded.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $total = 30000;
my $relay = start_relay('--events', generate_events($total, 6));
my $node = bigbrotr_node('main', "bigbrotr.synchronizer_page = 100\n");
my %all = (scheduler => 1, validator => 1, synchronizer => 1);

ok(wait_workers($node, 'postgres', %all), 'workers run');

# A reload reaches running workers and their children.
$node->safe_psql('postgres', "SELECT bigbrotr.pause('validator')");
ok(wait_workers($node, 'postgres', scheduler => 1, synchronizer => 1), 'all but the validator');
seed_relays($node, $relay);
ok($node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM bigbrotr.candidate'), 'a candidate');
set_conf($node, 'bigbrotr.allow_networks' => '');
$node->safe_psql('postgres', "SELECT bigbrotr.resume('validator')");
ok($node->poll_query_until('postgres', "SELECT failure = 'address_refused' FROM bigbrotr.candidate"),
	'loopback is refused');
my $validator = worker_pid($node, 'validator');
my ($child) = net_pids($validator);
set_conf($node, 'bigbrotr.allow_networks' => '127.0.0.0/8');
$node->safe_psql('postgres', 'UPDATE bigbrotr.candidate SET next_attempt_at = now()');
$node->safe_psql('postgres', "SELECT bigbrotr.run('validator')");
ok($node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM bigbrotr.relay'), 'and allowed after a reload');
is(worker_pid($node, 'validator'), $validator, 'by the same worker');
is(join(' ', net_pids($validator)), $child, 'with the same bigbrotr-net');

# Termination, under a flood.
ok($node->poll_query_until('postgres', 'SELECT count(*) > 500 FROM bigbrotr.event'), 'the flood runs');
for my $service ('synchronizer', 'validator', 'scheduler', 'launcher')
{
	my $pid = worker_pid($node, $service);
	my @children = net_pids($pid);
	my $gone = elapsed("pg_terminate_backend of the $service",
		sub { $node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 10000)") });
	is($gone, 't', "the $service ends");
	is(scalar(grep { kill 0, $_ } @children), 0, 'with its bigbrotr-net') if @children;
	elapsed("$service back", sub {
		ok(wait_for(sub { my $new = worker_pid($node, $service); $new && $new != $pid }), 'another comes');
	});
	ok(wait_workers($node, 'postgres', %all), 'and all others are there');
}
like($node->safe_psql('postgres', "SELECT last_error FROM bigbrotr.service WHERE name = 'validator'"),
	qr/administrator command/, 'why it ended can be read');
is($node->safe_psql('postgres', "SELECT runs >= 2 AND failures >= 1 FROM bigbrotr.service WHERE name = 'validator'"),
	't', 'and how often');
ok($node->poll_query_until('postgres', "SELECT count(*) = $total FROM bigbrotr.event"), 'nothing was lost');
ok($node->poll_query_until('postgres', "SELECT count(*) = $total FROM bigbrotr.observation"), 'nor an observation');

# Pause and resume, over a restart too.
my $runs = $node->safe_psql('postgres', "SELECT runs FROM bigbrotr.service WHERE name = 'synchronizer'");
$node->safe_psql('postgres', "SELECT bigbrotr.pause('synchronizer')");
ok(wait_workers($node, 'postgres', scheduler => 1, validator => 1), 'a paused service stops');
$node->restart;
ok(wait_workers($node, 'postgres', scheduler => 1, validator => 1), 'and stays so over a restart');
$node->safe_psql('postgres', "SELECT bigbrotr.resume('synchronizer')");
ok(wait_workers($node, 'postgres', %all), 'until it is resumed');
is($node->safe_psql('postgres', "SELECT runs - $runs FROM bigbrotr.service WHERE name = 'synchronizer'"),
	'1', 'which is one more run');
my ($rc, $out, $err) = $node->psql('postgres', "SELECT bigbrotr.pause('nonsense')");
like($err, qr/service "nonsense" does not exist.*HINT/s, 'a service that is none');
$node->safe_psql('postgres', "SELECT bigbrotr.pause('validator')");
($rc, $out, $err) = $node->psql('postgres', "SELECT bigbrotr.run('validator')");
like($err, qr/service "validator" is paused\nHINT:.*resume/, 'one that is paused cannot be asked to run');
$node->safe_psql('postgres', "SELECT bigbrotr.resume('validator')");

# Settings that say what runs.
set_conf($node, 'bigbrotr.synchronizer_workers' => 3);
ok(wait_workers($node, 'postgres', %all, synchronizer => 3), 'three synchronizers');
set_conf($node, 'bigbrotr.synchronizer_workers' => 1);
ok(wait_workers($node, 'postgres', %all), 'one again');
set_conf($node, 'bigbrotr.validator_interval' => 0, 'bigbrotr.synchronizer_interval' => 0);
ok(wait_workers($node, 'postgres', scheduler => 1, validator => 0, synchronizer => 0),
	'services whose interval is 0 are off');
($rc, $out, $err) = $node->psql('postgres', "SELECT bigbrotr.run('synchronizer')");
like($err, qr/service "synchronizer" is disabled\nHINT:.*synchronizer_interval/, 'and cannot be asked to run');
set_conf($node, 'bigbrotr.validator_interval' => '1s', 'bigbrotr.synchronizer_interval' => '1s');
ok(wait_workers($node, 'postgres', %all), 'and on again');
set_conf($node, 'bigbrotr.enabled' => 'off');
ok(wait_workers($node, 'postgres'), 'nothing runs with bigbrotr.enabled off');
set_conf($node, 'bigbrotr.enabled' => 'on');
ok(wait_workers($node, 'postgres', %all), 'all runs with it on');
is($node->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.observation'), $total, 'the archive is as it was');

$node->stop;
done_testing();
