/*
 * writer.h
 *
 * Writes JSON text either into a NostrBuf or straight into SHA-256, through
 * one small chunk: hashing an event needs no memory that grows with it, and
 * nothing that the event points to can move meanwhile.
 *
 * Internal to src/nostr.
 */
#ifndef NOSTR_WRITER_H
#define NOSTR_WRITER_H

#include "event.h"

#define NOSTR_WRITER_CHUNK	4096
#define NOSTR_INT64_TEXT	20		/* "-9223372036854775808" */

typedef struct NostrWriter
{
	NostrBuf   *out;			/* NULL: this thread's SHA-256 */
	bool		failed;			/* SHA-256 failed; a NostrBuf keeps its own */
	size_t		n;
	uint8_t		chunk[NOSTR_WRITER_CHUNK];
} NostrWriter;

/* Decimal text of v, not terminated; returns its length. */
extern size_t nostr_int64_text(int64_t v, char out[NOSTR_INT64_TEXT]);

extern void nostr_writer_init(NostrWriter *w, NostrBuf *out);
extern void nostr_writer_flush(NostrWriter *w);
extern void nostr_writer_put(NostrWriter *w, const void *data, size_t n);
extern void nostr_writer_int(NostrWriter *w, int64_t v);
/* 2*len lower-case digits, unquoted */
extern void nostr_writer_hex(NostrWriter *w, const uint8_t *data, size_t len);
/* A quoted JSON string, control characters written as "form" says. */
extern void nostr_writer_string(NostrWriter *w, const uint8_t *s, size_t len,
								NostrForm form);
/* Packed tags as a JSON array; stops at the first byte that is not packed. */
extern void nostr_writer_tags(NostrWriter *w, const uint8_t *packed, size_t len,
							  NostrForm form);

#endif
