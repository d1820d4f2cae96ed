package BigBrotr::Test;

# What the TAP tests share: a server with the extension, relays on loopback,
# generated events.  Everything that is started is ended by its own process
# id when the test ends.

use strict;
use warnings;
use Exporter 'import';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(bigbrotr_node generate_events start_relay stop_relay event_ids seed_relays);

my $root = $ENV{BB_ROOT} or die "BB_ROOT is not set: run the tests with make test";
my %relays;

# A running server with the extension in database "postgres".
sub bigbrotr_node
{
	my ($name, $conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', <<"CONF" . ($conf // ''));
shared_preload_libraries = 'bigbrotr'
max_worker_processes = 16
fsync = off
bigbrotr.databases = 'postgres'
bigbrotr.allow_networks = '127.0.0.0/8'
bigbrotr.clearnet_timeout = '5s'
bigbrotr.synchronizer_interval = '1s'
bigbrotr.synchronizer_overlap = '0'
bigbrotr.validator_interval = '1s'
CONF
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION bigbrotr');
	return $node;
}

# Makes a file of signed events; its path.
sub generate_events
{
	my ($count, $seed, $first) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/events.jsonl';
	my $out;
	IPC::Run::run(["$root/build/test/genevents", $count, $seed // 1, $first // 1700000000], '>', $file)
	  or die "genevents failed";
	return $file;
}

# Starts a relay; its address and a handle for stop_relay.
sub start_relay
{
	my (@args) = @_;
	my ($in, $out, $err) = ('', '', '');
	my $h = IPC::Run::start(["$root/build/test/relay", '--port', 0, @args],
		\$in, \$out, \$err, IPC::Run::timeout(180));
	IPC::Run::pump($h) until $out =~ /listening (\d+)/ or !$h->pumpable;
	$out =~ /listening (\d+)/ or die "relay did not start: $err";
	my $url = "ws://127.0.0.1:$1";
	$relays{$url} = $h;
	return $url;
}

sub stop_relay
{
	my ($url) = @_;
	my $h = delete $relays{$url} or return;
	$h->kill_kill(grace => 2);
	return;
}

sub seed_relays
{
	my ($node, @urls) = @_;
	my $values = join ',', map { "('$_')" } @urls;
	$node->safe_psql('postgres', "INSERT INTO bigbrotr.seed (url) VALUES $values");
	$node->safe_psql('postgres', "SELECT bigbrotr.run('seeder')");
	return;
}

# The sorted ids of a file of events.
sub event_ids
{
	my ($file) = @_;
	open my $f, '<', $file or die "$file: $!";
	my @ids = map { /"id":"([0-9a-f]{64})"/ ? $1 : () } <$f>;
	return join("\n", sort @ids);
}

END
{
	my $rc = $?;
	stop_relay($_) for keys %relays;
	$? = $rc;
}

1;
