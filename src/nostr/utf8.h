/*
 * utf8.h
 *
 * Strict UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above
 * U+10FFFF.  U+0000 is a character like any other.
 */
#ifndef NOSTR_UTF8_H
#define NOSTR_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Offset of the first sequence that is not valid, or len when all are. */
extern size_t nostr_utf8_check(const uint8_t *s, size_t len);
extern bool nostr_utf8_valid(const uint8_t *s, size_t len);
/* Writes 1 to 4 bytes; cp must be a scalar value. */
extern size_t nostr_utf8_encode(uint32_t cp, uint8_t out[4]);

#endif
