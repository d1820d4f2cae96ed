# max_worker_processes too small: said once, and made good when there is room.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $node = bigbrotr_node('main', "bigbrotr.seeder_interval = 0\n");
ok(wait_workers($node, 'postgres', scheduler => 1, validator => 1, synchronizer => 1), 'two services');
$node->safe_psql('postgres', "SELECT bigbrotr.pause(name) FROM bigbrotr.service WHERE name NOT IN ('validator', 'synchronizer')");

# Room for the launchers of logical replication and of bigbrotr, the scheduler
# and one service.
$node->adjust_conf('postgresql.conf', 'max_worker_processes', '4');
$node->restart;
ok(wait_workers($node, 'postgres', scheduler => 1, validator => 1), 'one service fits');
my $full = qr/could not start bigbrotr synchronizer: out of background worker slots/;
ok(wait_log($node, $full, 0), 'the log says what does not');
like(slurp_file($node->logfile), qr/HINT: +Increase max_worker_processes \(now 4\)/, 'with a hint');
is($node->safe_psql('postgres', "SELECT state FROM bigbrotr.status WHERE service = 'synchronizer'"),
	'stopped', 'so does the status');

# Tried again and again, said once.
$node->safe_psql('postgres', 'SELECT bigbrotr.wake()') for 1 .. 20;
my $tries = 0;
ok(wait_for(sub { $tries++; $node->safe_psql('postgres', 'SELECT bigbrotr.wake()'); $tries > 30 }), 'many looks');
my $said = () = slurp_file($node->logfile) =~ /$full/g;
is($said, 1, 'one message');

# Somebody leaves.
$node->safe_psql('postgres', "SELECT bigbrotr.pause('validator')");
ok(wait_workers($node, 'postgres', scheduler => 1, synchronizer => 1), 'a slot that becomes free is taken');

# Not even the scheduler fits: nothing else can run, the server is well.
$node->adjust_conf('postgresql.conf', 'max_worker_processes', '2');
$node->restart;
my $none = qr/could not start bigbrotr scheduler: out of background worker slots/;
ok(wait_log($node, $none, 0), 'no room for a scheduler');
is($node->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.relay'), '0', 'the server serves');
my ($rc, $out, $err) = $node->psql('postgres', "SELECT bigbrotr.run('validator')");
like($err, qr/no bigbrotr scheduler is running in this database.*max_worker_processes/s, 'a request says why not');

$node->stop;
done_testing();
