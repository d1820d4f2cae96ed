/*
 * tags_json.h
 *
 * Tags between JSON text and the packed form, in one pass.
 *
 * Internal to src/nostr.
 */
#ifndef NOSTR_TAGS_JSON_H
#define NOSTR_TAGS_JSON_H

#include "json.h"

#define NOSTR_VARINT_MAX 5
/* characters; shorter elements are never stored as hex */
#define NOSTR_TAG_MIN_HEX 16

/* v < 2^35; returns the number of bytes. */
extern size_t nostr_varint_write(uint64_t v, uint8_t out[NOSTR_VARINT_MAX]);

/*
 * Reads one JSON value and appends its packed form to *out.  false: js->error
 * is set.  When the JSON is fine but is not tags, *why becomes NOSTR_BAD_TAGS
 * or NOSTR_TOO_MANY_TAGS (the first found, at *why_at), the value is consumed
 * and what was appended is of no use.
 */
extern bool nostr_tags_scan(NostrJson *js, NostrBuf *out,
							NostrReject *why, size_t *why_at);

#endif
