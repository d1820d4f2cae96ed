/*
 * negentropy_round.c
 *
 * One message in, one out.  Guarantees that what is written never exceeds the
 * frame limit, and that every part of the key space the message asks about is
 * answered or asked back about.
 *
 * A server keeps nothing between messages: what does not fit the frame goes
 * back as one fingerprint over the rest.  A client keeps the rest of the
 * server's message instead, and says nothing ("skip") about that part of the
 * key space until there is room: no work is repeated.
 */
#include "pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "negentropy_msg.h"

#define PARTS			16		/* that a server splits a range into */
#define LEAF			32		/* fewer items than this a server lists */
#define MAX_PARTS		64		/* that a client splits a range into */

/* What must stay free behind an answer; bytes, as all of these. */
#define MAX_REST		(NEG_MAX_SKIP + NEG_MAX_PRINT)
#define MAX_LIST(n)		(NEG_MAX_SKIP + NEG_MAX_BOUND + 1 + NEG_MAX_VARINT + (n) * 32)
#define MAX_SPLIT(parts) (NEG_MAX_SKIP + (parts) * NEG_MAX_PRINT)

_Static_assert(1 + MAX_SPLIT(MAX_PARTS) + MAX_REST <= NOSTR_NEG_MIN_FRAME &&
			   1 + MAX_LIST(LEAF - 1) + MAX_REST <= NOSTR_NEG_MIN_FRAME,
			   "the shortest frame has room for one answer");

/* ----------------------------------------------------------------- writing */

void
neg_begin(NegRound *rd, NostrNeg *neg, NostrBuf *out)
{
	memset(rd, 0, sizeof(*rd));
	rd->neg = neg;
	rd->w.out = out;
	rd->at = neg->first;
	nostr_buf_reset(out);
	nostr_buf_append_byte(out, NOSTR_NEG_VERSION);
}

/* Begins a range that ends at upper, behind whatever is to be skipped. */
static void
write_range(NegRound *rd, const NostrNegItem *upper, NegMode mode)
{
	if (neg_compare(&rd->written, &rd->prev) < 0)
	{
		neg_write_bound(&rd->w, &rd->prev);
		neg_write_varint(rd->w.out, NEG_SKIP);
	}
	if (!rd->asks)
	{
		rd->asks = true;
		rd->asked_lower = rd->prev;
		rd->asked_upper = *upper;
	}
	neg_write_bound(&rd->w, upper);
	neg_write_varint(rd->w.out, mode);
	rd->written = rd->prev = *upper;
}

static void
write_list(NegRound *rd, size_t lo, size_t hi, const NostrNegItem *upper)
{
	write_range(rd, upper, NEG_LIST);
	neg_write_varint(rd->w.out, hi - lo);
	for (size_t i = lo; i < hi; i++)
		nostr_buf_append(rd->w.out, rd->neg->set->items[i].id, 32);
}

static void
write_print(NegRound *rd, size_t lo, size_t hi, const NostrNegItem *upper)
{
	uint8_t		print[NEG_FINGERPRINT];

	neg_fingerprint(rd->neg->set, lo, hi, print);
	write_range(rd, upper, NEG_PRINT);
	nostr_buf_append(rd->w.out, print, sizeof(print));
}

/* Our items of a range about which the sides disagree: listed, or in parts. */
/*
 * Into how many parts n items are split; 0: they are listed.
 *
 * All servers known split into 16 and list fewer than 32, so ours does too.
 * A client is free, and pays for ids in both directions: it lists one item at
 * most, and where the server is going to list what differs it makes the parts
 * so small that fingerprints (19 bytes) and listed ids (32) cost about the
 * same, assuming that one item in 128 differs, at least one.
 */
static size_t
parts_of(const NostrNeg *neg, size_t n)
{
	size_t		differ = 1 + n / 128;
	size_t		size = 1;
	size_t		parts;

	if (!neg->client)
		return n < LEAF ? 0 : PARTS;
	if (n < 2)
		return 0;
	if (n < LEAF * PARTS)
	{
		while (size * size * 32 * differ < n * 19)
			size++;
		parts = (n + size - 1) / size;
		if (parts < 2)
			parts = 2;
	}
	else
	{
		parts = n / (2 * LEAF * PARTS);
		if (parts < PARTS)
			parts = PARTS;
	}
	return parts < MAX_PARTS ? parts : MAX_PARTS;
}

void
neg_write_split(NegRound *rd, size_t lo, size_t hi, const NostrNegItem *upper)
{
	size_t		n = hi - lo;
	size_t		parts = parts_of(rd->neg, n);

	if (parts == 0)
		write_list(rd, lo, hi, upper);
	for (size_t i = 1; i <= parts; i++)
	{
		size_t		part = n / parts + (i <= n % parts);
		NostrNegItem cut = i < parts ? neg_cut(rd->neg->set, lo + part) : *upper;

		write_print(rd, lo, lo + part, &cut);
		lo += part;
	}
}

/* For the answer to a range in which we have n items. */
static bool
has_room(const NegRound *rd, size_t n)
{
	size_t		parts = parts_of(rd->neg, n);
	size_t		most = parts > 0 ? MAX_SPLIT(parts) : MAX_LIST(n);

	return rd->w.out->len + most + MAX_REST <= rd->neg->limits.frame;
}

/*
 * No room: one fingerprint up to the last range that r still asks about, from
 * where we are.  It never covers what the peer is silent about.
 */
static bool
write_rest(NegRound *rd, NegReader *r, NostrNegItem upper)
{
	NostrNeg   *neg = rd->neg;
	NostrNegItem prev = upper;
	NegRange	range;
	size_t		hi;

	while (r->p < r->end)
	{
		if (!neg_read_range(r, &range))
			return false;
		if (neg_compare(&range.upper, &prev) < 0)
		{
			r->error = NOSTR_NEG_CONTRADICTION;
			return false;
		}
		prev = range.upper;
		if (range.mode != NEG_SKIP)
			upper = range.upper;
	}
	hi = neg_lower_bound(neg->set, rd->at, neg->end, &upper);
	if (hi == rd->at)
		write_list(rd, hi, hi, &upper);
	else
		write_print(rd, rd->at, hi, &upper);
	rd->full = true;
	return true;
}

/* ------------------------------------------------------------------- lists */

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

static bool
report(NostrNeg *neg, bool have, const uint8_t *id)
{
	if (neg->reported == neg->limits.ids)
	{
		neg->error = NOSTR_NEG_TOO_MANY_IDS;
		return false;
	}
	neg->reported++;
	neg->found(neg->arg, have, id);
	return true;
}

/* Client: what the peer holds in a range against our items [lo, hi) of it. */
static bool
compare_list(NostrNeg *neg, size_t lo, size_t hi, const NegRange *range)
{
	size_t		n = range->n_ids;
	NostrBuf   *b = &neg->scratch;
	uint8_t    *ids;
	uint8_t    *seen;

	nostr_buf_reset(b);
	ids = nostr_buf_reserve(b, n * 33);
	if (ids == NULL)
	{
		neg->error = NOSTR_NEG_OUT_OF_MEMORY;
		return false;
	}
	seen = ids + n * 32;
	if (n > 0)
	{
		memcpy(ids, range->ids, n * 32);
		memset(seen, 0, n);
		qsort(ids, n, 32, compare_ids);
	}
	for (size_t i = 1; i < n; i++)
	{
		if (memcmp(ids + (i - 1) * 32, ids + i * 32, 32) == 0)
		{
			neg->error = NOSTR_NEG_CONTRADICTION;
			return false;
		}
	}
	for (size_t i = lo; i < hi; i++)
	{
		const uint8_t *ours = neg->set->items[i].id;
		const uint8_t *theirs = n > 0 ? bsearch(ours, ids, n, 32, compare_ids) : NULL;

		if (theirs != NULL)
			seen[(theirs - ids) / 32] = 1;
		else if (!report(neg, true, ours))
			return false;
	}
	for (size_t i = 0; i < n; i++)
		if (!seen[i] && !report(neg, false, ids + i * 32))
			return false;
	return true;
}

/* Server: our ids in a range, as many as fit. */
static bool
answer_list(NegRound *rd, NegReader *r, size_t hi, const NostrNegItem *upper)
{
	NostrNeg   *neg = rd->neg;
	size_t		used = rd->w.out->len + MAX_LIST(0) + MAX_REST;
	size_t		fit = used < neg->limits.frame ? (neg->limits.frame - used) / 32 : 0;
	NostrNegItem cut;

	if (hi - rd->at <= fit && used <= neg->limits.frame)
	{
		write_list(rd, rd->at, hi, upper);
		return true;
	}
	if (fit > 0)
	{
		cut = neg_cut(neg->set, rd->at + fit);
		write_list(rd, rd->at, rd->at + fit, &cut);
		rd->at += fit;
	}
	return write_rest(rd, r, *upper);
}

/* ----------------------------------------------------------------- reading */

/* Client: keeps [p, end) for later; false: too much is kept already. */
static bool
hold(NostrNeg *neg, const NegReader *r, const NostrNegItem *lower)
{
	NostrBuf   *b = &neg->held_bytes;
	size_t		n = (size_t) (r->end - r->p);
	uint8_t    *dst = neg->n_held < NOSTR_NEG_MAX_HELD ? nostr_buf_reserve(b, n) : NULL;

	if (dst == NULL)
		return false;
	/* it may come from this buffer, from behind b->len */
	memmove(dst, r->p, n);
	neg->held[neg->n_held].at = b->len;
	b->len += n;
	neg->held[neg->n_held].timestamp = r->timestamp;
	neg->held[neg->n_held].lower = *lower;
	neg->n_held++;
	return true;
}

static void
drop_held(NostrNeg *neg)
{
	neg->n_held = 0;
	nostr_buf_reset(&neg->held_bytes);
}

/*
 * The peer asks back about a range where the fingerprints differ.  When there
 * is no room, a client keeps "before", the message from this range on.
 */
static bool
answer_print(NegRound *rd, NegReader *r, const NegReader *before, size_t hi,
			 const NostrNegItem *upper)
{
	NostrNeg   *neg = rd->neg;

	if (has_room(rd, hi - rd->at))
	{
		neg_write_split(rd, rd->at, hi, upper);
		return true;
	}
	if (!neg->client)
		return write_rest(rd, r, *upper);
	if (!hold(neg, before, &rd->prev))
	{
		/* what is kept lies behind: one fingerprint over all of it */
		drop_held(neg);
		r->p = r->end;
		return write_rest(rd, r, neg_infinity);
	}
	rd->full = true;
	return true;
}

/*
 * What a client keeps lies behind all it asked about.  An answer beyond that
 * can only be the fingerprint over the rest of a server without room.
 */
static bool
check_held(NostrNeg *neg, const NegRange *range)
{
	if (neg->n_held == 0 || range->mode == NEG_SKIP ||
		neg_compare(&range->upper, &neg->held[neg->n_held - 1].lower) <= 0)
		return true;
	if (!neg_is_infinity(&range->upper))
	{
		neg->error = NOSTR_NEG_CONTRADICTION;
		return false;
	}
	drop_held(neg);
	return true;
}

static bool
handle_range(NegRound *rd, NegReader *r, const NegReader *before, const NegRange *range)
{
	NostrNeg   *neg = rd->neg;
	size_t		hi = neg_lower_bound(neg->set, rd->at, neg->end, &range->upper);
	uint8_t		print[NEG_FINGERPRINT];

	switch (range->mode)
	{
		case NEG_PRINT:
			neg_fingerprint(neg->set, rd->at, hi, print);
			if (memcmp(print, range->print, NEG_FINGERPRINT) != 0 &&
				!answer_print(rd, r, before, hi, &range->upper))
				return false;
			break;
		case NEG_LIST:
			if (neg->client ? !compare_list(neg, rd->at, hi, range)
				: !answer_list(rd, r, hi, &range->upper))
				return false;
			break;
		case NEG_SKIP:
			break;
	}
	if (!rd->full)
	{
		rd->at = hi;
		rd->prev = range->upper;
	}
	return true;
}

/* All ranges of r, until there is no room. */
static bool
handle_ranges(NegRound *rd, NegReader *r)
{
	NostrNeg   *neg = rd->neg;

	while (r->p < r->end && !rd->full)
	{
		NegReader	before = *r;
		NegRange	range;
		int			cmp;

		if (!neg_read_range(r, &range))
			break;
		cmp = neg_compare(&range.upper, &rd->prev);
		if (cmp < 0 || (cmp == 0 && range.n_ids > 0))
		{
			r->error = NOSTR_NEG_CONTRADICTION;
			break;
		}
		/* nothing fits an empty range; the C++ implementation sends them */
		if (cmp > 0 &&
			(!check_held(neg, &range) || !handle_range(rd, r, &before, &range)))
			break;
	}
	if (r->error != NOSTR_NEG_OK)
		neg->error = r->error;
	return neg->error == NOSTR_NEG_OK;
}

/* What was put off, lowest part first. */
static bool
handle_held(NegRound *rd)
{
	NostrNeg   *neg = rd->neg;
	NostrBuf   *b = &neg->held_bytes;
	bool		ok = true;

	while (ok && neg->n_held > 0 && !rd->full)
	{
		int			top = --neg->n_held;
		NegReader	r = {.timestamp = neg->held[top].timestamp};

		/* taken off, though the bytes stay where they are until others come */
		r.p = b->data + neg->held[top].at;
		r.end = b->data + b->len;
		b->len = neg->held[top].at;
		rd->prev = neg->held[top].lower;
		rd->at = neg_lower_bound(neg->set, neg->first, neg->end, &rd->prev);
		ok = handle_ranges(rd, &r);
	}
	return ok;
}

bool
neg_handle(NegRound *rd, NegReader *r)
{
	return handle_ranges(rd, r) && handle_held(rd);
}
