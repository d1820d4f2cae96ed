/*
 * kind.h
 *
 * The kind ranges of NIP-01, and the kinds that have a meaning here.
 */
#ifndef NOSTR_KIND_H
#define NOSTR_KIND_H

#include <stdbool.h>
#include <stdint.h>

#define NOSTR_KIND_DELETION		5	/* NIP-09 */
#define NOSTR_KIND_VANISH		62	/* NIP-62 */
#define NOSTR_KIND_GIFT_WRAP	1059	/* NIP-59 */

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

/* Either: a newer one replaces it. */
static inline bool
nostr_kind_is_versioned(int32_t kind)
{
	return nostr_kind_is_replaceable(kind) || nostr_kind_is_addressable(kind);
}

/* The content is for its receiver only (NIP-04, NIP-59). */
static inline bool
nostr_kind_encrypted(int32_t kind)
{
	return kind == 4 || kind == 13 || kind == NOSTR_KIND_GIFT_WRAP;
}

#endif
