# Certificates of every kind on real TLS relays, measured from the command
# line and by the monitor: the expected nip66_ssl document for each, and the
# right ones open.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Net;
use BigBrotr::Test;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $events = generate_events(10);
my $san = "subjectAltName=DNS:relay.relays.net\n";
make_ca($dir, 'ca');
make_certificate($dir, 'valid', issuer => 'ca', extensions => $san);
make_certificate($dir, 'expired', issuer => 'ca', extensions => $san, from => '20200101000000Z', until => '20200201000000Z');
make_certificate($dir, 'future', issuer => 'ca', extensions => $san, from => '20900101000000Z', until => '20910101000000Z');
make_certificate($dir, 'wrong', issuer => 'ca', extensions => "subjectAltName=DNS:other.relays.net\n");
make_certificate($dir, 'middle', issuer => 'ca', extensions => "basicConstraints=critical,CA:TRUE\n");
make_certificate($dir, 'incomplete', issuer => 'middle', extensions => $san);
make_certificate($dir, 'chain', issuer => 'middle', extensions => $san);
append_to_file("$dir/chain.crt", slurp_file("$dir/middle.crt"));
make_ca($dir, 'self');

my ($dns) = start_dns('relays.net. 60 IN SOA a.relays.net. b.relays.net. 1 60 60 60 60', 'relay.relays.net. 60 IN A 127.0.0.1');

# certificate, settings of the relay, failure of opening, and of the document
my @cases = (
	['valid', [], 'ok', { ssl_valid => 1, ssl_subject_cn => 'valid', ssl_issuer_cn => 'ca', ssl_protocol => 'TLSv1.3', ssl_chain_length => 1 }],
	['chain', [], 'ok', { ssl_valid => 1, ssl_issuer_cn => 'middle', ssl_chain_length => 2 }],
	['valid', ['--tls-max', '1.2'], 'ok', { ssl_valid => 1, ssl_protocol => 'TLSv1.2' }],
	['expired', [], 'tls_certificate', { ssl_valid => 0, ssl_reason => qr/has expired/, ssl_expires => 1580515200 }],
	['future', [], 'tls_certificate', { ssl_valid => 0, ssl_reason => qr/not yet valid/, ssl_not_before => 3786912000 }],
	['wrong', [], 'tls_certificate', { ssl_valid => 0, ssl_reason => qr/hostname mismatch/i, ssl_san => ['other.relays.net'] }],
	['self', [], 'tls_certificate', { ssl_valid => 0, ssl_reason => qr/self.signed/, ssl_subject_cn => 'self', ssl_issuer_cn => 'self' }],
	['incomplete', [], 'tls_certificate', { ssl_valid => 0, ssl_reason => qr/local issuer/, ssl_chain_length => 1 }],
	['valid', ['--tls-max', '1.1'], 'tls_failed', undef]);

my (@url, @name);
for my $case (@cases)
{
	my ($certificate, $settings) = @$case;
	my ($port) = start_relay('--events', $events, '--tls', "$dir/$certificate", @$settings) =~ /:(\d+)$/;
	push @url, "wss://relay.relays.net:$port";
	push @name, join ' ', $certificate, @$settings;
}

# One nip66_ssl document against what is expected of it.
sub compare
{
	my ($name, $document, $expected) = @_;
	my $data = $document->{data};
	if (!$expected)
	{
		is($data, undef, "$name: no certificate");
		is($document->{logs}{success}, JSON::PP::false, "$name: which is told");
		like($document->{logs}{reason}, qr/./, "$name: with the reason");
		return;
	}
	is($document->{logs}{success}, JSON::PP::true, "$name: seen");
	for my $field (sort keys %$expected)
	{
		my $want = $expected->{$field};
		if (ref $want eq 'Regexp') { like($data->{$field}, $want, "$name: $field") }
		elsif (ref $want) { is_deeply($data->{$field}, $want, "$name: $field") }
		elsif ($field eq 'ssl_valid') { is($data->{$field}, $want ? JSON::PP::true : JSON::PP::false, "$name: $field") }
		else { is($data->{$field}, $want, "$name: $field") }
	}
	for my $field (qw(ssl_fingerprint ssl_serial ssl_expires ssl_not_before ssl_version))
	{
		ok(defined $data->{$field}, "$name: $field");
	}
	is(exists $data->{ssl_reason}, !$expected->{ssl_valid}, "$name: a reason when it is not valid");
	return;
}

my @options = ('--allow', '127.0.0.0/8', '--dns', $dns, '--ca', "$dir/ca.crt");
for my $i (0 .. $#cases)
{
	my $check = check_relay($url[$i], @options);
	my (undef, undef, $failure, $expected) = @{ $cases[$i] };
	is($check->{failure}, $failure, "$name[$i]: $failure");
	compare($name[$i], $check->{documents}{nip66_ssl}, $expected);
	is(!!$check->{microseconds}{tls}, $failure eq 'ok', "$name[$i]: a time of the handshake when it succeeded");
	is($check->{documents}{nip11_info}{logs}{success}, $failure eq 'ok' ? JSON::PP::true : JSON::PP::false,
		"$name[$i]: the document is trusted no more than the relay");
}

# the same by the monitor
my $node = bigbrotr_node('tls', <<"CONF");
bigbrotr.dns_servers = '$dns'
bigbrotr.ca_file = '$dir/ca.crt'
bigbrotr.monitor_interval = '1h'
bigbrotr.synchronizer_interval = 0
bigbrotr.validator_interval = 0
CONF
$node->safe_psql('postgres', "INSERT INTO bigbrotr.relay (url, network) VALUES " . join ', ', map { "('$_', 'clearnet')" } @url);
my $n = @url;
$node->poll_query_until('postgres', "SELECT count(*) = $n FROM bigbrotr.relay_monitor WHERE checked_at IS NOT NULL")
  or die 'the relays were not checked';
for my $i (0 .. $#cases)
{
	my (undef, undef, $failure, $expected) = @{ $cases[$i] };
	my $got = $node->safe_psql('postgres', "SELECT data FROM bigbrotr.relay_metadata_latest WHERE relay_url = '$url[$i]' AND metadata_type = 'nip66_ssl'");
	compare("monitor: $name[$i]", JSON::PP::decode_json($got), $expected);
	is($node->safe_psql('postgres', "SELECT CASE WHEN opened THEN 'ok' ELSE failure END FROM bigbrotr.relay_check WHERE relay_url = '$url[$i]'"),
		$failure, "monitor: $name[$i]: $failure");
}
is($node->safe_psql('postgres', "SELECT count(*) FROM bigbrotr.certificate"), @cases - 1, 'the certificates are listed');
$node->stop;
done_testing();
