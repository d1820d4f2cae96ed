/*
 * test_nip77.c
 *
 * Conversations with a relay of our own and with relays that refuse.
 */
#include "pgfree.h"

#include <stdlib.h>

#include "check.h"
#include "crypto.h"
#include "hex.h"
#include "nip77.h"

static NostrBuf text;			/* what the client sends */
static NostrBuf scratch;
static NostrNegSet ours;
static NostrNegSet theirs;

static NostrMessage
parse(const char *s)
{
	NostrMessage m;

	nostr_buf_reset(&scratch);
	CHECK(nostr_message_parse(s, strlen(s), &scratch, &m) != NOSTR_MSG_INVALID);
	return m;
}

static bool
receive(NostrNip77 *c, const char *s)
{
	NostrMessage m = parse(s);

	return nostr_nip77_receive(c, &m, &text);
}

static bool
said(const char *s)
{
	return text.len == strlen(s) && memcmp(text.data, s, text.len) == 0;
}

static void
begin(NostrNip77 *c, const NostrNegSet *set, size_t max_need)
{
	nostr_nip77_init(c, "n1", set, 0, UINT64_MAX, NULL, max_need);
	nostr_nip77_open(c, "{\"kinds\":[1]}", 13, &text);
	CHECK(c->outcome == NOSTR_NIP77_RUNNING && text.len > 0);
}

static void
add(NostrNegSet *set, uint32_t n)
{
	uint8_t		id[32];

	nostr_sha256(&n, sizeof(n), id);
	CHECK(nostr_neg_set_add(set, 1700000000 + n / 3, id));
}

/* A relay with "theirs"; the number of answers until the outcome. */
static int
converse(NostrNip77 *c)
{
	static char answer[2 * NOSTR_NEG_MAX_MESSAGE + 100];
	static uint8_t bytes[NOSTR_NEG_MAX_MESSAGE];
	NostrNeg	server;
	NostrBuf	out;
	int			rounds = 0;

	nostr_buf_init(&out, NOSTR_NEG_MAX_MESSAGE);
	nostr_neg_server(&server, &theirs, 0, UINT64_MAX, NULL);
	while (c->outcome == NOSTR_NIP77_RUNNING)
	{
		const char *hex;
		size_t		n;
		int			len;

		nostr_buf_append_byte(&text, 0);
		hex = strrchr((char *) text.data, ',');
		CHECK(hex != NULL && rounds++ < 100);
		hex += 2;
		n = strlen(hex) / 2 - 1;
		CHECK(nostr_hex_decode(hex, 2 * n, bytes, n));
		CHECK(nostr_neg_receive(&server, bytes, n, &out) == NOSTR_NEG_SEND);
		len = sprintf(answer, "[\"NEG-MSG\",\"n1\",\"");
		nostr_hex_encode(out.data, out.len, answer + len);
		strcpy(answer + len + 2 * out.len, "\"]");
		CHECK(receive(c, answer));
	}
	nostr_neg_free(&server);
	nostr_buf_free(&out);
	return rounds;
}

static void
test_agreement(void)
{
	NostrNip77	c;

	begin(&c, &ours, 10000);
	CHECK(memcmp(text.data, "[\"NEG-OPEN\",\"n1\",{\"kinds\":[1]},\"61", 33) == 0);
	converse(&c);
	CHECK(c.outcome == NOSTR_NIP77_AGREED && said("[\"NEG-CLOSE\",\"n1\"]"));
	CHECK(c.need.len == 700 * 32 && c.have == 300);
	for (size_t i = 32; i < c.need.len; i += 32)
		CHECK(memcmp(c.need.data + i - 32, c.need.data + i, 32) < 0);
	CHECK(!receive(&c, "[\"NEG-MSG\",\"n1\",\"61\"]") && text.len == 0);
	nostr_nip77_free(&c);

	/* more than the caller wants: what was found is true */
	begin(&c, &ours, 100);
	converse(&c);
	CHECK(c.outcome == NOSTR_NIP77_PARTIAL && c.need.len == 100 * 32);
	CHECK(said("[\"NEG-CLOSE\",\"n1\"]"));
	nostr_nip77_free(&c);

	/* others' messages change nothing */
	begin(&c, &ours, 100);
	CHECK(!receive(&c, "[\"NEG-MSG\",\"n2\",\"61\"]"));
	CHECK(!receive(&c, "[\"NEG-ERR\",\"n\",\"blocked: x\"]"));
	CHECK(!receive(&c, "[\"EOSE\",\"n1\"]"));
	CHECK(!receive(&c, "[\"NOTICE\",\"welcome to my relay\"]"));
	CHECK(c.outcome == NOSTR_NIP77_RUNNING && text.len == 0);
	nostr_nip77_close(&c, &text);
	CHECK(said("[\"NEG-CLOSE\",\"n1\"]"));
	nostr_nip77_free(&c);
}

/* The outcome of one message of a relay. */
static NostrNip77Outcome
answer_to(const char *s, bool after_first)
{
	NostrNip77	c;
	NostrNip77Outcome outcome;

	begin(&c, &ours, 10000);
	/* a fingerprint that fits nothing */
	if (after_first)
		CHECK(receive(&c, "[\"NEG-MSG\",\"n1\",\"61fa8d000001"
					  "00000000000000000000000000000000\"]") && text.len > 20);
	receive(&c, s);
	outcome = c.outcome;
	nostr_nip77_free(&c);
	return outcome;
}

static void
test_refusals(void)
{
	/* what relays that do not speak it were seen to answer */
	static const char *const notices[] = {
		"ERROR: bad msg: negentropy disabled",
		"ERROR: negentropy error: negentropy query missing elements",
		"could not parse command",
		"ERROR: bad msg: invalid message: {'message_type': ['Invalid enum value NEG-OPEN']}",
		"error: bad message",
		"bad message type",
		"invalid: \\\"value\\\" does not match any of the allowed types",
		"Command unrecognized",
		"unknown message type NEG-OPEN",
		"failed to parse envelope"
	};
	char		s[300];

	for (size_t i = 0; i < sizeof(notices) / sizeof(notices[0]); i++)
	{
		sprintf(s, "[\"NOTICE\",\"%s\"]", notices[i]);
		CHECK(answer_to(s, false) == NOSTR_NIP77_UNSUPPORTED);
		CHECK(answer_to(s, true) == NOSTR_NIP77_RUNNING);
	}
	CHECK(answer_to("[\"NOTICE\",\"ERROR: too many concurrent NEG requests\"]", false)
		  == NOSTR_NIP77_RATE_LIMITED);
	CHECK(answer_to("[\"NOTICE\",\"auth-required: who are you\"]", false)
		  == NOSTR_NIP77_AUTH_REQUIRED);
	CHECK(answer_to("[\"NEG-ERR\",\"n1\",\"blocked: this query is too big\"]", false)
		  == NOSTR_NIP77_TOO_LARGE);
	CHECK(answer_to("[\"NEG-ERR\",\"n1\",\"RESULTS_TOO_BIG\"]", false) == NOSTR_NIP77_TOO_LARGE);
	CHECK(answer_to("[\"NEG-ERR\",\"n1\",\"no\",1000]", false) == NOSTR_NIP77_TOO_LARGE);
	CHECK(answer_to("[\"NEG-ERR\",\"n1\",\"closed: you took too long\"]", true)
		  == NOSTR_NIP77_LOST);
	CHECK(answer_to("[\"NEG-ERR\",\"n1\",\"CLOSED\"]", false) == NOSTR_NIP77_LOST);
	CHECK(answer_to("[\"NEG-ERR\",\"n1\",\"auth-required: x\"]", false)
		  == NOSTR_NIP77_AUTH_REQUIRED);
	CHECK(answer_to("[\"NEG-ERR\",\"n1\",\"rate-limited: slow down\"]", false)
		  == NOSTR_NIP77_RATE_LIMITED);
	CHECK(answer_to("[\"NEG-ERR\",\"n1\",\"restricted: members only\"]", false)
		  == NOSTR_NIP77_REFUSED);
	CHECK(answer_to("[\"NEG-ERR\",\"n1\",\"FILTER_INVALID\"]", false) == NOSTR_NIP77_REFUSED);
	CHECK(answer_to("[\"NEG-ERR\",\"n1\",\"PROTOCOL-ERROR\"]", false)
		  == NOSTR_NIP77_UNSUPPORTED);
	CHECK(answer_to("[\"NEG-ERR\",\"n1\",\"PROTOCOL-ERROR\"]", true) == NOSTR_NIP77_BROKEN);
	CHECK(answer_to("[\"CLOSED\",\"n1\",\"unsupported: what is that\"]", false)
		  == NOSTR_NIP77_UNSUPPORTED);
	CHECK(answer_to("[\"CLOSED\",\"n1\"]", false) == NOSTR_NIP77_UNSUPPORTED);

	/* other versions, and what is none */
	CHECK(answer_to("[\"NEG-MSG\",\"n1\",\"62\"]", false) == NOSTR_NIP77_UNSUPPORTED);
	CHECK(answer_to("[\"NEG-MSG\",\"n1\",\"60\"]", false) == NOSTR_NIP77_UNSUPPORTED);
	CHECK(answer_to("[\"NEG-MSG\",\"n1\",\"010004\"]", false) == NOSTR_NIP77_UNSUPPORTED);
	CHECK(answer_to("[\"NEG-MSG\",\"n1\",\"\"]", false) == NOSTR_NIP77_BROKEN);
	CHECK(answer_to("[\"NEG-MSG\",\"n1\",\"6\"]", false) == NOSTR_NIP77_BROKEN);
	CHECK(answer_to("[\"NEG-MSG\",\"n1\",\"xx\"]", false) == NOSTR_NIP77_BROKEN);
	CHECK(answer_to("[\"NEG-MSG\",\"n1\",\"61\"]", false) == NOSTR_NIP77_AGREED);
	/* upper-case digits: up to 2^64 - 1, nothing to say */
	CHECK(answer_to("[\"NEG-MSG\",\"n1\",\"6181FFFFFFFFFFFFFFFF7F0000\"]", false)
		  == NOSTR_NIP77_AGREED);
	CHECK(answer_to("[\"NEG-MSG\",\"n1\",\"6181fG\"]", false) == NOSTR_NIP77_BROKEN);
}

int
main(void)
{
	NostrNip77	c;

	CHECK(nostr_crypto_init());
	nostr_buf_init(&text, 2 * NOSTR_NEG_MAX_MESSAGE);
	nostr_buf_init(&scratch, 2 * NOSTR_NEG_MAX_MESSAGE + 100);
	nostr_neg_set_init(&ours, 10000);
	nostr_neg_set_init(&theirs, 10000);
	for (uint32_t i = 0; i < 5000; i++)
	{
		if (i >= 300 && i < 4300)
			add(&ours, i);
		if (i >= 600)
			add(&theirs, i);
	}
	CHECK(nostr_neg_set_seal(&ours) && nostr_neg_set_seal(&theirs));
	test_agreement();
	test_refusals();

	/* the most records of the relay; a long reason is cut */
	begin(&c, &ours, 10);
	CHECK(receive(&c, "[\"NEG-ERR\",\"n1\",\"blocked: too many query results\",1000000]"));
	CHECK(c.outcome == NOSTR_NIP77_TOO_LARGE && c.max_records == 1000000 && text.len == 0);
	CHECK_STR(c.reason, "blocked: too many query results");
	nostr_nip77_free(&c);

	nostr_neg_set_free(&ours);
	nostr_neg_set_free(&theirs);
	nostr_buf_free(&text);
	nostr_buf_free(&scratch);
	return check_done();
}
