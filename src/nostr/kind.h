/*
 * kind.h
 *
 * What NIP-01 says about ranges of kinds.
 */
#ifndef NOSTR_KIND_H
#define NOSTR_KIND_H

#include <stdbool.h>
#include <stdint.h>

/* Of each author and kind, only the newest counts. */
static inline bool
nostr_kind_is_replaceable(int32_t kind)
{
	return kind == 0 || kind == 3 || (kind >= 10000 && kind <= 19999);
}

/* Of each author, kind and d tag, only the newest counts. */
static inline bool
nostr_kind_is_addressable(int32_t kind)
{
	return kind >= 30000 && kind <= 39999;
}

/* The content is for its receiver only (NIP-04, NIP-59). */
static inline bool
nostr_kind_encrypted(int32_t kind)
{
	return kind == 4 || kind == 13 || kind == 1059;
}

#endif
