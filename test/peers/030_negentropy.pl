# A relay that no one here wrote and that speaks NIP-77: what it gets after
# our pass, dated before it, is found by reconciliation, for a small part of
# the bytes that reading it again would take.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;
use Peers;

my $old = generate_events(10000, 51);
my $late = generate_events(100, 52, 1690000000);
my $relay = start_peer('nostr-relay-builder');
my $proxy = count_bytes($relay);

like(publish($relay, $old), qr/\Aaccepted 10000 refused 0\z/, 'the relay is filled');
my $before = held($relay, $old);
my $count = () = $before =~ /^[0-9a-f]{64}$/mg;

my $node = bigbrotr_node('neg', "bigbrotr.synchronizer_recheck = 0\nbigbrotr.synchronizer_tail = 0\n");
seed_relays($node, $proxy);
ok($node->poll_query_until('postgres', "SELECT count(*) = $count FROM bigbrotr.event"), "$count events arrive");
ok($node->poll_query_until('postgres',
		"SELECT count(*) > 0 FROM bigbrotr.coverage WHERE state = 'complete' AND lower(range) = 0"),
	'coverage is proven down to the beginning');
my $whole = bytes_counted($proxy);

like(publish($relay, $late), qr/\Aaccepted 100 refused 0\z/, 'older events reach the relay late');
my $truth = join "\n", sort split /\n/, held($relay, $old) . "\n" . held($relay, $late);
my $now = () = $truth =~ /^[0-9a-f]{64}$/mg;
cmp_ok($now, '>', $count + 50, 'it keeps most of them');

$node->append_conf('postgresql.conf', "bigbrotr.synchronizer_recheck = '1s'\n");
$node->reload;
ok($node->poll_query_until('postgres', "SELECT count(*) >= $now FROM bigbrotr.event"), 'all of them are found');
my $again = bytes_counted($proxy) - $whole;
is($node->safe_psql('postgres',
		"SELECT encode(id, 'hex') FROM bigbrotr.event WHERE encode(id, 'hex') = ANY (string_to_array('$truth', E'\\n')) ORDER BY 1"),
	$truth, 'ids equal what the relay holds');
is($node->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.event e WHERE NOT bigbrotr.event_verify(bigbrotr.event_json(e))'),
	'0', 'every id and signature verifies again');
is($node->safe_psql('postgres', 'SELECT negentropy FROM bigbrotr.relay'), 't', 'by negentropy');
cmp_ok($again, '<=', 0.03 * $whole, "for $again bytes after $whole");

$node->safe_psql('postgres', 'DELETE FROM bigbrotr.coverage');
ok($node->poll_query_until('postgres',
		"SELECT count(*) > 0 FROM bigbrotr.coverage WHERE proof = 'nip77' AND lower(range) = 0"),
	'what was forgotten of the coverage is proved by reconciliation alone');
done_testing();
