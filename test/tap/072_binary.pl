# Type tags in its binary form, as COPY and drivers send it: what goes out comes
# in again; of bytes that somebody changed, either the type says no, or they are
# the one packed form of some tags.  BB_BINARY_SEED chooses other changes.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $seed = $ENV{BB_BINARY_SEED} // 20261121;
my $changes = $ENV{BB_BINARY} // 3000;
my $node = bigbrotr_node('main', "bigbrotr.databases = ''\n");
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET search_path = public, bigbrotr');
my $dir = $node->basedir;
srand($seed);
diag("seed $seed");

# one row with one column of type tags (the file format of COPY)
sub copy_file
{
	my ($name, $packed) = @_;
	open my $f, '>:raw', "$dir/$name" or die "$name: $!";
	print $f "PGCOPY\n\377\r\n\0", pack('N N n N', 0, 0, 1, length $packed), $packed, pack('n', 0xffff);
	close $f;
	return;
}

my @tags = map { chomp; $_ } grep { length } split /\n/, <<'TAGS';
[]
[["t","nostr"]]
[["e","ababababababababababababababababababababababababababababababab12","wss://relay.example.org","reply"],["p",""]]
[["name of several letters","a","b","c","d"],["é","ü"],["d"]]
[["p","ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB12"],["x","00"]]
TAGS
push @tags, '[["r","' . 'a' x 70000 . '"]]';
my @packed;
$node->safe_psql('postgres', 'CREATE TABLE t (i serial, tags bigbrotr.tags)');
foreach my $tags (@tags)
{
	$node->safe_psql('postgres', "INSERT INTO t (tags) VALUES ('$tags')");
	my $hex = $node->safe_psql('postgres', "SELECT encode(bigbrotr.tags_send(tags), 'hex') FROM t ORDER BY i DESC LIMIT 1");
	push @packed, pack 'H*', $hex;
	copy_file('same', $packed[-1]);
	$node->safe_psql('postgres', "\\copy t (tags) FROM '$dir/same' (FORMAT binary)");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM t AS a JOIN t AS b ON b.i = a.i + 1 AND a.tags = b.tags AND a.i % 2 = 1'),
	scalar(@tags), 'what went out came in');

my $script = "TRUNCATE t;\n";
foreach my $n (1 .. $changes)
{
	my $bytes = $packed[rand @packed];
	$bytes = substr $bytes, 0, 200 if rand() < 0.3;
	foreach (0 .. rand 4)
	{
		my $at = int rand(1 + ($n % 2 ? length $bytes : length($bytes) < 40 ? length $bytes : 40));
		my $what = rand;
		if ($what < 0.6 && $at < length $bytes) { substr($bytes, $at, 1) = chr int rand 256 }
		elsif ($what < 0.8) { substr($bytes, $at, 0) = join '', map { chr int rand 256 } 0 .. rand 5 }
		elsif ($at < length $bytes) { substr($bytes, $at, 1 + rand 4) = '' }
	}
	copy_file("changed$n", $bytes);
	$script .= "\\copy t (tags) FROM '$dir/changed$n' (FORMAT binary)\n";
}
append_to_file("$dir/script.sql", "$script\\echo alive\n");
my ($out, $err) = run_command(['psql', '-XqAt', '-v', 'VERBOSITY=sqlstate', '-h', $node->host, '-p', $node->port, '-f', "$dir/script.sql", 'postgres']);
like($out, qr/alive\z/, "$changes changed values in one session that is there at the end");
my @states = $err =~ /ERROR:  (\w{5})/g;
my $taken = $node->safe_psql('postgres', 'SELECT count(*) FROM t');
is(scalar(grep { $_ ne '22P03' } @states), 0, 'those refused are refused as invalid binary representations');
is(@states + $taken, $changes, 'each is taken or refused');
cmp_ok($taken, '>', $changes / 100, "$taken are taken");
cmp_ok(scalar(@states), '>', $changes / 10, scalar(@states) . ' are refused');
is($node->safe_psql('postgres', 'SELECT count(*) FROM t WHERE tags::text::bigbrotr.tags <> tags'), '0', 'what was taken is what its own text packs to');
is($node->safe_psql('postgres', "SELECT count(*) FROM t WHERE bigbrotr.tag_count(tags) < 0 OR bigbrotr.tag_values(tags, 'e') IS NULL AND tags @> '{e:x}'"),
	'0', 'and can be looked into');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP/, 'nothing broke');
$node->stop;
done_testing();
