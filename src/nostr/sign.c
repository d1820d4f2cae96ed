/*
 * sign.c
 *
 * See sign.h.
 */
#include "pgfree.h"

#include <stdio.h>
#include <string.h>

#include "crypto.h"
#include "sign.h"
#include "tags.h"

bool
nostr_event_sign(NostrEvent *ev, const uint8_t seckey[32])
{
	NostrBuf	scratch;
	uint8_t		both[64];
	uint8_t		aux[32];
	bool		ok;

	nostr_buf_init(&scratch, NOSTR_EVENT_MAX_SIZE);
	ev->form = NOSTR_FORM_RAW;
	ok = nostr_crypto_init() && nostr_pubkey_from_seckey(seckey, ev->pubkey) &&
		nostr_event_id(ev, NOSTR_FORM_RAW, &scratch, ev->id);
	if (ok)
	{
		memcpy(both, seckey, 32);
		memcpy(both + 32, ev->id, 32);
		nostr_sha256(both, sizeof(both), aux);
		ok = nostr_schnorr_sign(seckey, ev->id, aux, ev->sig);
		explicit_bzero(both, sizeof(both));
		explicit_bzero(aux, sizeof(aux));
	}
	nostr_buf_free(&scratch);
	return ok;
}

int
nostr_pow_bits(const uint8_t id[32])
{
	int			bits = 0;

	for (int i = 0; i < 32; i++)
	{
		if (id[i] != 0)
			return bits + __builtin_clz(id[i]) - 24;
		bits += 8;
	}
	return bits;
}

void
nostr_pow_start(NostrPow *pow, const uint8_t *tags, size_t len, int bits)
{
	memset(pow, 0, sizeof(*pow));
	pow->bits = bits;
	pow->tags = tags;
	pow->tags_len = len;
	nostr_buf_init(&pow->packed, NOSTR_EVENT_MAX_SIZE);
}

/* The caller's tags, whose number is their first varint, and one more. */
static bool
pack_nonce(NostrPow *pow)
{
	char		nonce[24];
	char		bits[12];
	uint32_t	ntags = 0;
	size_t		at = 0;

	for (int shift = 0; at < pow->tags_len && at < 5; shift += 7)
	{
		ntags |= (uint32_t) (pow->tags[at] & 0x7F) << shift;
		if (!(pow->tags[at++] & 0x80))
			break;
	}
	snprintf(nonce, sizeof(nonce), "%llu", (unsigned long long) pow->nonce);
	snprintf(bits, sizeof(bits), "%d", pow->bits);
	nostr_buf_reset(&pow->packed);
	nostr_tags_begin(&pow->packed, ntags + 1);
	nostr_buf_append(&pow->packed, pow->tags + at, pow->tags_len - at);
	nostr_tags_tag(&pow->packed, 3);
	nostr_tags_name(&pow->packed, (const uint8_t *) "nonce", 5);
	nostr_tags_element(&pow->packed, (const uint8_t *) nonce, strlen(nonce));
	nostr_tags_element(&pow->packed, (const uint8_t *) bits, strlen(bits));
	return !pow->packed.failed;
}

bool
nostr_pow_step(NostrPow *pow, NostrEvent *ev, int tries)
{
	NostrBuf	scratch;
	bool		found = false;

	nostr_buf_init(&scratch, NOSTR_EVENT_MAX_SIZE);
	while (tries-- > 0 && !found && pack_nonce(pow))
	{
		ev->tags = pow->packed.data;
		ev->tags_len = pow->packed.len;
		pow->nonce++;
		if (!nostr_event_id(ev, NOSTR_FORM_RAW, &scratch, ev->id))
			break;
		found = nostr_pow_bits(ev->id) >= pow->bits;
	}
	nostr_buf_free(&scratch);
	return found;
}

void
nostr_pow_end(NostrPow *pow)
{
	nostr_buf_free(&pow->packed);
}
