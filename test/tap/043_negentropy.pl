# What the archive has observed of a relay is reconciled, not fetched again
# (NIP-77), through worker and database.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $node = bigbrotr_node('main', "bigbrotr.synchronizer_recheck = 0\nbigbrotr.synchronizer_tail = 0\n");

sub query { return $node->safe_psql('postgres', shift) }

sub poll { return $node->poll_query_until('postgres', @_) }

# More than fits into one SET frame, and some that arrive with an old date.
my $count = 12000;
my $file = generate_events($count, 61, 1600000000);
my $add = PostgreSQL::Test::Utils::tempdir() . '/add.jsonl';
open my $out, '>', $add or die "$add: $!";
close $out;
my $url = start_relay('--events', $file, '--add', $add, '--neg', 'yes', '--cap', 500);
seed_relays($node, $url);
ok(poll("SELECT passes >= 1 FROM bigbrotr.relay"), 'a pass');
is(query('SELECT count(*) FROM bigbrotr.observation'), $count, 'everything is there');

my $received = query('SELECT events_received FROM bigbrotr.relay');
my $late = generate_events(100, 62, 1610000000);
open my $in, '<', $late or die "$late: $!";
open $out, '>>', $add or die "$add: $!";
print $out $_ while <$in>;
close $out;
relay_adds($url);
set_conf($node, 'bigbrotr.synchronizer_recheck' => '1s');
ok(poll("SELECT count(*) = $count + 100 FROM bigbrotr.observation"), 'back-dated events are found');
ok(poll('SELECT recall < 1 FROM bigbrotr.relay'), 'the round ends, and tells the recall');
my ($recall, $more) = split /\|/, query("SELECT recall, events_received - $received FROM bigbrotr.relay");
cmp_ok(abs($recall - $count / ($count + 100)), '<', 0.0005, "recall $recall");
cmp_ok($more, '<', 2000, "$more events were sent for it, not $count");
is(query('SELECT negentropy, negentropy_at IS NOT NULL FROM bigbrotr.relay'), 't|t', 'that the relay speaks negentropy is kept');

$node->stop;
done_testing();
