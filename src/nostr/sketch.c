/*
 * sketch.c
 *
 * See sketch.h (HyperLogLog: Flajolet, Fusy, Gandouet, Meunier 2007).
 */
#include "pgfree.h"

#include <math.h>
#include <string.h>

#include "sketch.h"

#define LIST		0
#define REGISTERS	1
#define M			256			/* registers: the first 8 bits choose one */
#define MAX_RANK	57			/* of the other 56 bits */

/* The last bytes of a key: those in front may have been mined to look nice. */
uint64_t
nostr_sketch_hash(const uint8_t key[32])
{
	uint64_t	h = 0;

	for (int i = 24; i < 32; i++)
		h = h << 8 | key[i];
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

static uint64_t
get(const uint8_t *p)
{
	uint64_t	h = 0;

	for (int i = 0; i < 8; i++)
		h = h << 8 | p[i];
	return h;
}

static void
put(uint8_t *p, uint64_t h)
{
	for (int i = 7; i >= 0; i--, h >>= 8)
		p[i] = (uint8_t) h;
}

static void
set_register(NostrSketch *s, uint64_t hash)
{
	uint64_t	rest = hash << 8;
	uint8_t		rank = rest == 0 ? MAX_RANK : (uint8_t) (__builtin_clzll(rest) + 1);
	uint8_t    *r = &s->data[1 + (hash >> 56)];

	if (rank > *r)
		*r = rank;
}

static void
to_registers(NostrSketch *s)
{
	NostrSketch list = *s;

	memset(s, 0, sizeof(*s));
	s->len = 1 + M;
	s->data[0] = REGISTERS;
	for (size_t at = 1; at < list.len; at += 8)
		set_register(s, get(list.data + at));
}

void
nostr_sketch_add(NostrSketch *s, uint64_t hash)
{
	size_t		at = 1;

	if (s->len == 0)
		s->len = 1;				/* data[0] is LIST */
	if (s->data[0] == REGISTERS)
	{
		set_register(s, hash);
		return;
	}
	while (at < s->len && get(s->data + at) < hash)
		at += 8;
	if (at < s->len && get(s->data + at) == hash)
		return;
	if (s->len == 1 + 8 * NOSTR_SKETCH_EXACT)
	{
		to_registers(s);
		set_register(s, hash);
		return;
	}
	memmove(s->data + at + 8, s->data + at, s->len - at);
	put(s->data + at, hash);
	s->len += 8;
}

static bool
valid(const uint8_t *d, size_t len)
{
	if (len == 0)
		return true;
	if (d[0] == REGISTERS)
	{
		for (size_t i = 1; i < len; i++)
			if (d[i] > MAX_RANK)
				return false;
		return len == 1 + M;
	}
	if (d[0] != LIST || len % 8 != 1 || len > 1 + 8 * NOSTR_SKETCH_EXACT)
		return false;
	for (size_t at = 9; at < len; at += 8)
		if (get(d + at - 8) >= get(d + at))
			return false;
	return true;
}

bool
nostr_sketch_merge(NostrSketch *s, const uint8_t *data, size_t len)
{
	if (!valid(data, len))
		return false;
	if (len == 0)
		return true;
	if (data[0] == LIST)
	{
		for (size_t at = 1; at < len; at += 8)
			nostr_sketch_add(s, get(data + at));
		return true;
	}
	if (s->len == 0 || s->data[0] == LIST)
		to_registers(s);
	for (size_t i = 1; i < len; i++)
		if (data[i] > s->data[i])
			s->data[i] = data[i];
	return true;
}

uint32_t
nostr_sketch_count(const NostrSketch *s)
{
	double		sum = 0;
	double		n;
	int			zeros = 0;

	if (s->len == 0)
		return 0;
	if (s->data[0] == LIST)
		return (s->len - 1u) / 8;
	for (int i = 1; i <= M; i++)
	{
		sum += ldexp(1.0, -s->data[i]);
		zeros += s->data[i] == 0;
	}
	n = 0.7213 / (1 + 1.079 / M) * M * M / sum;
	if (n <= 2.5 * M && zeros > 0)
		n = M * log((double) M / zeros);
	/* it was more than a list holds */
	if (n < NOSTR_SKETCH_EXACT + 1)
		return NOSTR_SKETCH_EXACT + 1;
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t) (n + 0.5);
}
