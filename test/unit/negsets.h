/*
 * negsets.h
 *
 * Pairs of random sets and the differences that a reconciliation of them must
 * find.  Shared by the unit test and by the driver of test/peers/negentropy.
 */
#ifndef TEST_NEGSETS_H
#define TEST_NEGSETS_H

#include <stdlib.h>
#include <string.h>

#include "negentropy.h"

#define NEGSETS_MAX 20000		/* items */
#define NEGSETS_EPOCH 1700000000

static uint64_t negsets_seed = 88172645463325252u;

/* 0 .. n - 1, xorshift */
static uint64_t
rnd(uint64_t n)
{
	negsets_seed ^= negsets_seed << 13;
	negsets_seed ^= negsets_seed >> 7;
	negsets_seed ^= negsets_seed << 17;
	return (negsets_seed >> 11) % n;
}

/* ---------------------------------------------------------------- differences */

typedef struct Found
{
	uint8_t		(*ids)[33];		/* the id, and whether the client has it */
	size_t		n;
	size_t		cap;
} Found;

static void
collect(void *arg, bool have, const uint8_t id[32])
{
	Found	   *f = arg;

	if (f->n == f->cap)
	{
		f->cap = f->cap * 2 + 64;
		f->ids = realloc(f->ids, f->cap * sizeof(*f->ids));
		if (f->ids == NULL)
			abort();
	}
	memcpy(f->ids[f->n], id, 32);
	f->ids[f->n++][32] = have;
}

static int
compare_found(const void *a, const void *b)
{
	return memcmp(a, b, 33);
}

static void
make_unique(Found *f)
{
	size_t		n = 0;

	if (f->n > 0)
		qsort(f->ids, f->n, sizeof(*f->ids), compare_found);
	for (size_t i = 0; i < f->n; i++)
		if (n == 0 || memcmp(f->ids[n - 1], f->ids[i], 33) != 0)
			memmove(f->ids[n++], f->ids[i], 33);
	f->n = n;
}

/* Both in any order; a difference may have been found twice. */
static bool
same_found(Found *a, Found *b)
{
	make_unique(a);
	make_unique(b);
	return a->n == b->n && (a->n == 0 || memcmp(a->ids, b->ids, a->n * 33) == 0);
}

/* ----------------------------------------------------------------------- sets */

typedef struct NegSets
{
	NostrNegSet client;			/* sealed */
	NostrNegSet server;
	Found		differences;	/* of the items in [since, until] */
} NegSets;

static void
random_item(NostrNegItem *item, const NostrNegItem *others, size_t n, uint64_t seconds,
			bool huge, size_t prefix)
{
	item->timestamp = rnd(50) == 0 ? 0 : NEGSETS_EPOCH + rnd(seconds);
	if (huge && rnd(200) == 0)
		item->timestamp = UINT64_MAX - 1 - rnd(2);
	for (int i = 0; i < 32; i++)
		item->id[i] = (uint8_t) rnd(256);
	/* bounds must tell long common prefixes apart */
	if (n > 0 && rnd(20) == 0)
		memcpy(item->id, others[rnd(n)].id, rnd(prefix + 1));
}

/*
 * n items spread over both sets: anything from one second to a sparse range,
 * from few differences to hardly anything in common, scattered, in runs or
 * all on one side.
 * "huge" timestamps do not fit signed integers; "prefix" bytes are the most
 * that ids have in common.
 */
static void
make_sets(NegSets *s, size_t n, uint64_t since, uint64_t until, bool huge, size_t prefix)
{
	NostrNegItem *items = calloc(n + 1, sizeof(*items));
	uint64_t	seconds = rnd(4) == 0 ? 1 + rnd(3) : 1 + rnd(2 * n + 1);
	uint64_t	differ = 1u << rnd(11);	/* of 1024 */
	bool		runs = rnd(2);
	bool		bare = rnd(8) == 0;	/* the client has next to nothing */
	int			owners = 3;		/* bit 0 client, bit 1 server */

	memset(s, 0, sizeof(*s));
	nostr_neg_set_init(&s->client, n);
	nostr_neg_set_init(&s->server, n);
	for (size_t i = 0; items != NULL && i < n; i++)
	{
		NostrNegItem *item = &items[i];

		random_item(item, items, i, seconds, huge, prefix);
		if (!runs || rnd(30) == 0)
			owners = rnd(1024) < differ ? 1 + (int) rnd(2) : 3;
		if (bare)
			owners = rnd(256) == 0 ? 1 + (int) rnd(3) : 2;
		if (owners & 1)
			nostr_neg_set_add(&s->client, item->timestamp, item->id);
		if (owners & 2)
			nostr_neg_set_add(&s->server, item->timestamp, item->id);
		if (owners != 3 && item->timestamp >= since && item->timestamp <= until)
			collect(&s->differences, owners == 1, item->id);
	}
	if (!nostr_neg_set_seal(&s->client) || !nostr_neg_set_seal(&s->server))
		abort();
	free(items);
}

static void
free_sets(NegSets *s)
{
	nostr_neg_set_free(&s->client);
	nostr_neg_set_free(&s->server);
	free(s->differences.ids);
}

/* Mostly small sets, since there they are odd; each 500th as large as it gets. */
static size_t
random_size(unsigned i)
{
	return i % 500 == 0 ? rnd(NEGSETS_MAX) : rnd(1u << rnd(12));
}

/* The frame limits of both sides. */
static void
random_limits(NostrNegLimits *client, NostrNegLimits *server)
{
	static const size_t frames[] = {4096, 4096, 5000, 10000, 60000, 500000, NOSTR_NEG_MAX_MESSAGE};
	size_t		n = sizeof(frames) / sizeof(frames[0]);

	memset(client, 0, sizeof(*client));
	memset(server, 0, sizeof(*server));
	client->frame = frames[rnd(n)];
	server->frame = frames[rnd(n)];
	client->rounds = 100000;
	/* little room to put answers off */
	if (rnd(2))
		client->message = server->frame;
}

#endif
