/*
 * sha256.h
 *
 * SHA-256 in pieces: one computation at a time per thread.  false: OpenSSL
 * could not allocate (only possible the first time in a thread).
 *
 * Internal to src/nostr; others use nostr_sha256 (crypto.h).
 */
#ifndef NOSTR_SHA256_H
#define NOSTR_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern bool nostr_sha256_begin(void);
extern bool nostr_sha256_update(const void *data, size_t len);
extern bool nostr_sha256_end(uint8_t out[32]);

#endif
