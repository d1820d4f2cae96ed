/*
 * sync.c
 *
 * A sync job: its connection, its windows one after the other, its end.
 *
 * Guarantees: done() exactly once and last; when the job fails, what is left
 * of the current window is said to be open with the reason; one timer serves
 * all deadlines and stands still while the job is paused.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sync_internal.h"
#include "text.h"
#include "walk.h"

#define MAX_RECONNECTS 10		/* in one job */

static void on_opened(WsConn *c, void *user);
static void on_message(WsConn *c, void *user, const char *data, size_t len);
static void on_closed(WsConn *c, void *user, NetFailure failure, const char *reason);
static const WsCallbacks ws_callbacks = {on_opened, on_message, on_closed};

uint64_t
sync_now(const Sync *s)
{
	return uv_now(s->timer.loop);
}

bool
sync_slice_over(const Sync *s)
{
	/* however long it took to connect: no job ends without a step */
	return s->slice_end != 0 && s->spoken && sync_now(s) > s->slice_end;
}

void
sync_say(Sync *s, int64_t since, int64_t until, SyncState state, uint64_t held,
		 const char *proof, const char *reason)
{
	SyncNews	news = {since, until, state, SYNC_FETCH, held, proof, reason};

	if (s->at < s->nwindows)
		news.purpose = s->window[s->at].purpose;
	if (since > until)
		return;
	s->spoken = true;
	s->cb.window(s->user, &news);
}

/* Upper end of what may be claimed of a window. */
static int64_t
claim_of(const Sync *s, const SyncWindow *w)
{
	if (w->until != INT64_MAX)
		return w->until;
	return s->started - 1 > w->since ? s->started - 1 : w->since;
}

void
sync_retract(Sync *s, const char *reason)
{
	uint16_t	at = s->at;

	for (uint16_t i = 0; i < at; i++)
	{
		s->at = i;				/* its purpose */
		sync_say(s, s->window[i].since, claim_of(s, &s->window[i]), SYNC_OPEN, 0, "", reason);
	}
	s->at = at;
}

bool
sync_full(const SyncReq *r)
{
	/* a relay may count all of it, whatever we make of it */
	uint32_t	n = r->in_range + r->ignored + r->strays + r->unreadable;

	n += r->s->order == SYNC_ORDER_NONE ? r->above : 0;
	/* only newest first do they come behind all that was asked for */
	n += r->s->order != SYNC_ORDER_NEWEST_FIRST ? r->below : 0;
	return r->received >= r->limit || n >= r->s->max_page || n >= r->s->min_cut;
}

const char *
sync_crowded_out(const SyncReq *r)
{
	uint32_t	below = r->s->order != SYNC_ORDER_NEWEST_FIRST ? r->below : 0;

	if (r->in_range > 0 || r->strays + r->unreadable + below == 0 || !sync_full(r))
		return NULL;
	return below > 0 ? "since_ignored" : r->strays > 0 ? "filter_ignored" : "unreadable_events";
}

void
sync_was_cut(Sync *s, uint32_t size, uint32_t limit)
{
	if (size > 0 && size < limit && size < s->min_cut)
		s->min_cut = size;
}

bool
sync_in_windows(const Sync *s, int64_t t)
{
	for (uint16_t i = 0; i < s->nwindows; i++)
		if ((s->window[i].since == 0 || t >= s->window[i].since) && t <= s->window[i].until)
			return true;
	return false;
}

/* --- the end --- */

void
sync_finish(Sync *s, SyncOutcome outcome, NetFailure failure, const char *reason)
{
	if (s->finished)
		return;
	if (s->walk.active)
		sync_ahead_say(&s->walk);
	s->finished = true;
	/* a word about every second is all that was asked for */
	if (outcome == SYNC_AGAIN && s->retracted && s->at + 1 == s->nwindows)
		outcome = SYNC_OK;
	s->cb.page_end(s->user);
	s->result.outcome = outcome;
	s->result.failure = failure;
	s->result.reason[0] = '\0';
	crawl_text_append(s->result.reason, sizeof(s->result.reason), reason, strlen(reason));
	uv_timer_stop(&s->timer);
	if (s->ws != NULL)
		ws_close(s->ws, NET_OK, "");
}

void
sync_fail(Sync *s, NetFailure failure, const char *reason)
{
	if (s->finished)
		return;
	s->cb.page_end(s->user);
	if (s->tail != NULL)
	{
		/* the windows are handled, and that is what counts */
		sync_finish(s, SYNC_OK, failure, reason);
		return;
	}
	sync_walk_abort(&s->walk, reason);
	sync_neg_abort(s, reason);
	if (!s->begun && s->at < s->nwindows)
		sync_say(s, s->window[s->at].since, claim_of(s, &s->window[s->at]), SYNC_OPEN, 0,
				 "", reason);
	sync_finish(s, SYNC_FAILED, failure, reason);
}

/* A relay that answers, but not this, keeps its connection. */
bool
sync_bear_silence(Sync *s)
{
	return s->refusal.failure == NET_TIMEOUT && s->useful && !s->finished &&
		s->silences++ < SYNC_MAX_SILENCES;
}

void
sync_fail_refused(Sync *s)
{
	if (s->walk.active && s->walk.scatter == NULL && sync_bear_silence(s))
		sync_walk_give_up(&s->walk, "unanswered");
	else
		sync_fail(s, s->refusal.failure, s->refusal.text);
}

/* --- windows --- */

static void
start_window(Sync *s)
{
	const SyncWindow *w = &s->window[s->at];
	int64_t		top = claim_of(s, w);

	s->begun = true;
	if (!sync_neg_start(s, top))
		sync_walk_start(&s->walk, w->since, w->until, top);
}

void
sync_next_window(Sync *s)
{
	if (s->finished)
		return;
	s->at++;
	s->begun = s->retracted = false;
	if (s->at < s->nwindows && sync_slice_over(s))
		sync_finish(s, SYNC_AGAIN, NET_OK, "");
	else if (s->at < s->nwindows)
		start_window(s);
	else if (!sync_tail_start(s))
		sync_finish(s, SYNC_OK, NET_OK, "");
}

/* --- time --- */

static void
on_timer(uv_timer_t *t)
{
	Sync	   *s = t->data;
	uint64_t	now = sync_now(s);

	sync_auth_timeout(s, now);
	if (!s->finished)
		sync_tail_timeout(s, now);
	if (!s->finished)
		sync_req_timeouts(s, now);
	if (!s->finished)
		sync_req_pump(s);
	sync_schedule(s);
}

void
sync_schedule(Sync *s)
{
	uint64_t	next = sync_req_deadline(s);
	uint64_t	now;

	if (s->finished || s->paused)
	{
		uv_timer_stop(&s->timer);
		return;
	}
	if (s->auth.pending && s->auth.deadline < next)
		next = s->auth.deadline;
	if (sync_tail_deadline(s) < next)
		next = sync_tail_deadline(s);
	if (next == UINT64_MAX)
	{
		uv_timer_stop(&s->timer);
		return;
	}
	now = sync_now(s);
	uv_timer_start(&s->timer, on_timer, next > now ? next - now : 0, 0);
}

static void
shift(uint64_t *deadline, uint64_t by)
{
	if (*deadline != 0)
		*deadline += by;
}

void
sync_pause(Sync *s, bool paused)
{
	uint64_t	by;

	if (s->paused == paused)
		return;
	uv_update_time(s->timer.loop);
	s->paused = paused;
	if (paused)
		s->paused_at = sync_now(s);
	by = sync_now(s) - s->paused_at;
	for (SyncReq *r = s->reqs; r != NULL && !paused; r = r->next)
	{
		shift(&r->deadline, by);
		shift(&r->page_deadline, by);
	}
	if (!paused)
		shift(&s->auth.deadline, by);
	if (s->ws != NULL && !s->finished)
		ws_pause(s->ws, paused);
	sync_schedule(s);
}

/* --- the connection --- */

/* A relay that ends connections, but answers in them, is connected to again. */
static bool
reconnect(Sync *s)
{
	if (!s->opened || !s->useful || s->tail != NULL || sync_slice_over(s) ||
		++s->reconnects > MAX_RECONNECTS)
		return false;
	s->opened = s->useful = false;
	memset(&s->auth, 0, sizeof(s->auth));
	s->result.auth = SYNC_AUTH_NOT_ASKED;
	s->bytes_before = s->result.bytes_received;
	s->ws = ws_connect(s->net, &s->url, &ws_callbacks, s);
	if (s->ws == NULL)
		return false;
	ws_set_timeout(s->ws, s->timeout_ms);
	sync_req_disconnected(s);
	return true;
}

static void
on_opened(WsConn *c, void *user)
{
	Sync	   *s = user;

	(void) c;
	if (s->finished)
		return;
	s->opened = true;
	s->result.timings = *ws_timings(c);
	if (s->reconnects > 0)
		sync_req_pump(s);
	else if (s->nwindows > 0)
		start_window(s);
	else if (!sync_tail_start(s))
		sync_finish(s, SYNC_OK, NET_OK, "");
}

static void
on_message(WsConn *c, void *user, const char *data, size_t len)
{
	Sync	   *s = user;
	NostrMessage m;

	if (s->finished)
		return;
	s->result.bytes_received = s->bytes_before + ws_bytes_received(c);
	nostr_buf_reset(&s->scratch);
	nostr_message_parse(data, len, &s->scratch, &m);
	if (m.type == NOSTR_MSG_AUTH)
		sync_auth_challenge(s, m.text, m.text_len);
	else if (m.type == NOSTR_MSG_OK)
		sync_auth_ok(s, &m);
	else if (m.type != NOSTR_MSG_INVALID || m.sub_len > 0)
		sync_answer(s, &m, data, len);
	sync_schedule(s);
}

static void
timer_closed(uv_handle_t *h)
{
	Sync	   *s = h->data;

	s->cb.done(s->user, &s->result);
	sync_walk_free(&s->walk);
	sync_tail_free(s);
	sync_neg_free(s);
	nostr_buf_free(&s->scratch);
	nostr_buf_free(&s->event_scratch);
	nostr_filter_free(&s->filter);
	free(s->kinds_seen);
	free(s->window);
	explicit_bzero(s->seckey, sizeof(s->seckey));
	free(s);
}

static void
on_closed(WsConn *c, void *user, NetFailure failure, const char *reason)
{
	Sync	   *s = user;

	s->result.timings = *ws_timings(c);
	s->result.bytes_received = s->bytes_before + ws_bytes_received(c);
	s->ws = NULL;
	if (!s->finished && (failure == NET_OK || failure == NET_DISCONNECTED ||
						 (failure == NET_TOO_LARGE && sync_neg_oversize(s))) && reconnect(s))
		return;
	if (!s->finished)
	{
		char		text[400] = "";

		if (failure == NET_OK || failure == NET_DISCONNECTED)
			strcpy(text, "disconnected");
		else
			strcpy(text, net_failure_name(failure));
		if (reason != NULL && reason[0] != '\0')
		{
			strcat(text, ": ");
			crawl_text_append(text, sizeof(text), reason, strlen(reason));
		}
		sync_fail(s, failure == NET_OK ? NET_DISCONNECTED : failure, text);
	}
	s->result.max_page = s->max_page;
	uv_timer_stop(&s->timer);
	uv_close((uv_handle_t *) &s->timer, timer_closed);
}

static bool
copy_spec(Sync *s, const SyncSpec *spec)
{
	s->window = calloc((size_t) spec->nwindows + 1, sizeof(SyncWindow));
	s->kinds_seen = calloc(1, NOSTR_MAX_KIND / 8 + 1);
	if (s->window == NULL || s->kinds_seen == NULL ||
		nostr_filter_parse(spec->filter, spec->filter_len, &s->filter, NULL) != NOSTR_FILTER_OK)
		return false;
	if (spec->nwindows > 0)
		memcpy(s->window, spec->window, spec->nwindows * sizeof(SyncWindow));
	s->nwindows = spec->nwindows;
	s->filter.since = INT64_MIN;
	s->filter.until = INT64_MAX;
	s->filter.limit = -1;
	s->started = (int64_t) time(NULL);
	s->page_limit = spec->page_limit > SYNC_SMALL_LIMIT ? spec->page_limit : SYNC_SMALL_LIMIT;
	s->limit = s->page_limit;
	s->min_cut = UINT32_MAX;
	s->known_cap = spec->known_cap;
	if (spec->known_cap >= SYNC_SMALL_LIMIT && spec->known_cap < s->limit)
		s->limit = spec->known_cap;
	s->timeout_ms = spec->timeout_ms > 0 ? spec->timeout_ms :
		net_config(s->net)->network[s->url.network].timeout_ms;
	s->tail_ms = spec->tail_ms;
	s->may_auth = spec->may_auth;
	s->ahead = spec->ahead;
	s->max_message = spec->max_message;
	s->max_subs = spec->max_subs;
	s->negentropy = spec->negentropy;
	s->held = spec->held;
	if (spec->slice_ms > 0)
		s->slice_end = sync_now(s) + spec->slice_ms;
	if (spec->seckey != NULL)
	{
		memcpy(s->seckey, spec->seckey, 32);
		s->has_key = true;
	}
	sync_rate_init(s, spec->max_reqs_per_minute);
	return true;
}

Sync *
sync_start(Net *net, const NostrRelayUrl *url, const SyncSpec *spec,
		   const SyncCallbacks *cb, void *user)
{
	Sync	   *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->net = net;
	s->url = *url;
	s->url.path = s->url.url + (strlen(url->url) - strlen(url->path));
	s->cb = *cb;
	s->user = user;
	s->timer.loop = net_loop(net);
	s->walk.s = s;
	sync_req_init(&s->walk.req, s);
	nostr_buf_init(&s->scratch, NOSTR_EVENT_MAX_SIZE * 2);
	nostr_buf_init(&s->event_scratch, NOSTR_EVENT_MAX_SIZE * 4);
	uv_update_time(net_loop(net));
	if (copy_spec(s, spec))
		s->ws = ws_connect(net, url, &ws_callbacks, s);
	if (s->ws == NULL)
	{
		nostr_filter_free(&s->filter);
		free(s->kinds_seen);
		free(s->window);
		free(s);
		return NULL;
	}
	if (spec->timeout_ms > 0)
		ws_set_timeout(s->ws, spec->timeout_ms);
	uv_timer_init(net_loop(net), &s->timer);
	s->timer.data = s;
	return s;
}

void
sync_cancel(Sync *s)
{
	sync_finish(s, SYNC_CANCELLED, NET_CANCELLED, "cancelled");
}
