#!/usr/bin/perl
# make_mmdb.pl CITY ASN: two small MaxMind databases of invented places.
use strict;
use warnings;
use MaxMind::DB::Writer::Tree;

my %types = (
	city => 'map', country => 'map', registered_country => 'map', continent => 'map',
	location => 'map', postal => 'map', names => 'map', subdivisions => [ 'array', 'map' ],
	iso_code => 'utf8_string', code => 'utf8_string', en => 'utf8_string', time_zone => 'utf8_string',
	geoname_id => 'uint32', accuracy_radius => 'uint16', latitude => 'double', longitude => 'double',
	is_in_european_union => 'boolean',
	autonomous_system_number => 'uint32', autonomous_system_organization => 'utf8_string');

sub tree
{
	my ($type, %records) = @_;
	my $tree = MaxMind::DB::Writer::Tree->new(
		ip_version => 6, record_size => 24, database_type => $type, languages => ['en'],
		description => { en => 'invented' }, map_key_type_callback => sub { $types{ $_[0] } },
		remove_reserved_networks => 0);
	$tree->insert_network($_, $records{$_}) for keys %records;
	return $tree;
}

my $city = tree('GeoLite2-City',
	'81.2.69.0/24' => {
		city => { geoname_id => 2643743, names => { en => 'London' } },
		continent => { code => 'EU', names => { en => 'Europe' } },
		country => { iso_code => 'GB', names => { en => 'United Kingdom' } },
		location => { latitude => 51.5142, longitude => -0.0931, accuracy_radius => 10, time_zone => 'Europe/London' },
		postal => { code => 'EC2V' },
		subdivisions => [ { names => { en => 'England' } }, { names => { en => 'City of London' } } ] },
	'89.160.20.0/24' => {
		country => { iso_code => 'SE', names => { en => 'Sweden' }, is_in_european_union => 1 } },
	'2001:218::/32' => { registered_country => { iso_code => 'JP', names => { en => 'Japan' } } },
	'127.0.0.0/8' => { country => { iso_code => 'XX', names => { en => 'Loopback' } },
		location => { latitude => 1.5, longitude => 2.5 } });
my $asn = tree('GeoLite2-ASN',
	'81.2.64.0/20' => { autonomous_system_number => 20712, autonomous_system_organization => 'Andrews & Arnold' },
	'127.0.0.0/8' => { autonomous_system_number => 64512, autonomous_system_organization => 'Loopback Networks' },
	'2001:218::/32' => { autonomous_system_number => 2914, autonomous_system_organization => 'NTT' });
for ([ $city, $ARGV[0] ], [ $asn, $ARGV[1] ])
{
	open my $f, '>:raw', $_->[1] or die "$_->[1]: $!";
	$_->[0]->write_tree($f);
	close $f or die $!;
}
