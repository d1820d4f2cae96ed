/*
 * text.c
 *
 * Guarantees: what is written is terminated, valid UTF-8 without control
 * characters, and never longer than the buffer.
 */
#include "../nostr/pgfree.h"

#include <stdint.h>
#include <string.h>

#include "text.h"

/* Length of the well-formed UTF-8 character at p, 0 when there is none. */
static size_t
utf8_char(const uint8_t *p, size_t len)
{
	size_t		n;
	uint32_t	c;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xC2 && p[0] <= 0xDF)
		n = 2;
	else if ((p[0] & 0xF0) == 0xE0)
		n = 3;
	else if (p[0] >= 0xF0 && p[0] <= 0xF4)
		n = 4;
	else
		return 0;
	if (len < n)
		return 0;
	c = p[0] & (0xFFu >> (n + 1));
	for (size_t i = 1; i < n; i++)
	{
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		c = (c << 6) | (p[i] & 0x3F);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) ||
		c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	return n;
}

void
crawl_text_append(char *dst, size_t size, const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *) text;
	size_t		at = strlen(dst);

	while (len > 0)
	{
		size_t		n = utf8_char(p, len);
		size_t		take = n > 0 ? n : 1;

		if (at + take + 1 > size)
			break;
		if (n == 0)
			dst[at] = '?';
		else if (n == 1 && (p[0] < 0x20 || p[0] == 0x7F))
			dst[at] = ' ';
		else
			memcpy(dst + at, p, n);
		at += take;
		p += take;
		len -= take;
	}
	dst[at] = '\0';
}
