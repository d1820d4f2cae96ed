/*
 * events_frame.c
 *
 * Guarantees: no frame is larger than the records of one offer plus
 * MENTION_BYTES and what one event may mention.
 */
#include "../nostr/pgfree.h"

#include <string.h>

#include "../nostr/mention.h"
#include "events_frame.h"

#define MENTION_BYTES	(1024 * 1024)

static const Net *net;
static NostrMentions mentions;
static NostrBuf section;		/* of the frame that is open */

void
events_frame_open(const Net *n)
{
	net = n;
}

void
events_frame_start(EventsFrame *f, NostrBuf *out, uint32_t job, int64_t seen_at)
{
	memset(f, 0, sizeof(*f));
	f->out = out;
	f->job = job;
	f->seen_at = seen_at;
}

static void
put_mentions(EventsFrame *f, const uint8_t *record, size_t len)
{
	WireReader	r = {record, record + len, false};
	NostrEvent	ev;
	int64_t		key;

	if (section.max == 0)
	{
		nostr_mentions_init(&mentions);
		nostr_buf_init(&section, WIRE_MAX_PAYLOAD);
	}
	wire_get_event(&r, &key, &ev);
	if (r.bad)
		return;
	nostr_mentions_find(&mentions, &ev, net != NULL && net_config(net)->allow.n > 0);
	for (int i = 0; i < mentions.n; i++)
	{
		const WireMention m = {(uint16_t) (f->n - 1), mentions.item[i].via,
			nostr_mention_url(&mentions, i), mentions.item[i].len
		};

		wire_put_mention(&section, &m);
		f->mentions++;
	}
	f->over += mentions.more;
}

void
events_frame_add(EventsFrame *f, const uint8_t *record, size_t len)
{
	if (f->n == 0)
	{
		f->mark = wire_begin(f->out, WIRE_EVENTS, f->job);
		wire_put_u64(f->out, (uint64_t) f->seen_at);
		f->count_at = f->out->len;
		wire_put_u16(f->out, 0);
	}
	wire_put_fixed(f->out, record, len);
	f->n++;
	put_mentions(f, record, len);
	if (section.len > MENTION_BYTES || f->mentions > WIRE_MAX_MENTIONS - NOSTR_MENTIONS_MAX)
		events_frame_end(f);
}

void
events_frame_end(EventsFrame *f)
{
	if (f->n == 0)
		return;
	if (!f->out->failed)
	{
		f->out->data[f->count_at] = (uint8_t) f->n;
		f->out->data[f->count_at + 1] = (uint8_t) (f->n >> 8);
	}
	wire_put_u16(f->out, f->mentions);
	wire_put_fixed(f->out, section.data, section.len);
	wire_put_u16(f->out, f->over);
	wire_end(f->out, f->mark);
	if (section.failed)
		f->out->failed = true;
	nostr_buf_reset(&section);
	f->n = f->mentions = f->over = 0;
}
