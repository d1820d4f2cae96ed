/*
 * test_geohash.c
 *
 * Known positions, the ends of the world, and nesting of prefixes.
 */
#include "check.h"
#include "nostr/geohash.h"

int
main(void)
{
	char		h[NOSTR_GEOHASH_MAX + 1];
	char		shorter[NOSTR_GEOHASH_MAX + 1];

	nostr_geohash(57.64911, 10.40744, 11, h);
	CHECK_STR(h, "u4pruydqqvj");
	nostr_geohash(42.605, -5.603, 5, h);
	CHECK_STR(h, "ezs42");
	nostr_geohash(0, 0, 1, h);
	CHECK_STR(h, "s");
	nostr_geohash(90, 180, 12, h);
	CHECK_STR(h, "zzzzzzzzzzzz");
	nostr_geohash(-90, -180, 12, h);
	CHECK_STR(h, "000000000000");
	nostr_geohash(1000, -1000, 3, h);
	CHECK_STR(h, "bpb");
	nostr_geohash(-33.8688, 151.2093, 12, h);
	for (int n = 1; n < 12; n++)
	{
		nostr_geohash(-33.8688, 151.2093, n, shorter);
		CHECK(strncmp(h, shorter, n) == 0 && shorter[n] == '\0');
	}
	return check_done();
}
