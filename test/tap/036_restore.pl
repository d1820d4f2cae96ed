# pg_restore into a database that bigbrotr.databases names while the workers
# are on: they stay away until the archive is whole, then they go on.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

# the name of the program is its application_name, unless this says otherwise
delete $ENV{PGAPPNAME};

my $total = 2000;
my $events = generate_events($total, 13);
my $node = bigbrotr_node('main', "bigbrotr.refresher_interval = '1s'\nmax_worker_processes = 48\nbigbrotr.databases = 'postgres, live, parallel, script, partial'\n");
my $dir = PostgreSQL::Test::Utils::tempdir();
my $seen = 'SELECT count(*), md5(string_agg(o::text, \',\' ORDER BY o::text)) FROM bigbrotr.observation AS o';
my $all = "SELECT count(*), md5(string_agg(e::text, ',' ORDER BY e::text)) FROM bigbrotr.event AS e";
my $scheduler = "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'bigbrotr scheduler'";

seed_relays($node, start_relay('--events', $events));
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM bigbrotr.coverage WHERE state = 'complete' AND lower(range) = 0"), 'an archive');
my @truth = map { $node->safe_psql('postgres', $_) } $all, $seen;
for my $db (qw(live parallel script partial))
{
	$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE template0");
	ok($node->poll_query_until($db, $scheduler), "a scheduler waits in $db");
}
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/a.dump", '-d', $node->connstr('postgres') ], 'pg_dump');
$node->command_ok([ 'pg_dump', '-f', "$dir/a.sql", '-d', $node->connstr('postgres') ], 'as a script');

sub goes_on
{
	my ($db) = @_;
	ok($node->poll_query_until($db, "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'bigbrotr synchronizer'"),
		"$db: then the workers begin");
	is($node->safe_psql($db, $all), $truth[0], "$db: every event, once");
	is($node->safe_psql($db, $seen), $truth[1], "$db: every observation");
	return;
}
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('live'), "$dir/a.dump" ], 'restored beside the workers');
goes_on('live');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--jobs', 2, '-d', $node->connstr('parallel'), "$dir/a.dump" ], 'and in parallel');
goes_on('parallel');
$node->command_ok([ 'psql', '-qX', '--single-transaction', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $node->connstr('script'), '-f', "$dir/a.sql" ],
	'and a script in one transaction');
goes_on('script');

# Tables and rows, but no keys yet: as a restore that stops there.
$node->command_ok([ 'pg_restore', '--exit-on-error', '--section=pre-data', '--section=data', '-d', $node->connstr('partial'), "$dir/a.dump" ], 'without keys');
ok($node->poll_query_until('partial', "SELECT state = 'idle' AND query = 'waiting for a restore to end' FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'bigbrotr scheduler'"),
	'it is waited for the rest');
is($node->safe_psql('partial', "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type ~ '^bigbrotr' AND backend_type <> 'bigbrotr scheduler'"),
	0, 'nobody works');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--section=post-data', '-d', $node->connstr('partial'), "$dir/a.dump" ], 'which comes');
goes_on('partial');

$node->stop;
done_testing();
