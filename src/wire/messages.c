/*
 * messages.c
 *
 * The composite fields: events and mentions.  What is read is bounded, not believed:
 * the worker checks tags and text itself before it stores them.
 */
#include "../nostr/pgfree.h"

#include <string.h>

#include "../nostr/event.h"
#include "messages.h"

void
wire_put_event(NostrBuf *out, int64_t key, const NostrEvent *ev)
{
	wire_put_u64(out, (uint64_t) key);
	wire_put_fixed(out, ev->id, 32);
	wire_put_fixed(out, ev->pubkey, 32);
	wire_put_fixed(out, ev->sig, 64);
	wire_put_u64(out, (uint64_t) ev->created_at);
	wire_put_u16(out, (uint16_t) ev->kind);
	wire_put_u8(out, (uint8_t) ev->form);
	wire_put_bytes(out, ev->tags, ev->tags_len);
	wire_put_bytes(out, ev->content, ev->content_len);
}

static void
get_copy(WireReader *r, uint8_t *dst, size_t n)
{
	const uint8_t *p = wire_get_fixed(r, n);

	if (p != NULL)
		memcpy(dst, p, n);
}

void
wire_get_event(WireReader *r, int64_t *key, NostrEvent *ev)
{
	uint8_t		form;

	memset(ev, 0, sizeof(*ev));
	*key = (int64_t) wire_get_u64(r);
	get_copy(r, ev->id, 32);
	get_copy(r, ev->pubkey, 32);
	get_copy(r, ev->sig, 64);
	ev->created_at = (int64_t) wire_get_u64(r);
	ev->kind = wire_get_u16(r);
	form = wire_get_u8(r);
	if (form > NOSTR_FORM_ESCAPED_DEL)
		r->bad = true;
	else
		ev->form = (NostrForm) form;
	ev->tags = wire_get_bytes(r, WIRE_MAX_PAYLOAD, &ev->tags_len);
	ev->content = wire_get_bytes(r, WIRE_MAX_PAYLOAD, &ev->content_len);
}

void
wire_put_mention(NostrBuf *out, const WireMention *m)
{
	wire_put_u16(out, m->event);
	wire_put_u32(out, m->via);
	wire_put_bytes(out, m->url, m->url_len);
}

void
wire_get_mention(WireReader *r, WireMention *m)
{
	m->event = wire_get_u16(r);
	m->via = wire_get_u32(r);
	m->url = (const char *) wire_get_bytes(r, WIRE_MAX_URL, &m->url_len);
}
