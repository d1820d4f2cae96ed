# Clients in other languages: the same events are valid, the same are not, ids
# and NIP-19 names are equal; and what they sign is archived and given back so
# that they accept it again.

use strict;
use warnings;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;
use Peers;

my $node = bigbrotr_node('clients', "bigbrotr.databases = ''\n");
my $dir = PostgreSQL::Test::Utils::tempdir();

# One change per event, of five sorts: each makes it invalid.
my @tamper = (
	sub { $_[0] =~ s/("id":"[0-9a-f]{63})([0-9a-f])/$1 . ($2 eq '0' ? '1' : '0')/er },
	sub { $_[0] =~ s/("sig":"[0-9a-f]{127})([0-9a-f])/$1 . ($2 eq '0' ? '1' : '0')/er },
	sub { $_[0] =~ s/"created_at":(\d+)/'"created_at":' . ($1 + 1)/er },
	sub { $_[0] =~ s/"kind":(\d+)/'"kind":' . ($1 + 1)/er },
	sub { $_[0] =~ s/"content":"/"content":" /r });

# What goes into content and a tag: every byte below 0x80, what JSON writers
# treat specially, all sizes of UTF-8, and some length.
my @contents = ('', (map { chr } 1 .. 0x7f), "\x{80}\x{9f}\x{a0}", "\x{2028}\x{2029}", "\x{feff}\x{fffd}\x{ffff}",
	"\x{1f600}\x{10ffff}", '</script>&amp;<', '\\u0041\\n', "\r\n\t\b\f", "a\x{301}", 'x' x 20000,
	join('', map { chr } 1 .. 0xd7ff), "a\0b");

sub write_lines
{
	my ($name, @lines) = @_;
	open my $f, '>:raw', "$dir/$name" or die "$dir/$name: $!";
	print $f map { "$_\n" } @lines;
	close $f or die "$dir/$name: $!";
	return "$dir/$name";
}

# A table (n, line) from a file of lines.
sub load
{
	my ($table, $file) = @_;
	$node->safe_psql('postgres', <<"SQL");
DROP TABLE IF EXISTS $table;
CREATE TABLE $table (n serial, line text);
\\copy $table (line) FROM '$file' WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')
SQL
	return;
}

sub ask
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

my @genuine = split /\n/, slurp_file(generate_events(1000, 77));
my @tampered = map { $tamper[$_ % @tamper]->($genuine[$_]) } 0 .. $#genuine;
my $mixed = write_lines('mixed', @genuine, @tampered);
my $made_from = write_lines('contents', map { JSON::PP->new->allow_nonref->ascii->encode($_) } @contents);

load('mixed', $mixed);
is(ask('SELECT count(*) FROM mixed WHERE bigbrotr.event_verify(line) = (n <= 1000)'),
	'2000', 'our own verdict: the genuine are valid, the tampered are not');
my $verdicts = ask("SELECT CASE WHEN bigbrotr.event_verify(line) THEN 'valid' ELSE 'invalid' END FROM mixed ORDER BY n");
my $names = ask("SELECT bigbrotr.npub(decode(line::json->>'pubkey', 'hex')) || ' ' || "
	  . "bigbrotr.note(decode(line::json->>'id', 'hex')) FROM mixed WHERE n <= 1000 ORDER BY n");

for my $name (peer_clients())
{
	my @said = map { [ split / / ] } split /\n/, ask_client($name, 'check', $mixed);
	is(join("\n", map { $_->[0] } @said), $verdicts, "$name: agrees on 1000 genuine and 1000 tampered events");
	my @valid = grep { $_->[0] eq 'valid' } @said;
	is(join("\n", map { "$_->[1] $_->[2]" } @valid), $names, "$name: npub and note are equal");
	for my $kind ([3, 'nevent', 'id'], [4, 'nprofile', 'pubkey'], [5, 'naddr', 'pubkey'])
	{
		my ($column, $what, $field) = @$kind;
	  SKIP:
		{
			skip "$name writes no $what", 1 if $valid[0][$column] eq '-';
			load('name', write_lines($what, map { $_->[$column] } @valid));
			is(ask("SELECT count(*) FROM name JOIN mixed m USING (n) "
					. "WHERE bigbrotr.nip19_decode(name.line) = decode(m.line::json->>'$field', 'hex')"),
				'1000', "$name: we read its $what");
		}
	}

	load('made', write_lines('made', split /\n/, ask_client($name, 'make', $made_from)));
	is(ask("SELECT count(*), string_agg(n || ' ' || bigbrotr.event_reject_reason(line), '; ') "
			. 'FILTER (WHERE NOT bigbrotr.event_verify(line)) FROM made'),
		@contents . '|', "$name: what it signs is valid here");
	is(ask('SELECT count(*) FROM bigbrotr.event_ingest((SELECT array_agg(line ORDER BY n) FROM made)) '
			. "WHERE outcome = 'new'"),
		scalar @contents, "$name: and is archived");
	# COPY, because what psql shows of a SELECT leaves out U+10FFFF and its like
	ask('\copy (SELECT bigbrotr.event_json(e) FROM made JOIN bigbrotr.event e '
		  . "ON e.id = decode(substring(line FROM '\"id\": ?\"([0-9a-f]{64})\"'), 'hex') ORDER BY n) "
		  . "TO '$dir/exported' WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')");
	my @again = split /\n/, ask_client($name, 'check', "$dir/exported");
	is(scalar @again, scalar @contents, "$name: the archive gives all back");
	is(join(' ', grep { $again[$_] !~ /^valid / } 0 .. $#again), '', "$name: and they are accepted");
}
done_testing();
