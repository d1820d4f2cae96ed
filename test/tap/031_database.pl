# Commands on databases beside running workers: own ones, other ones under a
# flood, and those that fail.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $total = 30000;
my $relay = start_relay('--events', generate_events($total, 5));
my $node = bigbrotr_node('main', <<'CONF');
bigbrotr.databases = 'postgres, obs, obs2'
bigbrotr.synchronizer_page = 100
max_worker_processes = 24
CONF
my %all = (scheduler => 1, validator => 1, synchronizer => 1);
my $limit = "SET statement_timeout = '20s';";
my ($rc, $out, $err);

# Names of databases that are not there yet.
ok(wait_log($node, qr/LOG: +bigbrotr is waiting for database "obs2".*\n.*HINT: .*bigbrotr\.databases/, 0), 'a missing one is named');

# Another database, while a relay floods the synchronizer.
$node->safe_psql('postgres', 'CREATE DATABASE other');
seed_relays($node, $relay);
ok($node->poll_query_until('postgres', 'SELECT count(*) > 1000 FROM bigbrotr.event'), 'the flood runs');
elapsed('DROP DATABASE of another database under a flood',
	sub { $node->safe_psql('postgres', "$limit DROP DATABASE other") });
my $after = $node->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.event');
cmp_ok($after, '<', $total, 'another database is dropped while the flood goes on');
note("$after of $total events");

# The database that is being written to: a copy, as of one moment.
my $synchronizer = worker_pid($node, 'synchronizer');
elapsed('CREATE DATABASE from our database under a flood',
	sub { $node->safe_psql('template1', "$limit CREATE DATABASE copy TEMPLATE postgres") });
ok(wait_workers($node, 'postgres', %all), 'workers return after the copy');
isnt(worker_pid($node, 'synchronizer'), $synchronizer, 'as new processes');
my $copied = $node->safe_psql('copy', 'SELECT count(*) FROM bigbrotr.event');
cmp_ok($copied, '>=', $after, 'the copy has the events');
is($node->safe_psql('copy', <<'SQL'), '0', 'each with its observation');
SELECT count(*) FROM bigbrotr.event AS e FULL JOIN bigbrotr.observation AS o USING (key)
WHERE e.key IS NULL OR o.key IS NULL
SQL
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE datname = 'copy'"),
	'0', 'nobody works in a copy that is not named in bigbrotr.databases');
ok($node->poll_query_until('postgres', "SELECT count(*) = $total FROM bigbrotr.event"), 'the flood ends complete');

# A database that comes into being, gets the extension, and goes.
$node->safe_psql('postgres', 'CREATE DATABASE obs');
ok(wait_workers($node, 'obs', scheduler => 1), 'a scheduler comes with the database');
$node->safe_psql('obs', 'CREATE EXTENSION bigbrotr');
ok(wait_workers($node, 'obs', %all), 'services come with the extension');

# Commands that fail because somebody else is in the database.
my $other = $node->background_psql('obs');
$other->query_safe('SELECT 1');
for my $command ('ALTER DATABASE obs RENAME TO obs2', 'CREATE DATABASE copy2 TEMPLATE obs', 'DROP DATABASE obs')
{
	($rc, $out, $err) = $node->psql('postgres', "$limit $command");
	like($err, qr/database "obs" is being accessed by other users/, "$command fails");
	like($err, qr/There is 1 other session/, 'for that session only');
	ok(wait_workers($node, 'obs', %all), 'workers return');
}
$other->quit;

# Strangers cannot stop workers.
$node->safe_psql('postgres', 'CREATE ROLE stranger');
my $scheduler = worker_pid($node, 'scheduler', 'obs');
for my $command ('ALTER DATABASE obs RENAME TO obs2', 'CREATE DATABASE copy2 TEMPLATE obs', 'DROP DATABASE obs')
{
	($rc, $out, $err) = $node->psql('postgres', "SET ROLE stranger; $command");
	like($err, qr/must be owner of database|permission denied/, "a stranger's $command is refused");
}
($rc, $out, $err) = $node->psql('postgres', 'ALTER ROLE stranger CREATEDB; SET ROLE stranger; CREATE DATABASE copy2 TEMPLATE obs');
like($err, qr/permission denied to copy database "obs"/, 'so is a copy, though a stranger may create databases');
is(worker_pid($node, 'scheduler', 'obs'), $scheduler, 'and stops nobody');

# The same commands when they succeed.
elapsed('ALTER DATABASE RENAME',
	sub { $node->safe_psql('postgres', "$limit ALTER DATABASE obs RENAME TO obs2") });
ok(wait_workers($node, 'obs2', %all), 'workers are in the database under its new name');
elapsed('ALTER DATABASE RENAME to a name that is not ours',
	sub { $node->safe_psql('postgres', "$limit ALTER DATABASE obs2 RENAME TO mine") });
$node->safe_psql('postgres', "$limit CREATE DATABASE obs TEMPLATE mine");
ok(wait_workers($node, 'obs', %all), 'a copy under our name has workers');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE datname = 'mine'"),
	'0', 'the renamed one has none');
$node->safe_psql('postgres', 'ALTER DATABASE obs ALLOW_CONNECTIONS false');
ok(wait_workers($node, 'obs'), 'nor one that allows no connections');
$node->safe_psql('postgres', 'ALTER DATABASE obs ALLOW_CONNECTIONS true');
ok(wait_workers($node, 'obs', %all), 'until it does again');
elapsed('DROP DATABASE of our own', sub { $node->safe_psql('postgres', "$limit DROP DATABASE obs") });
$node->safe_psql('postgres', 'CREATE DATABASE obs TEMPLATE mine');
ok(wait_workers($node, 'obs', %all), 'a new one of the same name has workers');
elapsed('DROP DATABASE of our own, WITH (FORCE)',
	sub { $node->safe_psql('postgres', "$limit DROP DATABASE obs WITH (FORCE)") });
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_database WHERE datname = 'obs'"), '0', 'it is gone');
my $said = () = slurp_file($node->logfile) =~ /bigbrotr is waiting for database "obs2"/g;
is($said, 2, 'a missing database is named once, and once more when it is gone');
unlike(slurp_file($node->logfile), qr/did not stop within/, 'no worker had to be waited for in vain');

$node->stop;
done_testing();
