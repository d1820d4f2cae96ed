package BigBrotr::Test;

# What the TAP tests share: a server with the extension, relays on loopback,
# generated events.  Everything that is started is ended by its own process
# id when the test ends.

use strict;
use warnings;
use Exporter 'import';
use File::Basename ();
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More ();
use Time::HiRes ();

our @EXPORT = qw(bigbrotr_node generate_events start_relay stop_relay event_ids seed_relays
  worker_pid wait_workers net_pids wait_for wait_log set_conf elapsed relay_adds
  storage_settings);

my $root = $ENV{BB_ROOT} or die "BB_ROOT is not set: run the tests with make test";
my %relays;

# A running server with the extension in database "postgres".
sub bigbrotr_node
{
	my ($name, $conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', <<"CONF" . ($conf // ''));
shared_preload_libraries = 'bigbrotr'
max_worker_processes = 16
fsync = off
bigbrotr.databases = 'postgres'
bigbrotr.allow_networks = '127.0.0.0/8'
bigbrotr.clearnet_timeout = '5s'
bigbrotr.synchronizer_interval = '1s'
bigbrotr.synchronizer_overlap = '0'
bigbrotr.validator_interval = '1s'
bigbrotr.finder_interval = 0
bigbrotr.refresher_interval = 0
CONF
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION bigbrotr');
	return $node;
}

# Makes a file of signed events; its path.
sub generate_events
{
	my ($count, $seed, $first, $span) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/events.jsonl';
	my $out;
	IPC::Run::run(["$root/build/test/genevents", $count, $seed // 1, $first // 1700000000, $span // ()], '>', $file)
	  or die "genevents failed";
	return $file;
}

# Starts a relay; its address and a handle for stop_relay.
sub start_relay
{
	my (@args) = @_;
	my ($in, $out, $err) = ('', '', '');
	my $h = IPC::Run::start(["$root/build/test/relay", '--port', 0, @args],
		\$in, \$out, \$err, IPC::Run::timeout(180));
	IPC::Run::pump($h) until $out =~ /listening (\d+)/ or !$h->pumpable;
	$out =~ /listening (\d+)/ or die "relay did not start: $err";
	my $url = "ws://127.0.0.1:$1";
	$relays{$url} = $h;
	return $url;
}

sub stop_relay
{
	my ($url) = @_;
	my $h = delete $relays{$url} or return;
	$h->kill_kill(grace => 2);
	return;
}

# The relay reads the new lines of its --add file and sends them to whom they
# concern.
sub relay_adds
{
	my ($url) = @_;
	$relays{$url}->signal('USR2');
	return;
}

sub seed_relays
{
	my ($node, @urls) = @_;
	my $values = join ',', map { "('$_')" } @urls;
	$node->safe_psql('postgres', "INSERT INTO bigbrotr.seed (url) VALUES $values");
	$node->safe_psql('postgres', "SELECT bigbrotr.run('seeder')");
	return;
}

# Calls a function until it returns something true, which is returned; false
# after the time that poll_query_until takes, too.
sub wait_for
{
	my ($code) = @_;
	for my $attempt (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my $result = $code->();
		return $result if $result;
		select undef, undef, undef, 0.1;
	}
	return;
}

# Waits for a line in the server's log behind an offset.
sub wait_log
{
	my ($node, $re, $offset) = @_;
	return wait_for(sub { PostgreSQL::Test::Utils::slurp_file($node->logfile, $offset) =~ $re });
}

# The process of a service (of database "postgres"), or "".
sub worker_pid
{
	my ($node, $service, $db) = @_;
	my $where = $service eq 'launcher' ? '' : "AND datname = '" . ($db // 'postgres') . "'";
	return $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = 'bigbrotr $service' $where ORDER BY pid LIMIT 1");
}

# Waits until exactly these workers run in a database:
# wait_workers($node, 'postgres', scheduler => 1, validator => 1);
# Services that are named nowhere count only when no service shall run.
sub wait_workers
{
	my ($node, $db, %count) = @_;
	my %known = (scheduler => 1, validator => 1, synchronizer => 1, %count);
	my $known = (grep { $_ ne 'scheduler' } keys %count)
	  ? "IN ('" . join("', '", sort keys %known) . "')" : "<> 'seeder'";
	my $want = join ' ', map { "$_:$count{$_}" } grep { $count{$_} } sort keys %count;
	return $node->poll_query_until('postgres', <<"SQL", $want);
SELECT coalesce(string_agg(service || ':' || n, ' ' ORDER BY service), '')
FROM (SELECT substr(backend_type, 10) AS service, count(*) AS n
	FROM pg_stat_activity WHERE datname = '$db' AND backend_type LIKE 'bigbrotr%'
	GROUP BY 1) AS w
WHERE service $known
SQL
}

# The bigbrotr-net processes of one worker.
sub net_pids
{
	my ($worker) = @_;
	return split ' ', `pgrep -P $worker -x bigbrotr-net`;
}

sub set_conf
{
	my ($node, %conf) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET $_ = '$conf{$_}'") for sort keys %conf;
	$node->reload;
	return;
}

# Runs a function; how long it took, for people who read the log.
sub elapsed
{
	my ($what, $code) = @_;
	my $start = Time::HiRes::time();
	my $result = $code->();
	Test::More::note(sprintf '%s: %.0f ms', $what, 1000 * (Time::HiRes::time() - $start));
	return $result;
}

# How the tables of a database are stored, a line for each: what settings they,
# their toast tables, columns (but for what a server notes there itself) and
# indexes have.
sub storage_settings
{
	my ($node, $db) = @_;
	return split "\n", $node->safe_psql($db, <<'SQL');
SELECT c.oid::regclass, c.relpersistence, c.relreplident, m.amname, c.reloptions, t.reloptions, s.spcname,
	(SELECT string_agg(concat_ws(' ', a.attname, a.attstorage, nullif(a.attcompression, ''), nullif(a.attstattarget, -1),
			(SELECT array_agg(o) FROM unnest(a.attoptions) AS o WHERE o NOT LIKE 'pg\_%')), ', ' ORDER BY a.attnum)
		FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
	(SELECT string_agg(concat_ws(' ', pg_get_indexdef(i.indexrelid), x.reloptions, i.indisvalid, i.indisclustered, i.indisreplident,
			(SELECT string_agg(a.attnum || ':' || a.attstattarget, ' ') FROM pg_attribute AS a WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0)),
			', ' ORDER BY i.indexrelid::regclass::text)
		FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid),
	(SELECT string_agg(pg_get_statisticsobjdef(e.oid) || coalesce(e.stxstattarget, -1), ', ' ORDER BY e.stxname) FROM pg_statistic_ext AS e WHERE e.stxrelid = c.oid)
FROM pg_class AS c LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid LEFT JOIN pg_am AS m ON m.oid = c.relam
	LEFT JOIN pg_tablespace AS s ON s.oid = c.reltablespace
WHERE c.relnamespace = 'bigbrotr'::regnamespace AND c.relkind IN ('r', 'p', 'm') ORDER BY c.relname
SQL
}

# The sorted ids of a file of events.
sub event_ids
{
	my ($file) = @_;
	open my $f, '<', $file or die "$file: $!";
	my @ids = map { /"id":"([0-9a-f]{64})"/ ? $1 : () } <$f>;
	return join("\n", sort @ids);
}

# A test fails when a server of its says that something is wrong inside.
END
{
	my $rc = $?;
	stop_relay($_) for keys %relays;
	my $name = File::Basename::basename($0, '.pl');
	my @logs = glob "$PostgreSQL::Test::Utils::log_path/${name}_*.log";
	my $wrong = @logs ? `$root/test/server-log @logs` : '';
	Test::More::diag($wrong) if $wrong;
	$? = $wrong ? 1 : $rc;
}

1;
