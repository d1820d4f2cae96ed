/*
 * fuzz_bech32.c
 *
 * Any bytes: text that decodes encodes to itself in lower case, bytes that
 * encode decode to themselves, and a NIP-19 entity survives a round trip.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/nostr/bech32.h"
#include "../../src/nostr/nip19.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
text_roundtrip(const uint8_t *data, size_t size)
{
	char		hrp[NOSTR_BECH32_HRP_MAX + 1];
	NostrBuf	bytes;
	NostrBuf	text;

	nostr_buf_init(&bytes, NOSTR_BECH32_MAX);
	nostr_buf_init(&text, NOSTR_BECH32_MAX);
	if (nostr_bech32_decode((const char *) data, size, hrp, &bytes) == NULL &&
		nostr_bech32_encode(hrp, bytes.data, bytes.len, &text) == NULL)
	{
		if (text.len != size)
			abort();
		for (size_t i = 0; i < size; i++)
		{
			uint8_t		c = data[i];

			if (text.data[i] != (c >= 'A' && c <= 'Z' ? c + 32 : c))
				abort();
		}
	}
	nostr_buf_free(&bytes);
	nostr_buf_free(&text);
}

static void
entity_roundtrip(const char *text, size_t len)
{
	NostrBuf	scratch;
	NostrBuf	scratch2;
	NostrBuf	again;
	NostrNip19	a;
	NostrNip19	b;

	nostr_buf_init(&scratch, NOSTR_NIP19_MAX);
	nostr_buf_init(&scratch2, NOSTR_NIP19_MAX);
	nostr_buf_init(&again, NOSTR_NIP19_MAX);
	if (nostr_nip19_decode(text, len, &scratch, &a) == NULL)
	{
		if (nostr_nip19_encode(&a, &again) != NULL ||
			nostr_nip19_decode((const char *) again.data, again.len, &scratch2, &b) != NULL)
			abort();
		if (a.type != b.type || memcmp(a.data, b.data, 32) != 0 || a.nrelays != b.nrelays ||
			a.has_kind != b.has_kind || a.kind != b.kind || a.has_author != b.has_author ||
			a.identifier_len != b.identifier_len)
			abort();
		for (int i = 0; i < a.nrelays; i++)
		{
			if (strcmp(a.relay[i], b.relay[i]) != 0)
				abort();
		}
	}
	nostr_buf_free(&scratch);
	nostr_buf_free(&scratch2);
	nostr_buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const hrps[] = {"npub", "nprofile", "nevent", "naddr"};
	NostrBuf	text;

	text_roundtrip(data, size);
	entity_roundtrip((const char *) data, size);

	/* random text never has the checksum: wrap the bytes to reach the TLVs */
	nostr_buf_init(&text, NOSTR_BECH32_MAX);
	if (size > 0 && nostr_bech32_encode(hrps[data[0] % 4], data + 1, size - 1, &text) == NULL)
	{
		text_roundtrip(text.data, text.len);
		entity_roundtrip((const char *) text.data, text.len);
	}
	nostr_buf_free(&text);
	return 0;
}
