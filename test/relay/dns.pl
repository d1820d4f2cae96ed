#!/usr/bin/perl
# A DNS server on loopback that serves a zone file and misbehaves on command.
#
#   dns.pl ZONEFILE [ADDRESS [LOG]]
#
# Prints "listening PORT", serves until it is ended; appends the names and types
# that were asked for to a file.
#
# The zone file holds one record a line, as Net::DNS reads them.  Names whose
# first label is silent, servfail, refused or garbage are answered that way,
# "slow400.NAME" after 400 ms; of "flip.NAME" the first question of each type
# gets the first record, later ones the last (a rebinding name).  UDP only.
use strict;
use warnings;
use IO::Select;
use IO::Socket::IP;
use Net::DNS;
use Time::HiRes qw(time);

my (%rr, %zone, %asked);
open my $f, '<', $ARGV[0] or die "$ARGV[0]: $!";
while (my $line = <$f>)
{
	next if $line =~ /^\s*(;|$)/;
	my $rr = Net::DNS::RR->new($line);
	push @{ $rr{ lc $rr->owner } }, $rr;
	$zone{ lc $rr->owner } = $rr if $rr->type eq 'SOA';
}
my $socket = IO::Socket::IP->new(LocalHost => $ARGV[1] // '127.0.0.1', LocalPort => 0, Proto => 'udp')
  or die "socket: $@";
$| = 1;
print 'listening ', $socket->sockport, "\n";

# The SOA of the zone that a name is in.
sub soa_of
{
	my ($name) = @_;
	while (1)
	{
		return $zone{$name} if $zone{$name};
		$name =~ s/^[^.]+\.// or return;
	}
}

sub answer
{
	my ($query) = @_;
	my $reply = $query->reply;
	my ($q) = $query->question;
	my $name = lc $q->qname;
	my ($mode) = $name =~ /^(silent|servfail|refused|garbage|flip)\./;
	$mode //= '';
	return if $mode eq 'silent';
	return substr($reply->data, 0, 2) . ("\xFF" x 40) if $mode eq 'garbage';
	$reply->header->ra(1);
	if ($mode eq 'servfail' or $mode eq 'refused')
	{
		$reply->header->rcode(uc $mode);
		return $reply->data;
	}
	my @of_name = @{ $rr{$name} // [] };
	my @found = grep { $_->type eq $q->qtype or $_->type eq 'CNAME' } @of_name;
	@found = $asked{ $name . $q->qtype }++ ? $found[-1] : $found[0] if $mode eq 'flip' and @found;
	for my $cname (grep { $_->type eq 'CNAME' and $q->qtype ne 'CNAME' } @found)
	{
		push @found, grep { $_->type eq $q->qtype } @{ $rr{ lc $cname->cname } // [] };
	}
	$reply->push(answer => @found);
	$reply->header->rcode(@of_name ? 'NOERROR' : 'NXDOMAIN');
	unless (@found)
	{
		my $soa = soa_of($name);
		$reply->push(authority => $soa) if $soa;
	}
	return $reply->data;
}

sub note_question
{
	open my $log, '>>', $ARGV[2] or die "$ARGV[2]: $!";
	print $log "$_[0]\n";
	close $log;
}

my $select = IO::Select->new($socket);
my @later;		# [when, reply, to whom], oldest first
while (1)
{
	my $wait = @later ? $later[0][0] - time : undef;
	if (defined $wait and $wait <= 0)
	{
		my (undef, $reply, $to) = @{ shift @later };
		$socket->send($reply, 0, $to);
		next;
	}
	next unless $select->can_read($wait);
	my $from = $socket->recv(my $data, 4096);
	next unless defined $from;
	my $query = eval { Net::DNS::Packet->new(\$data) } or next;
	my ($q) = $query->question;
	note_question($q->qname . ' ' . $q->qtype) if $ARGV[2];
	my $reply = answer($query);
	next unless defined $reply;
	my ($ms) = $q->qname =~ /^slow(\d+)\./i;
	@later = sort { $a->[0] <=> $b->[0] } @later, [time + ($ms // 0) / 1000, $reply, $from];
}
