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
	return $node->safe_psql('postgres', "\\set from $from\n\\set to $to\nSELECT setseed(($seed % 999983 + $from) % 999983 / 999983.0);\n"
		  . slurp_file("$dir/compare.sql")) =~ s/^\s+//r;
}

is(compare(1, $filters), '', "$filters filters: the same answers");

# can it fail?
$node->safe_psql('postgres', 'UPDATE ref SET created_at = created_at + 1 WHERE n % 10 = 0');
isnt(compare(1, 100), '', 'a wrong answer is noticed');

# a long one can be stopped
my ($rc, $out, $err) = $node->psql('postgres', "SET statement_timeout = '100ms'; SELECT bigbrotr.count('{}', 'relay') FROM generate_series(1, 1000000)");
like($err, qr/statement timeout/, 'a query is interrupted');

done_testing();
