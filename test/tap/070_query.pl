# bigbrotr.query and count against a naive reference (test/query), on random
# filters.  BB_QUERY_SEED and BB_QUERY_FILTERS choose others and more.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $seed = $ENV{BB_QUERY_SEED} // 20261121;
my $filters = $ENV{BB_QUERY_FILTERS} // 1000;
my $dir = "$ENV{BB_ROOT}/test/query";
my $node = bigbrotr_node('main', "bigbrotr.databases = ''\n");

diag("seed $seed");
$node->safe_psql('postgres', 'SELECT bigbrotr.partition_ensure()');
$node->command_ok(['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-v', "seed=$seed", '-v', 'rows=1200', '-f', "$dir/reference.sql", 'postgres'],
	'an archive with ties, replacements, deletions');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ref'), '1200', 'of that size');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM ref WHERE served'), '>', 100, 'a relay would serve some');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM ref WHERE NOT served'), '>', 100, 'and some not');

sub compare
{
	my ($from, $to) = @_;
	return $node->safe_psql('postgres', "SET client_min_messages = warning;\n\\set from $from\n\\set to $to\nSELECT setseed(($seed % 999983 + $from) % 999983 / 999983.0);\n"
		  . slurp_file("$dir/compare.sql")) =~ s/^\s+//r;
}

is(compare(1, $filters / 2), '', 'half of the filters: the same answers');
$node->safe_psql('postgres', 'CALL bigbrotr.search_enable()');
is(compare($filters / 2 + 1, $filters), '', 'the other half, with an index for search');

# can it fail?
$node->safe_psql('postgres', 'UPDATE ref SET created_at = created_at + 1 WHERE n % 10 = 0');
isnt(compare(1, 100), '', 'a wrong answer is noticed');

# a long one can be stopped
my ($rc, $out, $err) = $node->psql('postgres', "SET statement_timeout = '100ms'; SELECT bigbrotr.count('{}', 'relay') FROM generate_series(1, 1000000)");
like($err, qr/statement timeout/, 'a query is interrupted');

# the index for search
my $parts = "FROM pg_inherits WHERE inhparent = 'bigbrotr.event'::regclass";
my $without = "SELECT count(*) $parts AND bigbrotr.search_index_of(inhrelid) IS NULL";
is($node->safe_psql('postgres', $without), '0', 'every partition has it');
$node->safe_psql('postgres', "SELECT bigbrotr.partition_ensure(now() + interval '4 months')");
is($node->safe_psql('postgres', $without), '0', 'those that are made later, too');
like($node->safe_psql('postgres', "SET enable_seqscan = off; EXPLAIN SELECT FROM bigbrotr.event WHERE bigbrotr.search_vector('simple', kind, content) @@ 'dog'::tsquery"),
	qr/Bitmap Index Scan on event_\w*search_vector/, 'a plain predicate uses it');
is($node->safe_psql('postgres', q(SELECT count(*) FROM bigbrotr.query('{"search":"nobodywrotethis"}'))), '0', 'a word that nobody wrote');
ok($node->poll_query_until('postgres', "SELECT sum(idx_scan) > 0 FROM pg_stat_user_indexes WHERE indexrelname ~ 'search_vector'"), 'a query uses it');

# what could break an insert
my $insert = "INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey, content) SELECT bigbrotr.partition_bound(to_timestamp(1750000000 + n)) + n, 1750000000 + n, 1, "
  . "sha256(('poison' || n)::bytea), sha256('poisoner'), c FROM (SELECT row_number() OVER () AS n, c FROM";
for my $poison (q(repeat('x', 3000000)), q(repeat('日', 500000)), q(repeat('a-', 500000)), q(repeat('a.', 500000)), q(repeat('a/', 500000)),
	q(repeat('<a href=', 100000)), q(repeat('&x', 300000)), q(repeat('1e', 300000)), q(repeat('@a.b', 300000)), q(repeat('http://', 300000)),
	q((SELECT string_agg(md5(i::text), ' ') FROM generate_series(1, 100000) AS i)), q(''))
{
	my ($rc, $out, $err) = $node->psql('postgres', "BEGIN; $insert (VALUES ($poison)) AS v (c)) AS x; ROLLBACK");
	is("$rc $err", '0 ', "indexed without a word: $poison");
}
$node->safe_psql('postgres', "$insert (VALUES ('needle'), (repeat(' ', 16400) || 'needle'), (repeat('x', 20000) || ' needle'), (repeat('x', 2000) || 'needle'), (NULL)) AS v (c)) AS x");
is($node->safe_psql('postgres', q(SELECT count(*) FROM bigbrotr.query('{"search":"needle"}'))), '1', 'found in the first 16 kB, as a word');

# and who has none
my ($rc2, $out2, $err2) = $node->psql('postgres', "CALL bigbrotr.search_enable('english')");
like($err2, qr/HINT:  Run CALL bigbrotr.search_disable\(\) first/, 'one configuration at a time');
$node->safe_psql('postgres', 'CALL bigbrotr.search_disable()');
is($node->safe_psql('postgres', "SELECT count(*) $parts AND bigbrotr.search_index_of(inhrelid) IS NOT NULL"), '0', 'dropped');
$node->safe_psql('postgres', "CALL bigbrotr.search_enable('english')");
is($node->safe_psql('postgres', q(SELECT count(*) FROM bigbrotr.query('{"search":"needles"}'))), '1', 'another configuration');
$node->safe_psql('postgres', "CALL bigbrotr.search_disable(); $insert generate_series(1, 100000) AS i (n), LATERAL (SELECT 'hay ' || i.n) AS v (c)) AS x WHERE n > 10");
($rc2, $out2, $err2) = $node->psql('postgres', q(SELECT bigbrotr.count('{"search":"needle"}')));
like($err2, qr/search without an index exceeded the limit of 100000 events\nHINT:  .*search_enable/, 'without it there is a bound');
is($node->safe_psql('postgres', q(SELECT bigbrotr.count('{"search":"needle","until":1750000009}'))), '1', 'which other conditions keep away');

done_testing();
