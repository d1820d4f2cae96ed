/*
 * buf.h
 *
 * A growable byte buffer with a hard maximum: the only way memory grows in
 * the PG-free code that handles foreign bytes.
 *
 * Errors are sticky: after a failed append (over max, or out of memory)
 * "failed" is set, later appends do nothing, and the caller checks once.
 * Memory is malloc'ed; whoever initialised a buffer frees it.
 */
#ifndef NOSTR_BUF_H
#define NOSTR_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct NostrBuf
{
	uint8_t    *data;
	size_t		len;
	size_t		cap;
	size_t		max;			/* appends beyond this fail */
	bool		failed;			/* sticky until nostr_buf_reset */
} NostrBuf;

extern void nostr_buf_init(NostrBuf *b, size_t max);
extern void nostr_buf_reset(NostrBuf *b);	/* len = 0, keeps memory */
extern void nostr_buf_free(NostrBuf *b);	/* back to the state after init */

/* Makes room for n more bytes and returns where they go, or NULL. */
extern uint8_t *nostr_buf_reserve(NostrBuf *b, size_t n);
extern void nostr_buf_append(NostrBuf *b, const void *data, size_t n);
extern void nostr_buf_append_byte(NostrBuf *b, uint8_t byte);
extern void nostr_buf_append_str(NostrBuf *b, const char *s);
extern void nostr_buf_append_int(NostrBuf *b, int64_t v);	/* decimal */

#endif
