/*
 * geo.c
 *
 * See geo.h.  A field that is absent or of another type is left out.
 */
#include "../nostr/pgfree.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <maxminddb.h>

#include "../nostr/geohash.h"
#include "geo.h"

struct Geo
{
	MMDB_s		city;
	MMDB_s		asn;
	bool		has_city;
	bool		has_asn;
};

static bool
open_one(MMDB_s *db, const char *path, bool *open, const char **why)
{
	static char text[1200];
	int			rc;

	if (path[0] == '\0')
		return true;
	rc = MMDB_open(path, MMDB_MODE_MMAP, db);
	if (rc != MMDB_SUCCESS)
	{
		snprintf(text, sizeof(text), "cannot open MaxMind database \"%s\": %s", path, MMDB_strerror(rc));
		*why = text;
		return false;
	}
	*open = true;
	return true;
}

Geo *
geo_open(const char *city_path, const char *asn_path, const char **why)
{
	Geo		   *g = calloc(1, sizeof(*g));

	*why = "out of memory";
	if (g == NULL)
		return NULL;
	if (!open_one(&g->city, city_path, &g->has_city, why) ||
		!open_one(&g->asn, asn_path, &g->has_asn, why))
	{
		geo_close(g);
		return NULL;
	}
	return g;
}

void
geo_close(Geo *g)
{
	if (g == NULL)
		return;
	if (g->has_city)
		MMDB_close(&g->city);
	if (g->has_asn)
		MMDB_close(&g->asn);
	free(g);
}

bool
geo_has_city(const Geo *g)
{
	return g != NULL && g->has_city;
}

bool
geo_has_asn(const Geo *g)
{
	return g != NULL && g->has_asn;
}

static bool
lookup(const MMDB_s *db, const NostrAddr *addr, MMDB_lookup_result_s *r)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	int			error = MMDB_SUCCESS;

	memcpy(&in4.sin_addr, addr->bytes, 4);
	memcpy(&in6.sin6_addr, addr->bytes, 16);
	*r = MMDB_lookup_sockaddr(db, addr->v6 ? (struct sockaddr *) &in6 : (struct sockaddr *) &in4,
							  &error);
	return error == MMDB_SUCCESS && r->found_entry;
}

/* A value by its path in the record; NULL: not there. */
static json_t *
value(MMDB_lookup_result_s *r, const char *const *path)
{
	MMDB_entry_data_s d;

	if (MMDB_aget_value(&r->entry, &d, path) != MMDB_SUCCESS || !d.has_data)
		return NULL;
	switch (d.type)
	{
		case MMDB_DATA_TYPE_UTF8_STRING:
			return json_stringn(d.utf8_string, d.data_size);
		case MMDB_DATA_TYPE_DOUBLE:
			return json_real(d.double_value);
		case MMDB_DATA_TYPE_UINT16:
			return json_integer(d.uint16);
		case MMDB_DATA_TYPE_UINT32:
			return json_integer(d.uint32);
		case MMDB_DATA_TYPE_BOOLEAN:
			return json_boolean(d.boolean);
		default:
			return NULL;
	}
}

#define PATH(...) ((const char *const[]) {__VA_ARGS__, NULL})

static void
put(json_t *to, const char *name, json_t *v)
{
	if (v != NULL)
		json_object_set_new(to, name, v);
}

/* The country; the one of registration where the place is not known. */
static void
put_country(json_t *to, MMDB_lookup_result_s *r)
{
	json_t	   *code = value(r, PATH("country", "iso_code"));

	if (code != NULL)
	{
		put(to, "geo_country", code);
		put(to, "geo_country_name", value(r, PATH("country", "names", "en")));
		code = value(r, PATH("country", "is_in_european_union"));
		put(to, "geo_is_eu", code != NULL ? code : json_false());
		return;
	}
	put(to, "geo_country", value(r, PATH("registered_country", "iso_code")));
	put(to, "geo_country_name", value(r, PATH("registered_country", "names", "en")));
}

/* The last subdivision is the most specific one. */
static void
put_region(json_t *to, MMDB_lookup_result_s *r)
{
	json_t	   *region = NULL;

	for (int i = 0; i < 8; i++)
	{
		char		index[12];
		json_t	   *next;

		snprintf(index, sizeof(index), "%d", i);
		next = value(r, PATH("subdivisions", index, "names", "en"));
		if (next == NULL)
			break;
		json_decref(region);
		region = next;
	}
	put(to, "geo_region", region);
}

static json_t *
place(MMDB_lookup_result_s *r, int precision)
{
	json_t	   *to = json_object();
	json_t	   *lat = value(r, PATH("location", "latitude"));
	json_t	   *lon = value(r, PATH("location", "longitude"));

	put_country(to, r);
	put(to, "geo_continent", value(r, PATH("continent", "code")));
	put(to, "geo_continent_name", value(r, PATH("continent", "names", "en")));
	put_region(to, r);
	put(to, "geo_city", value(r, PATH("city", "names", "en")));
	put(to, "geo_geoname_id", value(r, PATH("city", "geoname_id")));
	put(to, "geo_postal", value(r, PATH("postal", "code")));
	put(to, "geo_accuracy", value(r, PATH("location", "accuracy_radius")));
	put(to, "geo_tz", value(r, PATH("location", "time_zone")));
	if (json_is_real(lat) && json_is_real(lon))
	{
		char		hash[NOSTR_GEOHASH_MAX + 1];

		nostr_geohash(json_real_value(lat), json_real_value(lon), precision, hash);
		put(to, "geo_hash", json_string(hash));
	}
	put(to, "geo_lat", lat);
	put(to, "geo_lon", lon);
	return to;
}

json_t *
geo_place(const Geo *g, const NostrAddr *addr, int n, int precision)
{
	MMDB_lookup_result_s r;

	for (int i = 0; i < n && geo_has_city(g); i++)
	{
		if (lookup(&g->city, &addr[i], &r))
			return place(&r, precision);
	}
	return NULL;
}

/* "192.0.2.0/24": the address without what the mask leaves out. */
static json_t *
network_text(const Geo *g, const NostrAddr *addr, int netmask)
{
	NostrAddr	base = *addr;
	char		text[64];

	/* IPv4 lies in the last 32 bits of an IPv6 database */
	if (!addr->v6 && g->asn.metadata.ip_version == 6)
		netmask -= 96;
	if (netmask < 0)
		netmask = 0;
	for (int bit = netmask; bit < (addr->v6 ? 128 : 32); bit++)
		base.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	nostr_addr_format(&base, text);
	snprintf(text + strlen(text), 8, "/%d", netmask);
	return json_string(text);
}

json_t *
geo_network(const Geo *g, const NostrAddr *addr, int n)
{
	json_t	   *to = json_object();

	for (int family = 0; family < 2; family++)
	{
		MMDB_lookup_result_s r;
		char		text[64];
		int			i = 0;

		while (i < n && addr[i].v6 != (family == 1))
			i++;
		if (i == n)
			continue;
		nostr_addr_format(&addr[i], text);
		put(to, family == 0 ? "net_ip" : "net_ipv6", json_string(text));
		if (!geo_has_asn(g) || !lookup(&g->asn, &addr[i], &r))
			continue;
		put(to, family == 0 ? "net_network" : "net_network_v6", network_text(g, &addr[i], r.netmask));
		if (json_object_get(to, "net_asn") != NULL)
			continue;			/* IPv4's counts */
		put(to, "net_asn", value(&r, PATH("autonomous_system_number")));
		put(to, "net_asn_org", value(&r, PATH("autonomous_system_organization")));
	}
	return to;
}
