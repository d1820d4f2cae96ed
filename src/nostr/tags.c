/*
 * tags.c
 *
 * Packing and reading of packed tags.  The reader survives any bytes: it
 * stops with "error" set instead of looking outside of them.
 */
#include "pgfree.h"

#include <string.h>

#include "hex.h"
#include "tags.h"
#include "tags_json.h"
#include "utf8.h"

#define MAX_ELEMENT		((size_t) 1 << 33)	/* keeps len << 1 in 5 varint bytes */

static bool
is_letter(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

size_t
nostr_varint_write(uint64_t v, uint8_t out[NOSTR_VARINT_MAX])
{
	size_t		n = 0;

	for (; v >= 0x80; v >>= 7)
		out[n++] = (uint8_t) (v | 0x80);
	out[n++] = (uint8_t) v;
	return n;
}

static void
append_varint(NostrBuf *out, uint64_t v)
{
	uint8_t		text[NOSTR_VARINT_MAX];

	nostr_buf_append(out, text, nostr_varint_write(v, text));
}

void
nostr_tags_begin(NostrBuf *out, uint32_t ntags)
{
	if (ntags > NOSTR_MAX_TAGS)
		out->failed = true;
	append_varint(out, ntags);
}

void
nostr_tags_tag(NostrBuf *out, uint32_t nelements)
{
	if (nelements == 0 || nelements > NOSTR_MAX_TAG_ELEMENTS)
		out->failed = true;
	append_varint(out, nelements);
}

void
nostr_tags_name(NostrBuf *out, const uint8_t *s, size_t len)
{
	if (len == 1 && is_letter(s[0]))
	{
		nostr_buf_append(out, s, 1);
		return;
	}
	nostr_buf_append_byte(out, 0);
	nostr_tags_element(out, s, len);
}

void
nostr_tags_element(NostrBuf *out, const uint8_t *s, size_t len)
{
	uint8_t    *dst;
	size_t		n;

	if (len >= MAX_ELEMENT)
		out->failed = true;
	dst = nostr_buf_reserve(out, len + NOSTR_VARINT_MAX);
	if (dst == NULL)
		return;
	if (len >= NOSTR_TAG_MIN_HEX && len % 2 == 0)
	{
		/* decoded where it will stay; overwritten below when it is not hex */
		n = nostr_varint_write((uint64_t) (len / 2) << 1 | 1, dst);
		if (nostr_hex_decode((const char *) s, len, dst + n, len / 2))
		{
			out->len += n + len / 2;
			return;
		}
	}
	n = nostr_varint_write((uint64_t) len << 1, dst);
	if (len > 0)
		memcpy(dst + n, s, len);
	out->len += n + len;
}

/* Shortest form only, else the iterator's error is set. */
static uint64_t
read_varint(NostrTagIter *it)
{
	uint64_t	v = 0;

	for (int i = 0; i < NOSTR_VARINT_MAX && it->p < it->end; i++)
	{
		uint8_t		c = *it->p++;

		v |= (uint64_t) (c & 0x7f) << (7 * i);
		if (c < 0x80)
		{
			if (c == 0 && i > 0)
				break;
			return v;
		}
	}
	it->error = true;
	return 0;
}

void
nostr_tags_iter(NostrTagIter *it, const uint8_t *packed, size_t len)
{
	uint64_t	n;

	memset(it, 0, sizeof(*it));
	if (len == 0)
	{
		it->error = true;
		return;
	}
	it->p = packed;
	it->end = packed + len;
	n = read_varint(it);
	if (n > NOSTR_MAX_TAGS)
		it->error = true;
	it->tags_left = it->error ? 0 : (uint32_t) n;
}

uint32_t
nostr_tags_next(NostrTagIter *it)
{
	NostrTagElement el;
	uint64_t	n;

	while (nostr_tags_next_element(it, &el))
		;
	if (it->error)
		return 0;
	if (it->tags_left == 0)
	{
		if (it->p != it->end)
			it->error = true;
		return 0;
	}
	n = read_varint(it);
	if (it->error || n == 0 || n > NOSTR_MAX_TAG_ELEMENTS)
	{
		it->error = true;
		return 0;
	}
	it->tags_left--;
	it->elements_left = (uint32_t) n;
	it->at_name = true;
	return (uint32_t) n;
}

bool
nostr_tags_next_element(NostrTagIter *it, NostrTagElement *el)
{
	uint64_t	head;

	if (it->error || it->elements_left == 0)
		return false;
	it->elements_left--;
	if (it->at_name)
	{
		it->at_name = false;
		if (it->p == it->end || (*it->p != 0 && !is_letter(*it->p)))
		{
			it->error = true;
			return false;
		}
		it->letter = *it->p++;
		if (it->letter != 0)
		{
			el->data = &it->letter;
			el->len = 1;
			el->hex = false;
			return true;
		}
	}
	head = read_varint(it);
	if (it->error || (head >> 1) > (size_t) (it->end - it->p))
	{
		it->error = true;
		return false;
	}
	el->data = it->p;
	el->len = (size_t) (head >> 1);
	el->hex = (head & 1) != 0;
	it->p += el->len;
	return true;
}

size_t
nostr_tag_element_text_len(const NostrTagElement *el)
{
	return el->hex ? 2 * el->len : el->len;
}

void
nostr_tag_element_text(const NostrTagElement *el, char *dst)
{
	if (el->hex)
		nostr_hex_encode(el->data, el->len, dst);
	else if (el->len > 0)
		memcpy(dst, el->data, el->len);
}

/* Would the packer have stored this element this way? */
static bool
element_canonical(const NostrTagElement *el)
{
	if (el->hex)
		return 2 * el->len >= NOSTR_TAG_MIN_HEX;
	if (el->len >= NOSTR_TAG_MIN_HEX && el->len % 2 == 0)
	{
		bool		hex = true;

		for (size_t i = 0; i < el->len && hex; i++)
			hex = (el->data[i] >= '0' && el->data[i] <= '9') ||
				(el->data[i] >= 'a' && el->data[i] <= 'f');
		if (hex)
			return false;
	}
	return nostr_utf8_valid(el->data, el->len);
}

bool
nostr_tags_valid(const uint8_t *packed, size_t len)
{
	NostrTagIter it;
	NostrTagElement el;

	nostr_tags_iter(&it, packed, len);
	while (nostr_tags_next(&it) > 0)
	{
		bool		name = true;

		while (nostr_tags_next_element(&it, &el))
		{
			/* a single letter has its own, shorter form as a name */
			if (name && el.data != &it.letter && !el.hex &&
				el.len == 1 && is_letter(el.data[0]))
				return false;
			name = false;
			if (!element_canonical(&el))
				return false;
		}
	}
	return !it.error;
}
