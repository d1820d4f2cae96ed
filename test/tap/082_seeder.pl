# The seeder and its file: every line gets an outcome, also when the setting
# changes while the file is read.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use POSIX 'mkfifo';
use Test::More;
use BigBrotr::Test;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $file = "$dir/seeds";
my $total = 2500;
open my $f, '>:raw', $file or die "$file: $!";
print $f map { "wss://relay$_.operator.net\n" } 1 .. $total;
print $f "wss://nul\0.operator.net\n", "wss://behind.operator.net\n", 'x' x 5000, "\n", "wss://last.operator.net";
close $f or die "$file: $!";
my $node = bigbrotr_node('main', "bigbrotr.validator_interval = 0\nbigbrotr.synchronizer_interval = 0\n");
sub value { return $node->safe_psql('postgres', $_[0]) }
sub becomes { my ($sql, $what) = @_; return ok($node->poll_query_until('postgres', $sql), $what) }
sub run_seeder { return value("SELECT bigbrotr.run('seeder')") }

# It waits in its first batch; the setting is another one when it goes on.
set_conf($node, 'bigbrotr.seeder_file' => $file);
becomes("SELECT current_setting('bigbrotr.seeder_file') = '$file'", 'a file');
my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN; LOCK TABLE bigbrotr.seed IN SHARE MODE');
run_seeder();
becomes("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'bigbrotr seeder' AND wait_event_type = 'Lock'", 'the seeder waits');
my $log = -s $node->logfile;
set_conf($node, 'bigbrotr.seeder_file' => "$dir/" . 'another' x 20);
ok(wait_log($node, qr/parameter "bigbrotr.seeder_file" changed/, $log), 'the setting changes');
$session->query_safe('COMMIT');
$session->quit;
becomes("SELECT count(*) = $total + 4 FROM bigbrotr.seed WHERE seeded_at IS NOT NULL", 'the file is read to its end, none of its lines is lost');
is(value("SELECT count(*) FILTER (WHERE outcome = 'candidate'), string_agg(split_part(reason, ':', 1), ' ' ORDER BY url) FROM bigbrotr.seed"),
	($total + 2) . '|bad_character too_long', 'and each has its outcome');

# What is no file.
mkfifo("$dir/fifo", 0700) or die "mkfifo: $!";
set_conf($node, 'bigbrotr.seeder_file' => "$dir/fifo");
run_seeder();
ok(wait_log($node, qr/WARNING: +seed file ".*fifo" is not a regular file/, $log), 'a pipe is not waited for');

# Errors are kept as text of the database, however long.
value(q{CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', 'x' || repeat('ä', 300); END $$;
	CREATE TRIGGER fail BEFORE UPDATE ON bigbrotr.seed FOR EACH ROW EXECUTE FUNCTION public.fail()});
value("INSERT INTO bigbrotr.seed (url) VALUES ('wss://more.operator.net')");
run_seeder();
becomes("SELECT last_error LIKE 'xää%' FROM bigbrotr.service WHERE name = 'seeder'", 'the error is kept');
is(value("SELECT length(convert_from(textsend(last_error), 'UTF8')) FROM bigbrotr.service WHERE name = 'seeder'"), '128', 'as valid text');

$node->stop;
done_testing();
