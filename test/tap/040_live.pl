# After the pass: live tails, who gets a connection, re-checks, overrides.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use BigBrotr::Test;

my $node = bigbrotr_node('main', "bigbrotr.synchronizer_interval = '1h'\nbigbrotr.synchronizer_recheck = 0\n");

sub query { return $node->safe_psql('postgres', shift) }

sub poll { return $node->poll_query_until('postgres', @_) }

# A relay with a file of events that are published later.
sub relay_with
{
	my ($events, @args) = @_;
	my $add = PostgreSQL::Test::Utils::tempdir() . '/add.jsonl';
	open my $f, '>', $add or die "$add: $!";
	close $f;
	my $url = start_relay('--events', $events, '--add', $add, @args);
	return ($url, $add);
}

sub publish
{
	my ($url, $add, $events) = @_;
	open my $in, '<', $events or die "$events: $!";
	open my $out, '>>', $add or die "$add: $!";
	print $out $_ while <$in>;
	close $out;
	relay_adds($url);
	return;
}

# --- live tail
my ($a, $add) = relay_with(generate_events(300, 21));
seed_relays($node, $a);
ok(poll("SELECT live_since IS NOT NULL FROM bigbrotr.relay WHERE url = '$a'"), 'a relay stays subscribed after its pass');
is(query('SELECT count(*) FROM bigbrotr.event'), '300', 'everything was there before');
my $published = time();
publish($a, $add, generate_events(1, 22, int($published)));
ok(poll('SELECT count(*) = 301 FROM bigbrotr.event'), 'an event published now arrives, the next pass is an hour away');
note(sprintf 'after %.2f s', time() - $published);
is(query("SELECT passes, live_since IS NOT NULL FROM bigbrotr.relay WHERE url = '$a'"), '1|t', 'through the tail alone');
is(query('SELECT tails, live, passes FROM bigbrotr.progress'), '1|1|1', 'progress shows it');
is(query("SELECT covered > 0.999, open_gaps, live, head_lag < '1 min' FROM bigbrotr.relay_coverage"), 't|0|t|t', 'coverage shows it');

# --- back-dated events: found by the rotating re-check, and counted
publish($a, $add, generate_events(1000, 23, 1650000000));
set_conf($node, 'bigbrotr.synchronizer_interval' => '1s', 'bigbrotr.synchronizer_tail' => '1s',
	'bigbrotr.synchronizer_recheck' => '1s');
query("UPDATE bigbrotr.relay SET next_sync_at = now(); UPDATE bigbrotr.coverage SET checked_at = '2020-01-01'");
query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'bigbrotr synchronizer'");
ok(poll('SELECT count(*) = 1301 FROM bigbrotr.event'), 'back-dated events are archived');
ok(poll("SELECT recall < 0.5 FROM bigbrotr.relay WHERE url = '$a'"), 'and the recall before says so');
ok(poll("SELECT recall = 1 FROM bigbrotr.relay WHERE url = '$a'"), 'the next round misses nothing');
is(query("SELECT count(*) FROM bigbrotr.coverage WHERE state <> 'complete'"), '0', 'what was proved stays proved');
is(query("SELECT count(*) FROM bigbrotr.coverage WHERE checked_at < '2021-01-01'"), '0', 'and was checked');
set_conf($node, 'bigbrotr.synchronizer_recheck' => '0', 'bigbrotr.synchronizer_tail' => '1h');

# --- two connections for five relays: everybody's turn comes
my $few = generate_events(20, 24);
my @more = map { start_relay('--events', $few) } 1 .. 4;
set_conf($node, 'bigbrotr.clearnet_max_connections' => '2');
seed_relays($node, @more);
ok(poll('SELECT count(*) = 5 AND min(passes) >= 2 FROM bigbrotr.relay'), 'tails give way to relays that are due');
ok(poll('SELECT count(*) <= 2 FROM bigbrotr.relay WHERE live_since IS NOT NULL'), 'never more than two connections');

# --- priority: one of the two is hers
query("UPDATE bigbrotr.relay SET priority = 5, next_sync_at = now() WHERE url = '$more[0]'");
ok(poll("SELECT live_since IS NOT NULL FROM bigbrotr.relay WHERE url = '$more[0]'"), 'a relay with priority is live');
# its tail may have been that of before; from now on nobody takes it
my $since = query("SELECT passes FROM bigbrotr.relay WHERE url = '$more[0]'");
my $others = query("SELECT sum(passes) FROM bigbrotr.relay WHERE priority = 0");
ok(poll("SELECT sum(passes) >= $others + 8 FROM bigbrotr.relay WHERE priority = 0"), 'the others share the rest');
is(query("SELECT live_since IS NOT NULL, passes - $since < 2 FROM bigbrotr.relay WHERE url = '$more[0]'"), 't|t', 'she was not disturbed');

# --- excluded: the tail ends, and nothing more is asked
query("UPDATE bigbrotr.relay SET excluded = true WHERE url = '$more[0]'");
ok(poll("SELECT live_since IS NULL FROM bigbrotr.relay WHERE url = '$more[0]'"), 'an excluded relay is left');
my $passes = query("SELECT passes FROM bigbrotr.relay WHERE url = '$more[0]'");
$others = query("SELECT sum(passes) FROM bigbrotr.relay WHERE NOT excluded");
ok(poll("SELECT sum(passes) >= $others + 8 FROM bigbrotr.relay WHERE NOT excluded"), 'the others go on');
is(query("SELECT passes FROM bigbrotr.relay WHERE url = '$more[0]'"), $passes, 'and it is not asked');

# --- since and filter of one relay
my $dated = generate_events(100, 25, 1710000000, 100);
my $picky = start_relay('--events', $dated);
query("INSERT INTO bigbrotr.relay (url, network, since, until, filter) VALUES ('$picky', 'clearnet', 1710000050, 1710000079, '{\"kinds\":[1]}')");
query("SELECT bigbrotr.run('synchronizer')");
ok(poll("SELECT covered = 1 FROM bigbrotr.relay_coverage WHERE url = '$picky'"), 'since and until bound what is covered');
open my $f, '<', $dated or die $!;
my $expected = grep { /"created_at":(\d+)/ && $1 >= 1710000050 && $1 <= 1710000079 && /"kind":1,/ } <$f>;
close $f;
is(query("SELECT count(*) FROM bigbrotr.observation o JOIN bigbrotr.relay r ON r.id = o.relay_id WHERE r.url = '$picky'"),
	$expected, "only what was asked for ($expected events)");
query("UPDATE bigbrotr.relay SET filter = NULL, next_sync_at = now() WHERE url = '$picky'");
query("SELECT bigbrotr.run('synchronizer')");
ok(poll("SELECT covered = 1 FROM bigbrotr.relay_coverage WHERE url = '$picky'"), 'another filter opens coverage of its own');
is(query("SELECT count(*) FROM bigbrotr.coverage_filter f JOIN bigbrotr.coverage c ON c.filter_id = f.id JOIN bigbrotr.relay r ON r.id = c.relay_id WHERE r.url = '$picky' AND c.state = 'complete'"),
	'2', 'and keeps the old one');

$node->stop;
done_testing();
