/*
 * geo.h
 *
 * Where an address is and whose network it belongs to, from MaxMind
 * databases (GeoLite2-City and GeoLite2-ASN, or others of their layout).
 *
 * The files are opened once, before the sandbox, and never again: when one is
 * replaced the process is started anew by its worker.
 */
#ifndef CRAWL_GEO_H
#define CRAWL_GEO_H

#include <jansson.h>

#include "../nostr/special_addr.h"

typedef struct Geo Geo;

/* A path may be "" (that database is not used).  NULL: *why says which file
 * could not be opened; valid until the next call. */
extern Geo *geo_open(const char *city_path, const char *asn_path, const char **why);
extern void geo_close(Geo *g);
extern bool geo_has_city(const Geo *g);
extern bool geo_has_asn(const Geo *g);

/* Data of nip66_geo for the first address that the database knows; NULL: none.
 * precision: characters of the geohash. */
extern json_t *geo_place(const Geo *g, const NostrAddr *addr, int n, int precision);
/* Data of nip66_net: first address of each family, its network and AS. */
extern json_t *geo_network(const Geo *g, const NostrAddr *addr, int n);

#endif
