/*
 * jobs.c
 *
 * Guarantees: one RESULT per job, its last frame; a number in use is never
 * taken twice; an ANSWER or CANCEL for a job that is over is ignored (the
 * worker may have sent it before it saw RESULT).
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "../crawl/validate.h"
#include "channel.h"
#include "delivery.h"
#include "jobs.h"

typedef struct Job
{
	struct Job *next;
	uint32_t	id;
	Validate   *validate;
	Sync	   *sync;			/* NULL once done */
	Delivery   *delivery;
	bool		full;			/* its delivery wants the relay paused */
	uv_timer_t	reaper;
} Job;

#define BUCKETS 1024

static Net *net;
static Job *table[BUCKETS];
static bool all_paused;

static Job **
find(uint32_t id)
{
	Job		  **p = &table[id % BUCKETS];

	while (*p != NULL && (*p)->id != id)
		p = &(*p)->next;
	return p;
}

static Job *
add(uint32_t id)
{
	Job		   *j = calloc(1, sizeof(*j));

	if (j != NULL)
	{
		j->id = id;
		*find(id) = j;
	}
	return j;
}

static void
drop(Job *j)
{
	*find(j->id) = j->next;
	free(j);
}

static void
plain_result(uint32_t id, WireOutcome outcome, const char *class, const char *reason,
			 const ValidateResult *v)
{
	static const ValidateResult none;
	NostrBuf   *out = channel_out();
	size_t		mark = wire_begin(out, WIRE_RESULT, id);

	if (v == NULL)
		v = &none;
	wire_put_u8(out, (uint8_t) outcome);
	wire_put_str(out, class);
	wire_put_str(out, reason);
	wire_put_u32(out, v->timings.dns);
	wire_put_u32(out, v->timings.tcp);
	wire_put_u32(out, v->timings.tls);
	wire_put_u32(out, v->timings.upgrade);
	wire_put_u32(out, v->first_answer_us);
	wire_put_u64(out, 0);
	wire_put_u64(out, v->bytes_received);
	wire_put_u32(out, v->timings.upgrade > 0 ? 1 : 0);
	wire_end(out, mark);
	channel_flush();
}

static void
on_validated(void *user, const ValidateResult *r)
{
	Job		   *j = user;
	WireOutcome o = r->is_relay ? WIRE_OUTCOME_OK :
		r->failure == NET_CANCELLED ? WIRE_OUTCOME_CANCELLED : WIRE_OUTCOME_FAILED;

	plain_result(j->id, o, net_failure_name(r->failure), r->reason, r);
	drop(j);
}

/* --- sync: between the Sync and its Delivery --- */

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
apply_pause(Job *j)
{
	if (j->sync != NULL)
		sync_pause(j->sync, j->full || all_paused);
}

static void
sink_pause(void *user, bool paused)
{
	Job		   *j = user;

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
	Job		   *j = t->data;

	*find(j->id) = j->next;
	delivery_free(j->delivery);
	uv_close((uv_handle_t *) t, reaper_closed);
}

static void
sink_gone(void *user)
{
	Job		   *j = user;

	/* not from inside the delivery */
	uv_timer_start(&j->reaper, on_reap, 0, 0);
}

static void
on_event(void *user, const NostrEvent *ev)
{
	delivery_event(((Job *) user)->delivery, ev);
}

static void
on_rejected(void *user, const char *reason, const uint8_t id[32],
			const char *sample, size_t len)
{
	delivery_rejected(((Job *) user)->delivery, reason, id, sample, len);
}

static void
on_page_end(void *user)
{
	delivery_page_end(((Job *) user)->delivery);
}

static void
on_window(void *user, int64_t since, int64_t until, SyncState state,
		  const char *proof, const char *reason)
{
	delivery_window(((Job *) user)->delivery, since, until, state, proof, reason);
}

static void
on_sync_done(void *user, const SyncResult *r)
{
	Job		   *j = user;

	j->sync = NULL;
	delivery_result(j->delivery, r);
}

static bool
read_url(WireReader *r, NostrRelayUrl *url, const char **bad)
{
	size_t		n;
	const uint8_t *p = wire_get_bytes(r, WIRE_MAX_URL, &n);
	NostrUrlReject why;

	*bad = NULL;
	if (p == NULL)
		return false;
	why = nostr_relay_url_parse((const char *) p, n, net_config(net)->allow.n > 0, url);
	if (why != NOSTR_URL_OK)
		*bad = nostr_url_reject_text(why);
	return true;
}

static bool
start_validate(const WireFrame *f)
{
	WireReader	r;
	NostrRelayUrl url;
	const char *bad;
	Job		   *j;

	wire_reader(&r, f);
	if (!read_url(&r, &url, &bad) || !wire_done(&r))
		return false;
	if (bad != NULL)
	{
		plain_result(f->job, WIRE_OUTCOME_FAILED,
					 net_failure_name(NET_ADDRESS_REFUSED), bad, NULL);
		return true;
	}
	j = add(f->job);
	if (j != NULL)
		j->validate = validate_start(net, &url, on_validated, j);
	if (j == NULL || j->validate == NULL)
	{
		if (j != NULL)
			drop(j);
		plain_result(f->job, WIRE_OUTCOME_FAILED, net_failure_name(NET_RESOURCES),
					 "out of memory", NULL);
	}
	return true;
}

static void
run_sync(uint32_t id, const NostrRelayUrl *url, const SyncSpec *spec)
{
	static const DeliverySink sink = {sink_out, sink_flush, sink_pause, sink_gone};
	static const SyncCallbacks cb = {on_event, on_rejected, on_page_end, on_window,
	on_sync_done};
	Job		   *j = add(id);

	if (j != NULL)
		j->delivery = delivery_new(id, &sink, j);
	if (j != NULL && j->delivery != NULL)
		j->sync = sync_start(net, url, spec, &cb, j);
	if (j != NULL && j->sync != NULL)
	{
		uv_timer_init(uv_default_loop(), &j->reaper);
		j->reaper.data = j;
		apply_pause(j);
		return;
	}
	if (j != NULL && j->delivery != NULL)
		delivery_free(j->delivery);
	if (j != NULL)
		drop(j);
	plain_result(id, WIRE_OUTCOME_FAILED, net_failure_name(NET_RESOURCES),
				 "out of memory, or the filter is not an object", NULL);
}

static bool
start_sync(const WireFrame *f)
{
	SyncWindow	w[WIRE_MAX_WINDOWS];
	WireReader	r;
	NostrRelayUrl url;
	SyncSpec	spec = {0};
	const char *bad;

	wire_reader(&r, f);
	if (!read_url(&r, &url, &bad))
		return false;
	spec.filter = (const char *) wire_get_bytes(&r, WIRE_MAX_FILTER, &spec.filter_len);
	spec.slice_ms = wire_get_u32(&r);
	spec.page_limit = wire_get_u32(&r);
	spec.nwindows = wire_get_u16(&r);
	if (spec.nwindows > WIRE_MAX_WINDOWS)
		return false;
	for (uint16_t i = 0; i < spec.nwindows; i++)
	{
		w[i].since = (int64_t) wire_get_u64(&r);
		w[i].until = (int64_t) wire_get_u64(&r);
		if (w[i].since > w[i].until)
			return false;
	}
	if (!wire_done(&r))
		return false;
	spec.window = w;
	if (bad != NULL)
		plain_result(f->job, WIRE_OUTCOME_FAILED,
					 net_failure_name(NET_ADDRESS_REFUSED), bad, NULL);
	else
		run_sync(f->job, &url, &spec);
	return true;
}

static bool
take_answer(const WireFrame *f, Job *j)
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
	if (!wire_done(&r))
		return false;
	if (j == NULL || j->delivery == NULL)
		return true;
	return delivery_answer(j->delivery, seq, n, bits, len);
}

void
jobs_open(Net *n)
{
	net = n;
}

bool
jobs_frame(const WireFrame *f, const char **why)
{
	Job		   *j = *find(f->job);

	switch (f->type)
	{
		case WIRE_VALIDATE:
			*why = "malformed VALIDATE";
			return f->job != 0 && j == NULL && start_validate(f);
		case WIRE_SYNC:
			*why = "malformed SYNC";
			return f->job != 0 && j == NULL && start_sync(f);
		case WIRE_ANSWER:
			*why = "malformed ANSWER";
			return take_answer(f, j);
		case WIRE_CANCEL:
			*why = "malformed CANCEL";
			if (f->len == 0 && j != NULL && j->validate != NULL)
				validate_cancel(j->validate);
			else if (f->len == 0 && j != NULL && j->sync != NULL)
				sync_cancel(j->sync);
			return f->len == 0;
		default:
			*why = "unknown frame";
			return false;
	}
}

void
jobs_pause_all(bool paused)
{
	all_paused = paused;
	for (int i = 0; i < BUCKETS; i++)
		for (Job *j = table[i]; j != NULL; j = j->next)
			apply_pause(j);
}
