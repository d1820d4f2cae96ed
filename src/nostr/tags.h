/*
 * tags.h
 *
 * The packed form of an event's tags: what the archive stores, what travels
 * between the processes, and what the SQL type "tags" is on disk.
 *
 *   tags    := varint(number of tags) tag*
 *   tag     := varint(number of elements, >= 1) name element*
 *   name    := one byte A-Z or a-z              a single-letter name
 *            | 0x00 element                     any other name
 *   element := varint(len << 1) byte[len]       raw UTF-8, U+0000 allowed
 *            | varint(len << 1 | 1) byte[len]   2*len lower-case hex digits
 *
 * varint is unsigned LEB128, at most 5 bytes, shortest form only.  The hex
 * form is used exactly when the string has an even length >= 16 and only
 * digits 0-9a-f, so every list of tags has one packed form: byte equality is
 * equality of tags.
 *
 * Limits are the constants below; both the packer and the validator enforce
 * them.
 */
#ifndef NOSTR_TAGS_H
#define NOSTR_TAGS_H

#include "buf.h"

#define NOSTR_MAX_TAGS			65536
#define NOSTR_MAX_TAG_ELEMENTS	65536

/* One element, as it is stored; see nostr_tag_element_text. */
typedef struct NostrTagElement
{
	const uint8_t *data;
	size_t		len;			/* stored bytes */
	bool		hex;			/* text is the lower-case hex of data */
} NostrTagElement;

/* Walks packed tags.  Bounds are checked at every step. */
typedef struct NostrTagIter
{
	const uint8_t *p;
	const uint8_t *end;
	uint32_t	tags_left;
	uint32_t	elements_left;	/* of the current tag */
	bool		at_name;		/* next element is the current tag's name */
	bool		error;			/* sticky: not a packed form */
	uint8_t		letter;			/* storage for a single-letter name */
} NostrTagIter;

/* --- packing: count first, then each tag, then its elements in order --- */
extern void nostr_tags_begin(NostrBuf *out, uint32_t ntags);
extern void nostr_tags_tag(NostrBuf *out, uint32_t nelements);
extern void nostr_tags_name(NostrBuf *out, const uint8_t *s, size_t len);
extern void nostr_tags_element(NostrBuf *out, const uint8_t *s, size_t len);

/* --- reading --- */
extern void nostr_tags_iter(NostrTagIter *it, const uint8_t *packed, size_t len);
/* Moves to the next tag (skipping what is left of this one); its number of
 * elements, or 0 at the end or on error. */
extern uint32_t nostr_tags_next(NostrTagIter *it);
/* Next element of the current tag, false at its end or on error.  "data" of a
 * single-letter name points into the iterator. */
extern bool nostr_tags_next_element(NostrTagIter *it, NostrTagElement *el);
/* Length of the text of an element, and the text itself (not terminated). */
extern size_t nostr_tag_element_text_len(const NostrTagElement *el);
extern void nostr_tag_element_text(const NostrTagElement *el, char *dst);

/* True when the bytes are exactly one packed form (also: shortest varints,
 * canonical choice of hex, valid UTF-8, nothing left over). */
extern bool nostr_tags_valid(const uint8_t *packed, size_t len);

/* JSON array of arrays of strings -> packed.  false: *reason is a static
 * text and *offset the byte where it went wrong. */
extern bool nostr_tags_from_json(const char *json, size_t len, NostrBuf *out,
								 const char **reason, size_t *offset);
/* packed -> compact JSON text, escaped so that PostgreSQL text can hold it
 * (U+0000 as \u0000; other C0 controls short or \u00xx; rest raw UTF-8). */
extern void nostr_tags_to_json(const uint8_t *packed, size_t len, NostrBuf *out);

#endif
