/*
 * sync_job.c
 *
 * Guarantees: the relay is read only while both the delivery and the channel
 * have room; RESULT is the job's last frame; an ANSWER or SET for what is over
 * is checked for its form and ignored (the worker may have sent it before it
 * saw RESULT).
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "delivery.h"
#include "fatal.h"
#include "sync_job.h"

struct SyncJob
{
	uint32_t	id;
	Sync	   *sync;			/* NULL once done */
	Delivery   *delivery;
	bool		full;			/* the delivery wants the relay paused */
	bool		all_paused;
	uv_timer_t	reaper;
	void		(*gone) (void *user);
	void	   *user;
};

/* --- what the delivery needs --- */

static NostrBuf *
sink_out(void *user)
{
	(void) user;
	return channel_out();
}

static void
sink_flush(void *user)
{
	(void) user;
	channel_flush();
}

static void
apply_pause(SyncJob *j)
{
	if (j->sync != NULL)
		sync_pause(j->sync, j->full || j->all_paused);
}

static void
sink_pause(void *user, bool paused)
{
	SyncJob    *j = user;

	j->full = paused;
	apply_pause(j);
}

static void
reaper_closed(uv_handle_t *h)
{
	free(h->data);
}

static void
on_reap(uv_timer_t *t)
{
	SyncJob    *j = t->data;

	delivery_free(j->delivery);
	j->gone(j->user);
	uv_close((uv_handle_t *) t, reaper_closed);
}

static void
sink_gone(void *user)
{
	SyncJob    *j = user;

	/* not from inside the delivery */
	uv_timer_start(&j->reaper, on_reap, 0, 0);
}

/* --- what the Sync tells --- */

static void
on_event(void *user, const NostrEvent *ev)
{
	delivery_event(((SyncJob *) user)->delivery, ev);
}

static void
on_rejected(void *user, const char *reason, const uint8_t id[32],
			const char *sample, size_t len)
{
	delivery_rejected(((SyncJob *) user)->delivery, reason, id, sample, len);
}

static void
on_page_end(void *user)
{
	delivery_page_end(((SyncJob *) user)->delivery);
}

static void
on_window(void *user, const SyncNews *w)
{
	delivery_window(((SyncJob *) user)->delivery, w);
}

static void
on_set_request(void *user, uint32_t seq, int64_t since, int64_t until, int64_t below_key)
{
	SyncJob    *j = user;
	NostrBuf   *out = channel_out();
	size_t		mark = wire_begin(out, WIRE_SET_REQUEST, j->id);

	wire_put_u32(out, seq);
	wire_put_u64(out, (uint64_t) since);
	wire_put_u64(out, (uint64_t) until);
	wire_put_u64(out, (uint64_t) below_key);
	wire_end(out, mark);
	channel_flush();
}

static void
on_passed(void *user, const SyncResult *r)
{
	delivery_passed(((SyncJob *) user)->delivery, r);
}

static void
on_done(void *user, const SyncResult *r)
{
	SyncJob    *j = user;

	j->sync = NULL;
	delivery_result(j->delivery, r);
}

/* --- frames --- */

bool
sync_job_read(WireReader *r, SyncSpec *spec, SyncWindow *window)
{
	uint8_t		negentropy;
	uint8_t		flags;

	memset(spec, 0, sizeof(*spec));
	spec->filter = (const char *) wire_get_bytes(r, WIRE_MAX_FILTER, &spec->filter_len);
	spec->slice_ms = wire_get_u32(r);
	spec->tail_ms = wire_get_u32(r);
	spec->timeout_ms = wire_get_u32(r);
	spec->page_limit = wire_get_u32(r);
	spec->known_cap = wire_get_u32(r);
	spec->max_reqs_per_minute = wire_get_u32(r);
	spec->max_message = wire_get_u32(r);
	spec->max_subs = wire_get_u32(r);
	negentropy = wire_get_u8(r);
	flags = wire_get_u8(r);
	spec->held = wire_get_u64(r);
	spec->nwindows = wire_get_u16(r);
	if (negentropy > WIRE_SUPPORT_REFUSED || (flags & ~WIRE_SYNC_AUTH) != 0 ||
		spec->nwindows > WIRE_MAX_WINDOWS)
		return false;
	spec->negentropy = (SyncSupport) negentropy;
	spec->may_auth = (flags & WIRE_SYNC_AUTH) != 0;
	spec->window = window;
	for (uint16_t i = 0; i < spec->nwindows; i++)
	{
		uint8_t		purpose;

		window[i].since = (int64_t) wire_get_u64(r);
		window[i].until = (int64_t) wire_get_u64(r);
		purpose = wire_get_u8(r);
		if (window[i].since > window[i].until || purpose > WIRE_RECHECK)
			return false;
		window[i].purpose = (SyncPurpose) purpose;
	}
	return wire_done(r);
}

static bool
take_answer(SyncJob *j, const WireFrame *f)
{
	WireReader	r;
	uint32_t	seq;
	uint16_t	n;
	const uint8_t *bits;
	size_t		len;

	wire_reader(&r, f);
	seq = wire_get_u32(&r);
	n = wire_get_u16(&r);
	bits = wire_get_bytes(&r, WIRE_MAX_OFFER / 8, &len);
	return wire_done(&r) &&
		(j == NULL || delivery_answer(j->delivery, seq, n, bits, len));
}

static bool
take_set(SyncJob *j, const WireFrame *f)
{
	WireReader	r;
	uint32_t	seq;
	uint8_t		last;
	uint16_t	n;
	SyncHeld   *item;
	bool		ok;

	wire_reader(&r, f);
	seq = wire_get_u32(&r);
	last = wire_get_u8(&r);
	n = wire_get_u16(&r);
	if (r.bad || last > 1 || n > WIRE_MAX_SET)
		return false;
	item = calloc((size_t) n + 1, sizeof(*item));
	if (item == NULL)
		fatal_no_memory();
	for (uint16_t i = 0; i < n; i++)
	{
		const uint8_t *id;

		item[i].key = (int64_t) wire_get_u64(&r);
		item[i].created_at = (int64_t) wire_get_u64(&r);
		id = wire_get_fixed(&r, 32);
		if (id != NULL)
			memcpy(item[i].id, id, 32);
	}
	ok = wire_done(&r) &&
		(j == NULL || j->sync == NULL || sync_set(j->sync, seq, last == 1, item, n));
	free(item);
	return ok;
}

bool
sync_job_frame(SyncJob *job, const WireFrame *f)
{
	return f->type == WIRE_ANSWER ? take_answer(job, f) : take_set(job, f);
}

SyncJob *
sync_job_start(Net *net, uint32_t id, const NostrRelayUrl *url, const SyncSpec *spec,
			   void (*gone) (void *user), void *user)
{
	static const DeliverySink sink = {sink_out, sink_flush, sink_pause, sink_gone};
	static const SyncCallbacks cb = {on_event, on_rejected, on_page_end, on_window,
	on_set_request, on_passed, on_done};
	SyncJob    *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->id = id;
	j->gone = gone;
	j->user = user;
	j->delivery = delivery_new(net_loop(net), id, &sink, j);
	if (j->delivery != NULL)
		j->sync = sync_start(net, url, spec, &cb, j);
	if (j->sync == NULL)
	{
		if (j->delivery != NULL)
			delivery_free(j->delivery);
		free(j);
		return NULL;
	}
	uv_timer_init(net_loop(net), &j->reaper);
	j->reaper.data = j;
	return j;
}

void
sync_job_pause(SyncJob *job, bool paused)
{
	job->all_paused = paused;
	apply_pause(job);
}

void
sync_job_cancel(SyncJob *job)
{
	if (job->sync != NULL)
		sync_cancel(job->sync);
}
