# bigbrotr.archive = light: everything is verified and counted as ever, and
# tags, content and signature are not stored.  Switching changes what comes,
# never what is there.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $first = generate_events(60, 1);
my @first = split /\n/, slurp_file($first);
my $node = bigbrotr_node('main', "bigbrotr.archive = light\n");
my $relay = start_relay('--events', $first, '--corrupt', 10);
seed_relays($node, $relay);

sub value { return $node->safe_psql('postgres', $_[0]) }
sub ingest { my ($e, @more) = @_; return value("SELECT outcome FROM bigbrotr.event_ingest(\$e\$$e\$e\$::text" . join('', map { ", $_" } @more) . ')') }

# Through the network.
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM bigbrotr.coverage WHERE state = 'complete'"), 'the relay is read to its end');
my $good = value('SELECT count(*) FROM bigbrotr.event');
my $refused = value('SELECT sum(count) FROM bigbrotr.rejected_event');
cmp_ok($refused, '>', 0, 'forged events are refused as ever');
cmp_ok($good, '>', 40, 'the others are stored');
cmp_ok($good, '<', 60, 'without the forged ones');
is(value('SELECT count(*) FROM bigbrotr.event WHERE tags IS NULL AND content IS NULL AND sig IS NULL'), $good, 'light, all of them');
is(value("SELECT count(*) FROM bigbrotr.event WHERE octet_length(id) = 32 AND octet_length(pubkey) = 32"), $good, 'with id and author');
is(value('SELECT count(*) FROM bigbrotr.event_relay'), $good, 'and observations');

# Through SQL.
my $extra = generate_events(8, 2, 1710000000);
my @extra = split /\n/, slurp_file($extra);
my ($forged) = $extra[0] =~ s/"sig":"../"sig":"00/r;
is(ingest($forged), 'invalid', 'a forged event is refused');
is(ingest($extra[0]), 'new', 'a good one is stored');
is(ingest($extra[0]), 'duplicate', 'and known');
is(ingest($extra[0], "'wss://one.nostr.org'"), 'observed', 'and observed');
is(value("SELECT count(*) FROM bigbrotr.event WHERE created_at >= 1710000000 AND sig IS NULL AND tags IS NULL AND content IS NULL"), 1, 'light too');

# U+0000 in the content needs no flag when the content is not there.
my $nul = '{"id":"6b9497e93c9800cc121322271237be2d6b8c9f94b8d25439c7d32ee63cdf3e54","pubkey":"f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9","created_at":99999999999,"kind":30023,"tags":[["d",""],["x"]],"content":"nul \u0000 and \\\\ \"","sig":"b00aba031d3165b79258b3d1e3523d344b0e1f23a35216cd441e021299906c98f82f06426e497c3f465f0142822bb0bf1bb81ce314087f365ea66068d3889ef4"}';
is(ingest($nul), 'new', 'an event with U+0000');
is(value('SELECT bigbrotr.event_flags(e) IS NULL FROM bigbrotr.event AS e WHERE kind = 30023 AND created_at = 99999999999'), 't', 'has no flags');

# What cannot be given out any more.
my ($rc, $out, $err) = $node->psql('postgres', 'SELECT bigbrotr.event_json(e) FROM bigbrotr.event e LIMIT 1');
isnt($rc, 0, 'a light event has no JSON');
like($err, qr/event is stored without tags, content and signature/, 'the error says why');
like($err, qr/HINT:  It was archived with bigbrotr.archive = light/, 'and what to do');
is(value("SELECT count(bigbrotr.tag_first(tags, 'e')) FROM bigbrotr.event"), 0, 'tags are null, not wrong');

# To full: new events whole, in sessions and workers; the old ones stay.
sub switch_to
{
	my ($mode) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET bigbrotr.archive = $mode");
	$node->reload;
	return $node->poll_query_until('postgres', "SELECT current_setting('bigbrotr.archive') = '$mode'");
}
ok(switch_to('full'), 'full');
is(ingest($extra[1]), 'new', 'a new event');
is(value('SELECT bigbrotr.event_json(e) FROM bigbrotr.event e WHERE sig IS NOT NULL'), $extra[1], 'is whole');
is(ingest($extra[0]), 'duplicate', 'a light one is known');
is(value("SELECT count(*) FROM bigbrotr.event WHERE sig IS NOT NULL"), 1, 'and stays light');
my $second = generate_events(20, 3, 1720000000);
seed_relays($node, start_relay('--events', $second));
ok($node->poll_query_until('postgres', 'SELECT count(*) = 20 FROM bigbrotr.event WHERE created_at >= 1720000000 AND created_at < 99999999999'),
	'another relay is read');
is(value('SELECT count(bigbrotr.event_json(e)) FROM bigbrotr.event e WHERE created_at >= 1720000000 AND created_at < 99999999999'), 20, 'whole');

# And back.
ok(switch_to('light'), 'light again');
is(ingest($extra[2]), 'new', 'a new event');
is(ingest($extra[1]), 'duplicate', 'a whole one is known');
is(value("SELECT sig IS NULL FROM bigbrotr.event WHERE encode(id, 'hex') = '" . ($extra[2] =~ /"id":"(\w+)"/)[0] . "'"), 't', 'the new one is light');
is(value('SELECT count(bigbrotr.event_json(e)) FROM bigbrotr.event e WHERE sig IS NOT NULL'), 21, 'the whole ones stay whole');

$node->stop;
done_testing();
