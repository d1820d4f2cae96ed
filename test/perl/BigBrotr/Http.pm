package BigBrotr::Http;

# An HTTP server on loopback for the tests, one process for each connection,
# that answers by path what a table of code references says.  It counts the
# requests in a file that the test can read.

use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();

# start($log, '/path' => sub { my ($socket, $request) = @_; ... }, ...)
sub start
{
	my ($class, $log, %pages) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16, ReuseAddr => 1)
	  or die "listen: $!";
	my $self = bless { port => $listener->sockport, log => $log }, $class;
	$self->{pid} = fork // die "fork: $!";
	return $self if $self->{pid};

	local $SIG{CHLD} = 'IGNORE';
	local $SIG{PIPE} = 'IGNORE';
	while (my $socket = $listener->accept)
	{
		my $child = fork;
		if (defined $child && $child == 0)
		{
			serve($socket, $log, \%pages);
			POSIX::_exit(0);
		}
		close $socket;
	}
	POSIX::_exit(0);
}

sub serve
{
	my ($socket, $log, $pages) = @_;
	my $request = '';
	while ($request !~ /\r\n\r\n/)
	{
		sysread($socket, $request, 4096, length $request) or return;
	}
	my ($path) = $request =~ m{^GET (\S+)};
	open my $f, '>>', $log or return;
	syswrite $f, "$path\n";
	close $f;
	$pages->{$path}->($socket, $request) if $pages->{$path};
	close $socket;
	return;
}

sub url
{
	my ($self, $path) = @_;
	return "http://127.0.0.1:$self->{port}$path";
}

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;
	kill 'TERM', $pid;
	waitpid $pid, 0;
	return;
}

# A test that dies ends it, too.
sub DESTROY
{
	my ($self) = @_;
	local ($?, $@);
	$self->stop;
	return;
}

# Pages.
sub json
{
	my ($body, @headers) = @_;
	return sub {
		my ($socket) = @_;
		syswrite $socket, join("\r\n", 'HTTP/1.1 200 OK', 'Content-Type: application/json',
			'Content-Length: ' . length $body, @headers, '', '') . $body;
	};
}

sub redirect
{
	my ($to) = @_;
	return sub { syswrite $_[0], "HTTP/1.1 302 Found\r\nLocation: $to\r\nContent-Length: 0\r\n\r\n" };
}

1;
