/*
 * mention_internal.h
 *
 * Between mention.c (where in an event) and mention_text.c (where in a text).
 */
#ifndef NOSTR_MENTION_INTERNAL_H
#define NOSTR_MENTION_INTERNAL_H

#include "mention.h"

/* The whole string is an address.  false: it is not. */
extern bool nostr_mention_add(NostrMentions *m, const char *s, size_t len,
							  uint32_t via, bool allow_special);
/* ws:// and wss:// addresses in running text; entities: NIP-19 too. */
extern void nostr_mention_scan(NostrMentions *m, const uint8_t *s, size_t len,
							   uint32_t via, bool entities, bool allow_special);

#endif
