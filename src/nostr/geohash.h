/*
 * geohash.h
 *
 * Geohash of a position, as NIP-52 and NIP-66 use it in "g" tags.
 */
#ifndef NOSTR_GEOHASH_H
#define NOSTR_GEOHASH_H

#define NOSTR_GEOHASH_MAX 12

/*
 * Degrees, north and east positive; precision in characters, 1 to
 * NOSTR_GEOHASH_MAX.  out has room for precision + 1.  What lies outside
 * [-90, 90] and [-180, 180] counts as the nearest position inside.
 */
extern void nostr_geohash(double lat, double lon, int precision, char *out);

#endif
