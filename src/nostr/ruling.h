/*
 * ruling.h
 *
 * What an event says about other events, so that a relay does not serve them:
 * deletions (NIP-09), requests to vanish (NIP-62), newer versions (NIP-01).
 *
 * Each such statement is a ruling and has a code by which it is found.  Codes
 * are on disk, so the function never changes.  Different rulings may share a
 * code, so whatever is found is compared again.
 */
#ifndef NOSTR_RULING_H
#define NOSTR_RULING_H

#include "kind.h"
#include "tags.h"

typedef enum NostrRulingSort
{
	NOSTR_RULES_EVENT,			/* an event of this id is deleted; value: its id */
	NOSTR_RULES_ADDRESS,		/* versions of kind and d tag up to its time are deleted */
	NOSTR_RULES_VERSION,		/* older versions of kind and d tag are replaced */
	NOSTR_RULES_VANISH			/* all until its time; value: on which relay, or ALL_RELAYS */
} NostrRulingSort;

/* What the author of an event says about events of his own (and, of an id,
 * about gift wraps that he received). */
typedef struct NostrRuling
{
	NostrRulingSort sort;
	int32_t		kind;			/* of ADDRESS and VERSION, else 0 */
	NostrTagElement value;		/* points into the tags; empty d tag: length 0 */
} NostrRuling;

typedef struct NostrRulingIter
{
	int32_t		kind;
	const uint8_t *pubkey;
	const uint8_t *tags;
	size_t		len;
	NostrTagIter it;
	bool		done;
} NostrRulingIter;

/* Kinds of events that say something about others. */
static inline bool
nostr_kind_rules(int32_t kind)
{
	return kind == NOSTR_KIND_DELETION || kind == NOSTR_KIND_VANISH || nostr_kind_is_versioned(kind);
}

/* The rulings of an event; those of a replaceable kind do not depend on its
 * tags.  All must outlive the iterator. */
extern void nostr_rulings(NostrRulingIter *it, int32_t kind, const uint8_t pubkey[32], const uint8_t *tags, size_t len);
extern bool nostr_ruling_next(NostrRulingIter *it, NostrRuling *r);

/* The code of what this author says. */
extern int64_t nostr_ruling_code(const uint8_t pubkey[32], const NostrRuling *r);

/* The identifier of an addressable event (NIP-01): the value of its first tag
 * "d"; empty when that has none, as strfry and nostr-rs-relay read it, or when
 * there is no such tag. */
extern NostrTagElement nostr_tags_identifier(const uint8_t *tags, size_t len);
/* The same text, however each is stored. */
extern bool nostr_tag_element_same_text(const NostrTagElement *a, const NostrTagElement *b);
/* A tag of that name with that value, neither of them hexadecimal. */
extern bool nostr_tags_have(const uint8_t *tags, size_t len, const char *name, const char *value);

#endif
