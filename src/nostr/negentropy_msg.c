/*
 * negentropy_msg.c
 *
 * Reads and writes the parts of messages.  Guarantees that a range that was
 * read lies inside the message whole, that numbers fit 64 bits, and that
 * nothing is said after infinity.
 */
#include "pgfree.h"

#include <string.h>

#include "negentropy_msg.h"

/* ---------------------------------------------------------------- reading */

static bool
malformed(NegReader *r)
{
	r->error = NOSTR_NEG_MALFORMED;
	return false;
}

static bool
read_varint(NegReader *r, uint64_t *v)
{
	*v = 0;
	while (r->p < r->end)
	{
		uint8_t		byte = *r->p++;

		if (*v > UINT64_MAX >> 7)
			break;
		*v = *v << 7 | (byte & 0x7f);
		if (byte < 0x80)
			return true;
	}
	return malformed(r);
}

static bool
read_bytes(NegReader *r, uint64_t n, const uint8_t **bytes)
{
	if (n > (uint64_t) (r->end - r->p))
		return malformed(r);
	*bytes = r->p;
	r->p += n;
	return true;
}

static bool
read_bound(NegReader *r, NostrNegItem *bound)
{
	uint64_t	v;
	uint64_t	len;
	const uint8_t *prefix;

	if (!read_varint(r, &v) || !read_varint(r, &len))
		return false;
	if (len > 32 || !read_bytes(r, len, &prefix))
		return malformed(r);
	if (v == 0)
		r->timestamp = UINT64_MAX;
	else if (v - 1 > UINT64_MAX - r->timestamp)
		return malformed(r);
	else
		r->timestamp += v - 1;
	*bound = neg_infinity;
	bound->timestamp = r->timestamp;
	/* no id tells infinities apart */
	if (r->timestamp != UINT64_MAX)
		memcpy(bound->id, prefix, len);
	return true;
}

bool
neg_read_range(NegReader *r, NegRange *range)
{
	uint64_t	mode;
	uint64_t	n;

	if (!read_bound(r, &range->upper) || !read_varint(r, &mode))
		return false;
	range->mode = (NegMode) mode;
	range->n_ids = 0;
	switch (mode)
	{
		case NEG_SKIP:
			return true;
		case NEG_PRINT:
			return read_bytes(r, NEG_FINGERPRINT, &range->print);
		case NEG_LIST:
			if (!read_varint(r, &n))
				return false;
			/* so that n * 32 cannot wrap */
			if (n > (uint64_t) (r->end - r->p) / 32)
				return malformed(r);
			range->n_ids = n;
			return read_bytes(r, n * 32, &range->ids);
		default:
			return malformed(r);
	}
}

/* ---------------------------------------------------------------- writing */

void
neg_write_varint(NostrBuf *out, uint64_t v)
{
	uint8_t		text[NEG_MAX_VARINT];
	size_t		at = sizeof(text);

	text[--at] = v & 0x7f;
	while ((v >>= 7) > 0)
		text[--at] = 0x80 | (v & 0x7f);
	nostr_buf_append(out, text + at, sizeof(text) - at);
}

void
neg_write_bound(NegWriter *w, const NostrNegItem *upper)
{
	size_t		len = 32;

	while (len > 0 && upper->id[len - 1] == 0)
		len--;
	if (neg_is_infinity(upper))
		neg_write_varint(w->out, 0);
	else
		neg_write_varint(w->out, upper->timestamp - w->timestamp + 1);
	w->timestamp = upper->timestamp;
	neg_write_varint(w->out, len);
	nostr_buf_append(w->out, upper->id, len);
}
