# From a seed to the archive: relays are validated, every event is archived
# once and observed once per relay, forged ones are refused with a reason.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $events = generate_events(2500, 7);
my $node = bigbrotr_node('main');
my $a = start_relay('--events', $events);
my $b = start_relay('--events', $events, '--cap', 100);
my $dead = start_relay();
stop_relay($dead);
my $silent = start_relay('--mode', 'silent');
my $closed = start_relay('--mode', 'closed');
my $notnostr = start_relay('--mode', 'notnostr');
my $no_upgrade = start_relay('--mode', 'no-upgrade');

seed_relays($node, $a, $b, $dead, $silent, $closed, $notnostr, $no_upgrade, 'https://example.net');

ok($node->poll_query_until('postgres', 'SELECT count(*) = 3 FROM bigbrotr.relay'),
	'relays that answer our subscription are promoted');
is($node->safe_psql('postgres', "SELECT string_agg(url, ' ' ORDER BY url) FROM bigbrotr.relay"),
	join(' ', sort $a, $b, $closed), 'EOSE, EVENT and CLOSED are answers');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 4 FROM bigbrotr.candidate WHERE attempts > 0 AND failure IS NOT NULL"),
	'the others stay candidates');
is($node->safe_psql('postgres', "SELECT failure FROM bigbrotr.candidate WHERE url = '$dead'"),
	'connect_refused', 'refused connection is classified');
is($node->safe_psql('postgres', "SELECT failure FROM bigbrotr.candidate WHERE url = '$no_upgrade'"),
	'http_status', 'HTTP status is classified');
is($node->safe_psql('postgres', "SELECT outcome FROM bigbrotr.seed WHERE url = 'https://example.net'"),
	'invalid', 'a bad seed is marked');

ok($node->poll_query_until('postgres', 'SELECT count(*) = 2500 FROM bigbrotr.event'), 'all events arrive');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 5000 FROM bigbrotr.observation'),
	'every pair of event and relay is observed');
is($node->safe_psql('postgres', "SELECT encode(id, 'hex') FROM bigbrotr.event ORDER BY 1"),
	event_ids($events), 'ids equal the ground truth');
is($node->safe_psql('postgres',
		'SELECT count(*) FROM bigbrotr.event e WHERE NOT bigbrotr.event_verify(bigbrotr.event_json(e))'),
	'0', 'every stored event verifies again');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 2 FROM bigbrotr.coverage WHERE state = 'complete' AND lower(range) = 0"),
	'coverage closes with a proof');
is($node->safe_psql('postgres',
		"SELECT count(*) > 0 FROM bigbrotr.coverage c JOIN bigbrotr.relay r ON r.id = c.relay_id "
		. "WHERE r.url = '$closed' AND c.state = 'open' AND c.reason IS NOT NULL"),
	't', 'a refusal is an open window with its reason');

# A relay with forged copies of new events.
my $more = generate_events(200, 8, 1720000000);
my $forger = start_relay('--events', $more, '--corrupt', 10);
seed_relays($node, $forger);
ok($node->poll_query_until('postgres', 'SELECT count(*) = 2680 FROM bigbrotr.event'),
	'the genuine ones arrive');
is($node->safe_psql('postgres',
		"SELECT sum(count) >= 20 FROM bigbrotr.rejected_event WHERE reason LIKE 'invalid_signature%'"),
	't', 'the forged ones are counted');

$node->stop;
done_testing();
