# What the monitor publishes is accepted by relays that no one here wrote,
# also by one that demands authentication; fetched, verified and classed by a
# client library of others; and says what the database says, field by field.

use strict;
use warnings;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;
use Peers;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $key = "$dir/key";
append_to_file($key, ('0' x 62) . "11\n");
chmod 0600, $key;
my $profile = '{"name":"monitor","about":"checks relays \u00e9 \"all day\""}';
my $quoted = $profile =~ s/\\/\\\\/gr;		# for postgresql.conf
my $good = start_relay('--events', generate_events(50, 61));
my $closed = start_relay('--events', generate_events(1, 62), '--writes', 'refuse', '--nip11', 'none');
my $seed = 0;

# Values of the tags of that name.
sub values_of
{
	my ($event, $name) = @_;
	return map { $_->[1] } grep { $_->[0] eq $name } @{ $event->{tags} };
}

sub compare_discovery
{
	my ($name, $node, $event) = @_;
	my ($d) = values_of($event, 'd');
	my $url = $d =~ s/\/$//r;
	my $one = sub { return $node->safe_psql('postgres', $_[0]) };
	my $check = JSON::PP->new->decode($one->("SELECT row_to_json(c) FROM bigbrotr.relay_check AS c WHERE relay_url = '$url' ORDER BY checked_at DESC LIMIT 1"));
	my $document = sub {
		my ($type, $path) = @_;
		return $one->("SELECT data #>> '{data,$path}' FROM bigbrotr.relay_metadata_latest WHERE relay_url = '$url' AND metadata_type = '$type'");
	};

	is($one->("SELECT count(*) FROM bigbrotr.relay WHERE url = '$url'"), 1, "$name: d names a relay of ours");
	ok($check->{opened}, "$name, $url: which is online");
	# the phases are cut to whole ms one by one
	my ($open) = values_of($event, 'rtt-open');
	cmp_ok(abs($open - $check->{open_ms}), '<=', 4, "$name, $url: rtt-open");
	for my $what (qw(read write))
	{
		my ($ms) = values_of($event, "rtt-$what");
		is(defined $ms, !!$check->{"${what}_ok"}, "$name, $url: rtt-$what is there when it worked");
		cmp_ok(abs($ms - $check->{"${what}_ms"}), '<=', 1, "$name, $url: and has the time") if defined $ms;
	}
	is(join(',', values_of($event, 'n')), $one->("SELECT network FROM bigbrotr.relay WHERE url = '$url'"), "$name, $url: n");
	is(join(',', values_of($event, 'N')), $document->('nip11_info', 'supported_nips') =~ tr/[] //dr, "$name, $url: N");
	is(join(',', values_of($event, 'net-ip')), $document->('nip66_net', 'net_ip'), "$name, $url: net-ip");
	is($event->{content},
		$one->("SELECT convert_from(d.raw, 'UTF8') FROM bigbrotr.document AS d JOIN bigbrotr.relay_metadata_latest AS l "
			  . "ON l.metadata_id = d.id AND l.metadata_type = d.type WHERE l.relay_url = '$url' AND d.type = 'nip11_info' AND (l.data #>> '{logs,success}')::boolean"),
		"$name, $url: content is the document");
	my %r = map { $_ => 1 } values_of($event, 'R');
	is($r{'!writes'} // 0, $check->{write_ok} ? 1 : 0, "$name, $url: R !writes when it took our event");
	is($r{'!auth'} // 0, $check->{read_ok} ? 1 : 0, "$name, $url: R !auth when it could be read");
	is(scalar(grep { $_ eq '22456' } values_of($event, 'k')), $check->{write_ok} ? 1 : 0, "$name, $url: k of the probe");
	return;
}

for my $name (peer_relays(), 'nostr-relay-builder with NIP-42')
{
	my $target = start_peer($name);
	if (!defined $target)
	{
	  SKIP: { skip "$name was not built", 1 }
		next;
	}
	my $node = bigbrotr_node('publisher' . ++$seed, <<"CONF");
bigbrotr.key_file = '$key'
bigbrotr.monitor_interval = '30min'
bigbrotr.monitor_publish = '$target'
bigbrotr.monitor_profile = '$quoted'
CONF
	seed_relays($node, $good, $closed);
	ok($node->poll_query_until('postgres', "SELECT count(*) = 5 FROM bigbrotr.publication WHERE outcome = 'taken'"), "$name: accepts all five")
	  or diag($node->safe_psql('postgres', 'SELECT slot, outcome, attempts, reason FROM bigbrotr.publication'));
	my $pubkey = $node->safe_psql('postgres', "SELECT event::json ->> 'pubkey' FROM bigbrotr.publication LIMIT 1");
	my %found;
	my @lines;
	for (split /\n/, fetch($target, $pubkey))
	{
		my ($class, $json) = split / /, $_, 2;
		my $event = JSON::PP->new->utf8->decode($json);
		push @lines, $json;
		push @{ $found{ $event->{kind} } }, $event;
		is($class, $event->{kind} == 30166 ? 'parameterized' : 'replaceable', "$name: kind $event->{kind} is of its class");
	}
	is(join(' ', map { "$_:" . @{ $found{$_} } } sort { $a <=> $b } keys %found), '0:1 10002:1 10166:1 30166:2', "$name: gives all back");
	is(join("\n", sort map { $_->{id} } map { @$_ } values %found),
		$node->safe_psql('postgres', "SELECT encode(event_id, 'hex') FROM bigbrotr.publication ORDER BY 1"), "$name: as they were made");
	append_to_file("$dir/lines$seed", join('', map { "$_\n" } @lines));
	for my $client (peer_clients())
	{
		is(scalar(grep { /^valid / } split /\n/, ask_client($client, 'check', "$dir/lines$seed")), 5, "$name: $client finds them valid");
	}
	is_deeply(JSON::PP->new->decode($found{0}[0]{content}), JSON::PP->new->decode($profile), "$name: profile");
	is_deeply($found{10002}[0]{tags}, [ [ 'r', $target, 'write' ] ], "$name: relay list");
	is(join(',', values_of($found{10166}[0], 'frequency')), '1800', "$name: frequency");
	is(join(',', values_of($found{10166}[0], 'c')), 'nip11,open,read,write,ssl,net,dns,http', "$name: checks, but geo without a database");
	compare_discovery($name, $node, $_) for @{ $found{30166} };
	$node->stop;
	stop_peer($target);
}
done_testing();
