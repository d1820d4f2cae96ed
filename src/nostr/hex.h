/*
 * hex.h
 *
 * Lower-case hexadecimal, as Nostr writes ids and keys.
 */
#ifndef NOSTR_HEX_H
#define NOSTR_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 2*len characters, no terminator. */
extern void nostr_hex_encode(const uint8_t *data, size_t len, char *out);
/* Exactly 2*len lower-case digits, else false. */
extern bool nostr_hex_decode(const char *hex, size_t hexlen, uint8_t *out, size_t len);

#endif
