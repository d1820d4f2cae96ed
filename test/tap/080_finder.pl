# The finder on 50,000 events that mention relays in every place: all planted
# addresses are found with their true counts, floods stop at the limits and
# are counted, nothing else is taken.  The same through a relay: mentions and
# events are one transaction, also over a crash.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = bigbrotr_node('main', "bigbrotr.validator_interval = 0\nbigbrotr.allow_networks = '127.0.0.1/32'\n");

sub generate
{
	my ($count, $seed) = @_;
	system_or_bail("$ENV{BB_ROOT}/build/test/genmentions", $count, $seed, "$dir/events$seed", "$dir/truth$seed");
	$node->safe_psql('postgres', <<"SQL");
CREATE TABLE truth$seed (what text, url text, events bigint, authors int);
COPY truth$seed FROM '$dir/truth$seed';
SQL
	return "$dir/events$seed";
}

sub sql
{
	my ($query) = @_;
	return $node->safe_psql('postgres', $query);
}

# What of the truth is missing, what is there that is not true.
sub compare
{
	my ($truth, $name) = @_;
	is(sql("SELECT count(*) FROM $truth t WHERE what = 'relay' AND NOT EXISTS "
			. "(SELECT FROM bigbrotr.candidate c WHERE c.url = t.url)"), '0', "$name: every planted address is a candidate");
	is(sql("SELECT count(*) FROM bigbrotr.candidate c WHERE NOT EXISTS (SELECT FROM $truth t WHERE t.url = c.url)"),
		'0', "$name: nothing else is");
	is(sql("SELECT string_agg(n::text, ' ' ORDER BY what) FROM (SELECT t.what, count(*) AS n FROM $truth t "
			. "JOIN bigbrotr.candidate USING (url) WHERE what <> 'relay' GROUP BY 1) x"),
		'500 20', "$name: the floods stop at the limits");
	return;
}

my $events = generate(50_000, 1);
sql("CREATE TABLE line (n bigserial, event text); COPY line (event) FROM '$events' WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')");
is(sql("SELECT count(*), count(*) FILTER (WHERE outcome = 'new') FROM "
		. "(SELECT array_agg(event) AS a FROM line GROUP BY n / 5000) AS b, bigbrotr.event_ingest(b.a)"),
	'50000|50000', '50,000 events are ingested');
compare('truth1', 'ingest');
is(sql("SELECT count(*) FROM truth1 t JOIN bigbrotr.mention m USING (url) WHERE what = 'relay' AND m.mentions <> t.events"),
	'0', 'the number of mentions is exact');
is(sql("SELECT count(*) FROM truth1 t JOIN bigbrotr.mention m USING (url) WHERE what = 'relay' AND t.authors <= 24 AND m.authors <> t.authors"),
	'0', 'so is that of few authors');
is(sql("SELECT count(*) FROM truth1 t JOIN bigbrotr.mention m USING (url) WHERE what = 'relay' AND m.authors NOT BETWEEN t.authors * 0.75 AND t.authors * 1.25"),
	'0', 'that of many is near the truth');
is(sql("SELECT count(*) FROM bigbrotr.mention m JOIN bigbrotr.candidate c USING (url) WHERE m.authors NOT BETWEEN c.authors AND c.authors + c.authors / 8 + 1"),
	'0', 'candidates follow it');
is(sql("SELECT sum(events) = (SELECT sum(mentions) FROM bigbrotr.mention) + (SELECT sum(count) FROM bigbrotr.mention_refused) FROM truth1"),
	't', 'every mention is counted, taken or refused');
is(sql("SELECT string_agg(scope || ' ' || name, ', ' ORDER BY scope) FROM bigbrotr.mention_refused"),
	'domain flood-domain.net, host flood-host.org', 'what was refused is said');
is(sql("SELECT array_to_string(bigbrotr.via_names(bit_or(via)), ' ') FROM bigbrotr.mention"),
	'r hint recommend contacts relay_list dm_list blocked search favourite relay_set discovery monitor relay_tag nip19 text',
	'every way to mention a relay was met');
is(sql("SELECT value FROM bigbrotr.counter WHERE service = 'ingest' AND name = 'candidates'"),
	sql('SELECT count(*) FROM bigbrotr.candidate'), 'the counter agrees');

# Again: known events mention nothing.
sql("CREATE TABLE before AS SELECT url, mentions FROM bigbrotr.mention");
sql("SELECT count(*) FROM (SELECT array_agg(event) AS a FROM line WHERE n <= 2000) AS b, bigbrotr.event_ingest(b.a)");
is(sql("SELECT count(*) FROM bigbrotr.mention m JOIN before b USING (url) WHERE m.mentions <> b.mentions"),
	'0', 'an event is counted once');
# An aborted transaction leaves nothing behind in the session.
my $one = generate(300, 3);
sql("CREATE TABLE line3 (event text); COPY line3 FROM '$one' WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')");
$node->psql('postgres', <<'SQL');
BEGIN;
SELECT count(*) FROM (SELECT array_agg(event) AS a FROM line3) AS b, bigbrotr.event_ingest(b.a);
ROLLBACK;
SELECT count(*) FROM bigbrotr.event_ingest('{}');
SQL
is(sql("SELECT sum(m.mentions - b.mentions) FROM bigbrotr.mention m JOIN before b USING (url)"), '0', 'a rollback rolls mentions back');

# The same way through a relay and bigbrotr-net, killed in the middle.
sql('TRUNCATE bigbrotr.candidate, bigbrotr.mention, bigbrotr.mention_refused, bigbrotr.event, bigbrotr.observation, bigbrotr.counter');
my $file = generate(10_000, 2);
my $relay = start_relay('--events', $file);
sql("INSERT INTO bigbrotr.relay (url, network) VALUES ('$relay', 'clearnet')");
sql("SELECT bigbrotr.run('synchronizer')");
ok($node->poll_query_until('postgres', 'SELECT count(*) > 2000 FROM bigbrotr.event'), 'events come through a relay');
$node->stop('immediate');
$node->start;
ok($node->poll_query_until('postgres', 'SELECT count(*) = 10000 FROM bigbrotr.event'), 'all of them, over a crash');
compare('truth2', 'relay');
is(sql("SELECT count(*) FROM truth2 t JOIN bigbrotr.mention m USING (url) WHERE m.mentions > t.events OR m.authors > t.authors * 1.25"),
	'0', 'nothing is counted twice');

set_conf($node, 'bigbrotr.finder_events' => 'off');
my $more = generate(200, 4);
my $second = start_relay('--events', $more);
my $known = sql('SELECT count(*) FROM bigbrotr.candidate');
sql("INSERT INTO bigbrotr.relay (url, network) VALUES ('$second', 'clearnet')");
sql("SELECT bigbrotr.run('synchronizer')");
ok($node->poll_query_until('postgres', 'SELECT count(*) = 10200 FROM bigbrotr.event'), 'events come');
is(sql('SELECT count(*) FROM bigbrotr.candidate'), $known, 'finder_events = off: they are not looked at');

$node->stop;
done_testing();
