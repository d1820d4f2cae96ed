package BigBrotr::Net;

# The network around the product, for TAP tests: programs that run beside it,
# a name server that writes down what it is asked, a certificate authority,
# and bigbrotr-net's command line.

use strict;
use warnings;
use Exporter 'import';
use IPC::Run ();
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(run_net check_relay start_program end_program start_dns asked free_port make_ca make_certificate);

my $root = $ENV{BB_ROOT};
my @running;

# bigbrotr-net with arguments: status, output, errors.
sub run_net
{
	my (@args) = @_;
	my ($out, $err);
	IPC::Run::run(["$root/bigbrotr-net", @args], \'', \$out, \$err, IPC::Run::timeout(60));
	return ($? >> 8, $out, $err);
}

# bigbrotr-net check, decoded.
sub check_relay
{
	my ($status, $out, $err) = run_net('check', @_);
	return decode_json($out) if $out;
	die "bigbrotr-net check @_: $err";
}

# Starts a program and waits until its output (and errors) match, if a pattern
# is given; a handle, and what the pattern captured.
sub start_program
{
	my ($re, @command) = @_;
	my $p = { in => '', out => '' };
	$p->{run} = IPC::Run::start(\@command, \$p->{in}, '>&', \$p->{out}, IPC::Run::timeout(180));
	push @running, $p;
	return $p unless $re;
	IPC::Run::pump($p->{run}) until $p->{out} =~ $re or !$p->{run}->pumpable;
	$p->{out} =~ $re or die "@command did not start: $p->{out}";
	return ($p, $1);
}

sub end_program
{
	my ($p) = @_;
	@running = grep { $_ != $p } @running;
	$p->{run}->kill_kill(grace => 2);
	return;
}

# A name server with these records: its address for dns_servers, and the file
# for asked().
sub start_dns
{
	my (@records) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	append_to_file("$dir/zone", join '', map { "$_\n" } @records);
	append_to_file("$dir/asked", '');
	my (undef, $port) = start_program(qr/listening (\d+)/, $^X, "$root/test/relay/dns.pl", "$dir/zone", '127.0.0.1', "$dir/asked");
	return ("127.0.0.1:$port", "$dir/asked");
}

# What the name server was asked, "NAME TYPE" each.
sub asked
{
	my ($log) = @_;
	return split /\n/, slurp_file($log);
}

# A port that nobody takes by chance, nor another test.
sub free_port
{
	return PostgreSQL::Test::Cluster::get_free_port();
}

sub openssl
{
	my (@args) = @_;
	my $out;
	IPC::Run::run(['openssl', @args], '>&', \$out) or die "openssl @args: $out";
	return;
}

# DIR/NAME.crt and .key of an authority, valid now.
sub make_ca
{
	my ($dir, $name) = @_;
	openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', 2,
		'-subj', "/CN=$name", '-keyout', "$dir/$name.key", '-out', "$dir/$name.crt");
	return;
}

# DIR/NAME.crt and .key; options: issuer, extensions, and from and until as
# YYYYMMDDHHMMSSZ.
sub make_certificate
{
	my ($dir, $name, %o) = @_;
	my $db = "$dir/$name.db";
	mkdir $db;
	append_to_file("$db/index", '');
	append_to_file("$db/ca.conf", <<"CONF");
[ca]
default_ca = this
[this]
database = $db/index
new_certs_dir = $db
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = ext
[any]
commonName = supplied
[ext]
$o{extensions}
CONF
	openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', "/CN=$name",
		'-keyout', "$dir/$name.key", '-out', "$db/csr");
	openssl('ca', '-batch', '-notext', '-config', "$db/ca.conf", '-cert', "$dir/$o{issuer}.crt", '-keyfile', "$dir/$o{issuer}.key",
		'-in', "$db/csr", '-out', "$dir/$name.crt", '-startdate', $o{from} // '20200101000000Z',
		'-enddate', $o{until} // '20991231235959Z');
	return;
}

END
{
	my $rc = $?;
	end_program($running[0]) while @running;
	$? = $rc;
}

1;
