# bigbrotr-net and frames that no worker would send: it ends, and its last
# frame says why.

use strict;
use warnings;
use POSIX ();
use Socket;
use Test::More;
use BigBrotr::Frame;

my $program = "$ENV{BB_ROOT}/bigbrotr-net";

sub setting { return str($_[0]) . str($_[1]) }
my $config = frame('CONFIG', 0, pack('v', 1) . setting('allow_networks', '127.0.0.0/8'));
my $url = str('ws://127.0.0.1:1');
my $no_windows = str('{}') . pack('V8CCQ<v', 1000, 0, 0, 500, 0, 0, 0, 0, 0, 0, 0, 0);

sub window { return pack('q<q<C', @_) }
sub sync { return frame('SYNC', 1, $url . $_[0]) }

# Sends bytes to a fresh process; its exit status, the warnings it logged and
# whether it said HELLO.
sub feed
{
	my ($bytes, $close) = @_;
	socketpair(my $mine, my $its, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die $!;
	my $pid = fork // die $!;
	if ($pid == 0)
	{
		close $mine;
		POSIX::dup2(fileno($its), 3);
		exec $program, '--worker' or POSIX::_exit(127);
	}
	close $its;
	local $SIG{PIPE} = 'IGNORE';
	syswrite $mine, $bytes;
	shutdown $mine, 1 if $close;
	my ($hello, @warnings) = (0);
	local $SIG{ALRM} = sub { kill 'KILL', $pid };
	alarm 60;
	while (my ($type, $job, $payload) = read_frame($mine))
	{
		$hello = 1 if $type == $TYPE{HELLO};
		push @warnings, substr($payload, 5) if $type == $TYPE{LOG} && ord($payload) == 2;
	}
	waitpid $pid, 0;
	alarm 0;
	return ($?, \@warnings, $hello);
}

my @cases = (
	['a length beyond the bound', pack('VvvV', 24 * 1024 * 1024 + 1, 1, 0, 0), qr/malformed frame/],
	['a length of -1', "\xff" x 12, qr/malformed frame/],
	['bits that must be zero', pack('VvvV', 0, 1, 1, 0), qr/malformed frame/],
	['text instead of frames', "GET / HTTP/1.1\r\nHost: x\r\n\r\n", qr/malformed frame/],
	['a job before CONFIG', frame('VALIDATE', 1, $url), qr/frame before CONFIG/],
	['an empty CONFIG', frame('CONFIG', 0), qr/malformed CONFIG/],
	['a CONFIG that is cut', frame('CONFIG', 0, pack('v', 2) . setting('insecure_tls', 'on')), qr/CONFIG|unknown or has a bad value/],
	['a CONFIG with more', frame('CONFIG', 0, pack('v', 0) . 'x'), qr/malformed CONFIG/],
	['a setting that is unknown', frame('CONFIG', 0, pack('v', 1) . setting('colour', 'red')), qr/setting "colour" is unknown/],
	['a setting of no network', frame('CONFIG', 0, pack('v', 1) . setting('moon.enabled', 'on')), qr/setting "moon.enabled" is unknown/],
	['a setting with a bad value', frame('CONFIG', 0, pack('v', 1) . setting('max_message_size', '-1')), qr/setting "max_message_size"/],
	['a setting with a long name', frame('CONFIG', 0, pack('v', 1) . setting('x' x 65, '')), qr/unknown or has a bad value|malformed CONFIG/],
	['a file that does not exist', frame('CONFIG', 0, pack('v', 1) . setting('ca_file', '/nonexistent')), qr/could not read the CA certificates/],
	['an unknown type', $config . frame(999, 0), qr/unknown frame/],
	['a frame of the other direction', $config . $HELLO, qr/unknown frame/],
	['a VALIDATE without a job', $config . frame('VALIDATE', 0, $url), qr/malformed VALIDATE/],
	['a VALIDATE without an address', $config . frame('VALIDATE', 1), qr/malformed VALIDATE/],
	['a VALIDATE with a long address', $config . frame('VALIDATE', 1, str('wss://' . 'x' x 2048)), qr/malformed VALIDATE/],
	['a VALIDATE with more', $config . frame('VALIDATE', 1, $url . 'x'), qr/malformed VALIDATE/],
	['two jobs of one number', $config . frame('VALIDATE', 1, $url) . sync($no_windows), qr/malformed SYNC/],
	['a SYNC that is cut', $config . sync(substr $no_windows, 0, 20), qr/malformed SYNC/],
	['a SYNC with more', $config . sync($no_windows . 'x'), qr/malformed SYNC/],
	['a SYNC with a long filter', $config . sync(str('x' x 65537) . substr $no_windows, 6), qr/malformed SYNC/],
	['a SYNC with too many windows', $config . sync(substr($no_windows, 0, -2) . pack('v', 257) . window(1, 2, 0) x 257), qr/malformed SYNC/],
	['a SYNC with fewer windows than it says', $config . sync(substr($no_windows, 0, -2) . pack('v', 2) . window(1, 2, 0)), qr/malformed SYNC/],
	['a window that ends before it begins', $config . sync(substr($no_windows, 0, -2) . pack('v', 1) . window(2, 1, 0)), qr/malformed SYNC/],
	['a window without a purpose', $config . sync(substr($no_windows, 0, -2) . pack('v', 1) . window(1, 2, 9)), qr/malformed SYNC/],
	['an ANSWER that is cut', $config . frame('ANSWER', 7, 'x'), qr/malformed ANSWER/],
	['an ANSWER with a long bitmap', $config . frame('ANSWER', 7, pack('Vv', 1, 1) . str("\0" x 257)), qr/malformed ANSWER/],
	['an ANSWER to no offer', $config . sync(substr($no_windows, 0, -2) . pack('v', 1) . window(1, 2, 0)) . frame('ANSWER', 1, pack('Vv', 1, 1) . str("\1")), qr/malformed ANSWER/],
	['a SET that is cut', $config . frame('SET', 7, 'x'), qr/malformed ANSWER or SET/],
	['a CANCEL with more', $config . frame('CANCEL', 1, 'x'), qr/malformed CANCEL/],
);
for my $case (@cases)
{
	my ($name, $bytes, $why) = @$case;
	my ($status, $warnings) = feed($bytes);
	my $exit = $status & 127 ? "signal $status" : $status >> 8;
	like($exit, qr/^[23]$/, "$name: it ends by itself");
	is(scalar @$warnings, 1, "$name: it says one thing");
	like($warnings->[0] // '', $why, "$name: why");
}

# What is not malformed.
my ($status, $warnings, $hello) = feed($config, 1);
is($status, 0, 'the end of the worker is a good end');
is_deeply([$hello, @$warnings], [1], 'after HELLO, without a word');
($status) = feed('', 1);
is($status, 0, 'also before CONFIG');
($status) = feed(substr($config, 0, 9), 1);
is($status, 0, 'also in the middle of a frame');
($status, $warnings) = feed($config . frame('CANCEL', 5) . frame('ANSWER', 5, pack('Vv', 1, 1) . str("\1")), 1);
is($status, 0, 'answers to a job that is over are late, not malformed');
is_deeply($warnings, [], 'and no word about them');

done_testing();
