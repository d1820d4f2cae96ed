# Events from a file and into one: everything in it is stored or counted with
# its reason, an interruption costs nothing, and what was exported is the
# same archive elsewhere.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use POSIX 'mkfifo';
use Test::More;
use BigBrotr::Test;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = bigbrotr_node('transfer', "bigbrotr.databases = ''\n");
my $relay = 'wss://relay.bigbrotr.org';
my $total = 12000;
my $events = generate_events($total, 71);
my $truth = event_ids($events);
my @lines = split /\n/, slurp_file($events);
my $file = "$dir/in.jsonl";

sub one { return $node->safe_psql($_[1] // 'postgres', $_[0]) }
sub ids { return one("SELECT md5(string_agg(id::text, '' ORDER BY id)), count(*) FROM bigbrotr.event", $_[0]) }
sub fails { my ($rc, $out, $err) = $node->psql('postgres', $_[0]); return $err }

sub add
{
	open my $f, '>>:raw', $file or die "$file: $!";
	print $f @_;
	close $f or die "$file: $!";
	return;
}

# Calls in a session of its own, which is ended when the first steps are done.
sub interrupted
{
	my ($call, $direction) = @_;
	my ($in, $out) = ('', '');
	my $h = IPC::Run::start([ 'psql', '-qX', '-d', $node->connstr('postgres'), '-c', $call ], '<', \$in, '>', \$out, '2>&1');
	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM bigbrotr.transfer WHERE direction = '$direction' AND position > 0");
	one("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'CALL bigbrotr.%'");
	IPC::Run::finish($h);
	return one("SELECT finished_at IS NULL AND position > 0 FROM bigbrotr.transfer WHERE direction = '$direction'");
}

# --- import: as strfry writes it, and with what should not be there ---
my $fried = $lines[1] =~ s/\}$/,"fried":"00ff"}/r;
add("$lines[0]\r\n", "\n  \n", "$fried\n", "$lines[2]\t \n", "not JSON\n", ($lines[3] =~ s/"content":"/"content":"\xff/r) . "\n", '{"id":"' . ('x' x (17 * 1024 * 1024)) . "\"}\n",
	($lines[3] =~ s/"sig":"../"sig":"zz/r) . "\n", (map { "$_\n" } @lines[ 3 .. $#lines ]), "$lines[5]\n");
ok(interrupted("CALL bigbrotr.import_jsonl('$file', '$relay')", 'import'), 'interrupted in the middle');
my $stored = one('SELECT events FROM bigbrotr.transfer');
is(one('SELECT count(*) FROM bigbrotr.event'), $stored, 'what was recorded is what is there');
one("CALL bigbrotr.import_jsonl('$file', '$relay')");
is(one('SELECT events, observations, known, invalid, position = size, finished_at IS NOT NULL FROM bigbrotr.transfer'),
	"$total|$total|1|4|t|t", 'the next call reads the rest; all is accounted for');
is(one("SELECT string_agg(split_part(reason, ':', 1) || ' ' || count, ' ' ORDER BY reason COLLATE \"C\") FROM bigbrotr.rejected_event"),
	'bad_json 1 bad_sig 1 bad_utf8 1 too_large 1', 'what was refused, and why') or diag(one('SELECT reason, count FROM bigbrotr.rejected_event'));
is(one("SELECT encode(id, 'hex') FROM bigbrotr.event ORDER BY 1"), $truth, 'ids equal the ground truth');
is(one('SELECT count(*) FROM bigbrotr.observation'), $total, 'each was observed');

# --- what is no file, or a shorter one than it says ---
mkfifo("$dir/fifo", 0700) or die "mkfifo: $!";
like(fails("SET statement_timeout = '10s'; CALL bigbrotr.import_jsonl('$dir/fifo')"), qr/is not a regular file/, 'a pipe is not waited for');
like(fails("SET statement_timeout = '10s'; CALL bigbrotr.export_jsonl('$dir/fifo')"), qr/No such device|not a regular file/, 'nor is one to write to');
my ($short) = grep { -r $_ && -s $_ == 4096 } glob '/sys/kernel/mm/ksm/run /sys/kernel/mm/transparent_hugepage/enabled /sys/kernel/mm/lru_gen/enabled';
SKIP:
{
	skip 'no file that is shorter than it says', 1 unless defined $short;
	is(fails("SET statement_timeout = '10s'; CALL bigbrotr.import_jsonl('$short')"), '', 'a file that has become shorter has an end');
}
one("DELETE FROM bigbrotr.transfer WHERE source NOT LIKE '%.jsonl'; DELETE FROM bigbrotr.rejected_event WHERE reason = 'bad_json'");

# --- again, and when the file grows ---
one("CALL bigbrotr.import_jsonl('$file', '$relay')");
is(one('SELECT events, known FROM bigbrotr.transfer'), "$total|1", 'once more: nothing is left');
my @more = split /\n/, slurp_file(generate_events(3, 72, 1720000000));
add("$more[0]\n", substr($more[1], 0, 100));
one("CALL bigbrotr.import_jsonl('$file', '$relay')");
is(one("SELECT events - $total, invalid, size - position FROM bigbrotr.transfer"), '1|4|100', 'a line that is being written is left alone');
add(substr($more[1], 100) . "\n", $more[2]);
one("CALL bigbrotr.import_jsonl('$file', '$relay')");
is(one("SELECT events - $total, invalid, size - position FROM bigbrotr.transfer"), '3|4|0', 'until it is whole; the last one needs no end');
one("CALL bigbrotr.import_jsonl('$file', '$relay', restart => true)");
is(one("SELECT events - $total, known, observations - $total FROM bigbrotr.transfer"), '3|' . ($total + 5) . '|3', 'from the beginning: all are known');
one("CALL bigbrotr.import_jsonl('$file')");
is(one("SELECT events, observations FROM bigbrotr.transfer WHERE relay_url = ''"), '0|0', 'without a relay: another import, no observations');

# --- refusals: they change nothing ---
my $recorded = sub { return one("SELECT string_agg(t::text, ' ' ORDER BY id) FROM bigbrotr.transfer AS t") };
my $before = $recorded->();
one('CREATE ROLE nobody LOGIN; CREATE ROLE without LOGIN IN ROLE bigbrotr_operator');
sub denied { my ($rc, $out, $err) = $node->psql('postgres', $_[0], extra_params => [ '-U', $_[1] ]); return $err }
like(fails("BEGIN; CALL bigbrotr.import_jsonl('$file')"), qr/cannot run inside a transaction block.*HINT/s, 'not in a transaction');
like(fails("CALL bigbrotr.import_jsonl('$dir/none')"), qr/could not open/, 'no file');
like(fails("CALL bigbrotr.import_jsonl('$dir')"), qr/not a regular file/, 'a directory');
like(fails("CALL bigbrotr.import_jsonl('$file', 'nonsense')"), qr/invalid relay address/, 'no relay');
like(fails('CALL bigbrotr.import_jsonl(NULL)'), qr/must not be null/, 'no name');
like(fails('SELECT bigbrotr.import_step(999)'), qr/no import with id 999/, 'no such import');
like(fails("CALL bigbrotr.import_jsonl('')"), qr/transfer_source_check/, 'an empty name');
like(fails("CALL bigbrotr.export_jsonl('$dir/none/out')"), qr/could not open/, 'no directory');
like(fails("CALL bigbrotr.export_jsonl('$file')"), qr/already exists and is not empty/, 'a file that is there is not overwritten');
like(fails("CALL bigbrotr.import_python('none')"), qr/"none" does not exist|none\.relay/, 'no schema');
like(denied("CALL bigbrotr.import_jsonl('$file')", 'nobody'), qr/permission denied/, 'nobody');
like(denied("CALL bigbrotr.import_jsonl('$file')", 'without'), qr/must be a member of role pg_read_server_files/, 'no right to read files');
like(denied("CALL bigbrotr.export_jsonl('$dir/x')", 'without'), qr/must be a member of role pg_write_server_files/, 'nor to write them');
truncate $file, 10 or die "$file: $!";
like(fails("CALL bigbrotr.import_jsonl('$file', '$relay')"), qr/shorter than what was read.*HINT/s, 'another file under the same name');
is($recorded->(), $before, 'nothing of that is recorded');
unlink $file or die "$file: $!";
like(fails("CALL bigbrotr.import_jsonl('$file', '$relay', restart => true)"), qr/could not open/, 'from the beginning of a file that is gone');
is($recorded->(), $before, 'it stands where it stood');

# --- export: interrupted, spoilt behind what was recorded, and gone on with ---
my $out = "$dir/out.jsonl";
my $spoilt = '(SELECT key FROM bigbrotr.event ORDER BY key OFFSET 1000 LIMIT 1)';
one("UPDATE bigbrotr.event SET kind = kind + 1 WHERE key = $spoilt");
like(fails("CALL bigbrotr.export_jsonl('$out')"), qr/the id is not the hash of the event/, 'an event that is none any more');
is(one("SELECT position FROM bigbrotr.transfer WHERE direction = 'export'"), 0, 'nothing was recorded');
cmp_ok(-s $out, '>', 0, 'but something written');
one("UPDATE bigbrotr.event SET kind = kind - 1 WHERE key = $spoilt");
ok(interrupted("CALL bigbrotr.export_jsonl('$out')", 'export'), 'interrupted in the middle');
append_to_file($out, 'half a li');
one("CALL bigbrotr.export_jsonl('$out')");
is(one("SELECT events, size = position FROM bigbrotr.transfer WHERE direction = 'export'"), ($total + 3) . '|t', 'all are written');
is(-s $out, one("SELECT position FROM bigbrotr.transfer WHERE direction = 'export'"), 'and nothing else');
one("CALL bigbrotr.export_jsonl('$dir/again.jsonl')");
ok(slurp_file($out) eq slurp_file("$dir/again.jsonl"), 'the same as without interruption');
is((split /\n/, slurp_file($out))[0], one('SELECT bigbrotr.event_json(e) FROM bigbrotr.event AS e ORDER BY key LIMIT 1'), 'oldest first');

# --- elsewhere ---
one('CREATE DATABASE other');
one('CREATE EXTENSION bigbrotr', 'other');
one("CALL bigbrotr.import_jsonl('$out')", 'other');
is(ids('other'), ids('postgres'), 'the same archive');
is(one('SELECT md5(string_agg(e::text, E\'\\n\' ORDER BY key)) FROM bigbrotr.event AS e', 'other'),
	one('SELECT md5(string_agg(e::text, E\'\\n\' ORDER BY key)) FROM bigbrotr.event AS e'), 'in every column');

# by an operator who may use files
one('CREATE ROLE filer LOGIN IN ROLE bigbrotr_operator, pg_read_server_files, pg_write_server_files');
my $as = sub { return $node->safe_psql('other', $_[0], extra_params => [ '-U', 'filer' ]) };
$as->("CALL bigbrotr.export_jsonl('$dir/filer.jsonl'); CALL bigbrotr.import_jsonl('$dir/filer.jsonl', '$relay')");
is($as->("SELECT known, observations FROM bigbrotr.transfer WHERE source LIKE '%filer%' AND direction = 'import'"), ($total + 3) . '|' . ($total + 3), 'by an operator with the right to use files');

$node->stop;
done_testing();
