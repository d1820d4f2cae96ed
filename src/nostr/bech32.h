/*
 * bech32.h
 *
 * bech32 text (BIP-173, the original checksum, without its limit of 90
 * characters) of a byte string.
 */
#ifndef NOSTR_BECH32_H
#define NOSTR_BECH32_H

#include "buf.h"

#define NOSTR_BECH32_HRP_MAX	16	/* Nostr's prefixes are at most 8 */
#define NOSTR_BECH32_MAX		5000	/* characters, NIP-19 */

/*
 * NULL on success, else a static reason.  The prefix is given in lower case
 * and terminated; the payload is appended to *out, untouched on error.
 */
extern const char *nostr_bech32_decode(const char *text, size_t len,
									   char hrp[NOSTR_BECH32_HRP_MAX + 1],
									   NostrBuf *out);
/* hrp: 1 to 16 lower-case letters or digits. */
extern const char *nostr_bech32_encode(const char *hrp, const uint8_t *data,
									   size_t len, NostrBuf *out);

#endif
