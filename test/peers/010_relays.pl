# Relays that no one here wrote: everything they serve is archived, once; a
# restart and a whole second pass add nothing and lose nothing.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;
use Peers;

# Some are replaceable or deletions: which stay is the relay's affair, and it
# is asked for each by id.
my $events = generate_events(8000, 41);
my $seed = 0;

for my $name (peer_relays())
{
	my $url = start_peer($name);
	if (!defined $url)
	{
	  SKIP: { skip "$name was not built", 1 }
		next;
	}
	my ($accepted) = publish($url, $events) =~ /\Aaccepted (\d+) refused 0\z/;
	is($accepted, 8000, "$name accepts every generated event");
	my $truth = held($url, $events);
	my $count = () = $truth =~ /^[0-9a-f]{64}$/mg;
	cmp_ok($count, '>=', 5000, "$name holds $count events");

	my $node = bigbrotr_node('archive' . ++$seed);
	seed_relays($node, $url);
	my $passed = "SELECT count(*) > 0 FROM bigbrotr.coverage WHERE state = 'complete' AND lower(range) = 0";
	ok($node->poll_query_until('postgres', "SELECT count(*) = $count FROM bigbrotr.event"), "$name: all arrive");
	ok($node->poll_query_until('postgres', $passed), "$name: coverage is proven down to the beginning");

	my $check = sub {
		my ($when) = @_;
		is($node->safe_psql('postgres', "SELECT encode(id, 'hex') FROM bigbrotr.event ORDER BY 1"),
			$truth, "$name: ids equal the relay's, $when");
		is($node->safe_psql('postgres',
				'SELECT count(*), count(*) FILTER (WHERE bigbrotr.event_verify(bigbrotr.event_json(e))) FROM bigbrotr.event e'),
			"$count|$count", "$name: every id and signature verifies again, $when");
		is($node->safe_psql('postgres',
				'SELECT count(*), count(DISTINCT key), count(DISTINCT relay_id) FROM bigbrotr.observation'),
			"$count|$count|1", "$name: each is observed once, $when");
		is($node->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.rejected_event'),
			'0', "$name: nothing was refused, $when");
	};
	$check->('after the first pass');

	# the second run: a new server process that no longer knows what was covered
	$node->stop;
	$node->append_conf('postgresql.conf', 'bigbrotr.databases = \'\'');
	$node->start;
	$node->safe_psql('postgres', 'DELETE FROM bigbrotr.coverage');
	$node->append_conf('postgresql.conf', 'bigbrotr.databases = \'postgres\'');
	$node->restart;
	ok($node->poll_query_until('postgres', $passed), "$name: a second pass reaches the beginning");
	$check->('after the second pass');
	$node->stop;
	stop_peer($url);
}
done_testing();
