/*
 * tags_json.c
 *
 * Tags between JSON text and the packed form.  Counts come first in the
 * packed form but are known last: one byte is kept for each, and what follows
 * is moved in the rare case that the count needs more, so the text is read
 * once only.
 */
#include "pgfree.h"

#include <string.h>

#include "tags.h"
#include "tags_json.h"
#include "writer.h"

static void
note(NostrJson *js, NostrReject reason, NostrReject *why, size_t *why_at)
{
	if (*why == NOSTR_OK)
	{
		*why = reason;
		*why_at = (size_t) (js->p - js->start);
	}
}

static void
set_count(NostrBuf *out, size_t at, uint32_t n)
{
	uint8_t		text[NOSTR_VARINT_MAX];
	size_t		k = nostr_varint_write(n, text);

	if (out->failed || nostr_buf_reserve(out, k) == NULL)
		return;
	if (k > 1)
		memmove(out->data + at + k, out->data + at + 1, out->len - at - 1);
	memcpy(out->data + at, text, k);
	out->len += k - 1;
}

static bool
scan_element(NostrJson *js, NostrBuf *out, bool name)
{
	size_t		mark = out->len;
	size_t		packed;
	const uint8_t *s;
	size_t		len;

	if (!nostr_json_string(js, out, &s, &len))
		return false;
	if (out->len > mark)
	{
		/*
		 * It had escapes and its text now lies in *out.  Room first, so that
		 * the packer cannot move the text that it reads; then drop the text.
		 */
		if (nostr_buf_reserve(out, len + 1 + NOSTR_VARINT_MAX) == NULL)
			return true;
		s = out->data + mark;
	}
	packed = out->len;
	if (name)
		nostr_tags_name(out, s, len);
	else
		nostr_tags_element(out, s, len);
	if (packed > mark && !out->failed)
	{
		memmove(out->data + mark, out->data + packed, out->len - packed);
		out->len -= packed - mark;
	}
	return true;
}

static bool
scan_tag(NostrJson *js, NostrBuf *out, NostrReject *why, size_t *why_at)
{
	size_t		at = out->len;
	uint32_t	n = 0;
	bool		first = true;

	nostr_buf_append_byte(out, 0);
	if (!nostr_json_open(js, '['))
		return false;
	while (nostr_json_more(js, ']', &first))
	{
		if (nostr_json_peek(js) != '"')
			note(js, NOSTR_BAD_TAGS, why, why_at);
		else if (n == NOSTR_MAX_TAG_ELEMENTS)
			note(js, NOSTR_TOO_MANY_TAGS, why, why_at);
		/* after a fault nothing is packed any more, only checked */
		if (*why != NOSTR_OK)
		{
			if (!nostr_json_skip(js))
				return false;
			continue;
		}
		if (!scan_element(js, out, n == 0))
			return false;
		n++;
	}
	if (n == 0)
		note(js, NOSTR_BAD_TAGS, why, why_at);
	else
		set_count(out, at, n);
	return js->error == NOSTR_OK;
}

bool
nostr_tags_scan(NostrJson *js, NostrBuf *out, NostrReject *why, size_t *why_at)
{
	size_t		at = out->len;
	uint32_t	n = 0;
	bool		first = true;

	if (nostr_json_peek(js) != '[')
	{
		note(js, NOSTR_BAD_TAGS, why, why_at);
		return nostr_json_skip(js);
	}
	nostr_buf_append_byte(out, 0);
	if (!nostr_json_open(js, '['))
		return false;
	while (nostr_json_more(js, ']', &first))
	{
		if (nostr_json_peek(js) != '[')
			note(js, NOSTR_BAD_TAGS, why, why_at);
		else if (n == NOSTR_MAX_TAGS)
			note(js, NOSTR_TOO_MANY_TAGS, why, why_at);
		if (*why != NOSTR_OK)
		{
			if (!nostr_json_skip(js))
				return false;
			continue;
		}
		if (!scan_tag(js, out, why, why_at))
			return false;
		n++;
	}
	set_count(out, at, n);
	if (out->failed && js->error == NOSTR_OK)
	{
		js->error = NOSTR_OUT_OF_MEMORY;
		js->error_at = (size_t) (js->p - js->start);
	}
	return js->error == NOSTR_OK;
}

bool
nostr_tags_from_json(const char *json, size_t len, NostrBuf *out,
					 const char **reason, size_t *offset)
{
	NostrJson	js;
	NostrReject why = NOSTR_OK;
	size_t		at = 0;
	size_t		mark = out->len;

	nostr_json_init(&js, json, len);
	if (nostr_tags_scan(&js, out, &why, &at))
		nostr_json_end(&js);
	if (js.error != NOSTR_OK)
	{
		why = js.error;
		at = js.error_at;
	}
	if (why == NOSTR_OK)
		return true;
	out->len = mark;
	if (reason != NULL)
		*reason = nostr_reject_text(why);
	if (offset != NULL)
		*offset = at;
	return false;
}

void
nostr_tags_to_json(const uint8_t *packed, size_t len, NostrBuf *out)
{
	NostrWriter w;

	nostr_writer_init(&w, out);
	nostr_writer_tags(&w, packed, len, NOSTR_FORM_ESCAPED);
	nostr_writer_flush(&w);
}
