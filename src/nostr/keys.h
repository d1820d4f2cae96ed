/*
 * keys.h
 *
 * The secret key from a file: hex or nsec, one line.
 *
 * The file must be regular, owned by us or root, not readable by group or
 * others, at most 4 kB; it is opened without following a symbolic link.
 * Buffers that held the secret are wiped.
 */
#ifndef NOSTR_KEYS_H
#define NOSTR_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct NostrKeys
{
	uint8_t		seckey[32];
	uint8_t		pubkey[32];
} NostrKeys;

/* NULL on success, else a static reason (errno is meaningful when it says
 * "cannot open"). */
extern const char *nostr_keys_load(const char *path, NostrKeys *out);
extern void nostr_keys_wipe(NostrKeys *k);

#endif
