/*
 * frame.c
 *
 * Writing, splitting and reading frames.
 *
 * Guarantees: no byte outside the given buffers is read, whatever they hold;
 * a frame longer than WIRE_MAX_PAYLOAD is neither written (the buffer fails)
 * nor accepted; integers are little-endian on every machine.
 */
#include "../nostr/pgfree.h"

#include <string.h>

#include "frame.h"

static uint64_t
load_le(const uint8_t *p, int n)
{
	uint64_t	v = 0;

	for (int i = n - 1; i >= 0; i--)
		v = (v << 8) | p[i];
	return v;
}

static void
store_le(uint8_t *p, uint64_t v, int n)
{
	for (int i = 0; i < n; i++)
	{
		p[i] = (uint8_t) v;
		v >>= 8;
	}
}

static void
put_le(NostrBuf *out, uint64_t v, int n)
{
	uint8_t		b[8];

	store_le(b, v, n);
	nostr_buf_append(out, b, (size_t) n);
}

size_t
wire_begin(NostrBuf *out, uint16_t type, uint32_t job)
{
	size_t		mark = out->len;

	put_le(out, 0, 4);
	put_le(out, type, 2);
	put_le(out, 0, 2);
	put_le(out, job, 4);
	return mark;
}

void
wire_end(NostrBuf *out, size_t mark)
{
	size_t		n;

	if (out->failed)
		return;
	n = out->len - mark - WIRE_HEADER_SIZE;
	if (n > WIRE_MAX_PAYLOAD)
	{
		out->failed = true;
		return;
	}
	store_le(out->data + mark, n, 4);
}

void
wire_put_u8(NostrBuf *out, uint8_t v)
{
	put_le(out, v, 1);
}

void
wire_put_u16(NostrBuf *out, uint16_t v)
{
	put_le(out, v, 2);
}

void
wire_put_u32(NostrBuf *out, uint32_t v)
{
	put_le(out, v, 4);
}

void
wire_put_u64(NostrBuf *out, uint64_t v)
{
	put_le(out, v, 8);
}

void
wire_put_fixed(NostrBuf *out, const void *p, size_t n)
{
	if (n > 0)
		nostr_buf_append(out, p, n);
}

void
wire_put_bytes(NostrBuf *out, const void *p, size_t n)
{
	if (n > WIRE_MAX_PAYLOAD)
	{
		out->failed = true;
		return;
	}
	put_le(out, n, 4);
	wire_put_fixed(out, p, n);
}

void
wire_put_str(NostrBuf *out, const char *s)
{
	wire_put_bytes(out, s, strlen(s));
}

int
wire_next(const uint8_t *data, size_t len, WireFrame *f, size_t *used)
{
	uint64_t	n;

	/* refuse a bad length before its payload is waited for */
	if (len >= 4 && load_le(data, 4) > WIRE_MAX_PAYLOAD)
		return -1;
	if (len < WIRE_HEADER_SIZE)
		return 0;
	n = load_le(data, 4);
	if (load_le(data + 6, 2) != 0)
		return -1;
	if (len - WIRE_HEADER_SIZE < n)
		return 0;
	f->type = (uint16_t) load_le(data + 4, 2);
	f->job = (uint32_t) load_le(data + 8, 4);
	f->payload = data + WIRE_HEADER_SIZE;
	f->len = (uint32_t) n;
	*used = WIRE_HEADER_SIZE + (size_t) n;
	return 1;
}

void
wire_reader(WireReader *r, const WireFrame *f)
{
	r->p = f->payload;
	r->end = f->payload + f->len;
	r->bad = false;
}

const uint8_t *
wire_get_fixed(WireReader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || (size_t) (r->end - r->p) < n)
	{
		r->bad = true;
		return NULL;
	}
	r->p += n;
	return p;
}

static uint64_t
get_le(WireReader *r, int n)
{
	const uint8_t *p = wire_get_fixed(r, (size_t) n);

	return p != NULL ? load_le(p, n) : 0;
}

uint8_t
wire_get_u8(WireReader *r)
{
	return (uint8_t) get_le(r, 1);
}

uint16_t
wire_get_u16(WireReader *r)
{
	return (uint16_t) get_le(r, 2);
}

uint32_t
wire_get_u32(WireReader *r)
{
	return (uint32_t) get_le(r, 4);
}

uint64_t
wire_get_u64(WireReader *r)
{
	return get_le(r, 8);
}

const uint8_t *
wire_get_bytes(WireReader *r, size_t max, size_t *n)
{
	uint32_t	len = wire_get_u32(r);
	const uint8_t *p;

	*n = 0;
	if (len > max)
		r->bad = true;
	p = wire_get_fixed(r, len);
	if (p != NULL)
		*n = len;
	return p;
}

bool
wire_done(const WireReader *r)
{
	return !r->bad && r->p == r->end;
}
