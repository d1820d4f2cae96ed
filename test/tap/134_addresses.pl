# Bad addresses on every way into the database: each gets its reason, none
# stops the others or the child that is asked to connect to it.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $seeds = PostgreSQL::Test::Utils::tempdir() . '/seeds.txt';
my $long = 'wss://relay.nostr.org/' . 'x' x 5000;
my @bad = ('relay.nostr.org', 'https://relay.nostr.org', 'wss://localhost.localdomain', 'wss://10.0.0.1',
	'wss://relay.nostr.org:99999', 'wss://relay.nostr.org/a,b', 'wss://user:pw@relay.nostr.org',
	'wss://relay.nostr.org?x=1', 'wss://short.onion', 'wss://a b');
open my $f, '>', $seeds or die $!;
print {$f} "# comment\n\n \t\r\nWSS://Relay.Nostr.ORG/\r\n  wss://relay.nostr.org  \n", map { "$_\n" } @bad;
print {$f} "$long\nwss://caf\xe9.com\nwss://two.nostr.org";
close $f;

my $node = bigbrotr_node('main',
	"bigbrotr.allow_networks = ''\nbigbrotr.validator_interval = 0\nbigbrotr.seeder_file = '$seeds'\n");
ok($node->poll_query_until('postgres', "SELECT count(*) = 14 FROM bigbrotr.seed WHERE seeded_at IS NOT NULL"),
	'every line that is text is in the table');
is($node->safe_psql('postgres', 'SELECT string_agg(url, \' \' ORDER BY url) FROM bigbrotr.candidate'),
	'wss://relay.nostr.org wss://two.nostr.org', 'the good ones are candidates, once');
is($node->safe_psql('postgres', "SELECT string_agg(split_part(reason, ':', 1), ' ' ORDER BY reason) FROM bigbrotr.seed WHERE outcome = 'invalid'"),
	join(' ', sort qw(no_scheme bad_scheme special_name special_address bad_port bad_path userinfo query bad_overlay bad_character too_long)),
	'the others have their reasons');
is($node->safe_psql('postgres', "SELECT string_agg(DISTINCT outcome, ' ' ORDER BY outcome) FROM bigbrotr.seed"),
	'candidate invalid known', 'and outcomes');
$node->wait_for_log(qr/skipped line 17 of seed file ".*": invalid byte sequence/);
pass('a line that is not text is named in the log');
$node->wait_for_log(qr/seeder: 2 new candidates, 1 known, 11 invalid/);
pass('the log has the sums');

# A relay whose address the child refuses: it stays, with the reason.
my $offset = -s $node->logfile;
$node->safe_psql('postgres', "INSERT INTO bigbrotr.relay (url, network) VALUES ('ws://127.0.0.1:1', 'clearnet')");
ok($node->poll_query_until('postgres', "SELECT failures > 0 FROM bigbrotr.relay WHERE url = 'ws://127.0.0.1:1'"),
	'a relay that may not be connected to fails');
is($node->safe_psql('postgres', "SELECT failure FROM bigbrotr.relay WHERE url = 'ws://127.0.0.1:1'"), 'address_refused', 'with its class');
unlike(slurp_file($node->logfile, $offset), qr/was lost/, 'and bigbrotr-net goes on');

# No file.
$offset = -s $node->logfile;
$node->safe_psql('postgres', "ALTER SYSTEM SET bigbrotr.seeder_file = '/nonexistent/seeds.txt'");
$node->reload;
ok($node->poll_query_until('postgres', "SELECT current_setting('bigbrotr.seeder_file') ~ 'nonexistent'"), 'the setting is taken');
$node->safe_psql('postgres', "SELECT bigbrotr.run('seeder')");
$node->wait_for_log(qr/could not open seed file "\/nonexistent\/seeds.txt": No such file.*\n.*HINT:  Check bigbrotr.seeder_file/, $offset);
pass('a file that is not there is named, with a hint');

$node->stop;
done_testing();
