# The life of an address: candidate, relay, alias, degraded, parked, revived.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $node = bigbrotr_node('main', "bigbrotr.synchronizer_recheck = 0\nbigbrotr.synchronizer_tail = 0\n");

sub query { return $node->safe_psql('postgres', shift) }

sub poll { return $node->poll_query_until('postgres', @_) }

# --- paths that answer with the same document are one relay
# its port is taken again below
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $many = start_relay('--port', $port, '--events', generate_events(50, 31));
my $nobody = start_relay('--events', generate_events(10, 32), '--nip11', 'none');
seed_relays($node, "$many/a", "$many/b", $many, "$nobody/a", "$nobody/b");
ok(poll('SELECT count(*) = 5 FROM bigbrotr.relay'), 'five addresses answer');
is(query('SELECT count(*) FROM bigbrotr.relay WHERE alias_of IS NOT NULL'), '2', 'two of them are aliases');
is(query("SELECT count(DISTINCT alias_of) FROM bigbrotr.relay WHERE url LIKE '$many%' AND alias_of IS NOT NULL"), '1', 'of one relay');
is(query("SELECT count(*) FROM bigbrotr.relay WHERE url LIKE '$nobody%' AND alias_of IS NULL AND identity IS NULL"), '2',
	'without a document nothing is said about identity');
is(query("SELECT min(limits ->> 'max_limit') FROM bigbrotr.relay WHERE url LIKE '$many%'"), '500', 'limits are kept');
ok(poll("SELECT count(*) = 3 FROM bigbrotr.relay WHERE passes >= 3"), 'relays are synchronized');
is(query('SELECT max(passes) FROM bigbrotr.relay WHERE alias_of IS NOT NULL'), '0', 'aliases are not');
is(query('SELECT aliases, live FROM bigbrotr.progress'), '2|5', 'progress counts them');

query("UPDATE bigbrotr.relay SET next_sync_at = '-infinity' WHERE passes > 0");
ok(poll("SELECT count(*) = 0 FROM bigbrotr.relay WHERE next_sync_at = '-infinity'"), 'what is due since ever is synchronized');
is(query("SELECT coalesce(last_error, '') FROM bigbrotr.service WHERE name = 'synchronizer'"), '', 'by a service that does not fail');

# --- candidates: those that many mention first, given up after a dozen failures
my $dead = start_relay();
stop_relay($dead);
query("INSERT INTO bigbrotr.candidate (url, network, attempts, discovered_at) VALUES ('$dead', 'clearnet', 10, 1234567890)");
query("SELECT bigbrotr.run('validator')");
ok(poll("SELECT attempts = 11 AND next_attempt_at BETWEEN now() + '6 days' AND now() + '16 days' FROM bigbrotr.candidate WHERE url = '$dead'"),
	'after eleven failures a candidate waits for days');
query("UPDATE bigbrotr.candidate SET next_attempt_at = now() WHERE url = '$dead'");
query("SELECT bigbrotr.run('validator')");
ok(poll("SELECT next_attempt_at = 'infinity' FROM bigbrotr.candidate WHERE url = '$dead'"), 'after twelve it is parked');
is(query("SELECT sum(v::int) FROM bigbrotr.candidate, jsonb_each_text(failure_counts) AS f (k, v) WHERE url = '$dead'"), '2',
	'failures are counted per class');
is(query('SELECT candidates_parked FROM bigbrotr.progress'), '1', 'progress counts it');

# --- a relay that goes away
my ($main, $alias) = split /\n/, query("SELECT url FROM bigbrotr.relay WHERE url LIKE '$many%' AND (alias_of IS NULL OR url = (SELECT max(url) FROM bigbrotr.relay WHERE alias_of IS NOT NULL)) ORDER BY alias_of NULLS FIRST");
stop_relay($many);
ok(poll("SELECT state = 'degraded' AND failures >= 1 AND next_sync_at > now() + '50 s' FROM bigbrotr.relay WHERE url = '$main'"),
	'it is degraded, and asked again after a minute');
query("UPDATE bigbrotr.relay SET failures = 9, last_ok_at = now() - '4 days'::interval, next_sync_at = now() WHERE url = '$main'");
query("SELECT bigbrotr.run('synchronizer')");
ok(poll("SELECT state = 'dead' AND next_sync_at > now() + '7 h' FROM bigbrotr.relay WHERE url = '$main'"), 'dead after days, and asked rarely');
ok(poll("SELECT count(*) = 0 FROM bigbrotr.relay WHERE alias_of IS NOT NULL"), 'its aliases stand on their own again');
query("UPDATE bigbrotr.relay SET failures = 19, last_ok_at = now() - '91 days'::interval, next_sync_at = now() WHERE url = '$main'");
query("SELECT bigbrotr.run('synchronizer')");
ok(poll("SELECT state = 'parked' AND next_sync_at = 'infinity' FROM bigbrotr.relay WHERE url = '$main'"), 'parked after months');
is(query("SELECT (SELECT sum(v::int) FROM jsonb_each_text(failure_counts) AS f (k, v)) >= 3, discovered_at <= extract(epoch FROM promoted_at) FROM bigbrotr.relay WHERE url = '$main'"),
	't|t', 'with its failures counted');

# --- and comes back: asked at once by an operator
my $again = start_relay('--port', $port, '--events', generate_events(50, 31));
query("SET ROLE bigbrotr_operator; UPDATE bigbrotr.relay SET next_sync_at = now() WHERE url = '$main'");
query("SELECT bigbrotr.run('synchronizer')");
ok(poll("SELECT state = 'live' AND failures = 0 AND failure IS NULL FROM bigbrotr.relay WHERE url = '$main'"), 'a relay that answers again is live');

# --- one that refuses is degraded, and never called dead
my $refuses = start_relay('--mode', 'closed');
seed_relays($node, $refuses);
ok(poll("SELECT failure IS NOT NULL FROM bigbrotr.relay WHERE url = '$refuses'"), 'a relay that refuses');
query("UPDATE bigbrotr.relay SET failures = 30, last_ok_at = now() - '1 year'::interval, next_sync_at = now() WHERE url = '$refuses'");
query("SELECT bigbrotr.run('synchronizer')");
ok(poll("SELECT failures = 31 FROM bigbrotr.relay WHERE url = '$refuses'"), 'is asked');
is(query("SELECT state, next_sync_at < now() + '27 h' FROM bigbrotr.relay WHERE url = '$refuses'"), 'degraded|t', 'and asked daily');
ok(query("SELECT count(*) FROM bigbrotr.open_gap WHERE url = '$refuses' AND tried >= 2") > 0, 'its gap is known');

$node->stop;
done_testing();
