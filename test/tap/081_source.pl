# Lists of relays on the web: what is taken, and what servers that misbehave
# can do: redirects to private addresses, endless bodies, bombs, silence,
# things that are not JSON.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;
use BigBrotr::Http;
use IO::Compress::Gzip 'gzip';

my $zeros = "\0" x 65536;
gzip(\('[' . ' ' x 200_000_000 . ']') => \my $bomb, -Level => 9);

my $log = PostgreSQL::Test::Utils::tempdir() . '/requests';
my $web = BigBrotr::Http->start($log,
	'/list' => BigBrotr::Http::json('["wss://a.operator.net","WSS://B.Operator.net/","wss:\/\/a.operator.net\/","nonsense",5,null,"https://x.operator.net"]',
		'ETag: "v1"', 'Last-Modified: Sat, 21 Nov 2020 00:00:00 GMT'),
	'/deep' => BigBrotr::Http::json('{"relays":[{"url":"wss://c.operator.net","n":1e999999},{"url":"wss://d.operator.net\u0000"},{"x":"wss://e.operator.net"}]}'),
	'/flood' => BigBrotr::Http::json('[' . join(',', map { "\"wss://one.flood.net/$_\"" } 1 .. 30000) . ']'),
	'/moved' => BigBrotr::Http::redirect('/list2'),
	'/list2' => BigBrotr::Http::json('["wss://f.operator.net"]'),
	'/private' => BigBrotr::Http::redirect('http://10.0.0.1/'),
	'/loopback' => BigBrotr::Http::redirect('http://127.0.0.2/'),
	'/metadata' => BigBrotr::Http::redirect('http://169.254.169.254/latest/'),
	'/file' => BigBrotr::Http::redirect('file:///etc/passwd'),
	'/loop' => BigBrotr::Http::redirect('/loop'),
	'/broken' => BigBrotr::Http::json('["wss://g.operator.net",'),
	'/html' => BigBrotr::Http::json('<html>no</html>'),
	'/nested' => BigBrotr::Http::json('[' x 100000),
	'/object' => BigBrotr::Http::json('{"a":"wss://h.operator.net"}'),
	'/huge' => sub {
		syswrite $_[0], "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n[";
		while (syswrite $_[0], $zeros) { }
	},
	'/bomb' => sub {
		syswrite $_[0], "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " . length($bomb) . "\r\n\r\n$bomb";
	},
	'/slow' => sub {
		syswrite $_[0], "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
		while (syswrite $_[0], ' ') { select undef, undef, undef, 0.1 }
	},
	'/gone' => sub { syswrite $_[0], "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n" },
	'/same' => sub {
		my ($socket, $request) = @_;
		syswrite $socket, $request =~ /If-None-Match: "v7"\r\n/ && $request =~ /If-Modified-Since: yesterday\r\n/
		  ? "HTTP/1.1 304 Not Modified\r\n\r\n"
		  : "HTTP/1.1 200 OK\r\nETag: \"v7\"\r\nLast-Modified: yesterday\r\nContent-Length: 24\r\n\r\n[\"wss://i.operator.net\"]";
	});

my $node = bigbrotr_node('main', <<'CONF');
bigbrotr.validator_interval = 0
bigbrotr.allow_networks = '127.0.0.1/32'
CONF

sub sql
{
	my ($query) = @_;
	return $node->safe_psql('postgres', $query);
}

is(sql('SELECT count(*), count(*) FILTER (WHERE enabled) FROM bigbrotr.source'), '2|2', 'there are lists to begin with');
sql('DELETE FROM bigbrotr.source');

# Adds lists, lets the finder run, waits until all of them were read.
sub read_lists
{
	my (@rows) = @_;
	sql("INSERT INTO bigbrotr.source (url, path, timeout_ms) VALUES " . join ',',
		map { my ($p, $path, $ms) = @$_; sprintf "('%s', '%s', %d)", $web->url($p), $path // '$[*]', $ms // 5000 } @rows)
	  if @rows;
	sql("SELECT bigbrotr.run('finder')");
	return $node->poll_query_until('postgres', 'SELECT bool_and(last_at IS NOT NULL AND next_at > now()) FROM bigbrotr.source');
}

sub outcome
{
	my ($path) = @_;
	return sql("SELECT coalesce(failure, 'ok'), last_status, reason, found, invalid, candidates FROM bigbrotr.source WHERE url = '"
		. $web->url($path) . "'");
}

ok(read_lists(['/list'], ['/deep', '$.relays[*].url'], ['/flood'], ['/moved'], ['/same']), 'lists are read');
is(outcome('/list'), 'ok|200||3|4|2', 'addresses, twice the same, and what is none');
is(outcome('/deep'), 'ok|200||1|1|1', 'the path is followed; a string that PostgreSQL cannot hold is none');
is(outcome('/flood'), 'ok|200||30000|0|20', 'a flood stops at the limit');
is(sql("SELECT count FROM bigbrotr.mention_refused WHERE name = 'one.flood.net'"), '29980', 'and is counted');
is(outcome('/moved'), 'ok|200||1|0|1', 'a redirect is followed');
is(sql("SELECT string_agg(url, ' ' ORDER BY url) FROM bigbrotr.candidate WHERE url NOT LIKE '%flood%'"),
	join(' ', map { "wss://$_.operator.net" } qw(a b c f i)), 'these are candidates');
is(sql("SELECT DISTINCT source, array_to_string(bigbrotr.via_names(via), ' '), m.authors FROM bigbrotr.candidate JOIN bigbrotr.mention m USING (url)"),
	'source|source|0', 'it is known where from');

# Again, only if it has changed; not when the path is another one.
sql("UPDATE bigbrotr.source SET next_at = now() WHERE url = '" . $web->url('/same') . "'");
ok(read_lists(), 'read again');
is(outcome('/same'), 'ok|304||1|0|1', 'unchanged');
sql("UPDATE bigbrotr.source SET next_at = now(), path = '\$[0]' WHERE url = '" . $web->url('/same') . "'");
ok(read_lists(), 'read with another path');
is(outcome('/same'), 'ok|200||1|0|0', 'the whole list came');

# Hostile ones.
my $offset = -s $node->logfile;
ok(read_lists(map { [$_] } qw(/private /loopback /metadata /file /loop /broken /html /nested /huge /bomb /gone /none)), 'all answers are read');
ok(read_lists(['/slow', undef, 500], ['/object', 'strict $[*].x'], ['/list?', '$.a.b.c']), 'and more');
for my $c (
	['/private', qr/^address_refused\|.*10\.0\.0\.1 is not allowed \(private\)/, 'a redirect to a private address is refused'],
	['/loopback', qr/^address_refused\|.*127\.0\.0\.2 is not allowed/, 'to loopback that is not named'],
	['/metadata', qr/^address_refused\|.*link-local/, 'to link-local'],
	['/file', qr/^address_refused\|.*only http and https/, 'to a file'],
	['/loop', qr/^http_status\|302\|.*3 redirects/, 'a loop ends'],
	['/broken', qr/^protocol\|200\|the answer is not JSON: at byte \d+/, 'cut JSON is told where'],
	['/html', qr/^protocol\|200\|the answer is not JSON: at byte 0/, 'so is HTML'],
	['/nested', qr/^protocol\|200\|.*deep/, 'and nesting'],
	['/huge', qr/^too_large\|200\|/, '10 GB are cut'],
	['/bomb', qr/^too_large\|200\|/, 'a bomb is, too'],
	['/slow', qr/^timeout\|200\|timeout in the answer/, 'a slow server ends at its time'],
	['/gone', qr/^http_status\|410\|status 410/, 'a status is told'],
	['/none', qr/^disconnected\|/, 'silence is'],
	['/object', qr/^path\|200\|/, 'a strict path that does not fit is an error of the list'])
{
	like(outcome($c->[0]), $c->[1], $c->[2]);
}
is(outcome('/list?'), 'ok|200||0|0|0', 'a lax path that finds nothing is no failure');
is(sql('SELECT count(*) FROM bigbrotr.source WHERE failures = 1 AND next_at > now() + \'4 minutes\'::interval AND next_at < now() + \'10 minutes\'::interval'),
	'14', 'failures are due again soon, not at once');
is(sql("SELECT count(*) FROM bigbrotr.candidate WHERE url NOT LIKE '%flood%'"), '5', 'nothing came of them');
unlike(slurp_file($node->logfile, $offset), qr/malformed|bigbrotr-net \(pid \d+\) /, 'bigbrotr-net survived all of it');
is(sql("SELECT failures FROM bigbrotr.service WHERE name = 'finder'"), '0', 'so did the finder');

$node->stop;
$web->stop;
done_testing();
