# What ALTER DATABASE ... SET gives the sessions of a database does not reach
# the workers there: neither limits nor another meaning of what they say.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $total = 2000;
my $relay = start_relay('--events', generate_events($total, 11, 1700000000, 86400));
my $node = bigbrotr_node('main', <<'CONF');
bigbrotr.databases = 'postgres, obs'
bigbrotr.monitor_interval = '1s'
bigbrotr.compact_after = '1d'
CONF
$node->safe_psql('postgres', 'CREATE DATABASE obs');
$node->safe_psql('postgres', 'CREATE ROLE nobody');

my %hostile = (
	statement_timeout => "'1ms'", lock_timeout => "'1ms'", idle_in_transaction_session_timeout => "'1ms'",
	idle_session_timeout => "'1ms'", default_transaction_isolation => "'serializable'",
	default_transaction_read_only => 'on', default_transaction_deferrable => 'on', synchronous_commit => 'off',
	work_mem => "'64kB'", row_security => 'on', search_path => 'evil, pg_catalog', role => 'nobody',
	standard_conforming_strings => 'off', quote_all_identifiers => 'on', transform_null_equals => 'on',
	array_nulls => 'off', bytea_output => 'escape', DateStyle => "'SQL, DMY'", IntervalStyle => 'sql_standard',
	TimeZone => "'Asia/Kathmandu'", extra_float_digits => '-15', session_replication_role => 'replica',
	plan_cache_mode => 'force_generic_plan', force_parallel_mode => 'on', parallel_setup_cost => 0,
	parallel_tuple_cost => 0, min_parallel_table_scan_size => 0, enable_indexscan => 'off',
	enable_partition_pruning => 'off', jit_above_cost => 0, lc_messages => "'C'", xmloption => 'document',
	default_toast_compression => 'pglz', from_collapse_limit => 1, join_collapse_limit => 1,
	'plpgsql.extra_errors' => "'all'", client_min_messages => 'error', max_parallel_workers_per_gather => 2,
	check_function_bodies => 'off', gin_fuzzy_search_limit => 1, temp_buffers => 100,
);
# names from 16 on
if ($node->safe_psql('postgres', "SELECT count(*) FROM pg_settings WHERE name = 'force_parallel_mode'") eq '0')
{
	$hostile{debug_parallel_query} = delete $hostile{force_parallel_mode};
}
$node->safe_psql('obs', <<'SQL');
CREATE SCHEMA evil;
CREATE FUNCTION evil.unnest(anyarray) RETURNS SETOF anyelement LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil'; END $$;
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil'; END $$;
CREATE FUNCTION evil.count(bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil'; END $$;
CREATE FUNCTION evil.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil'; END $$;
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq);
SQL
$node->safe_psql('postgres', "ALTER DATABASE obs SET $_ = $hostile{$_}") for sort keys %hostile;

# This session says what it wants.
sub obs
{
	my ($sql) = @_;
	local $ENV{PGOPTIONS} = '-c statement_timeout=0 -c lock_timeout=0 -c idle_session_timeout=0 '
	  . '-c idle_in_transaction_session_timeout=0 -c default_transaction_read_only=off -c role=none '
	  . '-c search_path=public -c default_transaction_isolation=read\ committed -c session_replication_role=origin '
	  . '-c standard_conforming_strings=on';
	return $node->safe_psql('obs', $sql);
}

sub obs_until
{
	my ($sql) = @_;
	return wait_for(sub { obs($sql) eq 't' });
}

obs('CREATE EXTENSION bigbrotr');
my $log = -s $node->logfile;
ok(wait_for(sub { worker_pid($node, 'monitor', 'obs') }), 'all services run');
obs("INSERT INTO bigbrotr.seed (url) VALUES ('$relay')");
obs("SELECT bigbrotr.run('seeder')");
ok(obs_until('SELECT count(*) = 1 FROM bigbrotr.relay'), 'seeder and validator work');
ok(obs_until("SELECT count(*) = $total FROM bigbrotr.event"), 'the synchronizer does');
ok(obs_until('SELECT count(*) > 0 FROM bigbrotr.relay_check'), 'the monitor does');

obs("SELECT bigbrotr.run('refresher')");
ok(obs_until("SELECT count(*) = 6 FROM bigbrotr.maintenance WHERE finished_at IS NOT NULL"), 'so does the refresher');
is(obs("SELECT string_agg(task || ': ' || last_error, ', ') FROM bigbrotr.maintenance WHERE last_error IS NOT NULL"), '', 'all of its tasks');
is(obs('SELECT event_count FROM bigbrotr.event_stats'), $total, 'which count');
is(obs('SELECT count(*) FROM bigbrotr.verify() WHERE missing + surplus > 0'), '0', 'what is there');

is(obs('SELECT count(*) > 0 FROM bigbrotr.compaction'), 't', 'and see which months have ended');

# A policy that looks at the bounds of partitions, and what is cold.
obs("INSERT INTO bigbrotr.retention (name, kinds, max_age) VALUES ('old', '{1}', '1 hour')");
obs("SELECT bigbrotr.run('refresher')");
ok(obs_until("SELECT count(*) = 0 FROM bigbrotr.event WHERE kind = 1"), 'a policy is carried out');
ok(obs_until('SELECT bool_and(finished_at IS NOT NULL AND last_error IS NULL) FROM bigbrotr.maintenance'), 'without an error');
obs("SELECT bigbrotr.compact_step(true)");

my $said = slurp_file($node->logfile, $log);
my @errors = grep { /(ERROR|FATAL|PANIC|WARNING):/ && !/administrator command/ } split /\n/, $said;
is(join("\n", @errors), '', 'nothing complained');
is(obs("SELECT sum(failures) FROM bigbrotr.service"), '0', 'nor failed');

done_testing();
