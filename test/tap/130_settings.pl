# Settings in a running server: what is refused stays refused after a reload,
# what is accepted takes effect, and the log says which.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $node = bigbrotr_node('main', "bigbrotr.no_such_setting = 1\n");
like(slurp_file($node->logfile), qr/invalid configuration parameter name "bigbrotr.no_such_setting"/,
	'an unknown setting is reported at the start');

# Every number beyond the bounds of every setting.
my $wrong = $node->safe_psql('postgres', q{
	SELECT format('ALTER SYSTEM SET %I = %s', name, v)
	FROM pg_settings, LATERAL (VALUES (min_val::bigint - 1), (max_val::bigint + 1)) AS t (v)
	WHERE name LIKE 'bigbrotr.%' AND vartype = 'integer' ORDER BY name, v});
my @statements = split /\n/, $wrong;
cmp_ok(scalar @statements, '>=', 30, 'there are numbers to set');
my @accepted = grep { $node->psql('postgres', $_, stderr => \my $ignored) == 0 } @statements;
is(join("\n", @accepted), '', 'every number beyond its bounds is refused');

# The same filter, written in another way, is the same text.
sub setting_becomes
{
	my ($name, $value, $want) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET bigbrotr.$name = '$value'");
	$node->reload;
	ok($node->poll_query_until('postgres', "SELECT current_setting('bigbrotr.$name') = '$want'"),
		"$name becomes $want");
}
setting_becomes('synchronizer_filter', ' { "#t" : ["b","a","b"] , "kinds":[3,1,3] } ',
	'{"kinds":[1,3],"#t":["a","b"]}');
setting_becomes('synchronizer_filter', '{}', '{}');

# Files and servers that bigbrotr-net opens when it starts: a change starts
# another one, which may take only a second, so the log is the witness.
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'bigbrotr validator' AND query <> ''"),
	'a validator runs');
my $offset = -s $node->logfile;
setting_becomes('dns_servers', ' 9.9.9.9,  [2620:fe::fe]:5353 , 2620:fe::9, 8.8.8.8:54 ',
	'9.9.9.9:53,[2620:fe::fe]:5353,[2620:fe::9]:53,8.8.8.8:54');
ok($node->wait_for_log(qr/bigbrotr-net: ca_file, dns_servers, key_file or the use of proxies has changed/, $offset),
	'new servers are noticed');
$offset = -s $node->logfile;
setting_becomes('ca_file', '/nonexistent/ca.pem', '/nonexistent/ca.pem');
ok($node->wait_for_log(qr/bigbrotr-net: could not read the CA certificates/, $offset),
	'a file that cannot be read is reported');
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'no session has noticed');

# A bad line in the file: reported, the old value stays, nothing stops.
$offset = -s $node->logfile;
$node->append_conf('postgresql.conf', q{bigbrotr.synchronizer_filter = '{"limit":1}'} . "\n");
$node->safe_psql('postgres', 'ALTER SYSTEM RESET ALL');
$node->reload;
ok($node->wait_for_log(qr/invalid value for parameter "bigbrotr.synchronizer_filter"/, $offset), 'a bad line is logged');
like(slurp_file($node->logfile, $offset), qr/Use bigbrotr.synchronizer_since and bigbrotr.synchronizer_page/,
	'with its hint');
is($node->safe_psql('postgres', 'SHOW bigbrotr.synchronizer_filter'), '{}', 'the value before stays');

$node->stop;
done_testing();
