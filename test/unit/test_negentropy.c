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
	test_sets();
	test_lies();
	test_endless();
	test_random();
	return check_done();
}
