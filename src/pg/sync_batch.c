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
#include "pg/archive.h"
#include "pg/coverage.h"
#include "pg/foreign_text.h"
#include "pg/mention_store.h"
#include "pg/netd.h"
#include "pg/sync_batch.h"
#include "pg/sync_recheck.h"

/* Answers an OFFER: which pairs are unknown; the known ones are observed. */
bool
sync_batch_offer(const WireFrame *f, int32 relay_id, SyncCounts *c)
{
	WireReader	r;
	BbOffer    *offers;
	uint8		bitmap[(WIRE_MAX_OFFER + 7) / 8] = {0};
	uint32		seq;
	int64		seen_at;
	uint16		n;
	int			known = 0;
	int			observed;
	size_t		mark;

	wire_reader(&r, f);
	seq = wire_get_u32(&r);
	seen_at = (int64) wire_get_u64(&r);
	n = wire_get_u16(&r);
	if (r.bad || n == 0 || n > WIRE_MAX_OFFER)
		return false;
	offers = palloc0(sizeof(BbOffer) * n);
	for (int i = 0; i < n; i++)
	{
		const uint8_t *id;

		offers[i].key = (int64) wire_get_u64(&r);
		id = wire_get_fixed(&r, 32);
		if (id == NULL || offers[i].key < 0)
			return false;
		memcpy(offers[i].id, id, 32);
		offers[i].relay_id = relay_id;
		offers[i].seen_at = seen_at;
	}
	if (!wire_done(&r))
		return false;

	archive_lookup(offers, n);
	for (int i = 0; i < n; i++)
	{
		if (offers[i].known)
			known++;
		else
			bitmap[i / 8] |= 1 << (i % 8);
	}
	observed = known > 0 ? archive_observe(offers, n) : 0;
	c->observations += observed;
	c->duplicates += known - observed;

	mark = wire_begin(netd_out(), WIRE_ANSWER, f->job);
	wire_put_u32(netd_out(), seq);
	wire_put_u16(netd_out(), n);
	wire_put_bytes(netd_out(), bitmap, (n + 7) / 8);
	wire_end(netd_out(), mark);
	pfree(offers);
	return true;
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

/* The mentions behind the events: only those of events that are new count. */
static bool
take_mentions(WireReader r, const BbArchiveEvent *events, int nevents, SyncCounts *c)
{
	int			n = wire_get_u16(&r);
	bool		ok = true;

	for (int i = 0; i < n; i++)
	{
		WireMention m;

		wire_get_mention(&r, &m);
		if (events[m.event].outcome == BB_NEW)
			ok &= mention_add(m.url, m.url_len, m.via, events[m.event].ev.pubkey, &c->mentions);
	}
	return ok;
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

bool
sync_batch_events(const WireFrame *f, int32 relay_id, SyncCounts *c)
{
	WireReader	r;
	BbArchiveEvent *events;
	int64		seen_at;
	uint16		n;
	bool		ok;

	wire_reader(&r, f);
	seen_at = (int64) wire_get_u64(&r);
	n = wire_get_u16(&r);
	if (r.bad || n == 0 || n > WIRE_MAX_EVENTS)
		return false;
	events = palloc0(sizeof(BbArchiveEvent) * n);
	for (int i = 0; i < n; i++)
	{
		int64_t		key;

		wire_get_event(&r, &key, &events[i].ev);
		events[i].key = key;
		events[i].relay_id = relay_id;
		events[i].seen_at = seen_at;
		if (r.bad || !storable(&events[i].ev, key))
			return false;
	}
	if (!check_mentions(r, n))
		return false;

	archive_write(events, n);
	for (int i = 0; i < n; i++)
	{
		switch (events[i].outcome)
		{
			case BB_NEW:
				c->events++;
				c->observations++;
				break;
			case BB_OBSERVED:
				c->observations++;
				break;
			case BB_INVALID:
				c->rejected++;
				break;
			case BB_DUPLICATE:
			case BB_PENDING:
				c->duplicates++;
				break;
		}
	}
	ok = take_mentions(r, events, n, c);
	pfree(events);
	return ok;
}

/* Answers a SET_REQUEST. */
bool
sync_batch_set(const WireFrame *f, int32 relay_id)
{
	WireReader	r;
	uint32		seq;
	int64		since;
	int64		until;
	int64		below_key;
	BbHeld	   *held;
	bool		last;
	int			n;
	size_t		mark;

	wire_reader(&r, f);
	seq = wire_get_u32(&r);
	since = (int64_t) wire_get_u64(&r);
	until = (int64_t) wire_get_u64(&r);
	below_key = (int64_t) wire_get_u64(&r);
	if (!wire_done(&r) || since > until || below_key < 0)
		return false;
	held = palloc(sizeof(BbHeld) * WIRE_MAX_SET);
	n = archive_set(relay_id, since, until, below_key, held, WIRE_MAX_SET, &last);
	mark = wire_begin(netd_out(), WIRE_SET, f->job);
	wire_put_u32(netd_out(), seq);
	wire_put_u8(netd_out(), last ? 1 : 0);
	wire_put_u16(netd_out(), (uint16) n);
	for (int i = 0; i < n; i++)
	{
		wire_put_u64(netd_out(), (uint64) held[i].key);
		wire_put_u64(netd_out(), (uint64) held[i].created_at);
		wire_put_fixed(netd_out(), held[i].id, 32);
	}
	pfree(held);
	wire_end(netd_out(), mark);
	return true;
}

typedef struct BbRejected
{
	const uint8_t *reason;
	size_t		reason_len;
	const uint8_t *id;
	int64		count;
	const uint8_t *sample;
	size_t		sample_len;
} BbRejected;

/* One record of REJECTED; false: malformed. */
static bool
read_rejected(WireReader *r, BbRejected *x)
{
	x->reason = wire_get_bytes(r, WIRE_MAX_TEXT, &x->reason_len);
	x->id = wire_get_fixed(r, 32);
	x->count = (int64) wire_get_u64(r);
	x->sample = wire_get_bytes(r, WIRE_MAX_SAMPLE, &x->sample_len);
	return !r->bad && x->count > 0;
}

bool
sync_batch_rejected(const WireFrame *f, int32 relay_id, SyncCounts *c)
{
	static const uint8 no_id[32] = {0};
	WireReader	r;
	BbRejected	x;
	int64		seen_at;
	uint16		n;

	/* read twice: of a frame that is malformed at its end nothing is taken */
	wire_reader(&r, f);
	(void) wire_get_u64(&r);
	n = wire_get_u16(&r);
	if (n > WIRE_MAX_EVENTS)
		return false;
	for (int i = 0; i < n; i++)
		if (!read_rejected(&r, &x))
			return false;
	if (!wire_done(&r))
		return false;

	wire_reader(&r, f);
	seen_at = (int64) wire_get_u64(&r);
	(void) wire_get_u16(&r);
	for (int i = 0; i < n && read_rejected(&r, &x); i++)
	{
		archive_reject(relay_id, bb_foreign_text(x.reason, x.reason_len),
					   memcmp(x.id, no_id, 32) == 0 ? NULL : x.id,
					   x.sample, x.sample_len, x.count, seen_at);
		c->rejected += x.count;
	}
	return true;
}

/*
 * A window's news.  Whatever the child proved, nothing younger than the
 * job's start less the overlap is closed: events with those times can still
 * arrive.  The next pass asks for that part again.
 */
bool
sync_batch_window(const WireFrame *f, SyncJob *job, int overlap)
{
	WireReader	r;
	int64		since;
	int64		until;
	uint8		state;
	size_t		proof_len;
	size_t		reason_len;
	const uint8_t *proof;
	const uint8_t *reason;
	uint8		purpose;
	int64		held;

	wire_reader(&r, f);
	since = (int64) wire_get_u64(&r);
	until = (int64) wire_get_u64(&r);
	state = wire_get_u8(&r);
	proof = wire_get_bytes(&r, WIRE_MAX_TEXT, &proof_len);
	reason = wire_get_bytes(&r, WIRE_MAX_TEXT, &reason_len);
	purpose = wire_get_u8(&r);
	held = (int64) wire_get_u64(&r);
	if (!wire_done(&r) || state >= BB_COVERAGE_STATES || since < 0 || since > until ||
		purpose > WIRE_RECHECK || held < 0)
		return false;
	if (purpose == WIRE_RECHECK)
	{
		/* what was proved before stays so: only the round goes on */
		if (state == WIRE_WINDOW_COMPLETE)
			recheck_done(job->relay_id, since, held, Min(job->fresh, held));
		else if (state == WIRE_WINDOW_OPEN && !job->recheck_failed)
		{
			job->recheck_failed = true;
			recheck_failed(job->relay_id, since);
		}
	}
	else
	{
		/* What has not happened yet is not a gap either. */
		until = Min(until, state == WIRE_WINDOW_OPEN ? job->started : job->started - overlap);
		/* Else all of it is still warm. */
		if (since <= until)
			coverage_record(job->relay_id, job->filter_id, since, until, state,
							proof_len > 0 ? bb_foreign_text(proof, proof_len) : NULL,
							reason_len > 0 ? bb_foreign_text(reason, reason_len) : NULL);
	}
	if (state != WIRE_WINDOW_PAGED)
		job->fresh = 0;
	return true;
}
