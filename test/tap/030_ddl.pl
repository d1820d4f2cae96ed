# DDL beside running workers: they leave when a command needs the database,
# come back when they should, and hold nobody up.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $node = bigbrotr_node('main');
my $workers = "FROM pg_stat_activity WHERE backend_type LIKE 'bigbrotr%' AND datname = 'postgres'";

ok($node->poll_query_until('postgres', "SELECT count(*) >= 3 $workers"), 'workers run');

# Of another database, and of one that workers are in.
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('postgres', 'DROP DATABASE other');
pass('another database is dropped');

# A worker that is terminated comes back.
my $pid = $node->safe_psql('postgres',
	"SELECT pid FROM pg_stat_activity WHERE backend_type = 'bigbrotr validator'");
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 5000)");
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'bigbrotr validator' AND pid <> $pid"),
	'a terminated worker comes back');

# DROP EXTENSION that aborts, then one that commits.
$node->safe_psql('postgres', 'BEGIN; DROP EXTENSION bigbrotr; ROLLBACK');
ok($node->poll_query_until('postgres', "SELECT count(*) >= 3 $workers"), 'workers return after an abort');
$node->safe_psql('postgres', 'DROP EXTENSION bigbrotr');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type IN ('bigbrotr validator', 'bigbrotr synchronizer')"),
	'services are gone after DROP EXTENSION');

$node->stop;
done_testing();
