/*
 * fuzz_negentropy.c
 *
 * Any bytes as the peer's messages, to a client or a server, and any pair of
 * sets reconciled.  An answer must be readable by the other role, and the
 * differences must be the right ones.
 */
#include "../../src/nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "../../src/nostr/crypto.h"
#include "../../src/nostr/negentropy.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_ITEMS 2048

static uint8_t known[MAX_ITEMS];	/* as reported: 1 have, 2 need */

/* The number of an item is in its id's last two bytes. */
static void
found(void *arg, bool have, const uint8_t id[32])
{
	size_t		i = (size_t) id[30] << 8 | id[31];

	if (arg != NULL)
	{
		if (i >= MAX_ITEMS || known[i] == (have ? 2 : 1))
			abort();
		known[i] = have ? 1 : 2;
	}
}

static void
add(NostrNegSet *set, size_t i, uint8_t control)
{
	uint8_t		id[32];

	/* like hashes, else sums would be equal; some with a long common prefix */
	nostr_sha256(&i, sizeof(i), id);
	if (control & 4)
		memset(id, 0, i % 16);
	id[30] = (uint8_t) (i >> 8);
	id[31] = (uint8_t) i;
	if (!nostr_neg_set_add(set, control & 8 ? i : i / (1 + (control >> 4)), id))
		abort();
}

/* Each byte puts one item, or 16 alike, into the sets of either side. */
static void
reconcile(const uint8_t *data, size_t size)
{
	NostrNegLimits small = {.frame = NOSTR_NEG_MIN_FRAME, .message = NOSTR_NEG_MIN_FRAME};
	NostrNegSet set[2];
	uint8_t		owner[MAX_ITEMS];
	NostrNeg	client;
	NostrNeg	server;
	NostrBuf	ask;
	NostrBuf	answer;
	NostrNegStatus status;
	size_t		n = 0;

	nostr_neg_set_init(&set[0], MAX_ITEMS);
	nostr_neg_set_init(&set[1], MAX_ITEMS);
	for (size_t k = 0; k < size; k++)
	{
		for (int run = data[k] >= 128 ? 16 : 1; run > 0 && n < MAX_ITEMS; run--, n++)
		{
			owner[n] = data[k] & 3;
			for (int side = 0; side < 2; side++)
				if (owner[n] & (1 << side))
					add(&set[side], n, data[k] & 0x7f);
		}
	}
	if (!nostr_neg_set_seal(&set[0]) || !nostr_neg_set_seal(&set[1]))
		abort();
	memset(known, 0, sizeof(known));
	nostr_buf_init(&ask, NOSTR_NEG_MIN_FRAME);
	nostr_buf_init(&answer, NOSTR_NEG_MIN_FRAME);
	nostr_neg_client(&client, &set[0], 0, UINT64_MAX, &small, found, known);
	nostr_neg_server(&server, &set[1], 0, UINT64_MAX, &small);
	status = nostr_neg_open(&client, &ask);
	while (status == NOSTR_NEG_SEND)
	{
		if (nostr_neg_receive(&server, ask.data, ask.len, &answer) != NOSTR_NEG_SEND)
			abort();
		status = nostr_neg_receive(&client, answer.data, answer.len, &ask);
	}
	if (status != NOSTR_NEG_DONE)
		abort();
	for (size_t i = 0; i < n; i++)
		if (known[i] != (owner[i] == 3 ? 0 : owner[i]))
			abort();
	nostr_neg_free(&client);
	nostr_neg_free(&server);
	nostr_neg_set_free(&set[0]);
	nostr_neg_set_free(&set[1]);
	nostr_buf_free(&ask);
	nostr_buf_free(&answer);
}

/* data: messages, each behind its length (two bytes, big-endian). */
static void
listen(const uint8_t *data, size_t size, bool as_client, uint8_t items)
{
	NostrNegLimits limits = {.frame = NOSTR_NEG_MIN_FRAME, .message = 8192, .ids = 1000};
	NostrNegSet set;
	NostrNeg	neg;
	NostrNeg	other;
	NostrBuf	out;
	NostrBuf	back;
	NostrNegStatus status = NOSTR_NEG_SEND;

	nostr_neg_set_init(&set, 256);
	for (size_t i = 0; i < items; i++)
		add(&set, i, 4 | 0x10);
	if (!nostr_neg_set_seal(&set))
		abort();
	nostr_buf_init(&out, NOSTR_NEG_MIN_FRAME);
	nostr_buf_init(&back, NOSTR_NEG_MIN_FRAME);
	if (as_client)
	{
		nostr_neg_client(&neg, &set, 0, UINT64_MAX, &limits, found, NULL);
		status = nostr_neg_open(&neg, &out);
	}
	else
		nostr_neg_server(&neg, &set, 0, UINT64_MAX, &limits);
	while (size >= 2 && status == NOSTR_NEG_SEND)
	{
		size_t		len = (size_t) data[0] << 8 | data[1];

		if (len > size - 2)
			len = size - 2;
		status = nostr_neg_receive(&neg, data + 2, len, &out);
		data += 2 + len;
		size -= 2 + len;
		if ((status == NOSTR_NEG_FAILED) != (neg.error != NOSTR_NEG_OK) ||
			(status == NOSTR_NEG_SEND) != (out.len > 0))
			abort();
		if (status != NOSTR_NEG_SEND)
			break;
		nostr_neg_server(&other, &set, 0, UINT64_MAX, NULL);
		other.limits.frame = NOSTR_NEG_MIN_FRAME;
		if (nostr_neg_receive(&other, out.data, out.len, &back) != NOSTR_NEG_SEND)
			abort();
		nostr_neg_free(&other);
	}
	nostr_neg_free(&neg);
	nostr_neg_set_free(&set);
	nostr_buf_free(&out);
	nostr_buf_free(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || !nostr_crypto_init())
		return 0;
	if (data[0] % 3 == 2)
		reconcile(data + 1, size - 1);
	else
		listen(data + 2, size - 2, data[0] % 3 == 1, data[1]);
	return 0;
}
