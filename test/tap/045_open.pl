# A transaction that called event_ingest and stays open: nobody waits for it,
# neither sessions nor workers nor what removes; and nothing of it is lost.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $node = bigbrotr_node('main', <<'CONF');
bigbrotr.validator_interval = 0
bigbrotr.monitor_interval = 0
bigbrotr.synchronizer_recheck = 0
bigbrotr.allow_networks = '127.0.0.1/32'
max_prepared_transactions = 2
CONF
my $dir = PostgreSQL::Test::Utils::tempdir();
my $limit = "SET statement_timeout = '20s';";

sub query { return $node->safe_psql('postgres', shift) }

sub counted { return query("SELECT coalesce(sum(value), 0) FROM bigbrotr.counter WHERE service = 'ingest' AND name = '$_[0]'") }

# --- 4000 events with the same popular addresses; 40 per batch
system_or_bail("$ENV{BB_ROOT}/build/test/genmentions", 4000, 45, "$dir/events", "$dir/truth");
query("CREATE TABLE line (n bigserial, event text); COPY line (event) FROM '$dir/events' WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')");

# Batch i, and an event that is refused, of a relay of its own or a common one.
sub ingest
{
	my ($i, $relay) = @_;
	return "SELECT count(*) FILTER (WHERE outcome = 'new') || '|' || count(*) FILTER (WHERE outcome = 'invalid') "
		. 'FROM bigbrotr.event_ingest((SELECT array_agg(event) FROM line WHERE n / 40 = ' . $i . ") || '{}'::text, "
		. "'ws://127.0.0.1:" . ($relay // 1) . "')";
}

query(ingest(0));				# the relay is there
my $open = $node->background_psql('postgres');
$open->query_safe('BEGIN');
is($open->query_safe(ingest(1)), '40|1', 'a session ingests, and stays open');
is(query($limit . ingest(2)), '40|1', 'another one with the same addresses and refusals does not wait');
is(counted('events'), 79, 'what it did is counted at once, that of the open one is not');
is($open->query_safe(ingest(3)), '40|1', 'the first ingests more');

# two that stay open, in opposite order
my $other = $node->background_psql('postgres');
$other->query_safe('BEGIN');
is($other->query_safe($limit . ingest(4)), '40|1', 'so does a second one that stays open');
is($open->query_safe(ingest(5)), '40|1', 'and the first');
is($other->query_safe(ingest(6)), '40|1', 'and the second');

# --- a worker
my $count = query('SELECT count(*) FROM line WHERE n >= 2000');
append_to_file("$dir/served", query('SELECT event FROM line WHERE n >= 2000 ORDER BY n') . "\n");
query("INSERT INTO bigbrotr.relay (url, network) VALUES ('" . start_relay('--events', "$dir/served") . "', 'clearnet')");
query("SELECT bigbrotr.run('synchronizer')");
ok($node->poll_query_until('postgres', "SELECT count(*) = $count FROM bigbrotr.observation AS o "
			. "JOIN bigbrotr.relay AS r ON r.id = o.relay_id WHERE r.url NOT LIKE '%:1'"),
	'a synchronizer archives events that mention the same');
ok($node->poll_query_until('postgres', 'SELECT sum(live) = 1 FROM bigbrotr.progress'), 'and comes to its end');

# --- what removes tries, and gives way
query("INSERT INTO bigbrotr.retention (name, max_age) VALUES ('all', '1 hour')");
query("SELECT bigbrotr.run('refresher')");
ok($node->poll_query_until('postgres', "SELECT floor > 0 FROM bigbrotr.retention"), 'a policy wants to remove all of it');
my $steps = query("SELECT steps FROM bigbrotr.maintenance WHERE task = 'retention'");
foreach my $i (1 .. 3)
{
	query("SELECT bigbrotr.run('refresher')");
	ok($node->poll_query_until('postgres', "SELECT steps > $steps FROM bigbrotr.maintenance WHERE task = 'retention'"), "it tries ($i)");
	$steps = query("SELECT steps FROM bigbrotr.maintenance WHERE task = 'retention'");
}
is(query("SELECT removed FROM bigbrotr.retention"), 0, 'in vain');
is(query('SELECT count(*) FROM bigbrotr.event'), $count + 79, 'and nobody lost anything');
query("UPDATE bigbrotr.retention SET enabled = false");

# --- all of it arrives at commit
$_->query_safe('COMMIT') foreach $open, $other;
is(counted('events'), 279, 'every event is counted');
is(counted('rejected'), 7, 'every refusal');
is(query("SELECT sum(count) FROM bigbrotr.rejected_event WHERE reason = 'missing_field'"), 7, 'with its reason');
is(query('SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'), 0, 'no deadlock');

# --- savepoints, roles, prepared transactions
is(query('BEGIN; SAVEPOINT a; ' . ingest(10) . '; SAVEPOINT b; ' . ingest(11) . '; RELEASE b; ROLLBACK TO a; '
			. ingest(12) . '; SAVEPOINT c; ' . ingest(13) . '; RELEASE c; COMMIT'),
	join("\n", ('40|1') x 4), 'savepoints');
is(counted('events'), 279 + 80, 'what is rolled back is not counted');
query('BEGIN; ' . ingest(14) . '; ROLLBACK');
is(counted('events'), 279 + 80, 'nor is a whole transaction');
is(query("SELECT sum(count) FROM bigbrotr.rejected_event WHERE reason = 'missing_field'") >= 9, 1, 'refusals are');
query('CREATE ROLE app NOINHERIT; GRANT bigbrotr_writer TO app; GRANT SELECT ON line TO bigbrotr_writer');
is(query('SET ROLE app; SET search_path = public; BEGIN; SET LOCAL ROLE bigbrotr_writer; ' . ingest(15)
			. '; RESET ROLE; SET ROLE app; COMMIT; SELECT current_user, current_setting($$search_path$$)'),
	"40|1\napp|public", 'the rights are those of the call; role and path stay');
query('BEGIN; ' . ingest(16) . "; PREPARE TRANSACTION 'p'");
is(counted('events'), 279 + 120, 'a prepared transaction is not counted');
query("COMMIT PREPARED 'p'");
is(counted('events'), 279 + 160, 'until it commits');
is(query('DO $$ BEGIN PERFORM bigbrotr.event_ingest(event) FROM line WHERE n / 40 = 17; COMMIT; '
			. 'PERFORM bigbrotr.event_ingest(event) FROM line WHERE n / 40 = 18; END $$; SELECT 1'), 1, 'a commit within a statement');
is(counted('events'), 279 + 240, 'is one');
is(query('SELECT count(*) FROM bigbrotr.event'), 279 + 240 + $count, 'the archive holds what is counted');
$_->quit foreach $open, $other;
$node->stop;
done_testing();
