/*
 * buf.c
 *
 * The growable byte buffer.  Guarantees: never more than "max" bytes, never a
 * partial append, and a failure stays visible until the next reset, so that a
 * long series of appends needs one check at its end.
 */
#include "pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "writer.h"

#define BUF_FIRST_CAP 256

void
nostr_buf_init(NostrBuf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void
nostr_buf_reset(NostrBuf *b)
{
	b->len = 0;
	b->failed = false;
}

void
nostr_buf_free(NostrBuf *b)
{
	free(b->data);
	nostr_buf_init(b, b->max);
}

uint8_t *
nostr_buf_reserve(NostrBuf *b, size_t n)
{
	size_t		need;
	size_t		cap;
	uint8_t    *data;

	if (b->failed)
		return NULL;
	/* len <= max always holds, so the subtraction cannot wrap */
	if (n > b->max - b->len)
	{
		b->failed = true;
		return NULL;
	}
	need = b->len + n;
	if (need <= b->cap && b->data != NULL)
		return b->data + b->len;

	/* doubling, so that appending n bytes one by one costs O(n) */
	cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
	if (cap < BUF_FIRST_CAP)
		cap = b->max < BUF_FIRST_CAP ? b->max : BUF_FIRST_CAP;
	if (cap < need)
		cap = need;
	data = realloc(b->data, cap > 0 ? cap : 1);
	if (data == NULL)
	{
		b->failed = true;
		return NULL;
	}
	b->data = data;
	b->cap = cap;
	return b->data + b->len;
}

void
nostr_buf_append(NostrBuf *b, const void *data, size_t n)
{
	uint8_t    *dst;

	if (n == 0)
		return;
	dst = nostr_buf_reserve(b, n);
	if (dst == NULL)
		return;
	memcpy(dst, data, n);
	b->len += n;
}

void
nostr_buf_append_byte(NostrBuf *b, uint8_t byte)
{
	nostr_buf_append(b, &byte, 1);
}

void
nostr_buf_append_str(NostrBuf *b, const char *s)
{
	nostr_buf_append(b, s, strlen(s));
}

void
nostr_buf_append_int(NostrBuf *b, int64_t v)
{
	char		text[NOSTR_INT64_TEXT];

	nostr_buf_append(b, text, nostr_int64_text(v, text));
}
