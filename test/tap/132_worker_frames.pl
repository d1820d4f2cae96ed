# A bigbrotr-net that sends frames that the real one would not: the worker ends
# it, says so once, goes on as the same process, and stores nothing of it.

use strict;
use warnings;
use File::Copy;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Frame;
use BigBrotr::Test;

# The server runs a copy, so that the source tree need not be its to read.
my $dir = PostgreSQL::Test::Utils::tempdir();
mkdir "$dir/BigBrotr";
copy("$ENV{BB_ROOT}/test/perl/fake_net", "$dir/fake_net");
copy("$ENV{BB_ROOT}/test/perl/BigBrotr/Frame.pm", "$dir/BigBrotr/Frame.pm");
chmod 0755, "$dir/fake_net";

my $node = bigbrotr_node('main', "bigbrotr.net_program = '$dir/fake_net'\nbigbrotr.validator_interval = 0\nbigbrotr.monitor_interval = 0\nbigbrotr.finder_interval = 0\n");
$node->safe_psql('postgres', q{
	SELECT bigbrotr.partition_ensure();
	INSERT INTO bigbrotr.relay (url, network) VALUES ('ws://127.0.0.1:1', 'clearnet')});
my $synchronizer = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'bigbrotr synchronizer'";
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($synchronizer) s"), 'a synchronizer runs');

sub starts
{
	open my $f, '<', "$dir/starts" or return 0;
	return scalar(() = <$f>);
}

sub hand_over
{
	my (@frames) = @_;
	open my $f, '>', "$dir/send.new" or die $!;
	print {$f} map { "$_\n" } @frames;
	close $f;
	rename "$dir/send.new", "$dir/send" or die $!;
}

# What was in flight at several losses is put off; here it must not be.  The
# reload ends a wait for the next child, and the worker looks for jobs.
sub due
{
	$node->safe_psql('postgres',
		q{UPDATE bigbrotr.relay SET next_sync_at = now(), state = 'live', failures = 0;
		  UPDATE bigbrotr.candidate SET next_attempt_at = now()});
	$node->reload;
	return;
}

# The child sends it; the worker's one line about it must match.
sub worker_refuses
{
	my ($name, $why, @frames) = @_;
	my $offset = -s $node->logfile;
	my $before = starts();
	hand_over(@frames);
	due();
	ok($node->wait_for_log(qr/bigbrotr-net was lost: it sent a malformed frame/, $offset), "$name: the child is ended");
	$node->reload;
	for (1 .. 600) { last if starts() > $before; select undef, undef, undef, 0.1; }
	my @lines = slurp_file($node->logfile, $offset) =~ /was lost: (it sent a malformed frame.*?);/g;
	is(scalar @lines, 1, "$name: one line");
	like($lines[0], $why, "$name: why");
}

sub hex_of { return unpack 'H*', $_[0] }
my $id = "\0" x 32;
my $good_key = 1 << 29;		# of created_at 1 and that id

sub offer { return 'OFFER J ' . hex_of(pack('Vq<v', 1, 1700000000, $_[0]) . $_[1]) }

sub event
{
	my (%e) = (key => $good_key, created_at => 1, kind => 1, form => 0, tags => "\0", content => 'x', @_);
	return pack('q<', $e{key}) . $id . "\1" x 32 . "\2" x 64 . pack('q<vC', $e{created_at}, $e{kind}, $e{form})
	  . str($e{tags}) . str($e{content});
}
# Events, no mention of a relay, none left out.
sub events { my ($n, @e) = @_; return 'EVENTS J ' . hex_of(pack('q<v', 1700000000, $n) . join('', @e) . pack('vv', 0, 0)) }
sub rejected { my ($n, $r) = @_; return 'REJECTED J ' . hex_of(pack('q<v', 1700000000, $n) . $r) }
sub window { return 'WINDOW J ' . hex_of(pack('q<q<C', @_[0 .. 2]) . str('') . str('x') . pack('CQ<', $_[3] // 0, 0)) }

sub result
{
	my ($outcome, $more) = @_;
	return 'RESULT J ' . hex_of(pack('C', $outcome) . str('timeout') . str('nothing') . pack('V5Q<Q<VVCCVV', (0) x 13) . ($more // ''));
}

my $pid = $node->safe_psql('postgres', $synchronizer);
my $start = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');

worker_refuses('a length beyond the bound', qr/frame$/, 'raw - ' . 'ff' x 12);
worker_refuses('bits that must be zero', qr/frame$/, 'raw - ' . hex_of(pack('VvvV', 0, 38, 1, 0)));
worker_refuses('text', qr/frame$/, 'raw - ' . hex_of("Segmentation fault\n"));
worker_refuses('a frame before HELLO', qr/before HELLO/, 'early', 'LOG 0 ' . hex_of(pack('C', 0) . str('x')), result(0) =~ s/ J / 1 /r);
worker_refuses('HELLO of another version', qr/HELLO of another version/, 'early', 'HELLO 0 ' . hex_of(pack('V', 99) . str('') . str('')));
worker_refuses('HELLO that is cut', qr/HELLO/, 'early', 'HELLO 0 01000000');
worker_refuses('LOG of no level', qr/LOG/, 'LOG 0 ' . hex_of(pack('C', 9) . str('x')));
worker_refuses('LOG that is cut', qr/LOG/, 'LOG 0 01');
worker_refuses('LOG that is too long', qr/LOG/, 'LOG 0 ' . hex_of(pack('C', 1) . str('x' x 1025)));
my $frame = qr/frame of a synchronizer/;
worker_refuses('an unknown type', $frame, '999 J ');
worker_refuses('a frame of the other direction', $frame, 'SYNC J ');
worker_refuses('a frame of no job', $frame, result(0) =~ s/ J / 0 /r);
worker_refuses('a frame of an unknown job', $frame, result(0) =~ s/ J / 424242 /r);
worker_refuses('an empty OFFER', $frame, offer(0, ''));
worker_refuses('an OFFER of too many', $frame, offer(2049, (pack('q<', $good_key) . $id) x 2049));
worker_refuses('an OFFER that is cut', $frame, offer(2, pack('q<', $good_key) . $id));
worker_refuses('an OFFER with more', $frame, offer(1, pack('q<', $good_key) . $id . 'x'));
worker_refuses('an OFFER of a negative key', $frame, offer(1, pack('q<', -1) . $id));
worker_refuses('empty EVENTS', $frame, events(0));
worker_refuses('too many EVENTS', $frame, events(2049, event() x 2049));
worker_refuses('EVENTS that are cut', $frame, events(2, event()));
worker_refuses('an event with a negative key', $frame, events(1, event(key => -1)));
worker_refuses('an event with the key of another', $frame, events(1, event(key => $good_key + 1)));
worker_refuses('an event in no form', $frame, events(1, event(form => 3)));
worker_refuses('an event whose tags are not packed', $frame, events(2, event(), event(tags => "\1\2t")));
worker_refuses('an event without tags', $frame, events(1, event(tags => '')));
worker_refuses('an event that is not UTF-8', $frame, events(1, event(content => "\xff")));
worker_refuses('an event of more bytes than there are', $frame, events(1, substr(event(), 0, -5) . pack('V', 1 << 24) . 'x'));
sub mentions { my ($n, $m, $more) = @_; return 'EVENTS J ' . hex_of(pack('q<v', 1700000000, 1) . event() . pack('v', $n) . $m . ($more // pack('v', 0))) }
my $mention = pack('vV', 0, 1) . str('wss://relay.nostr.org');
worker_refuses('a mention by no event', $frame, mentions(1, pack('vV', 1, 1) . str('wss://relay.nostr.org')));
worker_refuses('too many mentions', $frame, mentions(65535, $mention));
worker_refuses('mentions that are cut', $frame, mentions(2, $mention));
worker_refuses('mentions with more', $frame, mentions(1, $mention, pack('v', 0) . 'x'));
worker_refuses('a mention of a long address', $frame, mentions(1, pack('vV', 0, 1) . str('wss://' . 'x' x 2048)));
worker_refuses('REJECTED of too many', $frame, rejected(2049, ''));
worker_refuses('REJECTED that counts nothing', $frame, rejected(1, str('bad_json') . $id . pack('Q<', 0) . str('x')));
worker_refuses('REJECTED with a long sample', $frame, rejected(1, str('bad_json') . $id . pack('Q<', 1) . str('x' x 8193)));
worker_refuses('REJECTED that is cut', $frame, rejected(2, str('bad_json') . $id . pack('Q<', 1) . str('x')));
worker_refuses('a WINDOW of no state', $frame, window(1, 2, 3));
worker_refuses('a WINDOW that ends before it begins', $frame, window(2, 1, 0));
worker_refuses('a WINDOW that is cut', $frame, 'WINDOW J 00');
worker_refuses('a RESULT of no outcome', $frame, result(4));
worker_refuses('a RESULT with more', $frame, result(2, 'x'));
worker_refuses('a RESULT that is cut', $frame, 'RESULT J 02');

is($node->safe_psql('postgres', $synchronizer), $pid, 'the worker is the same process');
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $start, 'the server was never restarted');
is($node->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.event'), '0', 'no event was stored');
is($node->safe_psql('postgres', 'SELECT count(*) FROM bigbrotr.coverage'), '0', 'no window was closed');

# What is not malformed, after all that: it is stored.
hand_over(events(1, event()), rejected(1, str('bad_json: no') . $id . pack('Q<', 3) . str('x' x 8192)), window(1, 2, 2));
due();
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM bigbrotr.event WHERE content = 'x'"), 'a good event is stored');
ok($node->poll_query_until('postgres',
		"SELECT count = 3 AND octet_length(sample) = 4096 FROM bigbrotr.rejected_event WHERE reason = 'bad_json'"),
	'a refused one is counted, its sample cut');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM bigbrotr.coverage WHERE state = 'complete'"), 'a window is closed');

# One that always does it is started less and less often.
my $offset = -s $node->logfile;
open my $again, '>', "$dir/again";
close $again;
hand_over('raw - ' . 'ff' x 12);
$node->stop('fast');
$node->start;
ok($node->wait_for_log(qr/restarting it in 1 s.*restarting it in 2 s.*restarting it in 4 s/s, $offset), 'waits double');

# A program that is not there, or ends at once.
$offset = -s $node->logfile;
$node->append_conf('postgresql.conf', "bigbrotr.net_program = '$dir/nothing'\n");
$node->restart;
ok($node->wait_for_log(qr/could not start ".*nothing": No such file or directory\n.*HINT:  Install bigbrotr-net, or set bigbrotr.net_program/, $offset),
	'a missing program is named, with a hint');
$offset = -s $node->logfile;
$node->append_conf('postgresql.conf', "bigbrotr.net_program = '/bin/true'\n");
$node->restart;
ok($node->wait_for_log(qr/bigbrotr-net was lost: it (ended|closed its socket).*\n.*DETAIL:  Exit status: child process exited with exit code 0/, $offset), 'a program that ends at once is lost, with its status');

$offset = -s $node->logfile;
append_to_file("$dir/no_memory", "#!/bin/sh\nexit 4\n");
chmod 0755, "$dir/no_memory";
$node->append_conf('postgresql.conf', "bigbrotr.net_program = '$dir/no_memory'\n");
$node->restart;
ok($node->wait_for_log(qr/DETAIL:  Exit status: child process exited with exit code 4\.\n.*HINT:  It ran out of memory/, $offset),
	'one that ran out of memory is told from others');

# The validator, in the same way.
unlink "$dir/again", "$dir/send";
$node->append_conf('postgresql.conf', "bigbrotr.net_program = '$dir/fake_net'\nbigbrotr.synchronizer_interval = 0\nbigbrotr.validator_interval = 1\n");
$node->restart;
$node->safe_psql('postgres', "INSERT INTO bigbrotr.candidate (url, network) VALUES ('ws://127.0.0.1:2', 'clearnet')");
worker_refuses('validator: an unexpected type', qr/unexpected frame type/, offer(1, pack('q<', $good_key) . $id));
worker_refuses('validator: a RESULT of an unknown job', qr/RESULT/, result(0) =~ s/ J / 424242 /r);
worker_refuses('validator: a RESULT of no job', qr/RESULT/, result(0) =~ s/ J / 0 /r);
worker_refuses('validator: a RESULT that is cut', qr/RESULT/, 'RESULT J 02');
worker_refuses('validator: a RESULT of no outcome', qr/RESULT/, result(9));
is($node->safe_psql('postgres', "SELECT state FROM bigbrotr.relay WHERE url = 'ws://127.0.0.1:2'"), '', 'no candidate was promoted');
hand_over(result(0));
due();
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM bigbrotr.relay WHERE url = 'ws://127.0.0.1:2'"), 'a good RESULT promotes it');

$node->stop;
done_testing();
