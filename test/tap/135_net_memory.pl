# bigbrotr-net with less and less address space than a job needs: it ends with
# the status that says so, never by a signal, and with enough it delivers all.

use strict;
use warnings;
use POSIX ();
use Socket;
use Test::More;
use BigBrotr::Frame;
use BigBrotr::Test;

my $count = 10000;
my $url = start_relay('--events', generate_events($count));
my $config = frame('CONFIG', 0, pack('v', 1) . str('allow_networks') . str('127.0.0.0/8'));
my $sync = frame('SYNC', 1, str($url) . str('{}') . pack('V8CCQ<v', 60000, 0, 0, 500, 0, 0, 0, 0, 0, 0, 0, 1)
	  . pack('q<q<C', 0, 9223372036854775807, 0));

# The wait status, the warnings and how many events came.
sub run_with
{
	my ($mb) = @_;
	socketpair(my $mine, my $its, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die $!;
	my $pid = fork // die $!;
	if ($pid == 0)
	{
		close $mine;
		POSIX::dup2(fileno($its), 3);
		exec 'sh', '-c', 'ulimit -v ' . $mb * 1024 . "; exec $ENV{BB_ROOT}/bigbrotr-net --worker 2>/dev/null"
		  or POSIX::_exit(127);
	}
	close $its;
	local $SIG{PIPE} = 'IGNORE';
	local $SIG{ALRM} = sub { kill 'KILL', $pid };
	alarm 120;
	syswrite $mine, $config . $sync;
	my ($events, $said) = (0, 0);
	while (my ($type, $job, $payload) = read_frame($mine))
	{
		if ($type == $TYPE{OFFER})
		{
			my ($seq, undef, $n) = unpack('Vq<v', $payload);
			syswrite $mine, frame('ANSWER', 1, pack('Vv', $seq, $n) . str("\xff" x int(($n + 7) / 8)));
		}
		$events += unpack('x8v', $payload) if $type == $TYPE{EVENTS};
		$said++ if $type == $TYPE{LOG};
		shutdown $mine, 1 if $type == $TYPE{RESULT};
	}
	waitpid $pid, 0;
	alarm 0;
	return ($?, $said, $events);
}

my ($mb, %seen, @odd) = (36);
my ($status, $said, $events);
for (; $mb < 1024; $mb += $mb < 100 ? 1 : 50)
{
	($status, $said, $events) = run_with($mb);
	last if $status == 0;
	$seen{ $status >> 8 }++;
	# 2: it could say why; 4: memory; 127: not even started
	push @odd, "$mb MB: wait status $status, $said lines"
	  if $status & 127 || !($status >> 8 == 4 || $status >> 8 == 127 || ($status >> 8 == 2 && $said == 1));
}
is(join("\n", @odd), '', 'it ends by itself and says why');
cmp_ok($seen{4} // 0, '>', 0, 'with the status for memory');
is($status, 0, "with $mb MB it works");
is($events, $count, 'and delivers everything');

done_testing();
