# Analytics: what the refresher has counted is what a recomputation gives, for
# every view, while writers, deletions and rebuilds run at once and processes
# are killed; and what the refresher does with a task that fails.

use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $seed = $ENV{BB_ANALYTICS_SEED} // time;
diag("BB_ANALYTICS_SEED=$seed");
srand($seed);
my $rounds = $ENV{BB_ANALYTICS_ROUNDS} // 3;

my $total = 3000;
my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = bigbrotr_node('main', "bigbrotr.validator_interval = 0\nbigbrotr.synchronizer_interval = 0\nbigbrotr.monitor_interval = 0\nrestart_after_crash = on\n");
my @relays = ('wss://one.nostr.com', 'wss://two.nostr.com', 'wss://three.nostr.com',
	'ws://duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion');

IPC::Run::run(["$ENV{BB_ROOT}/build/test/genmix", $total, $seed, time], '>', "$dir/events") or die 'genmix failed';
$node->safe_psql('postgres', 'SELECT bigbrotr.partition_ensure()');
$node->safe_psql('postgres', 'CREATE TABLE raw (n serial PRIMARY KEY, l text)');
# one line is one value, whatever is in it
$node->safe_psql('postgres', "COPY raw (l) FROM '$dir/events' WITH (FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02')");
is($node->safe_psql('postgres', 'SELECT count(*) FROM raw'), $total, 'events to ingest');

sub sql { return $node->safe_psql('postgres', $_[0]) }

# What differs, in words; nothing when nothing does.
sub differences
{
	return sql("SELECT view, missing, surplus, columns, sample FROM bigbrotr.verify() WHERE missing + surplus > 0");
}

# Statements of one writer: overlapping batches in any order, some undone.
sub writer
{
	my ($steps) = @_;
	my $script = '';
	for (1 .. $steps)
	{
		my ($first, $size) = (1 + int rand $total, 1 + int rand 120);
		my $relay = $relays[rand @relays];
		my $ingest = "SELECT count(*) FROM (SELECT array_agg(l ORDER BY random()) AS a FROM raw WHERE n BETWEEN $first AND $first + $size) AS x, "
		  . "bigbrotr.event_ingest(a, '$relay') AS i;\n";
		$script .= rand() < 0.15 ? "BEGIN; $ingest ROLLBACK;\n" : $ingest;
	}
	return $script;
}

# Statements of one who removes.
sub remover
{
	my ($steps) = @_;
	my $script = '';
	for (1 .. $steps)
	{
		my $share = 1 + int rand 6;
		my $relay = 1 + int rand 4;
		$script .= rand() < 0.6
		  ? "SELECT bigbrotr.event_delete(array(SELECT key FROM bigbrotr.event TABLESAMPLE bernoulli ($share) LIMIT 60));\n"
		  : "SELECT bigbrotr.observation_delete($relay, array(SELECT key FROM bigbrotr.observation TABLESAMPLE bernoulli ($share) WHERE relay_id = $relay LIMIT 60));\n";
	}
	return $script;
}

sub counter
{
	my ($steps) = @_;
	return join '', map { rand() < 0.1 ? "SELECT bigbrotr.rebuild();\n" : "SELECT bigbrotr.refresh();\n" } 1 .. $steps;
}

my $scripts = 0;
sub session
{
	my ($text) = @_;
	my $file = "$dir/script" . $scripts++;
	PostgreSQL::Test::Utils::append_to_file($file, $text);
	my $out = "$file.out";
	return IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-f', $file ],
		'<', \undef, '>', $out, '2>', "$file.err");
}

# Ends a process the hard way while it is in the middle of a transaction: it
# waits for a table that is locked here.  $work is for a session of its own,
# whoever comes first is it.
sub kill_at
{
	my ($lock, $work, $who) = @_;
	my $holder = $node->background_psql('postgres');
	$holder->query_safe("BEGIN; LOCK TABLE bigbrotr.$lock");
	my ($table) = split / /, $lock;
	my $session = session($work);
	my $offset = -s $node->logfile;
	my $killed = wait_for(sub {
		my $pid = sql("SELECT a.pid FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) "
			. "WHERE l.relation = 'bigbrotr.$table'::regclass AND NOT l.granted AND $who LIMIT 1");
		return $pid ? kill('KILL', $pid) : 0;
	});
	# whoever connects before the postmaster has noticed is thrown out
	$killed &&= wait_log($node, qr/all server processes terminated/, $offset);
	eval { $holder->quit };
	$session->finish;
	return $killed;
}

# Tables that a step writes whenever an event with an observation is removed.
my @written = qw(tally_author_kind tally_time tally_day tally_relay_author tally_relay tally_total);
my $news = "SELECT bigbrotr.event_delete(array(SELECT key FROM bigbrotr.event WHERE key IN (SELECT key FROM bigbrotr.observation) ORDER BY random() LIMIT 10));\n";

sub alive
{
	return $node->poll_query_until('postgres', 'SELECT 1', '1');
}

is(differences(), '', 'an empty archive');
for my $round (1 .. $rounds)
{
	set_conf($node, 'bigbrotr.archive' => $round == 2 ? 'light' : 'full');
	my @sessions = map { session($_) } writer(60), writer(60), writer(60), remover(25), counter(60);
	my $seen = wait_for(sub { sql('SELECT count(*) FROM bigbrotr.event') > 100 });
	ok($seen, "round $round: events come in");
	is(differences(), '', "round $round: exact while others write") if $round != 3;
	my $table = $written[rand @written];
	if ($round % 3)
	{
		ok(kill_at("$table IN ACCESS EXCLUSIVE MODE", $news . 'SELECT bigbrotr.refresh()', 'true'), "round $round: killed while counting, at $table");
	}
	else
	{
		ok(kill_at('ingest_delta IN SHARE MODE', $news . writer(20), "(a.query LIKE '%event_ingest%' OR a.query LIKE '%_delete%')"), "round $round: killed while writing");
	}
	ok(alive(), "round $round: the server recovers");
	is(differences(), '', "round $round: exact after the crash");
	push @sessions, session(writer(20)), session(remover(5)), session(counter(10));
	$_->finish for @sessions;
	is(differences(), '', "round $round: exact when all is done");
}
# others may have met the crash or a deadlock of removers; nothing else
my @errors = grep { !/server closed|terminat|crash|connection|recovery|deadlock|could not serialize|HINT|DETAIL|CONTEXT|WARNING|LINE|SQL|^\s|process/i }
  map { split /\n/, slurp_file($_) } glob "$dir/script*.err";
is(join("\n", @errors), '', 'no other errors');
cmp_ok(sql('SELECT count(*) FROM bigbrotr.event'), '>', 100, 'events are left');

# by hand: found, and repaired
sql('DELETE FROM bigbrotr.observation WHERE relay_id = 2');
sql('DELETE FROM bigbrotr.event WHERE kind = 0');
isnt(differences(), '', 'a DELETE by hand is found');
sql('SELECT bigbrotr.rebuild()');
is(differences(), '', 'and repaired');

# to the last event
sql('SELECT bigbrotr.event_delete(array(SELECT key FROM bigbrotr.event))');
is(differences(), '', 'all events removed');
is(sql("SELECT string_agg(t.relname, ' ') FROM pg_class AS t WHERE t.relname LIKE 'tally_%' AND t.relkind = 'r' "
	. "AND t.relname NOT IN ('tally_author', 'tally_total', 'tally_network', 'tally_orphan') "
	. "AND (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM bigbrotr.' || t.relname, false, true, '')))[1]::text <> '0'"),
	'', 'the tallies are empty');

# The refresher itself.
sql("SELECT count(*) FROM (SELECT array_agg(l) AS a FROM raw) AS x, bigbrotr.event_ingest(a, '$relays[0]')");
set_conf($node, 'bigbrotr.refresher_interval' => '1s');
ok($node->poll_query_until('postgres', "SELECT pending = 0 AND position > 0 FROM bigbrotr.analytics_status WHERE view = 'event_stats'"),
	'the refresher counts what waits');
is(differences(), '', 'as it should');
ok(kill_at("$_ IN ACCESS EXCLUSIVE MODE", $news, "a.backend_type = 'bigbrotr refresher'") && alive(), "the refresher is killed at $_") for @written;
ok($node->poll_query_until('postgres', "SELECT pending = 0 FROM bigbrotr.analytics_status WHERE view = 'event_stats'"),
	'and the next one counts what it left');
is(differences(), '', 'exactly once');
sql("INSERT INTO bigbrotr.ingest_delta (keys, seen_keys, seen_relays) VALUES ('{}', '{1}', '{}')");
ok($node->poll_query_until('postgres', "SELECT last_error LIKE '%is damaged' FROM bigbrotr.analytics_status WHERE view = 'event_stats'"),
	'a task that fails says why');
ok($node->poll_query_until('postgres', "SELECT last_error IS NOT NULL FROM bigbrotr.service WHERE name = 'refresher'"), 'so does the service');
sql("DELETE FROM bigbrotr.ingest_delta");
ok($node->poll_query_until('postgres', "SELECT bool_and(last_error IS NULL AND finished_at > started_at) FROM bigbrotr.maintenance"), 'and goes on by itself');

done_testing();
