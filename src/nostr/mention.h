/*
 * mention.h
 *
 * The relay addresses that an event mentions, wherever it does: tags (r,
 * relay, relays, d of NIP-66, the hints of e/p/a/q, lists of NIP-51 and 65),
 * the content of kinds 2 and 3, NIP-19 entities (bare and nostr:...) and
 * ws:// or wss:// in any text.  Canonical (relay_url.h), each once per event,
 * with all the ways in which it was mentioned.
 *
 * Bounded: at most NOSTR_MENTIONS_MAX addresses, NOSTR_MENTION_TRIES strings
 * looked at; "more" says that a bound was met.  Linear in the event's size.
 */
#ifndef NOSTR_MENTION_H
#define NOSTR_MENTION_H

#include "event.h"
#include "relay_url.h"

#define NOSTR_MENTIONS_MAX		256
#define NOSTR_MENTION_TRIES		4096

/* How; bits, stored in the archive: add at the end, never renumber. */
typedef enum NostrVia
{
	NOSTR_VIA_R = 1 << 0,			/* r tag */
	NOSTR_VIA_HINT = 1 << 1,		/* third element of e, p, a, q (also E, P, A) */
	NOSTR_VIA_RECOMMEND = 1 << 2,	/* content of kind 2 */
	NOSTR_VIA_CONTACTS = 1 << 3,	/* content of kind 3 */
	NOSTR_VIA_RELAY_LIST = 1 << 4,	/* kind 10002 */
	NOSTR_VIA_DM_LIST = 1 << 5,		/* kind 10050 */
	NOSTR_VIA_BLOCKED = 1 << 6,		/* kind 10006 */
	NOSTR_VIA_SEARCH = 1 << 7,		/* kind 10007 */
	NOSTR_VIA_FAVOURITE = 1 << 8,	/* kind 10012 */
	NOSTR_VIA_RELAY_SET = 1 << 9,	/* kind 30002 */
	NOSTR_VIA_DISCOVERY = 1 << 10,	/* kind 30166 */
	NOSTR_VIA_MONITOR = 1 << 11,	/* kind 10166 */
	NOSTR_VIA_RELAY_TAG = 1 << 12,	/* relay or relays tag */
	NOSTR_VIA_TAG = 1 << 13,		/* anywhere else in the tags */
	NOSTR_VIA_NIP19 = 1 << 14,		/* nprofile, nevent or naddr in the content */
	NOSTR_VIA_TEXT = 1 << 15,		/* URL in the content */
	NOSTR_VIA_SOURCE = 1 << 16		/* a list on the web, not an event */
} NostrVia;
#define NOSTR_VIA_COUNT 17

extern const char *nostr_via_name(int bit);	/* of 1 << bit: "r", "hint", ... */

typedef struct NostrMention
{
	uint32_t	via;
	uint32_t	hash;			/* private */
	uint32_t	at;				/* private: offset in text */
	uint32_t	len;			/* of the address */
} NostrMention;

typedef struct NostrMentions
{
	int			n;
	bool		more;			/* there were more than the bounds allow */
	NostrMention item[NOSTR_MENTIONS_MAX];
	NostrBuf	text;			/* private; use nostr_mention_url */
	NostrBuf	scratch;		/* private */
	int			tries;			/* private */
} NostrMentions;

extern void nostr_mentions_init(NostrMentions *m);
extern void nostr_mentions_free(NostrMentions *m);
/* Replaces what *m held.  allow_special as in nostr_relay_url_parse. */
extern void nostr_mentions_find(NostrMentions *m, const NostrEvent *ev, bool allow_special);
/* Terminated; valid until the next find. */
extern const char *nostr_mention_url(const NostrMentions *m, int i);

#endif
