/*
 * test_negentropy.c
 *
 * The protocol's bytes, reconciliations of random sets against the set
 * difference, and peers that lie.
 */
#include "pgfree.h"

#include "check.h"
#include "crypto.h"
#include "hex.h"
#include "negentropy.h"
#include "negsets.h"

/* An id whose bytes are all b. */
static const uint8_t *
id_of(uint8_t b)
{
	static uint8_t id[32];

	memset(id, b, 32);
	return id;
}

static const char *
hex_of(const NostrBuf *b)
{
	static char text[4096];

	text[0] = 0;
	if (b->len < sizeof(text) / 2)
	{
		nostr_hex_encode(b->data, b->len, text);
		text[2 * b->len] = 0;
	}
	return text;
}

static NostrNegStatus
receive_hex(NostrNeg *neg, const char *hex, NostrBuf *out)
{
	uint8_t		msg[2048];
	size_t		len = strlen(hex) / 2;

	CHECK(nostr_hex_decode(hex, strlen(hex), msg, len));
	return nostr_neg_receive(neg, msg, len, out);
}

/* -------------------------------------------------------------------- bytes */

static void
test_bytes(void)
{
	NostrNegSet set;
	NostrNeg	neg;
	NostrBuf	out;
	Found		found = {0};

	nostr_buf_init(&out, NOSTR_NEG_MAX_MESSAGE);

	/* an empty client asks for all; an empty server says that there is none */
	nostr_neg_set_init(&set, 10);
	CHECK(nostr_neg_set_seal(&set));
	nostr_neg_client(&neg, &set, 0, UINT64_MAX, NULL, collect, &found);
	CHECK(nostr_neg_open(&neg, &out) == NOSTR_NEG_SEND);
	CHECK_STR(hex_of(&out), "6100000200");
	CHECK(receive_hex(&neg, "6100000200", &out) == NOSTR_NEG_DONE);
	CHECK(out.len == 0 && found.n == 0);
	nostr_neg_free(&neg);
	nostr_neg_set_free(&set);

	/* a version we do not speak gets ours, then ours works */
	nostr_neg_set_init(&set, 10);
	CHECK(nostr_neg_set_add(&set, 12345, id_of(0xee)));
	CHECK(nostr_neg_set_seal(&set));
	CHECK(!nostr_neg_set_add(&set, 1, id_of(1)));
	nostr_neg_server(&neg, &set, 0, UINT64_MAX, NULL);
	CHECK(receive_hex(&neg, "62aabbccddeeff", &out) == NOSTR_NEG_SEND);
	CHECK_STR(hex_of(&out), "61");
	CHECK(receive_hex(&neg, "6100000200", &out) == NOSTR_NEG_SEND);
	CHECK_STR(hex_of(&out), "6100000201"
			  "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
	/* what the peer skips is skipped; so is what it does not mention */
	CHECK(receive_hex(&neg, "61000000", &out) == NOSTR_NEG_SEND);
	CHECK_STR(hex_of(&out), "61");
	CHECK(receive_hex(&neg, "61", &out) == NOSTR_NEG_SEND);
	CHECK_STR(hex_of(&out), "61");
	/* up to 12345 exclusive: varint 12346 = 96 * 128 + 58 */
	CHECK(receive_hex(&neg, "61e03a000200", &out) == NOSTR_NEG_SEND);
	CHECK_STR(hex_of(&out), "61e03a000200");
	/* the fingerprint: sha256(32 x ee || 01), 16 bytes; equal is silence */
	CHECK(receive_hex(&neg, "61000001" "d5530eded759c1cb5749aacb9bc66bb2", &out) == NOSTR_NEG_SEND);
	CHECK_STR(hex_of(&out), "61");
	/* unequal is a list of one, behind the part that is skipped */
	CHECK(receive_hex(&neg, "6101010500" "000001" "00000000000000000000000000000000", &out) == NOSTR_NEG_SEND);
	CHECK_STR(hex_of(&out), "6101010500" "00000201"
			  "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
	nostr_neg_free(&neg);
	nostr_neg_set_free(&set);
	nostr_buf_free(&out);
	free(found.ids);
}

/* Sums that carry, over whole and partial blocks, computed by another program. */
static void
test_fingerprints(void)
{
	static const char *const same[] = {
		"61" "000001" "24df74daae4e39202eb0af0ead2c2008",
		"61" "0b0000" "420001" "27624d1865845c115933b97429843376",
		"61" "200000" "020001" "a672a0e1c49f9be2ce8696307ef56447",
		"61" "81210000" "000001" "ac5eed3000ed55b1a7bf7b971f028a15"
	};
	NostrNegSet set;
	NostrNeg	neg;
	NostrBuf	out;

	nostr_buf_init(&out, NOSTR_NEG_MAX_MESSAGE);
	nostr_neg_set_init(&set, 200);
	for (uint32_t i = 200; i-- > 0;)
	{
		uint8_t		id[32];

		nostr_sha256(&i, sizeof(i), id);
		CHECK(nostr_neg_set_add(&set, i, id));
	}
	CHECK(nostr_neg_set_seal(&set));
	nostr_neg_server(&neg, &set, 0, UINT64_MAX, NULL);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
	{
		CHECK(receive_hex(&neg, same[i], &out) == NOSTR_NEG_SEND);
		CHECK_STR(hex_of(&out), "61");
	}
	nostr_neg_free(&neg);
	nostr_neg_set_free(&set);

	/* a carry, and a borrow, through a limb that is full */
	for (int i = 0; i < 2; i++)
	{
		uint8_t		id[32] = {0};

		memset(id + 8 * i, 0xff, 8);
		id[0] = i == 0 ? 0xff : 1;
		CHECK(nostr_neg_set_add(&set, (uint64_t) i, id));
	}
	CHECK(nostr_neg_set_seal(&set));
	nostr_neg_server(&neg, &set, 0, UINT64_MAX, NULL);
	CHECK(receive_hex(&neg, "61" "000001" "e0d1139ca5c1ef11e77c2e424b404128", &out) == NOSTR_NEG_SEND && out.len == 1);
	CHECK(receive_hex(&neg, "61" "020000" "000001" "17119359f61b1d155bf9452b0af9d393", &out) == NOSTR_NEG_SEND && out.len == 1);
	nostr_neg_free(&neg);
	nostr_neg_set_free(&set);
	nostr_buf_free(&out);
}

/* A server whose frame is full gives the fingerprint of just the rest. */
static void
test_rest(void)
{
	NostrNegLimits limits = {.frame = NOSTR_NEG_MIN_FRAME};
	NostrNegSet set;
	NostrNeg	neg;
	NostrBuf	out;
	NostrBuf	msg;

	nostr_buf_init(&out, NOSTR_NEG_MAX_MESSAGE);
	nostr_buf_init(&msg, NOSTR_NEG_MAX_MESSAGE);
	nostr_neg_set_init(&set, 300);
	for (uint32_t i = 0; i < 300; i++)
		CHECK(nostr_neg_set_add(&set, i, id_of((uint8_t) i)));
	CHECK(nostr_neg_set_seal(&set));
	nostr_neg_server(&neg, &set, 0, UINT64_MAX, &limits);
	CHECK(receive_hex(&neg, "6100000200", &out) == NOSTR_NEG_SEND);
	/* version; bound below 127 of one byte, list, number, ids; infinity, print */
	CHECK(out.len > 100 * 32 && out.len < 126 * 32 && out.data[1] == out.data[4] + 1);
	CHECK(out.len == 5 + out.data[4] * 32 + 3 + 16);
	/* the same with the ids left out: nothing to say about what is equal */
	nostr_buf_append(&msg, out.data, 3);
	nostr_buf_append_byte(&msg, 0);
	nostr_buf_append(&msg, out.data + out.len - 19, 19);
	CHECK(nostr_neg_receive(&neg, msg.data, msg.len, &out) == NOSTR_NEG_SEND && out.len == 1);
	nostr_neg_free(&neg);
	nostr_neg_set_free(&set);
	nostr_buf_free(&out);
	nostr_buf_free(&msg);
}

static void
test_sets(void)
{
	NostrNegSet set;

	nostr_neg_set_init(&set, 4);
	CHECK(!nostr_neg_set_add(&set, UINT64_MAX, id_of(1)));
	CHECK(nostr_neg_set_add(&set, 7, id_of(2)));
	CHECK(nostr_neg_set_add(&set, 5, id_of(9)));
	CHECK(nostr_neg_set_add(&set, 7, id_of(1)));
	CHECK(nostr_neg_set_add(&set, 7, id_of(2)));
	CHECK(!nostr_neg_set_add(&set, 8, id_of(2)));
	CHECK(!nostr_neg_set_seal(&set));
	nostr_neg_set_free(&set);

	CHECK(nostr_neg_set_add(&set, 7, id_of(2)));
	CHECK(nostr_neg_set_add(&set, 5, id_of(9)));
	CHECK(nostr_neg_set_add(&set, 7, id_of(1)));
	CHECK(nostr_neg_set_add(&set, 7, id_of(2)));
	CHECK(nostr_neg_set_seal(&set));
	CHECK(set.n == 3);
	CHECK(set.items[0].id[0] == 9 && set.items[1].id[0] == 1 && set.items[2].id[0] == 2);
	CHECK(nostr_neg_set_find(&set, 0) == 0);
	CHECK(nostr_neg_set_find(&set, 6) == 1);
	CHECK(nostr_neg_set_find(&set, 7) == 1);
	CHECK(nostr_neg_set_find(&set, 8) == 3);
	nostr_neg_set_free(&set);
}

/* ------------------------------------------------------- random reconciliations */

/* Runs both to the end; the number of rounds, or -1. */
static int
reconcile(NostrNeg *client, NostrNeg *server)
{
	NostrBuf	ask;
	NostrBuf	answer;
	NostrNegStatus status;
	int			rounds = 0;

	nostr_buf_init(&ask, NOSTR_NEG_MAX_MESSAGE);
	nostr_buf_init(&answer, NOSTR_NEG_MAX_MESSAGE);
	status = nostr_neg_open(client, &ask);
	while (status == NOSTR_NEG_SEND)
	{
		if (ask.len > client->limits.frame ||
			nostr_neg_receive(server, ask.data, ask.len, &answer) != NOSTR_NEG_SEND ||
			answer.len > server->limits.frame)
		{
			status = NOSTR_NEG_FAILED;
			break;
		}
		status = nostr_neg_receive(client, answer.data, answer.len, &ask);
		rounds++;
	}
	nostr_buf_free(&ask);
	nostr_buf_free(&answer);
	if (status != NOSTR_NEG_DONE)
		fprintf(stderr, "client %s, server %s after %d rounds\n",
				nostr_neg_error_name(client->error), nostr_neg_error_name(server->error), rounds);
	return status == NOSTR_NEG_DONE ? rounds : -1;
}

static bool
one_reconciliation(size_t n)
{
	uint64_t	since = rnd(3) == 0 ? NEGSETS_EPOCH + rnd(n + 1) : 0;
	uint64_t	until = rnd(3) == 0 ? NEGSETS_EPOCH + rnd(2 * n + 1) : UINT64_MAX;
	NegSets		sets;
	NostrNeg	client;
	NostrNeg	server;
	NostrNegLimits climits;
	NostrNegLimits slimits;
	Found		found = {0};
	bool		ok;

	make_sets(&sets, n, since, until, true, 28);
	random_limits(&climits, &slimits);
	nostr_neg_client(&client, &sets.client, since, until, &climits, collect, &found);
	nostr_neg_server(&server, &sets.server, since, until, &slimits);
	/* so little room to put answers off that it runs out */
	if (rnd(4) == 0)
		client.held_bytes.max = rnd(20000);
	ok = reconcile(&client, &server) >= 0 && same_found(&found, &sets.differences);
	nostr_neg_free(&client);
	nostr_neg_free(&server);
	free_sets(&sets);
	free(found.ids);
	return ok;
}

static void
test_random(void)
{
	unsigned	agreed = 0;

	for (unsigned i = 0; i < 10000; i++)
		agreed += one_reconciliation(random_size(i));
	CHECK(agreed == 10000);
}

/*
 * What it costs: 20,000 items, of which the client lacks 1 in 100, here and
 * there.  Bytes of both directions; a little more than was measured.
 */
static void
test_cost(void)
{
	static const struct
	{
		size_t		client;
		size_t		server;
		uint64_t	bytes;
		int			rounds;
	}			cases[] = {
		{60000, 500000, 81000, 2}, {4096, 500000, 81000, 9},
		{60000, 4096, 170000, 21}, {4096, 4096, 93500, 17}
	};
	NostrNegSet ours;
	NostrNegSet theirs;

	nostr_neg_set_init(&ours, 20000);
	nostr_neg_set_init(&theirs, 20000);
	for (uint32_t i = 0; i < 20000; i++)
	{
		uint8_t		id[32];

		nostr_sha256(&i, sizeof(i), id);
		CHECK(nostr_neg_set_add(&theirs, i / 2, id));
		if (id[0] * 256 + id[1] >= 655)
			CHECK(nostr_neg_set_add(&ours, i / 2, id));
	}
	CHECK(nostr_neg_set_seal(&ours) && nostr_neg_set_seal(&theirs));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		NostrNegLimits climits = {.frame = cases[i].client};
		NostrNegLimits slimits = {.frame = cases[i].server};
		NostrNeg	client;
		NostrNeg	server;
		Found		found = {0};
		int			rounds;
		uint64_t	bytes;

		nostr_neg_client(&client, &ours, 0, UINT64_MAX, &climits, collect, &found);
		nostr_neg_server(&server, &theirs, 0, UINT64_MAX, &slimits);
		rounds = reconcile(&client, &server);
		bytes = client.bytes_in + client.bytes_out;
		CHECK(found.n == theirs.n - ours.n);
		CHECK(rounds <= cases[i].rounds && bytes <= cases[i].bytes);
		if (rounds > cases[i].rounds || bytes > cases[i].bytes)
			fprintf(stderr, "frames %zu and %zu: %d rounds, %llu bytes, %zu ids\n", cases[i].client,
					cases[i].server, rounds, (unsigned long long) bytes, found.n);
		nostr_neg_free(&client);
		nostr_neg_free(&server);
		free(found.ids);
	}
	nostr_neg_set_free(&ours);
	nostr_neg_set_free(&theirs);
}

/* --------------------------------------------------------------- lying peers */

/* A client of n items one second apart has asked; the error after "hex". */
static const char *
error_after(uint32_t n, const NostrNegLimits *limits, const char *hex)
{
	NostrNegSet set;
	NostrNeg	neg;
	NostrBuf	out;
	Found		found = {0};
	NostrNegError error;

	nostr_buf_init(&out, NOSTR_NEG_MAX_MESSAGE);
	nostr_neg_set_init(&set, n);
	for (uint32_t i = 0; i < n; i++)
		CHECK(nostr_neg_set_add(&set, i, id_of((uint8_t) i)));
	CHECK(nostr_neg_set_seal(&set));
	nostr_neg_client(&neg, &set, 0, UINT64_MAX, limits, collect, &found);
	CHECK(nostr_neg_open(&neg, &out) == NOSTR_NEG_SEND);
	if (receive_hex(&neg, hex, &out) == NOSTR_NEG_FAILED)
	{
		CHECK(neg.error != NOSTR_NEG_OK && out.len == 0);
		/* over means over */
		CHECK(receive_hex(&neg, "61", &out) == NOSTR_NEG_FAILED);
	}
	error = neg.error;
	nostr_neg_free(&neg);
	nostr_neg_set_free(&set);
	nostr_buf_free(&out);
	free(found.ids);
	return nostr_neg_error_name(error);
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define PRINT "00000000000000000000000000000000"
#define MAX_VARINT "81ffffffffffffffff7f"	/* 2^64 - 1 */

static void
test_lies(void)
{
	NostrNegLimits two = {.ids = 2};
	NostrNegLimits shorter = {.message = 4};

	CHECK_STR(error_after(3, NULL, "61"), "ok");
	CHECK_STR(error_after(3, NULL, ""), "malformed");
	CHECK_STR(error_after(3, NULL, "5f"), "malformed");
	CHECK_STR(error_after(3, NULL, "70"), "malformed");
	CHECK_STR(error_after(3, NULL, "60"), "unsupported_version");
	CHECK_STR(error_after(3, NULL, "62000002"), "unsupported_version");
	CHECK_STR(error_after(3, NULL, "010004"), "unsupported_version");
	/* cut off in every part */
	CHECK_STR(error_after(3, NULL, "6180"), "malformed");
	CHECK_STR(error_after(3, NULL, "6100"), "malformed");
	CHECK_STR(error_after(3, NULL, "61000100"), "malformed");
	CHECK_STR(error_after(3, NULL, "610000"), "malformed");
	CHECK_STR(error_after(3, NULL, "61000001ff"), "malformed");
	CHECK_STR(error_after(3, NULL, "61000002"), "malformed");
	CHECK_STR(error_after(3, NULL, "6100000201ff"), "malformed");
	CHECK_STR(error_after(3, NULL, "61000002" MAX_VARINT), "malformed");
	/* numbers and modes that do not exist */
	CHECK_STR(error_after(3, NULL, "6182808080808080808000" "0000"), "malformed");
	CHECK_STR(error_after(3, NULL, "6102" "21" ZEROS "0000"), "malformed");
	CHECK_STR(error_after(3, NULL, "6100" MAX_VARINT), "malformed");
	CHECK_STR(error_after(3, NULL, "61000003"), "malformed");
	CHECK_STR(error_after(3, NULL, "61000004"), "malformed");
	/* 2^64 - 1 + 1 - 1 is infinity too; behind it there is nothing */
	CHECK_STR(error_after(3, NULL, "61" MAX_VARINT "0000" "020000"), "ok");
	CHECK_STR(error_after(3, NULL, "61" MAX_VARINT "0000" "030000"), "malformed");
	CHECK_STR(error_after(3, NULL, "61000000" "010000"), "ok");
	CHECK_STR(error_after(3, NULL, "61000000" "020000"), "malformed");
	/* bounds descend; ids where none fit; an id twice */
	CHECK_STR(error_after(3, NULL, "61020102000200" "01010100" "0200"), "malformed");
	CHECK_STR(error_after(3, NULL, "6102010200" "01010100"), "contradiction");
	CHECK_STR(error_after(3, NULL, "61000000" "00000201" ZEROS), "contradiction");
	CHECK_STR(error_after(3, NULL, "6100000202" ZEROS ZEROS), "contradiction");
	/* as the C++ implementation ends when its frame is full */
	CHECK_STR(error_after(3, NULL, "61000000" "000001" PRINT), "ok");
	/* the answer is the question: a list, or fingerprints */
	CHECK_STR(error_after(3, NULL, "61000001" PRINT), "no_progress");
	CHECK_STR(error_after(100, NULL, "61020000" "000001" PRINT), "ok");
	CHECK_STR(error_after(100, NULL, "61000001" PRINT), "no_progress");
	/* too much */
	CHECK_STR(error_after(3, &two, "6100000200"), "too_many_ids");
	CHECK_STR(error_after(2, &two, "6100000200"), "ok");
	CHECK_STR(error_after(1, &two, "6100000201" ZEROS), "ok");
	CHECK_STR(error_after(3, &shorter, "6100000200"), "too_long");
	CHECK_STR(error_after(3, &shorter, "61000000"), "ok");
}

/*
 * A client that put off half of a long answer hears about that half before it
 * asked.  Only a server that had no room left does so, up to infinity.  And
 * one that has no room for more asks about everything behind at once.
 */
typedef enum Second
{
	BEYOND, TO_INFINITY, LONG_AGAIN
} Second;

static void
after_long_answer(Second second)
{
	NostrNegLimits limits = {.frame = NOSTR_NEG_MIN_FRAME};
	NostrNegSet set;
	NostrNeg	neg;
	NostrBuf	out;
	NostrBuf	msg;

	nostr_buf_init(&out, NOSTR_NEG_MAX_MESSAGE);
	nostr_buf_init(&msg, NOSTR_NEG_MAX_MESSAGE);
	nostr_neg_set_init(&set, 2000);
	for (uint32_t i = 0; i < 2000; i++)
		CHECK(nostr_neg_set_add(&set, i, id_of((uint8_t) i)));
	CHECK(nostr_neg_set_seal(&set));
	nostr_neg_client(&neg, &set, 0, UINT64_MAX, &limits, collect, NULL);
	CHECK(nostr_neg_open(&neg, &out) == NOSTR_NEG_SEND);
	/* every 10 seconds differ */
	nostr_buf_append(&msg, "\x61", 1);
	for (int i = 0; i < 200; i++)
		nostr_buf_append(&msg, "\x0b\0\1################", 19);
	CHECK(nostr_neg_receive(&neg, msg.data, msg.len, &out) == NOSTR_NEG_SEND);
	CHECK(neg.n_held == 1 && out.len > 3000 && out.len <= NOSTR_NEG_MIN_FRAME);
	switch (second)
	{
		case BEYOND:
			CHECK(receive_hex(&neg, "61020000" "8b5d0001" PRINT, &out) == NOSTR_NEG_FAILED);
			CHECK(neg.error == NOSTR_NEG_CONTRADICTION);
			break;
		case TO_INFINITY:
			CHECK(receive_hex(&neg, "61020000" "000001" PRINT, &out) == NOSTR_NEG_SEND);
			CHECK(neg.n_held == 0);
			break;
		case LONG_AGAIN:
			neg.held_bytes.max = neg.held_bytes.len;
			/* now every second, as far as was asked */
			msg.len = 1;
			for (int i = 0; i < 300; i++)
				nostr_buf_append(&msg, "\x02\0\1################", 19);
			CHECK(nostr_neg_receive(&neg, msg.data, msg.len, &out) == NOSTR_NEG_SEND);
			CHECK(neg.n_held == 0 && memcmp(out.data + out.len - 19, "\0\0\1", 3) == 0);
			break;
	}
	nostr_neg_free(&neg);
	nostr_neg_set_free(&set);
	nostr_buf_free(&out);
	nostr_buf_free(&msg);
}

/* A relay that always says that the rest, from one second later, differs. */
static void
test_endless(void)
{
	NostrNegLimits limits = {.rounds = 50};
	NostrNegSet set;
	NostrNeg	neg;
	NostrBuf	out;
	char		hex[100];
	uint32_t	rounds = 0;
	NostrNegStatus status;

	nostr_buf_init(&out, NOSTR_NEG_MAX_MESSAGE);
	nostr_neg_set_init(&set, 1);
	CHECK(nostr_neg_set_seal(&set));
	nostr_neg_client(&neg, &set, 0, UINT64_MAX, &limits, collect, NULL);
	status = nostr_neg_open(&neg, &out);
	while (status == NOSTR_NEG_SEND)
	{
		sprintf(hex, "61%02x0000000001" PRINT, ++rounds + 1);
		status = receive_hex(&neg, hex, &out);
	}
	CHECK(rounds == 51 && neg.error == NOSTR_NEG_TOO_MANY_ROUNDS);
	CHECK_STR(nostr_neg_error_text(neg.error),
			  "the reconciliation took more messages than the limit");
	nostr_neg_free(&neg);
	nostr_neg_set_free(&set);
	nostr_buf_free(&out);
}

int
main(void)
{
	CHECK(nostr_crypto_init());
	test_bytes();
	test_fingerprints();
	test_rest();
	test_sets();
	test_cost();
	test_lies();
	after_long_answer(BEYOND);
	after_long_answer(TO_INFINITY);
	after_long_answer(LONG_AGAIN);
	test_endless();
	test_random();
	return check_done();
}
