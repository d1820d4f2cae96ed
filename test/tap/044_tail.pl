# Live tails: what is published to relays is in the archive at once, through
# the subscription alone; a connection that is only half there is noticed.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use BigBrotr::Test;

my $relays = 4;
my $each = 10;

my $node = bigbrotr_node('main', <<CONF);
bigbrotr.synchronizer_interval = '1h'
bigbrotr.synchronizer_recheck = 0
bigbrotr.clearnet_timeout = '1s'
track_commit_timestamp = on
CONF

sub query { return $node->safe_psql('postgres', shift) }

sub poll { return $node->poll_query_until('postgres', @_) }

# --- everything that is published arrives, the next pass is an hour away
my $old = generate_events(50, 71);
my (%add, %published);
for my $i (1 .. $relays)
{
	my $file = PostgreSQL::Test::Utils::tempdir() . '/add.jsonl';
	append_to_file($file, '');
	$add{ start_relay('--events', $old, '--add', $file) } = $file;
}
seed_relays($node, keys %add);
ok(poll("SELECT count(*) = $relays FROM bigbrotr.relay WHERE live_since IS NOT NULL"), 'all relays are live');
my $new = generate_events($relays * $each, 72, int(time()), 10);
open my $in, '<', $new or die "$new: $!";
while (my $line = <$in>)
{
	my $url = (sort keys %add)[$. % $relays];
	my ($id) = $line =~ /"id":"([0-9a-f]{64})"/;
	append_to_file($add{$url}, $line);
	$published{$id} = time();
	relay_adds($url);
	select undef, undef, undef, rand(0.05);
}
close $in;
ok(poll('SELECT count(*) = ' . (50 + $relays * $each) . ' FROM bigbrotr.event'), 'what is published is archived');
my $values = join ',', map { "('\\x$_'::bytea, $published{$_})" } sort keys %published;
note('slowest from publication to commit: ' . query(<<SQL) . ' s');
SELECT round(max(extract(epoch FROM pg_xact_commit_timestamp(e.xmin)) - p.at)::numeric, 3)
FROM (VALUES $values) AS p (id, at) JOIN bigbrotr.event AS e USING (id)
SQL
is(query('SELECT sum(passes) FROM bigbrotr.relay'), $relays, 'through the tails alone');
is(query("SELECT count(*) FROM bigbrotr.observation o JOIN bigbrotr.event e USING (key) WHERE e.created_at > 1750000000"),
	$relays * $each, 'each observed where it was published');

# --- a relay that goes silent without closing
my $file = PostgreSQL::Test::Utils::tempdir() . '/late.jsonl';
append_to_file($file, '');
my $silent = start_relay('--events', $old, '--add', $file, '--script', '{"mute_ms":3000}');
seed_relays($node, $silent);
ok(poll("SELECT live_since IS NOT NULL FROM bigbrotr.relay WHERE url = '$silent'"), 'a relay is live');
ok(poll("SELECT live_since IS NULL FROM bigbrotr.relay WHERE url = '$silent'"), 'that it went silent is noticed');
is(query("SELECT failures FROM bigbrotr.relay WHERE url = '$silent'"), '0', 'which is no failure of its pass');
append_to_file($file, slurp_file(generate_events(1, 73, int(time()))));
relay_adds($silent);
query("UPDATE bigbrotr.relay SET next_sync_at = now() WHERE url = '$silent'");
query("SELECT bigbrotr.run('synchronizer')");
ok(poll('SELECT count(*) = 51 + ' . $relays * $each . ' FROM bigbrotr.event'), 'the next connection brings what was published meanwhile');
is(query("SELECT count(*) FROM bigbrotr.relay WHERE url <> '$silent' AND live_since IS NOT NULL"),
	$relays, 'the others were quiet all the time, and are live still');

$node->stop;
done_testing();
