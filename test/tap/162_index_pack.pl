# Btrees of months that have ended and become quiet are built anew by the
# refresher, beside who reads and writes: full and light rows, what is found
# stays the same, what was left half built is dropped.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use BigBrotr::Test;

my $node = bigbrotr_node('main', <<'CONF');
bigbrotr.synchronizer_interval = 0
bigbrotr.validator_interval = 0
bigbrotr.refresher_interval = '1s'
bigbrotr.archive = light
autovacuum = off
CONF
sub value { return $node->safe_psql('postgres', $_[0]) }
sub becomes { my ($sql, $what) = @_; return ok($node->poll_query_until('postgres', $sql), $what) }

my $part = 'event_2023_05';
my @lines = split /\n/, slurp_file(generate_events(4000, 31, 1684000000, 1000000));
# every seventh and so on: pages split in the middle
for my $i (0 .. 6)
{
	my @some = @lines[ grep { $_ % 7 == $i } 0 .. $#lines ];
	value("SELECT count(*) FROM bigbrotr.event_ingest(string_to_array(\$e\$" . join("\n", @some) . "\$e\$, E'\\n'), 'wss://a.nostr.org')");
}
my $size = "SELECT sum(pg_relation_size(x.indexrelid)) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am a ON a.oid = c.relam "
  . "WHERE x.indrelid = 'bigbrotr.$part'::regclass AND amname = 'btree'";
my $names = "SELECT string_agg(indexrelid::regclass::text || indisvalid, ',' ORDER BY 1) FROM (SELECT * FROM pg_index WHERE indrelid = 'bigbrotr.$part'::regclass ORDER BY indexrelid::regclass::text) AS x";
my $found = "SELECT count(*), md5(string_agg(key::text, ',' ORDER BY key)) FROM bigbrotr.query('{\"kinds\":[1,7]}', 'archive', 100000)";
my ($before, $named, $rows) = (value($size), value($names), value($found));

becomes("SELECT count(*) = 1 FROM bigbrotr.index_pack WHERE partition = '$part'", 'the month is looked at');
is(value("SELECT quiet, packed_at IS NULL FROM bigbrotr.index_pack"), 'f|t', 'and left alone: rows may be coming');

# Somebody's old snapshot: nothing is begun that would have to wait for it.
my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$session->query_safe('SELECT count(*) FROM bigbrotr.relay');
becomes("SELECT max(xact_start) < now() - interval '6 seconds' FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND state = 'idle in transaction'",
	'a transaction is old');
value("UPDATE bigbrotr.index_pack SET looked_at = looked_at - interval '11 minutes'");
becomes('SELECT quiet FROM bigbrotr.index_pack', 'no rows have come');
my $steps = value("SELECT steps FROM bigbrotr.maintenance WHERE task = 'indexes'");
becomes("SELECT steps > $steps + 1 FROM bigbrotr.maintenance WHERE task = 'indexes'", 'two steps later');
is(value('SELECT tried_at IS NULL FROM bigbrotr.index_pack'), 't', 'nothing was tried');

# What a killed session leaves behind.
$session->query_safe('COMMIT');
value("SET statement_timeout = 0; CREATE INDEX ${part}_pkey_ccnew ON bigbrotr.$part (key)");
value("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'bigbrotr.${part}_pkey_ccnew'::regclass");

becomes('SELECT packed_at IS NOT NULL FROM bigbrotr.index_pack', 'the indexes are built anew');
$session->quit;
becomes("SELECT to_regclass('bigbrotr.${part}_pkey_ccnew') IS NULL", 'what was unfinished is dropped');
cmp_ok(value($size), '<', $before * 0.9, 'they are smaller');
is(value('SELECT bytes FROM bigbrotr.index_pack'), value($size), 'as it was recorded');
is(value($names), $named, 'the same ones, all valid');
is(value($found), $rows, 'the same is found');
is(value("SET enable_seqscan = off; SET enable_indexscan = off; $found"), $rows, 'by any plan');
like($node->safe_psql('postgres', "SELECT string_agg(outcome || n, ',') FROM (SELECT outcome, count(*) AS n FROM bigbrotr.event_ingest(string_to_array(\$e\$" .
		join("\n", @lines[ 0 .. 99 ]) . "\$e\$, E'\\n')) GROUP BY 1) AS x"), qr/^duplicate100$/, 'keys are unique as ever');

# Once; and again when they have grown.
my $at = value('SELECT packed_at FROM bigbrotr.index_pack');
value("UPDATE bigbrotr.index_pack SET tried_at = tried_at - interval '11 minutes'");
$steps = value("SELECT steps FROM bigbrotr.maintenance WHERE task = 'indexes'");
becomes("SELECT steps > $steps + 1 FROM bigbrotr.maintenance WHERE task = 'indexes'", 'two steps later');
is(value('SELECT packed_at FROM bigbrotr.index_pack'), $at, 'that was all');
value('UPDATE bigbrotr.index_pack SET bytes = bytes / 2');
becomes("SELECT packed_at > '$at' FROM bigbrotr.index_pack", 'again when they have grown');
is(value("SELECT count(*) FROM bigbrotr.maintenance WHERE failures > 0"), 0, 'no task failed');

# A failure leaves the refresher with its own patience.
value(q{CREATE TABLE public.seen (patience text);
	CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
	CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.seen SELECT current_setting('lock_timeout'); RETURN NEW; END $$;
	CREATE TRIGGER fail BEFORE UPDATE ON bigbrotr.index_pack FOR EACH ROW WHEN (NEW.packed_at > OLD.packed_at) EXECUTE FUNCTION public.fail();
	CREATE TRIGGER see BEFORE UPDATE ON bigbrotr.maintenance FOR EACH ROW WHEN (OLD.failures < NEW.failures) EXECUTE FUNCTION public.see()});
value("UPDATE bigbrotr.index_pack SET quiet = true, bytes = NULL, tried_at = NULL");
becomes("SELECT count(*) > 0 FROM public.seen", 'an error of another kind is recorded');
is(value("SELECT DISTINCT patience FROM public.seen"), '0', 'and nothing waits less for it');

$node->stop;
done_testing();
