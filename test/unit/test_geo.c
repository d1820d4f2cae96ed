/*
 * test_geo.c
 *
 * Places and networks from MaxMind databases made by test/unit/make_mmdb.pl.
 */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "crawl/document.h"
#include "crawl/geo.h"

static char dir[] = "/tmp/bigbrotr-geo-XXXXXX";
static NostrBuf out;

static const char *
text(json_t *j)
{
	nostr_buf_reset(&out);
	if (j == NULL)
		return "nothing";
	CHECK(document_write(&out, j));
	nostr_buf_append_byte(&out, '\0');
	json_decref(j);
	return (const char *) out.data;
}

static NostrAddr
addr(const char *s)
{
	NostrAddr	a;

	CHECK(nostr_addr_parse(s, &a));
	return a;
}

static void
places(const Geo *g)
{
	NostrAddr	a[2] = {addr("192.0.2.1"), addr("81.2.69.142")};

	CHECK_STR(text(geo_place(g, a, 2, 9)),
			  "{\"geo_accuracy\":10,\"geo_city\":\"London\",\"geo_continent\":\"EU\","
			  "\"geo_continent_name\":\"Europe\",\"geo_country\":\"GB\",\"geo_country_name\":\"United Kingdom\","
			  "\"geo_geoname_id\":2643743,\"geo_hash\":\"gcpvjcu5y\",\"geo_is_eu\":false,\"geo_lat\":51.5142,"
			  "\"geo_lon\":-0.0931,\"geo_postal\":\"EC2V\",\"geo_region\":\"City of London\",\"geo_tz\":\"Europe/London\"}");
	CHECK_STR(text(geo_place(g, a, 1, 9)), "nothing");
	a[0] = addr("89.160.20.112");
	CHECK_STR(text(geo_place(g, a, 1, 9)),
			  "{\"geo_country\":\"SE\",\"geo_country_name\":\"Sweden\",\"geo_is_eu\":true}");
	a[0] = addr("2001:218::5");
	CHECK_STR(text(geo_place(g, a, 1, 9)), "{\"geo_country\":\"JP\",\"geo_country_name\":\"Japan\"}");
}

static void
networks(const Geo *g)
{
	NostrAddr	a[3] = {addr("2001:218::5"), addr("81.2.69.142"), addr("81.2.69.143")};

	CHECK_STR(text(geo_network(g, a, 3)),
			  "{\"net_asn\":20712,\"net_asn_org\":\"Andrews & Arnold\",\"net_ip\":\"81.2.69.142\","
			  "\"net_ipv6\":\"2001:218::5\",\"net_network\":\"81.2.64.0/20\",\"net_network_v6\":\"2001:218::/32\"}");
	CHECK_STR(text(geo_network(g, a, 1)),
			  "{\"net_asn\":2914,\"net_asn_org\":\"NTT\",\"net_ipv6\":\"2001:218::5\",\"net_network_v6\":\"2001:218::/32\"}");
	a[0] = addr("192.0.2.1");
	CHECK_STR(text(geo_network(g, a, 1)), "{\"net_ip\":\"192.0.2.1\"}");
}

int
main(void)
{
	char		cmd[300];
	char		city[64];
	char		asn[64];
	const char *why;
	Geo		   *g;

	nostr_buf_init(&out, DOCUMENT_MAX_SIZE);
	CHECK(mkdtemp(dir) != NULL);
	snprintf(city, sizeof(city), "%s/city.mmdb", dir);
	snprintf(asn, sizeof(asn), "%s/asn.mmdb", dir);
	snprintf(cmd, sizeof(cmd), "perl test/unit/make_mmdb.pl %s %s", city, asn);
	CHECK(system(cmd) == 0);

	g = geo_open(city, asn, &why);
	CHECK(g != NULL && geo_has_city(g) && geo_has_asn(g));
	places(g);
	networks(g);
	geo_close(g);

	g = geo_open("", "", &why);
	CHECK(g != NULL && !geo_has_city(g) && !geo_has_asn(g));
	CHECK_STR(text(geo_place(g, (NostrAddr[]) {addr("81.2.69.142")}, 1, 9)), "nothing");
	geo_close(g);
	CHECK(geo_open("/nonexistent", "", &why) == NULL && strstr(why, "/nonexistent") != NULL);
	CHECK(geo_open(city, "test/unit/make_mmdb.pl", &why) == NULL && strstr(why, "make_mmdb") != NULL);

	unlink(city);
	unlink(asn);
	rmdir(dir);
	nostr_buf_free(&out);
	return check_done();
}
