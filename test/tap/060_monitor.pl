# The monitor: relays of every kind are checked, unchanged documents cost no
# row, and what was found is published to a relay that says what it took.

use strict;
use warnings;
use lib "$ENV{BB_ROOT}/test/perl";
use BigBrotr::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $events = generate_events(50);
my $key = PostgreSQL::Test::Utils::tempdir() . '/key';
append_to_file($key, ('0' x 63) . "5\n");
chmod 0600, $key;

my $good = start_relay('--events', $events);
my $silent = start_relay('--events', $events, '--nip11', 'hang', '--writes', 'silent');
my $odd = start_relay('--events', $events, '--nip11', 'html', '--writes', 'auth');
my $target = start_relay('--events', $events);

my $node = bigbrotr_node('monitor', <<"CONF");
bigbrotr.key_file = '$key'
bigbrotr.monitor_interval = '1h'
bigbrotr.monitor_publish = '$target'
bigbrotr.clearnet_timeout = '1s'
CONF
seed_relays($node, $good, $silent, $odd);
$node->poll_query_until('postgres',
	'SELECT count(*) = 3 FROM bigbrotr.relay_monitor WHERE checked_at IS NOT NULL')
  or die 'the relays were not checked';

sub one { return $node->safe_psql('postgres', $_[0]) }

is(one('SELECT count(*) FROM bigbrotr.relay_check WHERE opened AND read_ok'), 3, 'all opened and could be read');
is(one("SELECT write_ok, write_stored, nip11_ok FROM bigbrotr.relay_check WHERE relay_url = '$good'"), 't|t|t', 'the good one takes all');
is(one("SELECT write_ok, nip11_ok FROM bigbrotr.relay_check WHERE relay_url = '$silent'"), 'f|f', 'the silent one does not');
like(one("SELECT write_reason FROM bigbrotr.relay_monitor JOIN bigbrotr.relay ON id = relay_id WHERE url = '$odd'"),
	qr/^auth-required/, 'what it said of our event is kept');
is(one("SELECT data #>> '{data,name}' FROM bigbrotr.relay_metadata_latest WHERE relay_url = '$good' AND metadata_type = 'nip11_info'"),
	'scripted relay', 'its document');
is(one("SELECT data #>> '{logs,success}' FROM bigbrotr.relay_metadata_latest WHERE relay_url = '$odd' AND metadata_type = 'nip11_info'"),
	'false', 'a web page is none');
is(one("SELECT string_agg(metadata_type, ' ' ORDER BY metadata_type) FROM bigbrotr.relay_metadata_latest WHERE relay_url = '$good'"),
	'nip11_info nip66_http nip66_net nip66_rtt', 'no certificate, name or place where there is none');
is(one("SELECT bigbrotr.relay_uptime('$good')"), 1, 'uptime');

# published: the relay has the events, and they verify
$node->poll_query_until('postgres',
	"SELECT count(*) = 6 FROM bigbrotr.publication WHERE outcome = 'taken'") or diag(one('TABLE bigbrotr.publication'));
is(one("SELECT string_agg(slot, ' ' ORDER BY slot) FROM bigbrotr.publication WHERE slot !~ ':'"), '0 10002 10166', 'the monitor announced itself');
is(one("SELECT count(*) FROM bigbrotr.publication WHERE bigbrotr.event_verify(event)"), 6, 'every event verifies');
is(one("SELECT event::jsonb -> 'tags' -> 0 ->> 1 FROM bigbrotr.publication WHERE slot = '30166:$good'"), "$good/", 'd is the normalised address');
is(one("SELECT (event::jsonb ->> 'content')::jsonb ->> 'name' FROM bigbrotr.publication WHERE slot = '30166:$good'"), 'scripted relay', 'content is the document as it came');

# again, when its events are archived: one more sample, no more documents
$node->poll_query_until('postgres', 'SELECT count(*) >= 150 FROM bigbrotr.observation') or die 'nothing was archived';
my $rows = one('SELECT count(*) FROM bigbrotr.relay_document');
is(one("SELECT count(*) FROM bigbrotr.check('$good')"), 4, 'check() waits and returns');
is(one("SELECT checks FROM bigbrotr.relay_monitor JOIN bigbrotr.relay ON id = relay_id WHERE url = '$good'"), 2, 'a second check');
like(one("SELECT event::jsonb ->> 'tags' FROM bigbrotr.publication WHERE slot = '30166:$good'"),
	qr/\["k", "1"\]/, 'by now it was seen what it serves');
is(one('SELECT count(*) FROM bigbrotr.relay_document'), $rows, 'unchanged documents cost no row');
my ($rc, $out, $err) = $node->psql('postgres', "SELECT * FROM bigbrotr.check('wss://nowhere.example.com')");
like($err, qr/does not exist.*HINT/s, 'check() of an unknown relay says what to do');

# one that goes away is not announced, and is due again soon, then later
$node->poll_query_until('postgres', "SELECT outcome = 'taken' FROM bigbrotr.publication WHERE slot = '30166:$good'") or die 'not published again';
stop_relay($good);
my $before = one("SELECT event_id FROM bigbrotr.publication WHERE slot = '30166:$good'");
one("SELECT count(*) FROM bigbrotr.check('$good')");
is(one("SELECT opened, streak, m.failure IS NOT NULL FROM bigbrotr.relay_monitor AS m JOIN bigbrotr.relay ON id = relay_id WHERE url = '$good'"), 'f|1|t', 'it is gone');
is(one("SELECT event_id FROM bigbrotr.publication WHERE slot = '30166:$good'"), $before, 'and not announced as open');
is(one("SELECT round(bigbrotr.relay_uptime('$good')::numeric, 2)"), '0.67', 'its uptime shows it');
is(one("SELECT field || ' ' || (old IS NOT NULL)::text || ' ' || (new IS NULL)::text FROM bigbrotr.relay_changes('$good', now() - interval '1 hour') WHERE metadata_type = 'nip11_info' AND field = 'name'"), 'name true true', 'and what changed');

# a publish relay that is gone never holds up checks, and gets its events later
stop_relay($target);
one("SELECT count(*) FROM bigbrotr.check('$odd')");
ok(1, 'checked while the publish relay is gone');
$node->poll_query_until('postgres', "SELECT attempts > 0 AND next_attempt_at > now() FROM bigbrotr.publication WHERE slot = '30166:$odd'");
is(one("SELECT outcome IS NULL FROM bigbrotr.publication WHERE slot = '30166:$odd'"), 't', 'the event waits');

$node->stop;
done_testing();
