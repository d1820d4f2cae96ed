# Sessions that lock the archive: workers wait without being in anybody's way.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $total = 20000;
my $relay = start_relay('--events', generate_events($total, 31), '--delay_ms', 50);
my $node = bigbrotr_node('main', "bigbrotr.synchronizer_page = 200\n");
my %all = (scheduler => 1, validator => 1, synchronizer => 1);
my $limit = "SET statement_timeout = '20s';";
ok(wait_workers($node, 'postgres', %all), 'workers run');

# What VACUUM, ANALYZE and CREATE INDEX CONCURRENTLY hold, for hours perhaps.
my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN');
$session->query_safe('LOCK TABLE bigbrotr.event IN SHARE UPDATE EXCLUSIVE MODE');
my $scheduler = worker_pid($node, 'scheduler');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($scheduler, 10000)");
ok(wait_workers($node, 'postgres', %all), 'a new scheduler starts services although it cannot make partitions');
ok(wait_log($node, qr/LOG: +could not create partitions in advance: .*lock timeout\n.*DETAIL: .*next attempt is in/, 0),
	'which it says');
seed_relays($node, $relay);
ok($node->poll_query_until('postgres', 'SELECT count(*) > 500 FROM bigbrotr.event'), 'events are stored meanwhile');

# Nobody can write: workers wait, and obey.
$session->query_safe('LOCK TABLE bigbrotr.event IN ACCESS EXCLUSIVE MODE');
ok($node->poll_query_until('postgres',
		"SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE backend_type = 'bigbrotr synchronizer'"),
	'the synchronizer waits for a lock');
$node->safe_psql('postgres', 'CREATE DATABASE other');
elapsed('DROP DATABASE of another database', sub { $node->safe_psql('postgres', "$limit DROP DATABASE other") });
my $pid = worker_pid($node, 'synchronizer');
is($node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 10000)"), 't', 'it can be terminated');
$session->query_safe('COMMIT');
$session->quit;
ok($node->poll_query_until('postgres', "SELECT count(*) = $total FROM bigbrotr.observation"),
	'all events arrive when the lock is gone');

$node->stop;
done_testing();
