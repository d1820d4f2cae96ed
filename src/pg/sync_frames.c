/*
 * sync_frames.c
 *
 * Applies the consequences of each frame once the batch is stored: answers,
 * counters, mentions, coverage, news about the relay.  In the order in which
 * the frames came.
 */
#include "postgres.h"

#include "pg/coverage.h"
#include "pg/foreign_text.h"
#include "pg/guc.h"
#include "pg/netd.h"
#include "pg/sync_batch.h"
#include "pg/sync_news.h"
#include "pg/sync_recheck.h"

/* Answers an OFFER: which pairs are unknown. */
static bool
answer_offer(const SyncFrame *sf, const BbOffer *offers, SyncCounts *c)
{
	uint8		bitmap[(WIRE_MAX_OFFER + 7) / 8] = {0};
	WireReader	r;
	uint32		seq;
	size_t		mark;

	for (int i = 0; i < sf->n; i++)
	{
		if (!offers[i].known)
			bitmap[i / 8] |= 1 << (i % 8);
		else if (offers[i].observed)
			c->observations++;
		else
			c->duplicates++;
	}
	wire_reader(&r, &sf->f);
	seq = wire_get_u32(&r);
	mark = wire_begin(netd_out(), WIRE_ANSWER, sf->f.job);
	wire_put_u32(netd_out(), seq);
	wire_put_u16(netd_out(), (uint16) sf->n);
	wire_put_bytes(netd_out(), bitmap, (sf->n + 7) / 8);
	wire_end(netd_out(), mark);
	return true;
}

/* The mentions behind the events: only those of events that are new count. */
static bool
take_mentions(WireReader r, const BbArchiveEvent *events, SyncCounts *c)
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

static bool
take_events(const SyncFrame *sf, const BbArchiveEvent *events, SyncCounts *c)
{
	for (int i = 0; i < sf->n; i++)
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
	return take_mentions(sf->mentions, events, c);
}

/* Answers a SET_REQUEST. */
static bool
answer_set(const WireFrame *f, int32 relay_id)
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

static bool
take_rejected(const WireFrame *f, int32 relay_id, BbRejects *rejects, SyncCounts *c)
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
		archive_reject(rejects, relay_id, bb_foreign_text(x.reason, x.reason_len),
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
static bool
take_window(const WireFrame *f, SyncJob *job)
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
			recheck_done(job->relay_id, job->filter_id, since, until, held, Min(job->fresh, held));
		else if (state == WIRE_WINDOW_OPEN && !job->recheck_failed)
		{
			job->recheck_failed = true;
			recheck_failed(job->relay_id, since);
		}
	}
	else
	{
		/* What has not happened yet is not a gap either. */
		until = Min(until, state == WIRE_WINDOW_OPEN ? job->started : job->started - bb_synchronizer_overlap);
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

bool
sync_batch_take(SyncBatch *b, int i, int me)
{
	const SyncFrame *sf = &b->frame[i];
	SyncCounts *c = &b->counts;
	SyncJob    *job = sync_job_find(sf->f.job);
	int64		before = c->observations;
	bool		ok;

	if (job == NULL)			/* an earlier frame ended it */
		return false;
	switch (sf->f.type)
	{
		case WIRE_OFFER:
			ok = answer_offer(sf, b->offers + sf->first, c);
			break;
		case WIRE_EVENTS:
			ok = take_events(sf, b->events + sf->first, c);
			break;
		case WIRE_REJECTED:
			return take_rejected(&sf->f, job->relay_id, b->rejects, c);
		case WIRE_WINDOW:
			return take_window(&sf->f, job);
		case WIRE_SET_REQUEST:
			return answer_set(&sf->f, job->relay_id);
		case WIRE_PASSED:
		case WIRE_RESULT:
			return sync_news(&sf->f, job, me);
		default:
			return false;
	}
	job->observed += c->observations - before;
	job->fresh += c->observations - before;
	return ok;
}
