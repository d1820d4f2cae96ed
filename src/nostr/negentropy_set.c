/*
 * negentropy_set.c
 *
 * Sealed sets.  Guarantees sorted items without duplicates, and the sum of
 * any range of ids in constant time: sums up to every BLOCK-th item are kept,
 * modulo 2^256, so a range is a difference of two and a few additions.
 */
#include "pgfree.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "negentropy_msg.h"

#define FIRST_CAP	256			/* items */
#define BLOCK		16			/* items per kept sum */

const NostrNegItem neg_infinity = {UINT64_MAX, {0}};

int
neg_compare(const NostrNegItem *a, const NostrNegItem *b)
{
	if (a->timestamp != b->timestamp)
		return a->timestamp < b->timestamp ? -1 : 1;
	return memcmp(a->id, b->id, 32);
}

void
nostr_neg_set_init(NostrNegSet *set, size_t max)
{
	memset(set, 0, sizeof(*set));
	set->max = max < NOSTR_NEG_MAX_SET ? max : NOSTR_NEG_MAX_SET;
}

void
nostr_neg_set_free(NostrNegSet *set)
{
	free(set->items);
	free(set->sums);
	nostr_neg_set_init(set, set->max);
}

bool
nostr_neg_set_add(NostrNegSet *set, uint64_t timestamp, const uint8_t id[32])
{
	if (set->failed || set->sealed || timestamp == UINT64_MAX)
		return false;
	if (set->n == set->cap)
	{
		size_t		cap = set->cap > 0 ? set->cap * 2 : FIRST_CAP;
		NostrNegItem *items;

		if (cap > set->max)
			cap = set->max;
		items = set->n < cap ? realloc(set->items, cap * sizeof(*items)) : NULL;
		if (items == NULL)
		{
			set->failed = true;
			return false;
		}
		set->items = items;
		set->cap = cap;
	}
	set->items[set->n].timestamp = timestamp;
	memcpy(set->items[set->n].id, id, 32);
	set->n++;
	return true;
}

static int
compare_items(const void *a, const void *b)
{
	return neg_compare(a, b);
}

/* Databases hand rows out in order, often the newest first. */
static void
sort_items(NostrNegSet *set)
{
	bool		ascending = true;
	bool		descending = true;

	for (size_t i = 1; i < set->n && (ascending || descending); i++)
	{
		int			cmp = neg_compare(&set->items[i - 1], &set->items[i]);

		ascending &= cmp <= 0;
		descending &= cmp >= 0;
	}
	if (ascending)
		return;
	if (!descending)
	{
		qsort(set->items, set->n, sizeof(*set->items), compare_items);
		return;
	}
	for (size_t i = 0, k = set->n - 1; i < k; i++, k--)
	{
		NostrNegItem item = set->items[i];

		set->items[i] = set->items[k];
		set->items[k] = item;
	}
}

/* The id as a little-endian number. */
static void
add_id(uint64_t sum[4], const uint8_t id[32])
{
	unsigned	carry = 0;

	for (int i = 0; i < 4; i++)
	{
		uint64_t	limb;
		uint64_t	part;

		memcpy(&limb, id + 8 * i, 8);
		part = sum[i] + le64toh(limb);
		limb = part < sum[i];
		sum[i] = part + carry;
		carry = (unsigned) limb | (sum[i] < part);
	}
}

static void
subtract(uint64_t a[4], const uint64_t b[4])
{
	unsigned	borrow = 0;

	for (int i = 0; i < 4; i++)
	{
		uint64_t	part = a[i] - b[i];
		unsigned	below = a[i] < b[i];

		a[i] = part - borrow;
		borrow = below | (part < borrow);
	}
}

bool
nostr_neg_set_seal(NostrNegSet *set)
{
	uint64_t	sum[4] = {0, 0, 0, 0};
	size_t		n = 0;

	if (set->sealed || set->failed)
		return set->sealed;
	set->sums = malloc((set->n / BLOCK + 1) * sizeof(*set->sums));
	if (set->sums == NULL)
	{
		set->failed = true;
		return false;
	}
	if (set->n > 1)
		sort_items(set);
	for (size_t i = 0; i < set->n; i++)
	{
		if (n > 0 && neg_compare(&set->items[n - 1], &set->items[i]) == 0)
			continue;
		if (n < i)
			set->items[n] = set->items[i];
		if (n % BLOCK == 0)
			memcpy(set->sums[n / BLOCK], sum, sizeof(sum));
		add_id(sum, set->items[n].id);
		n++;
	}
	set->n = n;
	if (n % BLOCK == 0)
		memcpy(set->sums[n / BLOCK], sum, sizeof(sum));
	set->sealed = true;
	return true;
}

size_t
neg_lower_bound(const NostrNegSet *set, size_t lo, size_t hi, const NostrNegItem *bound)
{
	while (lo < hi)
	{
		size_t		mid = lo + (hi - lo) / 2;

		if (neg_compare(&set->items[mid], bound) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

NostrNegItem
neg_cut(const NostrNegSet *set, size_t at)
{
	const NostrNegItem *below = &set->items[at - 1];
	const NostrNegItem *above = &set->items[at];
	NostrNegItem cut = {above->timestamp, {0}};
	size_t		len = 0;

	if (below->timestamp == above->timestamp)
	{
		while (below->id[len] == above->id[len])
			len++;
		memcpy(cut.id, above->id, len + 1);
	}
	return cut;
}

size_t
nostr_neg_set_find(const NostrNegSet *set, uint64_t timestamp)
{
	NostrNegItem bound = {timestamp, {0}};

	return neg_lower_bound(set, 0, set->n, &bound);
}

/* The sum of the first n ids. */
static void
sum_below(const NostrNegSet *set, size_t n, uint64_t sum[4])
{
	memcpy(sum, set->sums[n / BLOCK], 32);
	for (size_t i = n / BLOCK * BLOCK; i < n; i++)
		add_id(sum, set->items[i].id);
}

void
neg_fingerprint(const NostrNegSet *set, size_t lo, size_t hi, uint8_t out[NEG_FINGERPRINT])
{
	uint64_t	sum[4];
	uint64_t	below[4];
	uint8_t		digest[32];
	uint8_t		text[32 + NEG_MAX_VARINT];
	NostrBuf	b = {.data = text, .cap = sizeof(text), .max = sizeof(text)};

	sum_below(set, hi, sum);
	sum_below(set, lo, below);
	subtract(sum, below);
	for (int i = 0; i < 4; i++)
	{
		uint64_t	limb = htole64(sum[i]);

		nostr_buf_append(&b, &limb, 8);
	}
	neg_write_varint(&b, hi - lo);
	nostr_sha256(b.data, b.len, digest);
	memcpy(out, digest, NEG_FINGERPRINT);
}
