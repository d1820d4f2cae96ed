/*
 * document.c
 *
 * See document.h.  Must survive any tree that the JSON parser lets through:
 * recursion ends at DOCUMENT_MAX_DEPTH, output at the buffer's maximum.
 */
#include "../nostr/pgfree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "text.h"

typedef struct Member
{
	const char *key;
	const json_t *value;
} Member;

static bool empty(const json_t *v, int depth);

/* Nothing of a container would be written. */
static bool
all_empty(const json_t *v, int depth)
{
	if (json_is_object(v))
	{
		const char *key;
		json_t	   *member;

		json_object_foreach((json_t *) v, key, member)
		{
			if (!empty(member, depth + 1))
				return false;
		}
		return true;
	}
	for (size_t i = 0; i < json_array_size(v); i++)
	{
		if (!empty(json_array_get(v, i), depth + 1))
			return false;
	}
	return true;
}

static bool
empty(const json_t *v, int depth)
{
	if (v == NULL || json_is_null(v) || depth > DOCUMENT_MAX_DEPTH)
		return true;
	if (json_is_object(v) || json_is_array(v))
		return all_empty(v, depth);
	return false;
}

static bool
write_string(NostrBuf *out, const char *s, size_t len)
{
	static const char *const named[32] = {
		['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"
	};

	if (memchr(s, '\0', len) != NULL)
		return false;
	nostr_buf_append_byte(out, '"');
	for (size_t i = 0; i < len; i++)
	{
		uint8_t		c = (uint8_t) s[i];

		if (c == '"' || c == '\\')
		{
			nostr_buf_append_byte(out, '\\');
			nostr_buf_append_byte(out, c);
		}
		else if (c >= 32)
			nostr_buf_append_byte(out, c);
		else if (named[c] != NULL)
			nostr_buf_append_str(out, named[c]);
		else
		{
			char		hex[8];

			snprintf(hex, sizeof(hex), "\\u%04x", c);
			nostr_buf_append_str(out, hex);
		}
	}
	nostr_buf_append_byte(out, '"');
	return true;
}

/* As Python's repr: shortest digits that read back; exponents from 1e16 on
 * and below 1e-4. */
static void
write_real(NostrBuf *out, double v)
{
	char		text[40];
	char		digits[24];
	char	   *e;
	int			exponent;
	int			n;
	int			precision = 0;

	do
		snprintf(text, sizeof(text), "%.*e", precision, v);
	while (strtod(text, NULL) != v && ++precision <= 16);
	e = strchr(text, 'e');
	exponent = atoi(e + 1);
	if (exponent < -4 || exponent >= 16)
	{
		nostr_buf_append(out, text, (size_t) (e - text));
		snprintf(text, sizeof(text), "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
		nostr_buf_append_str(out, text);
		return;
	}
	n = precision > exponent ? precision - exponent : 1;
	snprintf(digits, sizeof(digits), "%.*f", n, v);
	nostr_buf_append_str(out, digits);
}

static int
by_key(const void *a, const void *b)
{
	/* the order of UTF-8 bytes is the order of code points */
	return strcmp(((const Member *) a)->key, ((const Member *) b)->key);
}

static bool write_value(NostrBuf *out, const json_t *v, int depth);

static bool
write_object(NostrBuf *out, const json_t *v, int depth)
{
	Member	   *m = malloc(sizeof(Member) * (json_object_size(v) + 1));
	size_t		n = 0;
	const char *key;
	json_t	   *member;
	bool		ok = m != NULL;

	if (!ok)
		return false;
	json_object_foreach((json_t *) v, key, member)
	{
		if (!empty(member, depth + 1))
			m[n++] = (Member) {key, member};
	}
	qsort(m, n, sizeof(Member), by_key);
	nostr_buf_append_byte(out, '{');
	for (size_t i = 0; i < n && ok; i++)
	{
		if (i > 0)
			nostr_buf_append_byte(out, ',');
		ok = write_string(out, m[i].key, strlen(m[i].key));
		nostr_buf_append_byte(out, ':');
		ok = ok && write_value(out, m[i].value, depth + 1);
	}
	nostr_buf_append_byte(out, '}');
	free(m);
	return ok;
}

static bool
write_array(NostrBuf *out, const json_t *v, int depth)
{
	bool		first = true;
	bool		ok = true;

	nostr_buf_append_byte(out, '[');
	for (size_t i = 0; i < json_array_size(v) && ok; i++)
	{
		const json_t *element = json_array_get(v, i);

		if (empty(element, depth + 1))
			continue;
		if (!first)
			nostr_buf_append_byte(out, ',');
		first = false;
		ok = write_value(out, element, depth + 1);
	}
	nostr_buf_append_byte(out, ']');
	return ok;
}

static bool
write_value(NostrBuf *out, const json_t *v, int depth)
{
	switch (json_typeof(v))
	{
		case JSON_OBJECT:
			return write_object(out, v, depth);
		case JSON_ARRAY:
			return write_array(out, v, depth);
		case JSON_STRING:
			return write_string(out, json_string_value(v), json_string_length(v));
		case JSON_INTEGER:
			nostr_buf_append_int(out, json_integer_value(v));
			return true;
		case JSON_REAL:
			write_real(out, json_real_value(v));
			return true;
		case JSON_TRUE:
			nostr_buf_append_str(out, "true");
			return true;
		case JSON_FALSE:
			nostr_buf_append_str(out, "false");
			return true;
		default:
			nostr_buf_append_str(out, "null");
			return true;
	}
}

bool
document_write(NostrBuf *out, const json_t *document)
{
	return write_value(out, document, 0) && !out->failed;
}

json_t *
document_result(json_t *data, json_t *logs)
{
	return json_pack("{s:o*,s:o*}", "data", data, "logs", logs);
}

json_t *
document_logs(bool success, const char *reason)
{
	char		text[512] = "";

	if (success)
		return json_pack("{s:b}", "success", 1);
	crawl_text_append(text, sizeof(text), reason, strlen(reason));
	return json_pack("{s:b,s:s}", "success", 0, "reason", text);
}
