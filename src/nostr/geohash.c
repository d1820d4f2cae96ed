/*
 * geohash.c
 *
 * Five bits a character, longitude first, each bit halving its interval.
 */
#include "pgfree.h"

#include "geohash.h"

void
nostr_geohash(double lat, double lon, int precision, char *out)
{
	static const char alphabet[] = "0123456789bcdefghjkmnpqrstuvwxyz";
	double		range[2][2] = {{-180, 180}, {-90, 90}};
	double		at[2] = {lon, lat};
	int			axis = 0;

	for (int i = 0; i < precision; i++)
	{
		int			bits = 0;

		for (int bit = 0; bit < 5; bit++)
		{
			double		middle = (range[axis][0] + range[axis][1]) / 2;
			int			upper = at[axis] >= middle;

			range[axis][upper ? 0 : 1] = middle;
			bits = bits << 1 | upper;
			axis = !axis;
		}
		out[i] = alphabet[bits];
	}
	out[precision] = '\0';
}
