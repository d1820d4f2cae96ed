/*
 * fuzz_nip77.c
 *
 * Any lines as a relay's messages in a NIP-77 conversation.
 */
#include "../../src/nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "../../src/nostr/crypto.h"
#include "../../src/nostr/nip77.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold after each message. */
static void
check(const NostrNip77 *c, bool ours, const NostrBuf *text)
{
	if (!ours && text->len > 0)
		abort();
	if (text->len > 0 && (text->data[0] != '[' || text->data[text->len - 1] != ']'))
		abort();
	if (ours && c->outcome == NOSTR_NIP77_RUNNING && text->len == 0)
		abort();
	if (c->need.len % 32 != 0 || strlen(c->reason) >= sizeof(c->reason))
		abort();
	for (size_t i = 32; c->outcome != NOSTR_NIP77_RUNNING && i < c->need.len; i += 32)
		if (memcmp(c->need.data + i - 32, c->need.data + i, 32) >= 0)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NostrNegLimits limits = {.frame = NOSTR_NEG_MIN_FRAME, .message = 16384, .ids = 300};
	NostrNegSet set;
	NostrNip77	c;
	NostrBuf	text;
	NostrBuf	scratch;

	if (size < 1 || !nostr_crypto_init())
		return 0;
	nostr_neg_set_init(&set, 256);
	for (uint32_t i = 0; i < data[0]; i++)
	{
		uint8_t		id[32];

		nostr_sha256(&i, sizeof(i), id);
		nostr_neg_set_add(&set, i, id);
	}
	if (!nostr_neg_set_seal(&set))
		abort();
	nostr_buf_init(&text, 2 * NOSTR_NEG_MIN_FRAME + 200);
	nostr_buf_init(&scratch, 1 << 20);
	nostr_nip77_init(&c, "n", &set, 0, UINT64_MAX, &limits, 100);
	nostr_nip77_open(&c, "{}", 2, &text);
	check(&c, true, &text);
	data++, size--;
	while (size > 0)
	{
		const uint8_t *end = memchr(data, '\n', size);
		size_t		len = end != NULL ? (size_t) (end - data) : size;
		NostrMessage m;

		nostr_buf_reset(&scratch);
		if (nostr_message_parse((const char *) data, len, &scratch, &m) != NOSTR_MSG_INVALID)
			check(&c, nostr_nip77_receive(&c, &m, &text), &text);
		len += end != NULL;
		data += len;
		size -= len;
	}
	nostr_nip77_free(&c);
	nostr_neg_set_free(&set);
	nostr_buf_free(&text);
	nostr_buf_free(&scratch);
	return 0;
}
