# Whatever coverage says: passes against a relay that answers end with everything proved;
# but for what it never answers, which keeps nobody from the rest.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $node = bigbrotr_node('main', "bigbrotr.synchronizer_interval = '1s'\nbigbrotr.synchronizer_tail = 0\n"
	. "bigbrotr.synchronizer_recheck = 0\n");
my $relay = start_relay('--events', generate_events(500, 44), '--cap', 100);

sub query { return $node->safe_psql('postgres', shift) }

seed_relays($node, $relay);
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM bigbrotr.coverage WHERE state = 'complete' AND lower(range) = 0"),
	'a relay is proved');
my $id = query("SELECT id FROM bigbrotr.relay");
my $middle = query("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY created_at) FROM bigbrotr.event");

# [since, until, state] of pieces that passes left behind, from the bottom
my %left = (
	'all of it paged' => [[0, $middle + 100000, 'paged']],
	'paged above a proof' => [[0, $middle, 'complete'], [$middle + 1, $middle + 100000, 'paged']],
	'paged above a gap that waits' =>
		[[0, $middle - 1, 'complete'], [$middle, $middle, 'open'], [$middle + 1, $middle + 100000, 'paged']],
	'gaps between what is paged' =>
		[[0, 1000, 'paged'], [1001, 2000, 'open'], [2001, $middle, 'paged'], [$middle + 1, $middle + 1, 'open'],
		[$middle + 2, $middle + 100000, 'paged']],
);
foreach my $name (sort keys %left)
{
	query('BEGIN; DELETE FROM bigbrotr.coverage; '
		. join('', map { "SELECT bigbrotr.coverage_record($id, '{}', $_->[0], $_->[1], '$_->[2]', 'test', "
			. ($_->[2] eq 'open' ? "'dense_second'" : 'NULL') . '); ' } @{$left{$name}}) . 'COMMIT');
	ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM bigbrotr.coverage WHERE state = 'paged'"), "$name: proved");
	# the gap need not wait a minute for this test
	query("UPDATE bigbrotr.coverage SET checked_at = '2020-01-01' WHERE state = 'open'");
	ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM bigbrotr.coverage WHERE state <> 'complete'"),
		"$name: and complete to the bottom");
	is(query("SELECT count(*) FROM bigbrotr.coverage_missing($id, '{}', 0, $middle + 100000)"), '0', "$name: nothing is left to ask for");
}

# --- pages with a certain second are never answered
my $file = generate_events(500, 45, 1000000000, 5000000);
my @times = sort { $a <=> $b } slurp_file($file) =~ /"created_at":(\d+)/g;
my $silent = start_relay('--events', $file, '--script', "{\"cap\":50,\"silent_at\":$times[250]}");
query("INSERT INTO bigbrotr.relay (url, network, timeout_ms) VALUES ('$silent', 'clearnet', 500)");
my $of = "FROM bigbrotr.coverage AS c JOIN bigbrotr.relay AS r ON r.id = c.relay_id WHERE r.url = '$silent'";
ok($node->poll_query_until('postgres', "SELECT count(*) > 0 $of AND c.state = 'complete' AND lower(c.range) = 0"), 'a relay that is silent about a second is proved to the bottom');
is(query("SELECT c.reason $of AND c.state = 'open' AND c.range @> $times[250]::bigint"), 'unanswered', 'but for a gap around it');
is(query("SELECT count(*) > 0 FROM bigbrotr.event WHERE created_at = $times[0]"), 't', 'its oldest event is there');
is(query("SELECT failures FROM bigbrotr.relay WHERE url = '$silent'"), '0', 'that is no failure');
$node->stop;
done_testing();
