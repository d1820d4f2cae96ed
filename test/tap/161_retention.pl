# Policies of table retention, carried out by the refresher: by kind, by age,
# by size; rows and packed observations; the analytics agree, the space comes
# back, and what was removed is refused.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $node = bigbrotr_node('main', <<'CONF');
bigbrotr.synchronizer_interval = 0
bigbrotr.validator_interval = 0
bigbrotr.refresher_interval = '1s'
autovacuum = off
CONF
sub value { return $node->safe_psql('postgres', $_[0]) }
sub becomes { my ($sql, $what) = @_; return ok($node->poll_query_until('postgres', $sql), $what) }

my @old = split /\n/, slurp_file(generate_events(1500, 21, 1684000000, 1000000));
my @new = split /\n/, slurp_file(generate_events(300, 22, time() - 20 * 86400, 86400));

sub ingest
{
	my ($relay, @lines) = @_;
	return value("SELECT outcome, left(reason, 26), count(*) FROM bigbrotr.event_ingest(string_to_array(\$e\$" . join("\n", @lines) .
		  "\$e\$, E'\\n'), 'wss://$relay.nostr.org') GROUP BY 1, 2 ORDER BY 1, 2");
}
my $orphans = 'SELECT count(*) = 0 FROM bigbrotr.observation_all AS o WHERE NOT EXISTS (SELECT FROM bigbrotr.event AS e WHERE e.key = o.key)';
my $wrong = "SELECT count(*) FROM bigbrotr.verify() WHERE missing + surplus > 0";

is(ingest('one', @old, @new), 'new||' . (@old + @new), 'events');
is(ingest('two', @old, @new), 'observed||' . (@old + @new), 'of two relays');
value('SELECT bigbrotr.compact_step(true)');
is(value('SELECT count(*) FROM bigbrotr.observation_packed'), 2 * @old, 'the old ones are packed');
my $months = 'SELECT sum(bytes) FROM bigbrotr.archive_partitions()';
becomes("SELECT bigbrotr.archive_bytes() > ($months)", 'what is packed counts');
value('ANALYZE bigbrotr.observation_by_event, bigbrotr.observation_by_relay');
# the sizes of files are read one after the other, while autovacuum adds its maps
my $files = "SELECT pg_total_relation_size('bigbrotr.observation_by_event') + pg_total_relation_size('bigbrotr.observation_by_relay')";
becomes("SELECT bigbrotr.archive_bytes() - ($months) > ($files) / 4", 'in about its size');
becomes("SELECT bigbrotr.archive_bytes() - ($months) <= ($files)", 'never more');

# By kind.
my $sevens = value('SELECT count(*) FROM bigbrotr.event WHERE kind = 7');
cmp_ok($sevens, '>', 20, 'there are reactions');
value("INSERT INTO bigbrotr.retention (name, enabled, kinds, max_age) VALUES ('reactions', false, '{7,65535}', '1 hour')");
is(value("SELECT policy, events, oldest < newest, bytes_now > 1000000 FROM bigbrotr.retention_preview()"), "reactions|$sevens|t|t", 'the preview says how many');
is(value("SELECT floor FROM bigbrotr.retention"), '', 'a policy that is not enabled does nothing');
value("UPDATE bigbrotr.retention SET enabled = true");
becomes('SELECT count(*) = 0 FROM bigbrotr.event WHERE kind = 7', 'they are removed');
is(value("SELECT removed FROM bigbrotr.retention"), $sevens, 'and counted');
is(value('SELECT count(*) FROM bigbrotr.event'), @old + @new - $sevens, 'no others');
is(value($orphans), 't', 'with their observations, packed or not');
is(value('SELECT count(*) FROM bigbrotr.observation_all'), 2 * (@old + @new - $sevens), 'no others');
is(value('SELECT count(*) FROM bigbrotr.packed_verify()'), 0, 'both forms of the packed ones agree');
is(value($wrong), 0, 'the analytics agree');
my @seven = grep { /"kind":7,/ } @old;
is(ingest('three', @seven), 'invalid|retention: policy "reactio|' . @seven, 'what was removed is refused');
is(value("SELECT sum(count) FROM bigbrotr.rejected_event WHERE reason = 'retention'"), scalar @seven, 'and counted');
value("INSERT INTO bigbrotr.retention (name, kinds, max_age) SELECT 'many ' || n, '{65535}', '1 hour' FROM generate_series(1, 100) AS n");
becomes("SELECT min(floor) > 0 AND count(*) = count(floor) FROM bigbrotr.retention", 'many policies');
is(ingest('three', @seven), 'invalid|retention: policy "reactio|' . @seven, 'refuse what each of them removes');
value("DELETE FROM bigbrotr.retention WHERE name LIKE 'many %'");

# Relays show it again: nothing of it is stored, each is counted, and all is proved.
my $file = PostgreSQL::Test::Utils::tempdir() . '/again.jsonl';
append_to_file($file, join('', map { "$_\n" } @old, @new));
my @urls = (start_relay('--events', $file), start_relay('--events', $file, '--neg', 'yes'));
my $shown = "SELECT min(n) FROM (SELECT sum(e.count) AS n FROM bigbrotr.rejected_event AS e JOIN bigbrotr.relay AS r ON r.id = e.relay_id "
	. "WHERE e.reason = 'retention' AND r.url LIKE 'ws://127%' GROUP BY r.url) AS r";
my $stored = "SELECT sum(n_tup_ins), sum(n_tup_del) FROM pg_stat_user_tables WHERE relname LIKE 'event\_%'";
my $before_relays = value($stored);
value("UPDATE bigbrotr.relay SET next_sync_at = 'infinity'");
set_conf($node, 'bigbrotr.synchronizer_recheck' => 0, 'bigbrotr.synchronizer_tail' => 0, 'bigbrotr.synchronizer_interval' => '1s');
value('INSERT INTO bigbrotr.relay (url, network) VALUES ' . join ', ', map { "('$_', 'clearnet')" } @urls);
my $complete = "SELECT count(*) = 2 AND bool_and(state = 'complete' AND lower(range) = 0) FROM bigbrotr.coverage";
becomes($complete, 'two relays are proved complete');
is(value($shown), $sevens, 'what they showed of those kinds is refused, all of it');
is(value('SELECT string_agg(DISTINCT observations::text, $$ $$) FROM bigbrotr.relay WHERE url LIKE $$ws://127%$$'), @old + @new - $sevens, 'the others are observed');
set_conf($node, 'bigbrotr.synchronizer_recheck' => '1s');
becomes("SELECT count(*) = 2 FROM bigbrotr.relay WHERE recall = 1", 'a round of re-checks finds nothing new');
cmp_ok(value($shown), '>=', 2 * $sevens, 'refuses them again');
is(value($complete), 't', 'the proofs stand');
is(value("SELECT removed FROM bigbrotr.retention"), $sevens, 'and nothing is there to be removed again');
is(value($stored), $before_relays, 'nothing was stored');
set_conf($node, 'bigbrotr.synchronizer_interval' => 0);
ok(wait_for(sub { worker_pid($node, 'synchronizer') eq '' }), 'the relays are left alone');
stop_relay($_) foreach @urls;

# By age: a whole month, whose space comes back.
my $left = value('SELECT count(*) FROM bigbrotr.event WHERE created_at < 1690000000');
my $before = value('SELECT bytes FROM bigbrotr.archive_partitions() WHERE name = $$2023_05$$');
my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($session->query_safe('SELECT count(*) FROM bigbrotr.relay WHERE id = 1'), 1, 'an old snapshot');
value("INSERT INTO bigbrotr.retention (name, max_age) VALUES ('old', '1 year')");
becomes('SELECT count(*) = 0 FROM bigbrotr.event WHERE created_at < 1690000000', 'a month is removed');
is(value("SELECT removed, partitions FROM bigbrotr.retention WHERE name = 'old'"), "$left|0", 'counted; nothing is given back');
is($session->query_safe('SELECT count(*) FROM bigbrotr.event WHERE created_at < 1690000000'), $left, 'as long as somebody sees it');
$session->query_safe('COMMIT');
$session->quit;
becomes("SELECT pg_relation_size('bigbrotr.event_2023_05') = 0", 'then the partition is empty');
cmp_ok(value('SELECT bytes FROM bigbrotr.archive_partitions() WHERE name = $$2023_05$$'), '<', $before / 4, 'its space given back');
is(value("SELECT partitions FROM bigbrotr.retention WHERE name = 'old'"), 1, 'and counted');
is(value('SELECT count(*) FROM bigbrotr.observation_packed'), 0, 'its packed observations too');
becomes("SELECT bigbrotr.archive_bytes() = ($months)", 'which do not count any more, though their files are as large as ever');
is(value('SELECT count(*) FROM bigbrotr.event WHERE kind <> 7'), scalar(grep { !/"kind":7,/ } @new), 'the new ones stay');
is(value($orphans), 't', 'no observation without event');
is(value($wrong), 0, 'the analytics agree');
is(ingest('one', $old[0]), 'invalid|retention: policy "' . ($old[0] =~ /"kind":7,/ ? 'reactio' : 'old" ke') . '|1', 'refused');

# A policy that ends lets them in again.
value("DELETE FROM bigbrotr.retention");
ok(wait_for(sub { return ingest('one', @old) !~ /invalid/ }), 'without policy they come back');
is(value('SELECT count(*) FROM bigbrotr.event WHERE created_at < 1690000000'), scalar @old, 'all of them');

# By size: the oldest month.
is(value("INSERT INTO bigbrotr.retention (name, enabled, max_bytes) SELECT 'size', false, bigbrotr.archive_bytes() - 100000 RETURNING 1"), 1, 'a policy by size');
is(value('SELECT events FROM bigbrotr.retention_preview()'), scalar @old, 'would remove the oldest month');
value("UPDATE bigbrotr.retention SET enabled = true");
becomes("SELECT pg_relation_size('bigbrotr.event_2023_05') = 0", 'which it does');
becomes("SELECT partitions >= 1 FROM bigbrotr.retention", 'giving its space back');
becomes("SELECT finished_at > last_removed_at + interval '2 seconds' FROM bigbrotr.maintenance, bigbrotr.retention WHERE task = 'retention'", 'some runs later');
is(value('SELECT count(*) FROM bigbrotr.event'), scalar(grep { !/"kind":7,/ } @new), 'the others are there');
is(value("SELECT to_timestamp(floor) FROM bigbrotr.retention"), '2023-06-01 00:00:00+00', 'nothing older is wanted');
is(value($wrong), 0, 'the analytics agree');
is(value("SELECT count(*) FROM bigbrotr.maintenance WHERE failures > 0"), 0, 'no task failed');

# What makes no sense.
for my $bad ("(name) VALUES ('x')", "(name, max_age, max_bytes) VALUES ('x', '1 day', 5)", "(name, max_bytes, kinds) VALUES ('x', 5, '{1}')",
	"(name, max_age) VALUES ('x', '1 minute')", "(name, max_age, kinds) VALUES ('x', '1 day', '{}')", "(name, max_age, kinds) VALUES ('x', '1 day', '{NULL}')")
{
	my ($rc) = $node->psql('postgres', "INSERT INTO bigbrotr.retention $bad");
	isnt($rc, 0, "refused: $bad");
}

$node->stop;
done_testing();
