/*
 * crypto.h
 *
 * SHA-256 (OpenSSL) and BIP-340 Schnorr signatures (libsecp256k1).
 *
 * nostr_crypto_init must be called once per process before anything else
 * here; it never aborts the process: libsecp256k1's default callbacks are
 * replaced.  Verification is thread-safe; hashing is too (per-thread state).
 */
#ifndef NOSTR_CRYPTO_H
#define NOSTR_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern bool nostr_crypto_init(void);	/* idempotent; false: out of memory */
extern void nostr_sha256(const void *data, size_t len, uint8_t out[32]);
extern bool nostr_schnorr_verify(const uint8_t sig[64], const uint8_t msg[32],
								 const uint8_t pubkey[32]);

/*
 * Public keys in the form in which they are used: finding the point of a key
 * is an eighth of a check, and authors return.  For one thread at a time.
 * Remembers keys, never that a check succeeded.
 */
typedef struct NostrKeyCache NostrKeyCache;

extern NostrKeyCache *nostr_key_cache_new(void);	/* about 100 kB; NULL: out of memory */
extern void nostr_key_cache_free(NostrKeyCache *c);
/* cache may be NULL */
extern bool nostr_schnorr_verify_cached(NostrKeyCache *cache, const uint8_t sig[64],
										const uint8_t msg[32], const uint8_t pubkey[32]);

/* false: seckey is 0 or not below the group order */
extern bool nostr_schnorr_sign(const uint8_t seckey[32], const uint8_t msg[32],
							   const uint8_t aux[32], uint8_t sig[64]);
extern bool nostr_pubkey_from_seckey(const uint8_t seckey[32], uint8_t pubkey[32]);

#endif
