# CREATE, ALTER and DROP EXTENSION beside running workers, each with its
# abort: services run exactly while the extension is there in the library's
# version, and an archive is not dropped by accident.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $node = bigbrotr_node('main');
my %all = (scheduler => 1, validator => 1, synchronizer => 1);

ok(wait_workers($node, 'postgres', %all), 'workers run');
ok($node->poll_query_until('postgres', <<'SQL', join "\n",
SELECT backend_type || ': ' || state || ', ' || query FROM pg_stat_activity WHERE backend_type IN
('bigbrotr launcher', 'bigbrotr scheduler', 'bigbrotr synchronizer', 'bigbrotr validator') ORDER BY 1
SQL
		'bigbrotr launcher: idle, watching databases', 'bigbrotr scheduler: idle, supervising',
		'bigbrotr synchronizer: idle, idle', 'bigbrotr validator: idle, idle'), 'and say what they do');

# DROP that does not happen.
$node->safe_psql('postgres', 'BEGIN; DROP EXTENSION bigbrotr; ROLLBACK');
ok(wait_workers($node, 'postgres', %all), 'they return after an abort');
$node->safe_psql('postgres', 'BEGIN; SAVEPOINT s; DROP EXTENSION bigbrotr; ROLLBACK TO s; COMMIT');
ok(wait_workers($node, 'postgres', %all), 'and after the abort of a subtransaction');
$node->safe_psql('postgres', 'CREATE VIEW public.mine AS SELECT url FROM bigbrotr.relay');
my ($rc, $out, $err) = $node->psql('postgres', 'DROP EXTENSION bigbrotr');
like($err, qr/cannot drop extension bigbrotr because other objects depend on it/, 'a view keeps it');
ok(wait_workers($node, 'postgres', %all), 'and after a DROP that fails');

# Those who may not, may not disturb either.
my $before = join ' ', map { worker_pid($node, $_) } sort keys %all;
$node->safe_psql('postgres', 'CREATE ROLE nobody');
($rc, $out, $err) = $node->psql('postgres', 'SET ROLE nobody; DROP EXTENSION bigbrotr CASCADE');
like($err, qr/must be owner of extension bigbrotr/, 'a stranger may not drop it');
($rc, $out, $err) = $node->psql('postgres', 'SET ROLE nobody; ALTER EXTENSION bigbrotr UPDATE');
like($err, qr/must be owner of extension bigbrotr/, 'nor alter it');

# An archive with events.
open my $f, '<', generate_events(1, 3) or die $!;
my $event = <$f>;
chomp $event;
is($node->safe_psql('postgres', "SELECT outcome FROM bigbrotr.event_ingest(ARRAY[\$e\$$event\$e\$])"),
	'new', 'one event');
for my $drop ('DROP EXTENSION bigbrotr CASCADE', 'DROP SCHEMA bigbrotr CASCADE')
{
	($rc, $out, $err) = $node->psql('postgres', $drop);
	like($err, qr/its archive contains events.*bigbrotr\.allow_drop/s, "$drop is refused, with a hint");
}
is(join(' ', map { worker_pid($node, $_) } sort keys %all), $before, 'none of these stopped a worker');
$node->safe_psql('postgres', 'SET bigbrotr.allow_drop = on; DROP EXTENSION bigbrotr CASCADE');
ok(wait_workers($node, 'postgres', scheduler => 1), 'services are gone after DROP EXTENSION');
ok($node->poll_query_until('postgres', <<'SQL'), 'the scheduler says what it waits for');
SELECT query = 'waiting for the extension' FROM pg_stat_activity WHERE backend_type = 'bigbrotr scheduler'
SQL

# CREATE that does not happen, and one that does.
my $scheduler = worker_pid($node, 'scheduler');
$node->safe_psql('postgres', 'BEGIN; CREATE EXTENSION bigbrotr; ROLLBACK');
is(worker_pid($node, 'validator') . worker_pid($node, 'synchronizer'), '', 'no service after an aborted CREATE');
$node->safe_psql('postgres', 'CREATE EXTENSION bigbrotr');
ok(wait_workers($node, 'postgres', %all), 'services after CREATE EXTENSION');
is(worker_pid($node, 'scheduler'), $scheduler, 'of the same scheduler');

# ALTER stops and restarts them; it has nothing to do here.
my $validator = worker_pid($node, 'validator');
$node->safe_psql('postgres', 'ALTER EXTENSION bigbrotr UPDATE');
ok(wait_workers($node, 'postgres', %all), 'workers return after ALTER EXTENSION UPDATE');
isnt(worker_pid($node, 'validator'), $validator, 'as new processes');

# The library meets another version of the extension.
my $offset = -s $node->logfile;
$node->safe_psql('postgres', "UPDATE pg_extension SET extversion = '0.0' WHERE extname = 'bigbrotr'");
$node->safe_psql('postgres', 'SELECT bigbrotr.wake()');
ok(wait_workers($node, 'postgres', scheduler => 1), 'no service runs with another version');
$node->safe_psql('postgres', 'SELECT bigbrotr.wake()') for 1 .. 3;
$node->restart;
ok(wait_log($node, qr/extension has version 0\.0, but library has version/, $offset),
	'the log says why');
ok(wait_workers($node, 'postgres', scheduler => 1), 'nor after a restart');
my $log = slurp_file($node->logfile, $offset);
my $said = () = $log =~ /WARNING: .*bigbrotr is waiting/g;
is($said, 2, 'once in each life of the scheduler');
my $hints = () = $log =~ /HINT: .*ALTER EXTENSION bigbrotr UPDATE/g;
is($hints, 2, 'with a hint');
$node->safe_psql('postgres', "UPDATE pg_extension SET extversion = '0.1' WHERE extname = 'bigbrotr'");
$node->safe_psql('postgres', 'SELECT bigbrotr.wake()');
ok(wait_workers($node, 'postgres', %all), 'and all is well when versions agree');

$node->stop;
done_testing();
