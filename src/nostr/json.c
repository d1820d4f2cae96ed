/*
 * json.c
 *
 * The pull scanner.  Survives any bytes: every read is bounded by "end",
 * recursion by the depth limit.
 */
#include "pgfree.h"

#include <string.h>

#include "json.h"
#include "scan.h"
#include "utf8.h"

static bool
json_fail(NostrJson *js, NostrReject error, const uint8_t *at)
{
	if (js->error == NOSTR_OK)
	{
		js->error = error;
		js->error_at = (size_t) (at - js->start);
	}
	return false;
}

void
nostr_json_init(NostrJson *js, const char *text, size_t len)
{
	memset(js, 0, sizeof(*js));
	/* never NULL, so that pointer arithmetic is defined for empty input */
	js->start = (const uint8_t *) (len > 0 ? text : "");
	js->p = js->start;
	js->end = js->start + len;
}

uint8_t
nostr_json_peek(NostrJson *js)
{
	if (js->error != NOSTR_OK)
		return 0;
	while (js->p < js->end)
	{
		uint8_t		c = *js->p;

		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			return c;
		js->p++;
	}
	return 0;
}

bool
nostr_json_end(NostrJson *js)
{
	nostr_json_peek(js);
	if (js->error != NOSTR_OK)
		return false;
	return js->p == js->end || json_fail(js, NOSTR_BAD_JSON, js->p);
}

bool
nostr_json_open(NostrJson *js, char bracket)
{
	if (nostr_json_peek(js) != (uint8_t) bracket)
		return json_fail(js, NOSTR_BAD_JSON, js->p);
	if (js->depth >= NOSTR_JSON_MAX_DEPTH)
		return json_fail(js, NOSTR_TOO_DEEP, js->p);
	js->depth++;
	js->p++;
	return true;
}

bool
nostr_json_more(NostrJson *js, char close, bool *first)
{
	uint8_t		c = nostr_json_peek(js);

	if (c == (uint8_t) close)
	{
		js->p++;
		js->depth--;
		return false;
	}
	if (*first)
	{
		*first = false;
		return js->error == NOSTR_OK;
	}
	if (c != ',')
		return json_fail(js, NOSTR_BAD_JSON, js->p);
	js->p++;
	return true;
}

bool
nostr_json_colon(NostrJson *js)
{
	if (nostr_json_peek(js) != ':')
		return json_fail(js, NOSTR_BAD_JSON, js->p);
	js->p++;
	return true;
}

static bool
read_hex4(NostrJson *js, const uint8_t *p, uint32_t *v)
{
	*v = 0;
	for (int i = 0; i < 4; i++)
	{
		uint8_t		c;

		if (p + i >= js->end)
			return json_fail(js, NOSTR_BAD_JSON, js->end);
		c = p[i];
		if (c >= '0' && c <= '9')
			c = (uint8_t) (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			c = (uint8_t) ((c | 0x20) - 'a' + 10);
		else
			return json_fail(js, NOSTR_BAD_JSON, p + i);
		*v = *v << 4 | c;
	}
	return true;
}

/* \uXXXX at js->p, or a pair of them. */
static bool
read_unicode_escape(NostrJson *js, uint32_t *cp)
{
	const uint8_t *at = js->p;
	uint32_t	low;

	if (!read_hex4(js, at + 2, cp))
		return false;
	js->p = at + 6;
	if (*cp < 0xd800 || *cp > 0xdfff)
		return true;
	if (*cp > 0xdbff || js->end - js->p < 2 ||
		js->p[0] != '\\' || js->p[1] != 'u')
		return json_fail(js, NOSTR_LONE_SURROGATE, at);
	if (!read_hex4(js, js->p + 2, &low))
		return false;
	if (low < 0xdc00 || low > 0xdfff)
		return json_fail(js, NOSTR_LONE_SURROGATE, at);
	js->p += 6;
	*cp = 0x10000 + ((*cp - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

/* The escape at js->p, appended to *buf unless that is NULL. */
static bool
read_escape(NostrJson *js, NostrBuf *buf)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *found;
	uint8_t		utf8[4];
	uint32_t	cp;

	if (js->end - js->p < 2)
		return json_fail(js, NOSTR_BAD_JSON, js->end);
	if (js->p[1] == 'u')
	{
		if (!read_unicode_escape(js, &cp))
			return false;
	}
	else
	{
		/* strchr would find the terminator for a NUL byte */
		found = js->p[1] != 0 ? strchr(from, js->p[1]) : NULL;
		if (found == NULL)
			return json_fail(js, NOSTR_BAD_JSON, js->p + 1);
		cp = (uint8_t) to[found - from];
		js->p += 2;
	}
	if (buf != NULL)
		nostr_buf_append(buf, utf8, nostr_utf8_encode(cp, utf8));
	return true;
}

bool
nostr_json_string(NostrJson *js, NostrBuf *buf, const uint8_t **s, size_t *len)
{
	size_t		mark = buf != NULL ? buf->len : 0;
	bool		escaped = false;
	const uint8_t *run;

	if (nostr_json_peek(js) != '"')
		return json_fail(js, NOSTR_BAD_JSON, js->p);
	for (run = js->p + 1;; run = js->p)
	{
		bool		high = false;
		const uint8_t *q = nostr_scan(run, js->end, false, &high);
		size_t		n = (size_t) (q - run);

		if (high)
		{
			size_t		good = nostr_utf8_check(run, n);

			if (good < n)
				return json_fail(js, NOSTR_BAD_UTF8, run + good);
		}
		if (q == js->end || *q < 0x20)
			return json_fail(js, NOSTR_BAD_JSON, q);
		if (*q == '"')
		{
			js->p = q + 1;
			if (!escaped)
			{
				*s = run;
				*len = n;
				return true;
			}
		}
		if (buf != NULL)
			nostr_buf_append(buf, run, n);
		if (*q == '"')
			break;
		escaped = true;
		js->p = q;
		if (!read_escape(js, buf))
			return false;
	}
	if (buf == NULL)
	{
		*s = NULL;
		*len = 0;
		return true;
	}
	if (buf->failed)
		return json_fail(js, NOSTR_OUT_OF_MEMORY, run);
	*len = buf->len - mark;
	*s = *len > 0 ? buf->data + mark : (const uint8_t *) "";
	return true;
}

bool
nostr_json_word(NostrJson *js, const char *word)
{
	size_t		n = strlen(word);

	nostr_json_peek(js);
	if ((size_t) (js->end - js->p) < n || memcmp(js->p, word, n) != 0)
		return json_fail(js, NOSTR_BAD_JSON, js->p);
	js->p += n;
	return true;
}

bool
nostr_json_skip(NostrJson *js)
{
	const uint8_t *s;
	size_t		len;
	bool		first = true;

	switch (nostr_json_peek(js))
	{
		case '"':
			return nostr_json_string(js, NULL, &s, &len);
		case '[':
			if (!nostr_json_open(js, '['))
				return false;
			while (nostr_json_more(js, ']', &first))
				if (!nostr_json_skip(js))
					return false;
			return js->error == NOSTR_OK;
		case '{':
			if (!nostr_json_open(js, '{'))
				return false;
			while (nostr_json_more(js, '}', &first))
				if (!nostr_json_string(js, NULL, &s, &len) ||
					!nostr_json_colon(js) || !nostr_json_skip(js))
					return false;
			return js->error == NOSTR_OK;
		case 't':
			return nostr_json_word(js, "true");
		case 'f':
			return nostr_json_word(js, "false");
		case 'n':
			return nostr_json_word(js, "null");
		default:
			return nostr_json_number(js, &s, &len);
	}
}
