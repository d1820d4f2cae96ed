/*
 * relay_path.c
 *
 * Guarantees: a path that is accepted is made of segments of letters, digits,
 * "-._~:" and the escapes %2F and %3A, has no dot segment and no empty one,
 * and is at most as long as it was.  Anything else is refused: a junk path
 * dropped in silence would turn into the relay at the root of the host.
 */
#include "pgfree.h"

#include "host.h"
#include "relay_path.h"

#include <string.h>

static bool
is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
is_unreserved(char c)
{
	return is_letter_or_digit(c) || (c != '\0' && strchr("-._~", c) != NULL);
}

/* Of a segment's decoded text: letter or digit at both ends. */
static bool
segment_ends_valid(const char *s, size_t len)
{
	return len == 0 || (is_letter_or_digit(s[0]) && is_letter_or_digit(s[len - 1]));
}

/*
 * A kept escape is "%2F" or "%3A": the only reserved octets that a decoded
 * path may hold.  A decoded slash parts segments for the rule on first and
 * last characters, so "%2F.." cannot hide a dot segment.
 */
static bool
segment_valid(const char *s, size_t len)
{
	char		piece[NOSTR_RELAY_URL_MAX + 1];
	size_t		n = 0;

	for (size_t i = 0; i < len; i++)
	{
		char		c = s[i];

		if (c == '%')
		{
			c = (char) nostr_host_unescape(s + i, len - i);
			i += 2;
			if (c == '/')
			{
				if (!segment_ends_valid(piece, n))
					return false;
				n = 0;
				continue;
			}
			if (c != ':')
				return false;
		}
		else if (!is_unreserved(c) && c != ':')
			return false;
		piece[n++] = c;
	}
	return segment_ends_valid(piece, n);
}

/* RFC 3986, 6.2.2.1 and 6.2.2.2: decodes unreserved octets, upper-cases others. */
static bool
path_unescape(const char *path, size_t len, char *out, size_t *outlen)
{
	size_t		n = 0;

	for (size_t i = 0; i < len; i++)
	{
		int			c;

		if (path[i] != '%')
		{
			out[n++] = path[i];
			continue;
		}
		c = nostr_host_unescape(path + i, len - i);
		if (c < 0)
			return false;
		if (c < 0x80 && is_unreserved((char) c))
			out[n++] = (char) c;
		else
		{
			out[n++] = '%';
			out[n++] = "0123456789ABCDEF"[c >> 4];
			out[n++] = "0123456789ABCDEF"[c & 15];
		}
		i += 2;
	}
	*outlen = n;
	return true;
}

/*
 * Dot segments go first, while empty segments still count as segments (so
 * "/a//../b" is "/a/b", RFC 3986 5.2.4), then empty segments are dropped.
 */
bool
nostr_relay_path_normalise(const char *path, size_t len, char *out)
{
	char		buf[NOSTR_RELAY_URL_MAX + 1];
	size_t		buflen;
	size_t		kept = 0;
	size_t		n = 0;
	size_t		i;

	if (!path_unescape(path, len, buf, &buflen))
		return false;

	/* buf is "/seg/seg/..."; rewritten in place, the result never grows */
	for (i = 0; i < buflen;)
	{
		size_t		start = i++;

		while (i < buflen && buf[i] != '/')
			i++;
		if (i - start == 2 && buf[start + 1] == '.')
			continue;
		if (i - start == 3 && buf[start + 1] == '.' && buf[start + 2] == '.')
		{
			while (kept > 0 && buf[--kept] != '/')
				;
			continue;
		}
		memmove(buf + kept, buf + start, i - start);
		kept += i - start;
	}

	for (i = 0; i < kept;)
	{
		size_t		start = i++;

		while (i < kept && buf[i] != '/')
			i++;
		if (i - start == 1)
			continue;
		if (!segment_valid(buf + start + 1, i - start - 1))
			return false;
		memcpy(out + n, buf + start, i - start);
		n += i - start;
	}
	out[n] = '\0';
	return true;
}
