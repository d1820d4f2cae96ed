/*
 * test_nip19.c
 *
 * The vectors of NIP-19, and the ways an entity can be malformed.
 */
#include "check.h"

#include "../../src/nostr/bech32.h"
#include "../../src/nostr/hex.h"
#include "../../src/nostr/nip19.h"

#include <stdlib.h>

#define NPUB "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg"
#define NSEC "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"
#define NPROFILE "nprofile1qqsrhuxx8l9ex335q7he0f09aej04zpazpl0ne2cgukyawd24mayt8gpp4mhxue69uhhytnc9e3k7mgpz4mhxue69uhkg6nzv9ejuumpv34kytnrdaksjlyr9p"

static NostrBuf scratch;
static NostrNip19 e;

static const char *
decode(const char *text)
{
	return nostr_nip19_decode(text, strlen(text), &scratch, &e);
}

static void
check_roundtrip(const char *text)
{
	NostrBuf	out;

	CHECK(decode(text) == NULL);
	nostr_buf_init(&out, NOSTR_NIP19_MAX);
	CHECK(nostr_nip19_encode(&e, &out) == NULL);
	nostr_buf_append_byte(&out, 0);
	CHECK_STR((const char *) out.data, text);
	nostr_buf_free(&out);
}

static void
check_data(const char *hex)
{
	char		got[65];

	nostr_hex_encode(e.data, 32, got);
	got[64] = '\0';
	CHECK_STR(got, hex);
}

/* Encodes raw TLV bytes and decodes them. */
static const char *
decode_tlv(const char *hrp, const void *data, size_t len)
{
	NostrBuf	out;
	const char *error;

	nostr_buf_init(&out, NOSTR_NIP19_MAX);
	error = nostr_bech32_encode(hrp, data, len, &out);
	if (error == NULL)
		error = nostr_nip19_decode((const char *) out.data, out.len, &scratch, &e);
	nostr_buf_free(&out);
	return error;
}

static void
test_vectors(void)
{
	check_roundtrip(NPUB);
	CHECK(e.type == NOSTR_NIP19_NPUB);
	check_data("7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e");
	check_roundtrip(NSEC);
	CHECK(e.type == NOSTR_NIP19_NSEC);
	check_data("67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa");
	check_roundtrip(NPROFILE);
	CHECK(e.type == NOSTR_NIP19_NPROFILE);
	check_data("3bf0c63fcb93463407af97a5e5ee64fa883d107ef9e558472c4eb9aaaefa459d");
	CHECK(e.nrelays == 2);
	CHECK_STR(e.relay[0], "wss://r.x.com");
	CHECK_STR(e.relay[1], "wss://djbas.sadkb.com");
	CHECK_STR(nostr_nip19_type_name(NOSTR_NIP19_NADDR), "naddr");
}

static void
test_malformed(void)
{
	char		text[128];

	strcpy(text, NPUB);
	for (char *p = text; *p != '\0'; p++)
	{
		if (*p >= 'a' && *p <= 'z')
			*p = (char) (*p - 32);
	}
	CHECK(decode(text) == NULL);
	text[0] = 'n';
	CHECK(decode(text) != NULL);

	/* any one wrong character is noticed */
	for (size_t i = 0; i < strlen(NPUB); i++)
	{
		strcpy(text, NPUB);
		text[i] = text[i] == 'q' ? 'p' : 'q';
		CHECK(decode(text) != NULL);
	}
	CHECK(decode("") != NULL);
	CHECK(decode("1") != NULL);
	CHECK(decode("npub1") != NULL);
	CHECK(decode("npub") != NULL);
	CHECK(decode("nostr:" NPUB) != NULL);
	CHECK(nostr_nip19_decode(NPUB, strlen(NPUB) - 1, &scratch, &e) != NULL);
	CHECK(decode("lnbc1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq") != NULL);
}

static void
test_tlv(void)
{
	uint8_t		d[400] = {0, 32};

	CHECK(decode_tlv("nprofile", d, 34) == NULL && e.nrelays == 0);
	CHECK(decode_tlv("npub", d, 32) == NULL);
	CHECK(decode_tlv("npub", d, 31) != NULL);
	CHECK(decode_tlv("note", d, 33) != NULL);
	CHECK(decode_tlv("nrelay", d, 34) != NULL);
	CHECK(decode_tlv("nprofile", d, 0) != NULL);
	CHECK(decode_tlv("nprofile", d, 33) != NULL);
	CHECK(decode_tlv("nprofile", d, 35) != NULL);
	memcpy(d + 34, "\x09\x01x", 3);
	CHECK(decode_tlv("nprofile", d, 37) == NULL);	/* unknown TLV */
	memcpy(d + 34, "\x01\x02" "a\0", 4);
	CHECK(decode_tlv("nprofile", d, 38) != NULL);	/* NUL in a relay */
	memset(d + 34, 0, 34);
	d[35] = 32;
	CHECK(decode_tlv("nprofile", d, 68) != NULL);	/* repeated */
	d[34] = 2;
	CHECK(decode_tlv("nevent", d, 68) == NULL && e.has_author && !e.has_kind);
	CHECK(decode_tlv("nprofile", d, 68) == NULL && !e.has_author);
	memcpy(d + 68, "\x03\x04\x00\x00\x75\x44", 6);
	CHECK(decode_tlv("nevent", d, 74) == NULL && e.has_kind && e.kind == 30020);
	CHECK(decode_tlv("naddr", d + 34, 40) != NULL);	/* no identifier */
	memset(d + 74, 0, 2);
	CHECK(decode_tlv("naddr", d + 34, 42) == NULL && e.identifier_len == 0);
	CHECK_STR(e.identifier, "");
	for (int i = 0; i <= NOSTR_NIP19_MAX_RELAYS; i++)
		memcpy(d + 34 + 3 * i, "\x01\x01r", 3);
	CHECK(decode_tlv("nprofile", d, 34 + 3 * NOSTR_NIP19_MAX_RELAYS) == NULL);
	CHECK(decode_tlv("nprofile", d, 37 + 3 * NOSTR_NIP19_MAX_RELAYS) != NULL);
}

static void
test_encode(void)
{
	NostrNip19	in = {.type = NOSTR_NIP19_NADDR, .identifier = "a-b", .identifier_len = 3};
	NostrBuf	out;
	char		longrelay[257];

	nostr_buf_init(&out, NOSTR_NIP19_MAX);
	CHECK(nostr_nip19_encode(&in, &out) != NULL);
	in.has_author = in.has_kind = true;
	in.kind = 0xfffffffe;
	memset(in.author, 7, 32);
	in.nrelays = 1;
	in.relay[0] = "wss://nos.lol";
	CHECK(nostr_nip19_encode(&in, &out) == NULL);
	CHECK(nostr_nip19_decode((const char *) out.data, out.len, &scratch, &e) == NULL);
	CHECK(e.kind == in.kind && memcmp(e.author, in.author, 32) == 0);
	CHECK_STR(e.identifier, "a-b");
	CHECK_STR(e.relay[0], "wss://nos.lol");

	memset(longrelay, 'r', 256);
	longrelay[256] = '\0';
	in.relay[0] = longrelay;
	CHECK(nostr_nip19_encode(&in, &out) != NULL);
	longrelay[255] = '\0';
	in.nrelays = NOSTR_NIP19_MAX_RELAYS;
	for (int i = 0; i < in.nrelays; i++)
		in.relay[i] = longrelay;
	CHECK(nostr_nip19_encode(&in, &out) != NULL);	/* over 5000 characters */
	nostr_buf_free(&out);
}

int
main(void)
{
	nostr_buf_init(&scratch, NOSTR_NIP19_MAX);
	test_vectors();
	test_malformed();
	test_tlv();
	test_encode();
	nostr_buf_free(&scratch);
	return check_done();
}
