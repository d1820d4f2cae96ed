/*
 * sync_batch.c
 *
 * See sync_batch.h.  Every number in a frame is checked against the bounds of
 * wire/messages.h before memory is taken for it; the frame's bytes stay
 * where they are until the transaction has used them.
 */
#include "postgres.h"

#include "nostr/tags.h"
#include "nostr/utf8.h"
#include "pg/sync_batch.h"

#define FIRST_ROOM	1024

void
sync_batch_begin(SyncBatch *b)
{
	memset(b, 0, sizeof(*b));
	b->rejects = archive_rejects();
}

/* Room for n more; what is there already may move. */
static void *
grow(void *items, int *max, int used, int n, Size size)
{
	if (items == NULL)
	{
		*max = Max(FIRST_ROOM, n);
		return palloc(size * *max);
	}
	if (used + n <= *max)
		return items;
	*max = Max(*max * 2, used + n);
	return repalloc(items, size * *max);
}

static bool
read_offer(SyncBatch *b, SyncFrame *sf, int32 relay_id)
{
	WireReader	r;
	int64		seen_at;

	wire_reader(&r, &sf->f);
	(void) wire_get_u32(&r);	/* seq */
	seen_at = (int64) wire_get_u64(&r);
	sf->n = wire_get_u16(&r);
	if (r.bad || sf->n == 0 || sf->n > WIRE_MAX_OFFER)
		return false;
	b->offers = grow(b->offers, &b->max_offers, b->noffers, sf->n, sizeof(BbOffer));
	for (int i = 0; i < sf->n; i++)
	{
		BbOffer    *o = &b->offers[b->noffers + i];
		const uint8_t *id;

		o->key = (int64) wire_get_u64(&r);
		id = wire_get_fixed(&r, 32);
		if (id == NULL || o->key < 0)
			return false;
		memcpy(o->id, id, 32);
		o->relay_id = relay_id;
		o->seen_at = seen_at;
	}
	sf->first = b->noffers;
	b->noffers += sf->n;
	return wire_done(&r);
}

/* Whatever has become of the child, no value is stored that is not one of its
 * type: other sessions read tags and text without looking twice. */
static bool
storable(const NostrEvent *ev, int64 key)
{
	return key == nostr_event_key(ev->created_at, ev->id) &&
		nostr_tags_valid(ev->tags, ev->tags_len) &&
		nostr_utf8_valid(ev->content, ev->content_len);
}

/* Are they all there?  Before anything is written. */
static bool
check_mentions(WireReader r, int nevents)
{
	int			n = wire_get_u16(&r);

	if (n > WIRE_MAX_MENTIONS)
		return false;
	for (int i = 0; i < n && !r.bad; i++)
	{
		WireMention m;

		wire_get_mention(&r, &m);
		if (m.event >= nevents)
			return false;
	}
	(void) wire_get_u16(&r);
	return wire_done(&r);
}

static bool
read_events(SyncBatch *b, SyncFrame *sf, int32 relay_id)
{
	WireReader	r;
	int64		seen_at;

	wire_reader(&r, &sf->f);
	seen_at = (int64) wire_get_u64(&r);
	sf->n = wire_get_u16(&r);
	if (r.bad || sf->n == 0 || sf->n > WIRE_MAX_EVENTS)
		return false;
	b->events = grow(b->events, &b->max_events, b->nevents, sf->n, sizeof(BbArchiveEvent));
	for (int i = 0; i < sf->n; i++)
	{
		BbArchiveEvent *e = &b->events[b->nevents + i];
		int64_t		key;

		wire_get_event(&r, &key, &e->ev);
		e->key = key;
		e->relay_id = relay_id;
		e->seen_at = seen_at;
		e->outcome = BB_PENDING;
		if (r.bad || !storable(&e->ev, key))
			return false;
	}
	sf->mentions = r;
	if (!check_mentions(r, sf->n))
		return false;
	sf->first = b->nevents;
	b->nevents += sf->n;
	return true;
}

bool
sync_batch_add(SyncBatch *b, const WireFrame *f)
{
	SyncFrame  *sf = &b->frame[b->nframes];
	SyncJob    *job = sync_job_find(f->job);
	bool		ok = job != NULL;

	sf->f = *f;
	if (ok && f->type == WIRE_OFFER)
		ok = read_offer(b, sf, job->relay_id);
	else if (ok && f->type == WIRE_EVENTS)
		ok = read_events(b, sf, job->relay_id);
	b->nframes += ok;
	return ok;
}

void
sync_batch_store(SyncBatch *b)
{
	archive_write(b->events, b->nevents, b->offers, b->noffers, b->rejects);
}
