/*
 * hex.c
 *
 * Lower-case hexadecimal, by table: ids, keys and most tag values go through
 * here on every event.
 */
#include "pgfree.h"

#include <string.h>

#include "hex.h"

/* value of a digit, or 0xFF */
#define X 0xff
static const uint8_t digit_value[256] = {
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, 10, 11, 12, 13, 14, 15, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
};
#undef X

void
nostr_hex_encode(const uint8_t *data, size_t len, char *out)
{
	static const char digit[16] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++)
	{
		out[2 * i] = digit[data[i] >> 4];
		out[2 * i + 1] = digit[data[i] & 15];
	}
}

bool
nostr_hex_decode(const char *hex, size_t hexlen, uint8_t *out, size_t len)
{
	const uint8_t *h = (const uint8_t *) hex;
	uint8_t		bad = 0;

	if (len > SIZE_MAX / 2 || hexlen != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		uint8_t		hi = digit_value[h[2 * i]];
		uint8_t		lo = digit_value[h[2 * i + 1]];

		/* collected, not tested each time: the loop has no branch */
		bad |= hi | lo;
		out[i] = (uint8_t) (hi << 4 | (lo & 15));
	}
	return (bad & 0xf0) == 0;
}
