# The command line of bigbrotr-net: what it cannot use it names, and status 2.

use strict;
use warnings;
use IPC::Run ();
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Net;
use BigBrotr::Test;

my $relay = 'ws://127.0.0.1:1';
my @allow = ('--allow', '127.0.0.0/8');
my @cases = (
	[[], qr/^Usage:/m],
	[['frob'], qr/unknown command frob/],
	[['check'], qr/address of the relay is missing/],
	[['check', ''], qr/empty/],
	[['check', 'relay.nostr.org'], qr/does not start with ws/],
	[['check', 'https://relay.nostr.org'], qr/not ws or wss/],
	[['sync', 'wss://localhost'], qr/special/],
	[['sync', 'wss://10.0.0.1'], qr/not a public one/],
	[['check', $relay, '--allow'], qr/a value is missing after --allow/],
	[['check', $relay, '--allow', '127.0.0.1/8'], qr{--allow takes networks .*not 127.0.0.1/8}],
	[['check', $relay, @allow, '--colour', 'red'], qr/unknown option --colour/],
	[['check', $relay, @allow, '--since', '5'], qr/unknown option --since/],
	[['check', $relay, @allow, '--timeout', '0'], qr/--timeout takes milliseconds, not 0/],
	[['check', $relay, @allow, '--pow', '99'], qr/--pow takes a number of bits, not 99/],
	[['check', $relay, @allow, '--proxy', 'http://127.0.0.1:1'], qr{--proxy takes socks5h://HOST:PORT, not http:}],
	[['check', $relay, @allow, '--key', '/nonexistent'], qr{not a usable key file: /nonexistent}],
	[['check', $relay, @allow, '--city', '/nonexistent'], qr{cannot open MaxMind database "/nonexistent"}],
	[['check', $relay, @allow, '--ca', '/nonexistent'], qr/could not read the CA certificates/],
	[['validate', $relay, @allow, '--key', '/nonexistent'], qr/unknown option --key/],
	[['sync', $relay, @allow, '--negentropy', '/nonexistent'], qr/cannot read the file of events/],
	[['sync', $relay, @allow, '--since', 'yesterday'], qr/--since takes seconds since 1970, not yesterday/],
	[['sync', $relay, @allow, '--since', '1.5'], qr/--since/],
	[['sync', $relay, @allow, '--since', '-1'], qr/--since/],
	[['sync', $relay, @allow, '--since', '99999999999999999999'], qr/--since/],
	[['sync', $relay, @allow, '--since', ''], qr/--since/],
	[['sync', $relay, @allow, '--limit', '0'], qr/--limit takes a number of events, not 0/],
	[['sync', $relay, @allow, '--limit', '-5'], qr/--limit/],
	[['sync', $relay, @allow, '--limit', '10 events'], qr/--limit/],
);
for my $case (@cases)
{
	my ($args, $why) = @$case;
	my ($status, $out, $err) = run_net(@$args);
	is($status, 2, "status of '@$args'");
	like($err, $why, "reason for '@$args'");
	is($out, '', "nothing for '@$args'");
}
for my $fd ('3<&-', '3</dev/null')
{
	my $err;
	IPC::Run::run(['sh', '-c', "exec $ENV{BB_ROOT}/bigbrotr-net --worker $fd"], '2>', \$err, IPC::Run::timeout(60));
	is($? >> 8, 2, "--worker with $fd");
	like($err, qr/descriptor 3 is not a socket/, "reason for --worker with $fd");
}
my ($status, $out) = run_net('--help');
is($status, 0, '--help is no error');
like($out, qr/^Usage:\n  bigbrotr-net validate/m, 'and goes to stdout');
($status, $out) = run_net('sync', '--help');
is($status, 0, 'nor is it behind a command');
($status, $out) = run_net('validate', $relay, @allow);
is($status, 1, 'a relay that does not answer is another status');
like($out, qr/^no relay: .*connect/, 'with the reason');

my $file = generate_events(3);
my $url = start_relay('--events', $file);
($status, $out) = run_net('sync', $url, @allow, '--limit', '2');
is(scalar(() = $out =~ /^\{"id"/mg), 2, 'no more events than asked for');
is($status, 0, 'which is a good end');
($status, $out) = run_net('validate', $url, @allow);
is($status, 0, 'a relay is one');
like($out, qr/^relay: /, 'and called so');

# check: all that a monitor would keep, as one JSON object
my $key = PostgreSQL::Test::Utils::tempdir() . '/key';
append_to_file($key, ('0' x 63) . "5\n");
chmod 0600, $key;
($status, $out) = run_net('check', $url, @allow, '--key', $key);
my $check = decode_json($out);
is($status, 0, 'check: it opened');
is_deeply([sort keys %{ $check->{documents} }], [qw(nip11_info nip66_http nip66_net nip66_rtt)], 'its documents');
is($check->{documents}{nip11_info}{data}{name}, 'scripted relay', 'what they say');
is_deeply([sort keys %{ $check->{microseconds} }], [qw(nip11 open read tcp upgrade write)], 'its times: no name, no TLS');
ok($check->{write_stored}, 'the event was stored');
is("$check->{failure} $check->{address} $check->{nip11_status}", 'ok 127.0.0.1 200', 'the rest');
($status, $out) = run_net('check', $relay, @allow);
$check = decode_json($out);
is($status, 1, 'check: it did not open');
like("$check->{failure}: $check->{reason}", qr/^connect_(refused|failed): ./, 'and why');
is_deeply([$check->{documents}{nip66_rtt}{logs}{read_success}, $check->{microseconds}], [JSON::PP::false, {}],
	'nothing was measured');

done_testing();
