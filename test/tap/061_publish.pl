# What the monitor publishes about itself and about relays, tag by tag; to a
# relay that wants authentication, and to one that is gone; and nothing about
# relays that are offline.

use strict;
use warnings;
use lib "$ENV{BB_ROOT}/test/perl";
use BigBrotr::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $events = generate_events(20);
my $key = PostgreSQL::Test::Utils::tempdir() . '/key';
append_to_file($key, ('0' x 63) . "6\n");
chmod 0600, $key;

my $picky = start_relay('--events', $events, '--writes', 'kind');
my $auth = start_relay('--events', $events, '--writes', 'auth', '--auth', 'late');
my $plain = start_relay('--events', $events);
my $gone = start_relay('--events', $events);
stop_relay($gone);

my $node = bigbrotr_node('publish', <<"CONF");
bigbrotr.key_file = '$key'
bigbrotr.monitor_interval = '2h'
bigbrotr.monitor_checks = 'nip11_info, nip66_rtt, nip66_net, nip66_geo'
bigbrotr.monitor_publish = '$plain, $auth $gone, $plain/'
bigbrotr.monitor_profile = '{"name":"a monitor"}'
bigbrotr.monitor_geohash = 'u0m7'
bigbrotr.clearnet_timeout = '1s'
bigbrotr.monitor_timeout = '5s'
CONF

sub one { return $node->safe_psql('postgres', $_[0]) }
sub tags { return one("SELECT event::jsonb -> 'tags' FROM bigbrotr.publication WHERE target = '$plain' AND slot = '$_[0]'") }

seed_relays($node, $picky);
ok($node->poll_query_until('postgres', "SELECT count(*) = 8 FROM bigbrotr.publication WHERE outcome = 'taken'"),
	'both relays that are there have all four events, one of them after authenticating')
  or diag(one('SELECT target, slot, outcome, reason FROM bigbrotr.publication'));
ok($node->poll_query_until('postgres', "SELECT count(*) = 4 FROM bigbrotr.publication WHERE target = '$gone' AND attempts > 0"),
	'for the one that is gone they wait');

is(tags('0'), '[]', 'kind 0: no tags');
is(one("SELECT event::jsonb ->> 'content' FROM bigbrotr.publication WHERE slot = '0' LIMIT 1"), '{"name":"a monitor"}', 'kind 0: the profile');
is(tags('10002'), qq([["r", "$plain", "write"], ["r", "$auth", "write"], ["r", "$gone", "write"]]),
	'kind 10002 (NIP-65): where we write, each once');
is(tags('10166'), '[["frequency", "7200"], ["g", "u0m7"], ["n", "clearnet"], '
	  . join(', ', map { qq(["timeout", "1000", "$_"], ["c", "$_"]) } qw(nip11 open read write net)) . ']',
	'kind 10166: frequency in seconds, timeouts in ms at index 1, what is checked: no geo without a database');
is(one("SELECT event::jsonb ->> 'content' FROM bigbrotr.publication WHERE slot = '10166' LIMIT 1"), '', 'kind 10166: no content');
like(tags("30166:$picky"), qr/^\[\["d", "$picky\/"\], \["rtt-open", "\d+"\], \["rtt-read", "\d+"\], \["n", "clearnet"\], /, 'kind 30166: d, times, network');
like(tags("30166:$picky"), qr/\["k", "!22456"\]/, 'kind 30166: the kind it refused of us');
unlike(tags("30166:$picky"), qr/rtt-write|"!?writes"/, 'kind 30166: no more than that is said of writing');
is(one('SELECT count(*) FROM bigbrotr.publication WHERE NOT bigbrotr.event_verify(event)'), 0, 'all are valid');
is(one("SELECT count(DISTINCT event_id) FROM bigbrotr.publication WHERE slot = '30166:$picky'"), 1, 'every relay gets the same event');

# a publish relay that is monitored, too: what it took of us are kinds that it takes
seed_relays($node, $plain);
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM bigbrotr.publication WHERE target = '$plain' AND slot = '30166:$plain'"), 'it is announced to itself');
like(tags("30166:$plain"), qr/\["k", "0"\], (?:\["k", "\d+"\], )*\["k", "10002"\], \["k", "10166"\], (?:\["k", "\d+"\], )*\["k", "30166"\]/, 'kinds that it took of us');

# offline: what was not yet said of it is said to nobody any more
is(one("SELECT count(*) FROM bigbrotr.publication WHERE slot = '30166:$picky' AND outcome IS NULL"), 1, 'its announcement waits');
my $queued = one("SELECT max(queued_at) FROM bigbrotr.publication WHERE slot = '30166:$picky'");
stop_relay($picky);
one("SELECT count(*) FROM bigbrotr.check('$picky')");
is(one("SELECT count(*) FROM bigbrotr.publication WHERE slot = '30166:$picky' AND outcome IS NULL"), 0, 'withdrawn when the relay is offline');
is(one("SELECT max(queued_at) FROM bigbrotr.publication WHERE slot = '30166:$picky'"), $queued, 'and no new one is made');

# another monitor reads what this one published, from the relay, and compares
my $other = bigbrotr_node('other', "bigbrotr.refresher_interval = '1s'\nbigbrotr.monitor_interval = '1h'\nbigbrotr.archive = 'light'\n");
seed_relays($other, $plain);
ok($other->poll_query_until('postgres', "SELECT count(*) = 1 FROM bigbrotr.relay_comparison WHERE relay_url = '$plain' AND opened AND monitors = 1"),
	'its report is read, in a light archive') or diag($other->safe_psql('postgres', 'SELECT * FROM bigbrotr.peer_monitor; SELECT * FROM bigbrotr.maintenance'));
is($other->safe_psql('postgres', "SELECT online, quorum, disagrees IS NULL, others_open_ms IS NOT NULL FROM bigbrotr.relay_comparison WHERE relay_url = '$plain'"),
	'1|t|t|t', 'beside our own check; one monitor is no quorum to disagree with');
ok($other->poll_query_until('postgres', 'SELECT frequency_s = 7200 FROM bigbrotr.peer_monitor'), 'and so is its announcement');
is($other->safe_psql('postgres', 'SELECT checks, geohash FROM bigbrotr.peer_monitor'), '{net,nip11,open,read,write}|u0m7', 'with what it checks, and where');

$node->stop;
$other->stop;
done_testing();
