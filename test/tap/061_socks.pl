# Overlay relays through a SOCKS5 proxy that others wrote (microsocks), from
# the command line and by the monitor: the proxy gets the names, the name
# server does not; and clearnet names never go to the proxy.

use strict;
use warnings;
use IO::Socket::INET;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Net;
use BigBrotr::Test;

my $l52 = 'a' x 51 . 'o';
my %name = (
	tor => 'duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion',
	i2p => 'relay.i2p',
	loki => "$l52.loki");

my $dir = PostgreSQL::Test::Utils::tempdir();
my $events = generate_events(20);
my ($port) = start_relay('--events', $events) =~ /:(\d+)$/;

# The proxy resolves these names itself, as that of a network does.
append_to_file("$dir/hosts", join '', map { "127.0.0.1 $_\n" } values %name);
my ($nss) = grep { -e } map { "$_/libnss_wrapper.so" } '/usr/lib/x86_64-linux-gnu', glob('/usr/lib/*'), '/usr/lib64';
my @with_names = ('env', "LD_PRELOAD=$nss", "NSS_WRAPPER_HOSTS=$dir/hosts");
my $proxy_port = free_port();

sub start_proxy
{
	my (@more) = @_;
	my $p = start_program(undef, @with_names, 'microsocks', '-i', '127.0.0.1', '-p', $proxy_port, @more);
	wait_for(sub { IO::Socket::INET->new("127.0.0.1:$proxy_port") }) or die 'the proxy did not start';
	return $p;
}

# What the proxy connected to since the last call.
sub proxied
{
	my ($p) = @_;
	$p->{run}->pump_nb;
	my @to = $p->{out} =~ /connected to (\S+)/g;
	$p->{out} = '';
	return @to;
}
my $proxy = start_proxy();
my ($dns, $log) = start_dns('relays.net. 60 IN SOA a.relays.net. b.relays.net. 1 60 60 60 60',
	'clear.relays.net. 60 IN A 127.0.0.1', map { "$_. 60 IN A 127.0.0.1" } values %name);
my @options = ('--allow', '127.0.0.0/8', '--dns', $dns, '--timeout', 10000);
my @through = (@options, '--proxy', "socks5h://127.0.0.1:$proxy_port");

for my $network (sort keys %name)
{
	my $check = check_relay("ws://$name{$network}:$port", @through);
	is("$check->{network} $check->{failure}", "$network ok", "$network: it opens");
	is_deeply([sort keys %{ $check->{documents} }], [qw(nip11_info nip66_http nip66_rtt)],
		"$network: no certificate, name, place or network, which make no sense there");
	is($check->{documents}{nip11_info}{data}{name}, 'scripted relay', "$network: its document came through the proxy too");
	is_deeply([sort keys %{ $check->{microseconds} }], [qw(nip11 open read tcp upgrade)], "$network: its times");
	is_deeply([proxied($proxy)], [("$name{$network}:$port") x 2], "$network: the proxy got the name, once for each connection");
}
is_deeply([asked($log)], [], 'the name server was asked nothing');

# what the proxy says no to
my $check = check_relay("ws://$name{tor}:1", @through);
is($check->{failure}, 'proxy_failed', 'nobody listens there');
like($check->{reason}, qr/^the proxy says: connection refused/, 'and the proxy says so');
$check = check_relay('ws://nothing.i2p:80', @through);
is($check->{failure}, 'proxy_failed', 'a name that the proxy does not know');
like($check->{reason}, qr/^the proxy says: \w+/, 'and it says so');
like($check->{documents}{nip11_info}{logs}{reason}, qr/./, 'also of the document');
is_deeply([asked($log)], [], 'nobody else was asked then');

# a proxy that wants a password, and one that is gone
end_program($proxy);
$check = check_relay("ws://$name{tor}:$port", @through);
like("$check->{failure}: $check->{reason}", qr/^proxy_failed: could not connect to the proxy: connection refused/, 'the proxy is gone');
$proxy = start_proxy('-u', 'user', '-P', 'password');
$check = check_relay("ws://$name{tor}:$port", @through);
like("$check->{failure}: $check->{reason}", qr/^proxy_failed: .*(authentication|hung up)/, 'the proxy wants a password, which we have not');
is_deeply([proxied($proxy)], [], 'it connected to nobody');
end_program($proxy);
$check = check_relay("ws://$name{tor}:$port", @options);
is($check->{failure}, 'network_disabled', 'no proxy, no connection');
is_deeply([asked($log)], [], 'and no question to the name server');

# the monitor, with relays of all networks
make_ca($dir, 'ca');
make_certificate($dir, 'clear', issuer => 'ca', extensions => 'subjectAltName=DNS:clear.relays.net');
my ($tls_port) = start_relay('--events', $events, '--tls', "$dir/clear") =~ /:(\d+)$/;
$proxy = start_proxy();
my $node = bigbrotr_node('socks', <<"CONF");
bigbrotr.dns_servers = '$dns'
bigbrotr.ca_file = '$dir/ca.crt'
bigbrotr.monitor_interval = '1h'
bigbrotr.synchronizer_interval = 0
bigbrotr.validator_interval = 0
CONF
my %url = (clearnet => "wss://clear.relays.net:$tls_port", map { $_ => "ws://$name{$_}:$port" } keys %name);
proxied($proxy);
sub checked
{
	my (@networks) = @_;
	$node->safe_psql('postgres', "INSERT INTO bigbrotr.relay (url, network) VALUES " . join ', ', map { "('$url{$_}', '$_')" } @networks);
	return $node->poll_query_until('postgres', 'SELECT count(*) = count(checked_at) FROM bigbrotr.relay LEFT JOIN bigbrotr.relay_monitor ON id = relay_id');
}
ok(checked('clearnet'), 'one network');
# its bigbrotr-net has no way to a proxy, for want of one: the next one has
set_conf($node, map { ("bigbrotr.${_}_enabled" => 'on', "bigbrotr.${_}_proxy" => "socks5h://127.0.0.1:$proxy_port") } keys %name);
ok(checked(sort keys %name), 'the others when they are enabled');
is($node->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.relay_check WHERE opened AND read_ok AND nip11_ok'), 4, 'the monitor opened all four')
  or diag($node->safe_psql('postgres', 'TABLE bigbrotr.relay_check'));
is($node->safe_psql('postgres', <<'SQL'), 'clearnet nip11_info nip66_dns nip66_http nip66_net nip66_rtt nip66_ssl|i2p nip11_info nip66_http nip66_rtt|loki nip11_info nip66_http nip66_rtt|tor nip11_info nip66_http nip66_rtt', 'what there is of each');
SELECT string_agg(d, '|' ORDER BY d) FROM (
	SELECT network || ' ' || string_agg(metadata_type, ' ' ORDER BY metadata_type) AS d
	FROM bigbrotr.relay_metadata_latest JOIN bigbrotr.relay ON url = relay_url GROUP BY network) AS n
SQL
my %proxied = map { $_ => 1 } proxied($proxy);
is_deeply([sort keys %proxied], [sort map { "$name{$_}:$port" } keys %name], 'the proxy got the overlay names and no other');
my %asked = map { (split / /)[0] => 1 } asked($log);
is_deeply([grep { !/^(clear\.)?relays\.net$|in-addr\.arpa$/ } sort keys %asked], [], 'and the name server the clearnet one alone');
ok($asked{'clear.relays.net'}, 'which it was asked');

$node->stop;
done_testing();
