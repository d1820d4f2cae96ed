# bigbrotr-net as seen by its worker: programs that do not start, end at once,
# say nothing, hang; losses of one that works.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $relay = start_relay('--events', generate_events(2000, 4));
# Long intervals: what is shown here must not depend on the next look.
my $node = bigbrotr_node('main', <<"CONF");
bigbrotr.synchronizer_interval = '1h'
bigbrotr.validator_interval = '1h'
CONF

sub program
{
	my ($name, $text) = @_;
	append_to_file("$dir/$name", "#!/bin/sh\n$text\n");
	chmod 0755, "$dir/$name";
	return "$dir/$name";
}

# Waits for one loss after another of the synchronizer's; the seconds that each
# announces.
my $pid;
sub losses
{
	my ($why, $count, $offset) = @_;
	my @seconds;
	wait_for(sub {
		@seconds = slurp_file($node->logfile, $offset) =~ /\[$pid\] LOG: +bigbrotr-net was lost: $why; restarting it in (\d+) s/g;
		@seconds >= $count;
	});
	return join ' ', @seconds[ 0 .. $count - 1 ];
}

# The validator's child stops working; what its worker does is seen below.
seed_relays($node, 'ws://127.0.0.1:1');
ok($node->poll_query_until('postgres', 'SELECT attempts = 1 FROM bigbrotr.candidate'), 'the validator works');
my $validator = worker_pid($node, 'validator');
my ($stopped) = net_pids($validator);
kill 'STOP', $stopped;

# The synchronizer's is lost, and the next one is missing.
$pid = wait_for(sub { worker_pid($node, 'synchronizer') });
my $child = wait_for(sub { (net_pids($pid))[0] });
set_conf($node, 'bigbrotr.net_program' => "$dir/missing");
wait_log($node, qr/parameter "bigbrotr.net_program" changed to/, 0);
kill 'KILL', $child;
like(losses('it (?:ended|closed its socket)', 1, 0), qr/^1$/, 'a loss');
like(slurp_file($node->logfile), qr/DETAIL: .*signal 9/, 'how it ended is in the log');
# the reload may come a moment later than the signal, and begins anew
like(losses('it could not be started', 3, 0), qr/^(?:1 2 4|2 4 8)$/, 'a program that is missing: back-off');
like(slurp_file($node->logfile), qr/could not start ".*missing": No such file.*HINT: +Install bigbrotr-net/s,
	'with a hint');

my $offset = -s $node->logfile;
set_conf($node, 'bigbrotr.net_program' => program('ends', 'exit 1'));
is(losses('it (?:ended|closed its socket)', 4, $offset), '1 2 4 8',
	'a program that ends at once: a reload begins anew, then back-off');

$offset = -s $node->logfile;
set_conf($node, 'bigbrotr.net_program' => program('silent', 'exec /bin/sleep 600'));
is(losses('it does not answer', 1, $offset), '1', 'a program that says nothing');

$offset = -s $node->logfile;
set_conf($node, 'bigbrotr.net_program' => program('nonsense', 'exec 1>&3; echo nonsense nonsense nonsense; exec /bin/sleep 600'));
is(losses('it sent a malformed frame.*?', 1, $offset), '1', 'one that speaks nonsense');

# The real one.  A loss is made good at once, however long the interval.
set_conf($node, 'bigbrotr.net_program' => '');
$child = wait_for(sub { (net_pids($pid))[0] });
ok($child, 'the real one starts');
# who freezes all processes of a machine and lets them go on continues it, too
ok(wait_for(sub {
	slurp_file($node->logfile) =~ /\[$validator\] LOG: +bigbrotr-net was lost: it hangs; restarting it in 1 s/ and return 1;
	kill 'STOP', $stopped;
	return 0;
}), 'one that hangs is replaced');
ok(!kill(0, $stopped), 'and ended');
is(worker_pid($node, 'validator'), $validator, 'by the same worker');
seed_relays($node, $relay);
ok($node->poll_query_until('postgres', 'SELECT count(*) = 2000 FROM bigbrotr.event'), 'and works');
$offset = -s $node->logfile;
for my $n (1 .. 4)
{
	$child = wait_for(sub { my ($new) = net_pids($pid); $new && $new != $child ? $new : undef }) if $n > 1;
	# as long as it was waited for, and a bit
	select undef, undef, undef, 1.2;
	kill 'KILL', $child;
}
is(losses('it (?:ended|closed its socket)', 4, $offset), '1 1 1 1', 'one that worked for a while comes back after the shortest wait');
$node->safe_psql('postgres', 'UPDATE bigbrotr.relay SET next_sync_at = now(); DELETE FROM bigbrotr.coverage');
ok($node->poll_query_until('postgres', 'SELECT count(*) > 0 FROM bigbrotr.coverage'),
	'a new child gets its jobs as soon as it is there');
is(worker_pid($node, 'synchronizer'), $pid, 'all of this in one worker');

$node->stop;
done_testing();
