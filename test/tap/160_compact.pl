# The compact tier beside writers: exactly once whatever is killed, nothing
# stored twice, old snapshots keep what they see, pg_dump carries it, and the
# refresher does it all by itself.

use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $events = 2000;
my $relays = 6;
my $node = bigbrotr_node('main', "restart_after_crash = on\nbigbrotr.synchronizer_interval = 0\nbigbrotr.validator_interval = 0\n");
my @lines = split /\n/, slurp_file(generate_events($events, 16, 1684000000));
my $dir = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql('postgres', 'SELECT bigbrotr.partition_ensure()');

sub value { return $node->safe_psql('postgres', $_[0]) }

# Relay r has the events whose number modulo 7 is not r.
sub batches_of
{
	my ($r) = @_;
	my @mine = @lines[ grep { $_ % 7 != $r } 0 .. $#lines ];
	my @batches;
	push @batches, [ splice @mine, 0, 100 ] while @mine;
	return @batches;
}

sub statement
{
	my ($r, $batch) = @_;
	return "SELECT outcome, count(*) FROM bigbrotr.event_ingest(string_to_array(\$e\$" . join("\n", @$batch) .
	  "\$e\$, E'\\n'), 'wss://relay$r.nostr.org') GROUP BY 1;\n";
}

# Runs statements in a session of its own, in the background.
my $files = 0;
sub background
{
	my ($name, $sql) = @_;
	my $file = "$dir/" . $files++ . '.sql';
	append_to_file($file, "SET application_name = '$name';\n$sql");
	my %p = (out => '', err => '');
	$p{run} = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $file ],
		'<', \undef, '>', \$p{out}, '2>', \$p{err});
	return \%p;
}

sub writers
{
	my @w;
	for my $r (0 .. $relays - 1)
	{
		my @b = batches_of($r);
		# each in another order
		push @w, background("writer$r", join '', map { statement($r, $b[ ($_ * 7 + $r * 3) % @b ]) } 0 .. $#b);
	}
	return @w;
}

sub compactor
{
	my ($rows) = @_;
	return background('compactor', <<"SQL");
DO \$\$ BEGIN
	LOOP
		PERFORM bigbrotr.compact_step(true, $rows);
		COMMIT;
		PERFORM pg_sleep(0.01);
	END LOOP;
END \$\$;
SQL
}

my $pairs = 0;
$pairs += @{ $_ } for map { batches_of($_) } 0 .. $relays - 1;
my $missing = <<'SQL';
SELECT count(*) FROM bigbrotr.event AS e CROSS JOIN bigbrotr.relay AS r
WHERE NOT EXISTS (SELECT FROM bigbrotr.observation_all AS o WHERE o.key = e.key AND o.relay_id = r.id)
SQL
my $twice = 'SELECT count(*) - count(DISTINCT (key, relay_id)) FROM bigbrotr.observation_all';

# Killed in the middle.
my @w = writers();
my $c = compactor(300);
ok($node->poll_query_until('postgres', 'SELECT count(*) > 0 FROM bigbrotr.compaction WHERE slices > 2'), 'writers and a compaction run') or die "no progress";
my $pid = value("SELECT pid FROM pg_stat_activity WHERE application_name = 'compactor'");
is(kill('KILL', $pid), 1, 'the compaction is killed');
$_->{run}->finish for @w, $c;
ok(wait_for(sub { ($node->psql('postgres', 'SELECT 1'))[0] == 0 }), 'the server is back');
is(value($twice), 0, 'no observation twice');
is(value('SELECT count(*) FROM bigbrotr.packed_verify()'), 0, 'both forms say the same');
cmp_ok(value('SELECT count(*) FROM bigbrotr.observation_packed'), '>', 0, 'some are packed');

# Once more, to the end.
$c = compactor(500);
@w = writers();
$_->{run}->finish for @w;
is(join('', map { $_->{err} } @w), '', 'no writer failed: no deadlock');
value("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'compactor'");
$c->{run}->finish;
# A partition that is empty is truncated when no snapshot is left that sees its rows.
ok($node->poll_query_until('postgres',
		'SELECT NOT bigbrotr.compact_step(true) AND NOT EXISTS (SELECT FROM bigbrotr.compaction WHERE moved_xid IS NOT NULL)'),
	'nothing is left to do');
is(value('SELECT count(*) FROM bigbrotr.event'), $events, 'all events');
is(value('SELECT count(*) FROM bigbrotr.observation_all'), $pairs, 'each pair once');
is(value($twice), 0, 'none twice');
is(value('SELECT count(*) FROM bigbrotr.packed_verify()'), 0, 'both forms say the same');
is(value('SELECT sum(duplicates) FROM bigbrotr.compaction'), 0, 'nor was one ever in both tiers');
is(value('SELECT count(*) FROM bigbrotr.observation'), 0, 'all of them packed');
is(value('SELECT count(*) FROM bigbrotr.event_relay'), $pairs, 'event_relay has them');

# What is packed is known.
my ($r, @more) = (3, batches_of(3));
is(value(statement($r, $more[0])), 'duplicate|100', 'observed again: duplicates');
is(value('SELECT count(*) FROM bigbrotr.observation'), 0, 'and no row');
my @other = grep { $_ % 7 == 3 } 0 .. $#lines;
is(value(statement(3, [ @lines[ @other[ 0 .. 9 ] ], @{ $more[0] }[ 0 .. 9 ] ])), "duplicate|10\nobserved|10", 'late ones are stored, the others not');
is(value('SELECT count(*) FROM bigbrotr.observation'), 10, 'as rows');
is(value($twice), 0, 'none twice');

# Somebody who writes and does not commit: the compaction gives way.
my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN; ' . statement(3, [ $lines[ $other[10] ] ]));
is(value('SELECT bigbrotr.compact_step(true)'), 'f', 'an open transaction is not waited for');
$session->query_safe('COMMIT');

# An old snapshot sees the same before and after.
$session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $count = $session->query_safe('SELECT count(*) FROM bigbrotr.event');
is(value('SELECT bigbrotr.compact_step(true)'), 't', 'packed under an old snapshot');
value('SELECT bigbrotr.compact_step(true)');
is($session->query_safe('SELECT count(*) FROM bigbrotr.observation_all'), $pairs + 11, 'which sees all of them');
cmp_ok(value("SELECT pg_relation_size('bigbrotr.observation_2023_05')"), '>', 0, 'so the empty partition is not truncated');
$session->query_safe('COMMIT');
$session->quit;
value('SELECT bigbrotr.compact_step(true)') for 1 .. 2;
is(value("SELECT pg_relation_size('bigbrotr.observation_2023_05')"), 0, 'until it is gone');
is(value('SELECT count(*) FROM bigbrotr.observation_all'), $pairs + 11, 'all there');

# A dump.
my $contents = "SELECT count(*), md5(string_agg(o::text, ' ' ORDER BY key, relay_id)) FROM bigbrotr.observation_all AS o";
set_conf($node, 'bigbrotr.enabled' => 'off');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/dump", '-d', $node->connstr('postgres') ], 'pg_dump');
value('CREATE DATABASE copy TEMPLATE template0');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('copy'), "$dir/dump" ], 'pg_restore');
is($node->safe_psql('copy', $contents), value($contents), 'the copy says the same');
is($node->safe_psql('copy', statement($r, $more[0])), 'duplicate|100', 'and knows what is packed');
set_conf($node, 'bigbrotr.enabled' => 'on');

# By itself: when a partition has been quiet.
value("INSERT INTO bigbrotr.observation SELECT key, 5000 + g, seen_at FROM bigbrotr.observation_packed, generate_series(1, 2) AS g WHERE relay_id = 1");
my $rows = value('SELECT count(*) FROM bigbrotr.observation');
my $run = sub { return wait_for(sub { ($node->psql('postgres', "SELECT bigbrotr.run('refresher')"))[0] == 0 }) };
my $runs = "SELECT coalesce(max(steps), 0) FROM bigbrotr.maintenance WHERE task = 'compact' AND failures = 0";
set_conf($node, 'bigbrotr.refresher_interval' => '1h');
ok($run->(), 'the refresher runs');
ok($node->poll_query_until('postgres', "SELECT ($runs) > 0"), 'and looks');
is(value('SELECT count(*) FROM bigbrotr.observation'), $rows, 'what has just come stays');
ok(wait_for(sub {
	value("UPDATE bigbrotr.compaction SET looked_at = now() - interval '11 minutes'");
	$run->();
	return value('SELECT count(*) FROM bigbrotr.observation') == 0;
}), 'what is quiet is packed');
is(value('SELECT count(*) FROM bigbrotr.observation_packed'), $pairs + 11 + $rows, 'all of it');
is(value("SELECT done >= $rows FROM bigbrotr.maintenance WHERE task = 'compact'"), 't', 'and counted');

$node->stop;
done_testing();
