/*
 * sign.h
 *
 * Creates events: id and signature (NIP-01), proof of work (NIP-13).
 */
#ifndef NOSTR_SIGN_H
#define NOSTR_SIGN_H

#include "event.h"

/*
 * Fills pubkey, id and sig of *ev from kind, created_at, tags and content.
 * The auxiliary randomness of BIP-340 is derived from key and id: the same
 * event is signed the same way, and no random source is needed.  false: the
 * key is not valid, or out of memory.
 */
extern bool nostr_event_sign(NostrEvent *ev, const uint8_t seckey[32]);

/* Leading zero bits of an id. */
extern int	nostr_pow_bits(const uint8_t id[32]);

/*
 * A search for an id with that many leading zero bits, in steps that the
 * caller bounds.  The tags of the event are "tags" with ["nonce", n, bits]
 * behind them; on success *ev points into *pow and is ready to be signed.
 */
typedef struct NostrPow
{
	int			bits;
	uint64_t	nonce;			/* the next one to try */
	const uint8_t *tags;		/* packed, the caller's */
	size_t		tags_len;
	NostrBuf	packed;			/* the tags with the nonce */
} NostrPow;

extern void nostr_pow_start(NostrPow *pow, const uint8_t *tags, size_t len, int bits);
/* Tries at most "tries" nonces; ev has pubkey, kind, created_at and content. */
extern bool nostr_pow_step(NostrPow *pow, NostrEvent *ev, int tries);
extern void nostr_pow_end(NostrPow *pow);

#endif
