package BigBrotr::Frame;

# Frames as src/wire/frame.h and messages.h describe them, written without
# their code, so that both processes can be sent what neither would write.

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(frame str read_frame %TYPE $HELLO);

our %TYPE = (
	CONFIG => 1, VALIDATE => 2, SYNC => 3, ANSWER => 4, CANCEL => 5, SET => 6,
	HELLO => 32, LOG => 33, OFFER => 34, EVENTS => 35, REJECTED => 36,
	WINDOW => 37, RESULT => 38, PASSED => 39, SET_REQUEST => 40);

sub str
{
	my ($s) = @_;
	return pack('V', length $s) . $s;
}

sub frame
{
	my ($type, $job, $payload) = @_;
	$payload //= '';
	return pack('VvvV', length $payload, $TYPE{$type} // $type, 0, $job) . $payload;
}

our $HELLO = frame('HELLO', 0, pack('V', 1) . str('test') . str(''));

# Next frame of a handle as (type, job, payload); empty at its end.
sub read_frame
{
	my ($fh) = @_;
	my $head = read_bytes($fh, 12) // return;
	my ($len, $type, undef, $job) = unpack('VvvV', $head);
	my $payload = read_bytes($fh, $len) // return;
	return ($type, $job, $payload);
}

sub read_bytes
{
	my ($fh, $n) = @_;
	my $got = '';
	while (length $got < $n)
	{
		my $r = sysread($fh, $got, $n - length $got, length $got);
		return if !$r;
	}
	return $got;
}

1;
