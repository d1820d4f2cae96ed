/*
 * json_clean.c
 *
 * See json_clean.h.  One pass, recursive over the bounded depth.
 */
#include "pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "json_clean.h"
#include "writer.h"

#define NUMBER_MAX		32
#define EXPONENT_MAX	300

typedef struct Clean
{
	NostrJson	js;
	NostrWriter w;
	NostrBuf	scratch;
} Clean;

static bool clean_value(Clean *c);

/* Reads a string; false on error.  *keep: PostgreSQL can hold it. */
static bool
read_string(Clean *c, const uint8_t **s, size_t *len, bool *keep)
{
	nostr_buf_reset(&c->scratch);
	if (!nostr_json_string(&c->js, &c->scratch, s, len))
		return false;
	*keep = *len == 0 || memchr(*s, 0, *len) == NULL;
	return true;
}

static bool
number_fits(const uint8_t *s, size_t len)
{
	char		text[NUMBER_MAX + 1];
	const char *e;

	if (len > NUMBER_MAX)
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	e = strpbrk(text, "eE");
	return e == NULL || labs(strtol(e + 1, NULL, 10)) <= EXPONENT_MAX;
}

static bool
clean_array(Clean *c)
{
	bool		first = true;

	if (!nostr_json_open(&c->js, '['))
		return false;
	nostr_writer_put(&c->w, "[", 1);
	for (bool comma = false; nostr_json_more(&c->js, ']', &first); comma = true)
	{
		if (comma)
			nostr_writer_put(&c->w, ",", 1);
		if (!clean_value(c))
			return false;
	}
	nostr_writer_put(&c->w, "]", 1);
	return c->js.error == NOSTR_OK;
}

static bool
clean_object(Clean *c)
{
	bool		first = true;
	bool		comma = false;

	if (!nostr_json_open(&c->js, '{'))
		return false;
	nostr_writer_put(&c->w, "{", 1);
	while (nostr_json_more(&c->js, '}', &first))
	{
		const uint8_t *s;
		size_t		len;
		bool		keep;

		if (!read_string(c, &s, &len, &keep))
			return false;
		if (keep)
		{
			if (comma)
				nostr_writer_put(&c->w, ",", 1);
			comma = true;
			nostr_writer_string(&c->w, s, len, NOSTR_FORM_ESCAPED);
			nostr_writer_put(&c->w, ":", 1);
		}
		if (!nostr_json_colon(&c->js) || !(keep ? clean_value(c) : nostr_json_skip(&c->js)))
			return false;
	}
	nostr_writer_put(&c->w, "}", 1);
	return c->js.error == NOSTR_OK;
}

static bool
clean_word(Clean *c, const char *word)
{
	if (!nostr_json_word(&c->js, word))
		return false;
	nostr_writer_put(&c->w, word, strlen(word));
	return true;
}

static bool
clean_value(Clean *c)
{
	const uint8_t *s;
	size_t		len;
	bool		keep;

	switch (nostr_json_peek(&c->js))
	{
		case '[':
			return clean_array(c);
		case '{':
			return clean_object(c);
		case '"':
			if (!read_string(c, &s, &len, &keep))
				return false;
			if (keep)
				nostr_writer_string(&c->w, s, len, NOSTR_FORM_ESCAPED);
			else
				nostr_writer_put(&c->w, "null", 4);
			return true;
		case 't':
			return clean_word(c, "true");
		case 'f':
			return clean_word(c, "false");
		case 'n':
			return clean_word(c, "null");
		default:
			if (!nostr_json_number(&c->js, &s, &len))
				return false;
			if (number_fits(s, len))
				nostr_writer_put(&c->w, s, len);
			else
				nostr_writer_put(&c->w, "null", 4);
			return true;
	}
}

NostrReject
nostr_json_clean(const char *text, size_t len, NostrBuf *out, size_t *at)
{
	Clean	   *c = malloc(sizeof(*c));
	NostrReject why = NOSTR_OK;

	*at = 0;
	if (c == NULL)
		return NOSTR_OUT_OF_MEMORY;
	nostr_json_init(&c->js, text, len);
	nostr_writer_init(&c->w, out);
	nostr_buf_init(&c->scratch, len + 64);
	if (!clean_value(c) || !nostr_json_end(&c->js))
	{
		why = c->js.error != NOSTR_OK ? c->js.error : NOSTR_BAD_JSON;
		*at = c->js.error_at;
	}
	nostr_writer_flush(&c->w);
	if (why == NOSTR_OK && out->failed)
		why = NOSTR_OUT_OF_MEMORY;
	nostr_buf_free(&c->scratch);
	free(c);
	return why;
}
