package Peers;

# Relays and clients that others wrote, as test/peers/setup put them into
# build/peers.  All on loopback; everything started here ends with the test.

use strict;
use warnings;
use Exporter 'import';
use IO::Socket::INET;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(peer_relays start_peer stop_peer publish held fetch ask_client peer_clients
  count_bytes bytes_counted);

my $peers = "$ENV{BB_ROOT}/build/peers";
my (%running, %io);

# How each relay is started.
my %relay = (
	'nostr-relay-builder' => sub { return run_listening("$peers/rust/target/release/relay") },
	'nostr-relay-builder with NIP-42' => sub { return run_listening("$peers/rust/target/release/relay", 'auth') },
	'@nostr-relay' => sub { return run_listening('node', "$peers/js/relay.js") },
	'khatru' => sub { return run_listening("$peers/khatru/relay", PostgreSQL::Test::Utils::tempdir()) },
	'nostr-rs-relay' => \&start_rs_relay);

my %client = (
	'nostr (Rust)' => ["$peers/rust/target/release/client"],
	'nostr-tools (JavaScript)' => ['node', "$peers/js/client.js"],
	'pynostr (Python)' => ["$peers/python/bin/python", "$peers/python/client.py"],
	'go-nostr (Go)' => ["$peers/go/client"]);

# Those that take events from anybody.
sub peer_relays { return grep { !/NIP-42/ } sort keys %relay }
sub peer_clients { return sort keys %client }

# Its address; undef for one that setup could not build and said so.
sub start_peer
{
	my ($name) = @_;
	return if $name eq 'nostr-rs-relay' && !-x "$peers/rs-relay/bin/nostr-rs-relay";
	return $relay{$name}->();
}

sub stop_peer
{
	my ($url) = @_;
	my $h = delete $running{$url} or return;
	$h->kill_kill(grace => 2);
	return;
}

# A program that says "listening PORT"; its address.
sub run_listening
{
	my (@command) = @_;
	my $io = { in => '', out => '', err => '' };
	my $h = IPC::Run::start(\@command, '<', \$io->{in}, '>', \$io->{out}, '2>', \$io->{err},
		IPC::Run::timeout(600));
	IPC::Run::pump($h) until $io->{out} =~ /listening (\d+)\n/ or !$h->pumpable;
	$io->{out} =~ s/listening (\d+)\n// or die "@command did not start: $io->{err}";
	$running{"ws://127.0.0.1:$1"} = $h;
	$io{"ws://127.0.0.1:$1"} = $io;
	return "ws://127.0.0.1:$1";
}

# A second address of a relay, which counts the bytes that the relay sends.
sub count_bytes
{
	my ($url) = @_;
	my ($port) = $url =~ /:(\d+)$/;
	return run_listening($^X, "$ENV{BB_ROOT}/test/peers/counting_proxy", $port);
}

sub bytes_counted
{
	my ($url) = @_;
	$io{$url}{in} .= "?\n";
	IPC::Run::pump($running{$url}) until $io{$url}{out} =~ s/^(\d+)\n//;
	return $1;
}

sub start_rs_relay
{
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $dir = PostgreSQL::Test::Utils::tempdir();
	append_to_file("$dir/config.toml", <<"CONF");
[info]
relay_url = "ws://127.0.0.1:$port/"
[network]
address = "127.0.0.1"
port = $port
[database]
data_directory = "$dir"
[limits]
messages_per_sec = 0
subscriptions_per_min = 0
CONF
	my $log = "$dir/relay.log";
	my $h = IPC::Run::start(["$peers/rs-relay/bin/nostr-rs-relay", '--config', "$dir/config.toml"],
		'<', \undef, '>', $log, '2>&1');
	for (1 .. 600)
	{
		last if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
		die 'nostr-rs-relay did not start: ' . slurp_file($log) if !$h->pumpable && $_ > 5;
		select undef, undef, undef, 0.1;
	}
	$running{"ws://127.0.0.1:$port"} = $h;
	return "ws://127.0.0.1:$port";
}

# Publishes a file of events; what the relay said of them.
sub publish
{
	my ($url, $file) = @_;
	return client_output($file, 'node', "$peers/js/publish.js", 'publish', $url);
}

# The sorted ids of those events in the file that the relay serves by id.
sub held
{
	my ($url, $file) = @_;
	return client_output($file, 'node', "$peers/js/publish.js", 'held', $url);
}

# The events of NIP-66 of that author, as fetch.js prints them.
sub fetch
{
	my ($url, $pubkey) = @_;
	return client_output(\undef, 'node', "$peers/js/fetch.js", $url, $pubkey);
}

# What a client says to "check" or "make"; see README.md.
sub ask_client
{
	my ($name, $verb, $file) = @_;
	return client_output($file, @{ $client{$name} }, $verb);
}

sub client_output
{
	my ($file, @command) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run(\@command, '<', $file, '>', \$out, '2>', \$err) or die "@command failed: $err";
	chomp $out;
	return $out;
}

END
{
	my $rc = $?;
	stop_peer($_) for keys %running;
	$? = $rc;
}

1;
