# Every function of the extension with odd arguments: NULL, both ends of each
# type, arrays of two dimensions, rows of nothing.  Each call answers or is an
# error that says what is wrong; no call ends the server or fails inside.
# BB_ARGUMENTS_SEED chooses other combinations, BB_ARGUMENTS more of them.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $seed = $ENV{BB_ARGUMENTS_SEED} // 20261121;
my $most = $ENV{BB_ARGUMENTS} // 60;		# calls of one function
my $node = bigbrotr_node('main', "bigbrotr.databases = ''\n");
srand($seed);
diag("seed $seed");

my $events = generate_events(50);
$node->safe_psql('postgres', "CREATE TABLE line (t text); COPY line FROM '$events'");
$node->safe_psql('postgres', 'SELECT bigbrotr.partition_ensure()');
$node->safe_psql('postgres', "SELECT * FROM bigbrotr.event_ingest((SELECT array_agg(t) FROM line), 'wss://relay.relays.net')");

my %odd = (
	'boolean' => [qw(true false)],
	'smallint' => [qw(0 1 -32768 32767)],
	'integer' => [qw(0 1 7 -1 2147483647 -2147483648)],
	'bigint' => [qw(0 1 -1 9223372036854775807 -9223372036854775808 17179869184), '912680550400000000'],
	'double precision' => [qw(0 1 -1 0.5 1e308), "'NaN'", "'Infinity'", "'-Infinity'"],
	'text' => ["''", "'x'", "'{}'", "'[]'", "repeat('a', 100000)", "repeat('[', 100000)", "'wss://relay.relays.net'",
		"'wss://127.0.0.1:1'", "E'\\u0001\\uFFFF'", "'\"'", "'%s%n'", "'event_stats'", "'relay'", "'daily'", '(SELECT t FROM public.line LIMIT 1)'],
	'bytea' => ["'\\x'", "'\\x00'", "'\\x01'", "'\\x02ffffffffffffffffffff'", "decode(repeat('ab', 31), 'hex')", "decode(repeat('ab', 32), 'hex')",
		"decode(repeat('ff', 70000), 'hex')"],
	'jsonb' => ["'{}'", "'[]'", "'null'", "'\"x\"'", "'1e400'", "'{\"kinds\":[1],\"limit\":0}'", "'[{\"ids\":[]},{\"#t\":[\"\"]}]'",
		"'{\"since\":-9223372036854775808,\"until\":9223372036854775807}'", "(repeat('[', 1000) || repeat(']', 1000))::jsonb",
		"'{\"authors\":[\"x\"]}'", "'{\"#\":[1]}'", "'{\"limit\":1e10}'"],
	'timestamp with time zone' => ["'infinity'", "'-infinity'", 'now()', "'4713-01-01 BC'", "'294276-12-31'", "'epoch'"],
	'date' => ["'infinity'", "'-infinity'", "'2024-01-01'", "'4713-01-01 BC'", "'5874897-12-31'"],
	'regclass' => ["'bigbrotr.event'", "'bigbrotr.event_old'", "'pg_class'", '0', '4294967295'],
	'regconfig' => ["'simple'", "'english'"],
	'interval' => ["'0'", "'-1 day'", "'178000000 years'", "'1 second'", "'1 month'"],
	'bigbrotr.tags' => ["'[]'", "'[[]]'", "'[[\"\"]]'", "'[[\"d\"]]'", "'[[\"d\",\"x\"],[\"t\",\"\"]]'", "'[[\"e\",\"" . 'ab' x 32 . "\"]]'"],
	'bigbrotr.event' => ['ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)', "ROW(0, '\\x', '\\x', 0, 0, '[]', '', '\\x')",
		"ROW(0, '\\x00', '\\x00', 0, -1, '[]', '{', '\\x00')", '(SELECT e FROM bigbrotr.event AS e LIMIT 1)'],
);
my $columns = $node->safe_psql('postgres', "SELECT count(*) FROM pg_attribute WHERE attrelid = 'bigbrotr.check_sample'::regclass AND attnum > 0");
$odd{'bigbrotr.check_sample'} = ['ROW(' . join(', ', ('NULL') x $columns) . ')', 'ROW(' . join(', ', ("'0'") x $columns) . ')'];
foreach my $type (qw(text bigint bytea integer))
{
	my @some = @{ $odd{$type} };
	$odd{"${type}[]"} = ["'{}'", "'{NULL}'", 'ARRAY[' . join(', ', map { "$_\::$type" } @some) . ", NULL]",
		"ARRAY[[$some[0]::$type, $some[1]::$type], [$some[0]::$type, NULL]]", "array_fill($some[1]::$type, ARRAY[3], ARRAY[7])"];
}
$odd{'bigbrotr.check_sample[]'} = ["'{}'", "'{NULL}'", map { "ARRAY[$_\::bigbrotr.check_sample]" } @{ $odd{'bigbrotr.check_sample'} }];

my @functions = split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT p.prokind::text || E'\t' || p.oid::regproc::text || E'\t' || coalesce((SELECT string_agg(format_type(t, NULL), '|' ORDER BY o) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, o)), '')
FROM pg_proc AS p WHERE p.pronamespace = 'bigbrotr'::regnamespace AND p.prokind IN ('f', 'p')
AND p.prorettype NOT IN ('trigger'::regtype, 'internal'::regtype, 'fdw_handler'::regtype, 'cstring'::regtype)
AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) AS a (t) WHERE t IN ('internal'::regtype, 'cstring'::regtype)) ORDER BY p.oid
SQL
cmp_ok(scalar(@functions), '>', 80, scalar(@functions) . ' functions');

my $script = '';
my $calls = 0;
foreach (@functions)
{
	my ($prokind, $name, $types) = split /\t/, $_, 3;
	my @types = split /\|/, $types;
	my %seen;
	foreach my $type (@types) { BAIL_OUT("no odd values of type $type") unless $odd{$type} }
	for (1 .. $most)
	{
		my $args = join ', ', map { rand() < 0.12 ? "NULL::$_" : do { my $o = $odd{$_}; "($o->[rand @$o])::$_" } } @types;
		next if $seen{$args}++;
		my $do = $prokind eq 'p' ? "CALL $name($args)" : "SELECT count(f.*) FROM (SELECT $name($args) AS f OFFSET 0) AS f";
		$script .= "BEGIN;\n$do;\nROLLBACK;\n";
		$calls++;
		last unless @types;
	}
}
append_to_file("$node->{_basedir}/calls.sql", "SET statement_timeout = '1s';\n$script\n\\echo alive\n");
my ($out, $err) = run_command(['psql', '-XqAt', '-b', '-v', 'VERBOSITY=verbose', '-h', $node->host, '-p', $node->port,
	'-f', "$node->{_basedir}/calls.sql", 'postgres']);
like($out, qr/alive\z/, "$calls calls in one session that is there at the end");
my $failures = () = $err =~ /ERROR: /g;
cmp_ok($failures, '>', $calls / 20, "$failures of them are errors");
is(join('', $err =~ /(ERROR:  XX000[^\n]*(?:\n[A-Z]+: [^\n]*)*\n(?:STATEMENT[^\n]*)?)/g), '', 'none inside');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP/, 'nothing broke');
$node->stop;
done_testing();
