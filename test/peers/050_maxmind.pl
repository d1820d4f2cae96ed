# MaxMind's own test databases: what they say of addresses, those that are
# broken or hostile, and a file that is replaced while the monitor runs.

use strict;
use warnings;
use File::Copy qw(copy move);
use IPC::Run ();
use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Utils;
use Socket;
use Test::More;
use BigBrotr::Frame;
use BigBrotr::Net;
use BigBrotr::Test;

my $data = "$ENV{BB_ROOT}/build/peers/maxmind";
my $city = "$data/test-data/GeoLite2-City-Test.mmdb";
my $asn = "$data/test-data/GeoLite2-ASN-Test.mmdb";

# Status of a look-up, its output decoded, and what it complained of.
sub look_up
{
	my ($c, $a, @addresses) = @_;
	my ($out, $err);
	IPC::Run::run(["$ENV{BB_ROOT}/build/test/geo_lookup", $c, $a, @addresses], \'', \$out, \$err, IPC::Run::timeout(60));
	return ($?, [map { decode_json($_) } split /\n/, $out], $err);
}

my ($status, $got) = look_up($city, $asn, '2.125.160.216', '1.128.0.1', '2001:218::1', '8.8.8.8');
is($status, 0, 'they open');
is_deeply([@{ $got->[0]{geo} }{qw(geo_city geo_country geo_postal geo_tz geo_hash)}],
	['Boxford', 'GB', 'OX1', 'Europe/London', 'gcpn7scc8'], 'a place');
is_deeply($got->[1]{net}, { net_ip => '1.128.0.1', net_asn => 1221, net_asn_org => 'Telstra Pty Ltd', net_network => '1.128.0.0/11' },
	'a network');
is($got->[2]{geo}{geo_country}, 'JP', 'IPv6');
is_deeply([@{ $got->[3] }{qw(geo net)}], [{}, { net_ip => '8.8.8.8' }], 'an address that is in neither');

# every database that there is, good or bad: used, or refused with a reason
my @files = sort(glob("$data/test-data/*.mmdb"), glob("$data/bad-data/*/*.mmdb"));
cmp_ok(scalar @files, '>=', 60, 'databases of all kinds');
my @refused;
for my $file (@files)
{
	my ($name) = $file =~ m{([^/]+)$};
	for my $as (['place', $file, ''], ['network', '', $file])
	{
		my ($kind, $c, $a) = @$as;
		my ($rc, undef, $err) = look_up($c, $a, '1.1.1.1', '1.1.1.3', '1.1.1.32', '2.125.160.216', '81.2.69.142',
			'::1.1.1.1', '2001:218::1', '::', '::1:ffff:ffff', '255.255.255.255');
		push @refused, $file if $rc == 2 << 8 && $kind eq 'place';
		ok($rc == 0 && $err eq '' || $rc == 2 << 8 && $err =~ /^cannot open MaxMind database ".*\Q$name\E": ./, "$name as $kind")
		  or diag("status $rc: $err");
	}
}
cmp_ok(scalar @refused, '>=', 5, 'some cannot be opened');

# bigbrotr-net goes on without one that it cannot open, and says so
for my $file (@refused)
{
	my ($name) = $file =~ m{([^/]+)$};
	socketpair(my $mine, my $its, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die $!;
	my $pid = fork // die $!;
	if ($pid == 0)
	{
		close $mine;
		POSIX::dup2(fileno($its), 3);
		exec "$ENV{BB_ROOT}/bigbrotr-net", '--worker' or POSIX::_exit(127);
	}
	close $its;
	syswrite $mine, frame('CONFIG', 0, pack('v', 1) . str('mmdb_city') . str($file)) . frame(31, 0);
	my ($warning, $pong) = ('', 0);
	while (my ($type, $job, $payload) = read_frame($mine))
	{
		$warning = substr($payload, 5) if $type == $TYPE{LOG} && ord($payload) == 2;
		$pong = 1, shutdown $mine, 1 if $type == 63;
	}
	waitpid $pid, 0;
	is("$? $pong", '0 1', "$name: the process goes on");
	like($warning, qr/cannot open MaxMind database/, "$name: and says so");
}

# the monitor: the file is replaced by another, then by a broken one
my $dir = PostgreSQL::Test::Utils::tempdir();
make_ca($dir, 'ca');
make_certificate($dir, 'relay', issuer => 'ca', extensions => "subjectAltName=DNS:relay.relays.net\n");
my ($port) = start_relay('--events', generate_events(5), '--tls', "$dir/relay") =~ /:(\d+)$/;
# the second address is in the databases; the first answers, so none is needed
my ($dns) = start_dns('relays.net. 60 IN SOA a.relays.net. b.relays.net. 1 60 60 60 60',
	'relay.relays.net. 60 IN A 127.0.0.1', 'relay.relays.net. 60 IN A 2.125.160.216');
sub put_database
{
	my ($file) = @_;
	copy($file, "$dir/new") && move("$dir/new", "$dir/city.mmdb") or die "copy: $!";
	return;
}
put_database($city);
my $node = bigbrotr_node('maxmind', <<"CONF");
bigbrotr.dns_servers = '$dns'
bigbrotr.ca_file = '$dir/ca.crt'
bigbrotr.monitor_city_file = '$dir/city.mmdb'
bigbrotr.monitor_interval = '1h'
bigbrotr.synchronizer_interval = 0
bigbrotr.validator_interval = 0
CONF
my $url = "wss://relay.relays.net:$port";
$node->safe_psql('postgres', "INSERT INTO bigbrotr.relay (url, network) VALUES ('$url', 'clearnet')");
$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM bigbrotr.relay_monitor WHERE checked_at IS NOT NULL')
  or die 'the relay was not checked';

# Checks again until the place has, or has not, this field.
sub place_becomes
{
	my ($sql, $what) = @_;
	ok(wait_for(sub {
		$node->safe_psql('postgres', "SELECT count(*) FROM bigbrotr.check('$url')");
		return $node->safe_psql('postgres', "SELECT $sql FROM bigbrotr.relay_metadata_latest WHERE relay_url = '$url' AND metadata_type = 'nip66_geo'") eq 't';
	}), $what);
	return;
}
place_becomes("data #>> '{data,geo_city}' = 'Boxford'", 'the monitor knows the place');
put_database("$data/test-data/GeoLite2-Country-Test.mmdb");
place_becomes("data #>> '{data,geo_city}' IS NULL AND data #>> '{data,geo_country}' = 'GB'", 'a file that is replaced is read');
put_database($refused[0]);
ok($node->wait_for_log(qr/cannot open MaxMind database/), 'a broken one is refused');
my $checks = $node->safe_psql('postgres', 'SELECT checks FROM bigbrotr.relay_monitor');
$node->safe_psql('postgres', "SELECT count(*) FROM bigbrotr.check('$url')");
is($node->safe_psql('postgres', "SELECT checks > $checks, failure IS NULL FROM bigbrotr.relay_monitor"), 't|t', 'and checks go on');

$node->stop;
done_testing();
