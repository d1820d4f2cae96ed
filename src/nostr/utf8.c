/*
 * utf8.c
 *
 * Strict UTF-8.  Guarantees that PostgreSQL's own check (UTF8 encoding) will
 * accept, U+0000 aside, every string accepted here.
 */
#include "pgfree.h"

#include <string.h>

#include "utf8.h"

/* Length of the sequence at p (avail > 0), 0 when it is not valid. */
static inline size_t
sequence_length(const uint8_t *p, size_t avail)
{
	uint8_t		c = p[0];
	uint8_t		low = 0x80;
	uint8_t		high = 0xbf;
	size_t		n;

	if (c < 0x80)
		return 1;
	if (c < 0xc2)				/* continuation, or overlong C0 C1 */
		return 0;
	if (c < 0xe0)
		n = 2;
	else if (c < 0xf0)
	{
		n = 3;
		if (c == 0xe0)
			low = 0xa0;			/* overlong */
		else if (c == 0xed)
			high = 0x9f;		/* surrogates */
	}
	else if (c < 0xf5)
	{
		n = 4;
		if (c == 0xf0)
			low = 0x90;			/* overlong */
		else if (c == 0xf4)
			high = 0x8f;		/* above U+10FFFF */
	}
	else
		return 0;
	if (avail < n || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

size_t
nostr_utf8_check(const uint8_t *s, size_t len)
{
	size_t		i = 0;

	while (i < len)
	{
		uint64_t	word;
		size_t		n;

		/* most text is ASCII: eight bytes at a time */
		if (s[i] < 0x80 && len - i >= 8)
		{
			memcpy(&word, s + i, 8);
			if ((word & UINT64_C(0x8080808080808080)) == 0)
			{
				i += 8;
				continue;
			}
		}
		n = sequence_length(s + i, len - i);
		if (n == 0)
			return i;
		i += n;
	}
	return len;
}

bool
nostr_utf8_valid(const uint8_t *s, size_t len)
{
	return nostr_utf8_check(s, len) == len;
}

size_t
nostr_utf8_encode(uint32_t cp, uint8_t out[4])
{
	if (cp < 0x80)
	{
		out[0] = (uint8_t) cp;
		return 1;
	}
	if (cp < 0x800)
	{
		out[0] = (uint8_t) (0xc0 | cp >> 6);
		out[1] = (uint8_t) (0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000)
	{
		out[0] = (uint8_t) (0xe0 | cp >> 12);
		out[1] = (uint8_t) (0x80 | (cp >> 6 & 0x3f));
		out[2] = (uint8_t) (0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (uint8_t) (0xf0 | cp >> 18);
	out[1] = (uint8_t) (0x80 | (cp >> 12 & 0x3f));
	out[2] = (uint8_t) (0x80 | (cp >> 6 & 0x3f));
	out[3] = (uint8_t) (0x80 | (cp & 0x3f));
	return 4;
}
