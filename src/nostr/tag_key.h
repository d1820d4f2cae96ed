/*
 * tag_key.h
 *
 * Four-byte codes that stand for tags, ids, authors and times in indexes.
 * They are on disk, so the functions never change.  Different things may
 * share a code, so whatever an index finds by it is compared again.
 */
#ifndef NOSTR_TAG_KEY_H
#define NOSTR_TAG_KEY_H

#include "tags.h"

/* Of a letter and the value of its tag, in the stored form. */
extern int32_t nostr_tag_code(uint8_t letter, const NostrTagElement *value);

/* Of an id: its last bytes, which proof of work leaves alone. */
extern int32_t nostr_id_code(const uint8_t id[32]);

/*
 * Of an author and a kind: 26 bits of the key's end, which nobody chooses for
 * its looks, and 6 of the kind.  The kinds of one author are the
 * NOSTR_KIND_CODES codes from that of kind 0 on.
 */
#define NOSTR_KIND_CODES 64
extern int32_t nostr_author_code(const uint8_t pubkey[32], int32_t kind);

/* Of the second in a key of the archive: in order, four bytes, until 2106. */
#define NOSTR_TIME_CODE_MAX INT32_MAX
extern int32_t nostr_time_code(int64_t key);

/* The NOSTR_SLOT_SECONDS seconds that the time_code is one of, in order: so
 * coarse that events of a frequent kind share it and an entry of an index. */
#define NOSTR_SLOT_BITS 8
#define NOSTR_SLOT_SECONDS (1 << NOSTR_SLOT_BITS)
extern int32_t nostr_time_slot(int64_t key);

/*
 * Goes on to the next tag with a single-letter name and a value: its letter
 * and first value.  False at the end, or where this is no packed form.
 */
extern bool nostr_tags_next_letter(NostrTagIter *it, uint8_t *letter, NostrTagElement *value);

/*
 * The stored form of a value that somebody wrote as text; dst has room for
 * len bytes and keeps what the element points to.
 */
extern NostrTagElement nostr_tag_element_of(const uint8_t *s, size_t len, uint8_t *dst);

#endif
