# Relays at which bigbrotr-net dies at once, each time: they are put off, all
# others are served.

use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $total = 3000;
my $events = generate_events($total, 21);
my @good = map { start_relay('--events', $events, '--delay_ms', 100) } 1 .. 3;
my $node = bigbrotr_node('main', <<'CONF');
bigbrotr.synchronizer_page = 100
bigbrotr.synchronizer_slice = '2s'
CONF
my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
my @killers;

# An address; who connects there from this service is killed.
sub poison
{
	my ($service) = @_;
	my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 8) or die $!;
	my $killer = fork // die $!;
	if ($killer == 0)
	{
		while (my $client = $server->accept)
		{
			kill 'KILL', map { net_pids($_) } split ' ', `pgrep -P $postmaster -f 'bigbrotr $service'`;
		}
		POSIX::_exit(0);
	}
	push @killers, $killer;
	return 'ws://127.0.0.1:' . $server->sockport;
}

my $relay = poison('synchronizer');
my $candidate = poison('validator');
my $checked = poison('monitor');
$node->safe_psql('postgres',
	"INSERT INTO bigbrotr.relay (url, network, discovered_at) VALUES ('$relay', 'clearnet', 0)");
ok($node->poll_query_until('postgres',
		"SELECT failure = 'process_lost' AND next_sync_at > now() FROM bigbrotr.relay WHERE url = '$relay'"),
	'a relay at which bigbrotr-net ends is put off');

$node->safe_psql('postgres',
	"INSERT INTO bigbrotr.relay (url, network, discovered_at, excluded) VALUES ('$checked', 'clearnet', 0, false); SELECT bigbrotr.run('monitor')");
ok($node->poll_query_until('postgres',
		"SELECT m.failure = 'process_lost' AND m.next_check_at > now() FROM bigbrotr.relay_monitor AS m JOIN bigbrotr.relay AS r ON r.id = m.relay_id WHERE r.url = '$checked'"),
	'so is one that is checked');
$node->safe_psql('postgres', "DELETE FROM bigbrotr.relay WHERE url = '$checked'");

# Beside others.
seed_relays($node, $candidate, @good);
ok($node->poll_query_until('postgres',
		"SELECT failure = 'process_lost' AND next_attempt_at > now() FROM bigbrotr.candidate WHERE url = '$candidate'"),
	'so is such a candidate');
$node->safe_psql('postgres', "UPDATE bigbrotr.candidate SET next_attempt_at = now() WHERE url <> '$candidate'");
ok($node->poll_query_until('postgres', 'SELECT count(*) = 4 FROM bigbrotr.relay'), 'the others become relays');
# Those that were in flight with it by chance need not wait for their turn here.
ok(wait_for(sub {
		$node->safe_psql('postgres', <<"SQL");
UPDATE bigbrotr.relay SET next_sync_at = now() WHERE failure = 'process_lost' AND url <> '$relay';
SELECT bigbrotr.run('synchronizer');
SQL
		$node->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.observation') == 3 * $total;
	}), 'and are served, although it is tried again');
is($node->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.event'), $total, 'every event once');

END
{
	my $rc = $?;
	kill 'TERM', @killers;
	waitpid $_, 0 for @killers;
	$? = $rc;
}

$node->stop;
done_testing();
