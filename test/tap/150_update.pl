# ALTER EXTENSION bigbrotr UPDATE: from every released version (frozen in
# test/upgrade) to this one the catalogs become those of a new installation,
# and what was archived stays.  Until something is released, and always: the
# comparison finds what an update script forgets.

use strict;
use warnings;
use Cwd 'realpath';
use File::Basename;
use File::Copy;
use File::Path 'make_path';
use File::Spec;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = $ENV{BB_ROOT};
my ($current) = slurp_file("$root/bigbrotr.control") =~ /^default_version = '([^']+)'/m;
my $script = "$root/bigbrotr--$current.sql";

sub pg_config { chomp(my $out = `pg_config --$_[0]`); return realpath($out) // $out }

# An installation like the one in use, whose directory of extensions is ours
# to write to: programs are copied, as they find the rest from where they are.
sub private_installation
{
	my ($to) = @_;
	my %dir = map { $_ => pg_config($_) } qw(bindir sharedir pkglibdir libdir);
	my @common = split '/', dirname($dir{bindir});
	pop @common while grep { index("$_/", join('/', @common) . '/') != 0 } @dir{qw(sharedir pkglibdir)};
	my $from = join '/', @common;
	my $at = sub { return $to . substr($_[0], length $from) };

	make_path($at->($dir{bindir}), dirname($at->($dir{pkglibdir})), $at->("$dir{sharedir}/extension"));
	for my $program (qw(postgres initdb pg_ctl psql pg_config))
	{
		copy("$dir{bindir}/$program", $at->("$dir{bindir}/$program")) or die "$program: $!";
		chmod 0755, $at->("$dir{bindir}/$program");
	}
	symlink $dir{pkglibdir}, $at->($dir{pkglibdir}) or die "$dir{pkglibdir}: $!";
	symlink $dir{libdir}, $at->($dir{libdir}) if index($dir{libdir}, "$from/") == 0 && !-e $at->($dir{libdir});
	for my $entry (glob("$dir{sharedir}/*"), glob("$dir{sharedir}/extension/*"))
	{
		symlink $entry, $at->($entry) if !-e $at->($entry);
	}
	return (dirname($at->($dir{bindir})), $at->("$dir{sharedir}/extension"));
}

my ($installation, $extensions) = private_installation(PostgreSQL::Test::Utils::tempdir());
my $node = PostgreSQL::Test::Cluster->new('update', install_path => $installation);
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'bigbrotr'\nfsync = off\n");
$node->start;
my $databases = 0;

sub write_script
{
	my ($versions, $text) = @_;
	open my $f, '>', "$extensions/bigbrotr--$versions.sql" or die "$versions: $!";
	print $f $text;
	close $f;
	return;
}

# A new database with that version, and with partitions; its name.
sub installed
{
	my ($version, $partitions) = @_;
	my $db = 'db' . ++$databases;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, "CREATE EXTENSION bigbrotr VERSION '$version'");
	$node->safe_psql($db, 'SELECT bigbrotr.partition_ensure()') if $partitions;
	return $db;
}

sub catalog
{
	my ($db) = @_;
	return [ split /\n(?=\S+(?: \S+)* \| )/, $node->safe_psql($db, slurp_file("$root/test/upgrade/catalog.sql")) ];
}

# What only one of them says.
sub difference
{
	my ($updated, $new) = map { my %h = map { $_ => 1 } @$_; \%h } @_;
	return join "\n", (map { "only updated: $_" } grep { !$new->{$_} } sort keys %$updated),
	  (map { "only new: $_" } grep { !$updated->{$_} } sort keys %$new);
}

# From one version to another; its catalogs.
sub updated
{
	my ($from, $to, $partitions) = @_;
	my $db = installed($from, $partitions);
	$node->safe_psql($db, "INSERT INTO bigbrotr.seed (url) VALUES ('wss://relay.bigbrotr.org')");
	$node->safe_psql($db, "ALTER EXTENSION bigbrotr UPDATE TO '$to'");
	is($node->safe_psql($db, 'SELECT url FROM bigbrotr.seed'), 'wss://relay.bigbrotr.org', "$from to $to: what was there stays");
	return catalog($db);
}

# --- released versions ---
for my $file (glob "$root/test/upgrade/bigbrotr--*.sql")
{
	my ($version) = $file =~ /--([0-9.]+)\.sql$/ or next;
	if ($version eq $current)
	{
		is(slurp_file($script), slurp_file($file),
			"the schema of released version $version has not changed: a new version needs a number and an update script");
		next;
	}
	copy($file, "$extensions/bigbrotr--$version.sql") or die "$file: $!";
	is(difference(updated($version, $current, 1), catalog(installed($current, 1))), '', "updated from $version to $current, it is as if installed");
}

# --- the comparison itself: a version that does not exist ---
my $base = slurp_file($script);
my $news = <<'SQL';
CREATE TABLE bigbrotr.novelty (id integer PRIMARY KEY, note text NOT NULL DEFAULT 'x' CHECK (note <> ''));
COMMENT ON TABLE bigbrotr.novelty IS 'new';
COMMENT ON COLUMN bigbrotr.novelty.note IS 'new, too';
CREATE INDEX novelty_note_idx ON bigbrotr.novelty (note);
SELECT pg_catalog.pg_extension_config_dump('bigbrotr.novelty', '');
ALTER TABLE bigbrotr.seed ADD COLUMN weight integer NOT NULL DEFAULT 1;
ALTER TABLE bigbrotr.observation ADD COLUMN place smallint;
CREATE FUNCTION bigbrotr.novel() RETURNS integer LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
REVOKE ALL ON FUNCTION bigbrotr.novel() FROM PUBLIC;
GRANT SELECT ON bigbrotr.novelty TO bigbrotr_reader;
SQL
write_script('9.0', $base . $news);
write_script("$current--9.0", $news);
is(difference(updated($current, '9.0', 1), catalog(installed('9.0', 1))), '', 'a complete update script');
my $new = catalog(installed('9.0'));
cmp_ok(scalar @$new, '>', 500, 'the catalogs say much');

my @lines = split /^/, $news;
for my $i (0 .. $#lines)
{
	next if $i == 0;			# without the table nothing works
	my $version = "9.$i";
	write_script("$current--$version", join '', @lines[ grep { $_ != $i && !($lines[$i] =~ /CREATE FUNCTION/ && $lines[$_] =~ /novel\(\) FROM/) } 0 .. $#lines ]);
	isnt(difference(updated($current, $version), $new), '', 'forgotten is found: ' . substr($lines[$i], 0, 60) =~ s/\s+$//r);
}
$node->stop;
done_testing();
