/*
 * writer.c
 *
 * JSON text out.  Guarantees that the same value and form always give the
 * same bytes: ids depend on it.
 */
#include "pgfree.h"

#include <string.h>

#include "hex.h"
#include "scan.h"
#include "sha256.h"
#include "tags.h"
#include "writer.h"

size_t
nostr_int64_text(int64_t v, char out[NOSTR_INT64_TEXT])
{
	char		digits[NOSTR_INT64_TEXT];
	/* negating as unsigned is defined for INT64_MIN too */
	uint64_t	u = v < 0 ? -(uint64_t) v : (uint64_t) v;
	size_t		n = 0;
	size_t		len = 0;

	do
		digits[n++] = (char) ('0' + u % 10);
	while ((u /= 10) != 0);
	if (v < 0)
		out[len++] = '-';
	while (n > 0)
		out[len++] = digits[--n];
	return len;
}

void
nostr_writer_init(NostrWriter *w, NostrBuf *out)
{
	w->out = out;
	w->failed = false;
	w->n = 0;
}

static void
writer_send(NostrWriter *w, const void *data, size_t n)
{
	if (w->out != NULL)
		nostr_buf_append(w->out, data, n);
	else if (!w->failed && !nostr_sha256_update(data, n))
		w->failed = true;
}

void
nostr_writer_flush(NostrWriter *w)
{
	writer_send(w, w->chunk, w->n);
	w->n = 0;
}

void
nostr_writer_put(NostrWriter *w, const void *data, size_t n)
{
	if (n > NOSTR_WRITER_CHUNK - w->n)
	{
		nostr_writer_flush(w);
		if (n > NOSTR_WRITER_CHUNK)
		{
			writer_send(w, data, n);
			return;
		}
	}
	if (n > 0)
		memcpy(w->chunk + w->n, data, n);
	w->n += n;
}

void
nostr_writer_int(NostrWriter *w, int64_t v)
{
	char		text[NOSTR_INT64_TEXT];

	nostr_writer_put(w, text, nostr_int64_text(v, text));
}

void
nostr_writer_hex(NostrWriter *w, const uint8_t *data, size_t len)
{
	while (len > 0)
	{
		size_t		room = (NOSTR_WRITER_CHUNK - w->n) / 2;
		size_t		n = len < room ? len : room;

		if (n == 0)
		{
			nostr_writer_flush(w);
			continue;
		}
		nostr_hex_encode(data, n, (char *) w->chunk + w->n);
		w->n += 2 * n;
		data += n;
		len -= n;
	}
}

/* One byte that ended a plain run. */
static void
writer_escape(NostrWriter *w, uint8_t c, NostrForm form)
{
	static const char digit[] = "0123456789abcdef";
	char		esc[6] = {'\\', 'u', '0', '0', digit[c >> 4], digit[c & 15]};
	static const char letter[32] = {
		['\b'] = 'b',['\t'] = 't',['\n'] = 'n',['\f'] = 'f',['\r'] = 'r'
	};

	if (c == '"' || c == '\\')
		esc[1] = (char) c;
	else if (c < 0x20 && letter[c] != 0)
		esc[1] = letter[c];
	else if (c < 0x20 ? form != NOSTR_FORM_RAW : form == NOSTR_FORM_ESCAPED_DEL)
	{
		nostr_writer_put(w, esc, 6);
		return;
	}
	else
	{
		nostr_writer_put(w, &c, 1);
		return;
	}
	nostr_writer_put(w, esc, 2);
}

void
nostr_writer_string(NostrWriter *w, const uint8_t *s, size_t len, NostrForm form)
{
	const uint8_t *end = s + len;
	bool		del = form == NOSTR_FORM_ESCAPED_DEL;
	bool		high = false;

	nostr_writer_put(w, "\"", 1);
	while (len > 0)
	{
		const uint8_t *q = del ? nostr_scan(s, end, true, &high) :
			nostr_scan(s, end, false, &high);

		nostr_writer_put(w, s, (size_t) (q - s));
		if (q == end)
			break;
		writer_escape(w, *q, form);
		s = q + 1;
		if (s == end)
			break;
	}
	nostr_writer_put(w, "\"", 1);
}

void
nostr_writer_tags(NostrWriter *w, const uint8_t *packed, size_t len, NostrForm form)
{
	NostrTagIter it;
	NostrTagElement el;
	bool		first_tag = true;

	nostr_tags_iter(&it, packed, len);
	nostr_writer_put(w, "[", 1);
	while (nostr_tags_next(&it) > 0)
	{
		bool		first = true;

		nostr_writer_put(w, first_tag ? "[" : ",[", first_tag ? 1 : 2);
		first_tag = false;
		while (nostr_tags_next_element(&it, &el))
		{
			if (!first)
				nostr_writer_put(w, ",", 1);
			first = false;
			if (el.hex)
			{
				nostr_writer_put(w, "\"", 1);
				nostr_writer_hex(w, el.data, el.len);
				nostr_writer_put(w, "\"", 1);
			}
			else
				nostr_writer_string(w, el.data, el.len, form);
		}
		nostr_writer_put(w, "]", 1);
	}
	nostr_writer_put(w, "]", 1);
}
