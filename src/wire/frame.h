/*
 * frame.h
 *
 * Frames between a worker and its bigbrotr-net, over one socketpair.
 *
 *   uint32 length (of the payload), uint16 type, uint16 zero, uint32 job,
 *   payload; all little-endian.
 *
 * Payloads are a fixed sequence of fields per type (messages.h).  Both sides
 * bound every length before they allocate.  A malformed frame is a protocol
 * error: the child exits, the worker ends the child.  Neither ever guesses.
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../nostr/buf.h"

#define WIRE_VERSION		1
#define WIRE_HEADER_SIZE	12
#define WIRE_MAX_PAYLOAD	(24 * 1024 * 1024)

typedef struct WireFrame
{
	uint16_t	type;
	uint32_t	job;			/* 0: not about a job */
	const uint8_t *payload;		/* inside the receive buffer */
	uint32_t	len;
} WireFrame;

/* --- writing: begin, fields, end; errors are sticky in the buffer --- */
extern size_t wire_begin(NostrBuf *out, uint16_t type, uint32_t job);	/* start mark */
extern void wire_end(NostrBuf *out, size_t mark);
extern void wire_put_u8(NostrBuf *out, uint8_t v);
extern void wire_put_u16(NostrBuf *out, uint16_t v);
extern void wire_put_u32(NostrBuf *out, uint32_t v);
extern void wire_put_u64(NostrBuf *out, uint64_t v);
extern void wire_put_fixed(NostrBuf *out, const void *p, size_t n);	/* no length */
extern void wire_put_bytes(NostrBuf *out, const void *p, size_t n);	/* u32 length first */
extern void wire_put_str(NostrBuf *out, const char *s);

/* --- splitting a stream ---
 * 1: *f filled, *used bytes consumed; 0: need more; -1: malformed */
extern int	wire_next(const uint8_t *data, size_t len, WireFrame *f, size_t *used);

/* --- reading fields: "bad" is sticky, values are 0 / empty then --- */
typedef struct WireReader
{
	const uint8_t *p;
	const uint8_t *end;
	bool		bad;
} WireReader;

extern void wire_reader(WireReader *r, const WireFrame *f);
extern uint8_t wire_get_u8(WireReader *r);
extern uint16_t wire_get_u16(WireReader *r);
extern uint32_t wire_get_u32(WireReader *r);
extern uint64_t wire_get_u64(WireReader *r);
extern const uint8_t *wire_get_fixed(WireReader *r, size_t n);
/* Points into the frame; *n is its length.  More than max is bad. */
extern const uint8_t *wire_get_bytes(WireReader *r, size_t max, size_t *n);
/* True when every field was there and nothing is left. */
extern bool wire_done(const WireReader *r);

#endif
