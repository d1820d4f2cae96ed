/*
 * sync.c
 *
 * The connection of a sync job: requests, answers, time limits.
 *
 * Guarantees: done() exactly once and last; every REQ has an id of its own,
 * and only events under the current one count; silence and drip-feeding end
 * (each message within the network's timeout, a page within ten of them).
 */
#include "../nostr/pgfree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../nostr/message.h"
#include "sync_internal.h"
#include "text.h"

static uint32_t
timeout_ms(const Sync *s)
{
	return net_config(s->net)->network[s->network].timeout_ms;
}

void
sync_finish(Sync *s, SyncOutcome outcome, NetFailure failure, const char *reason)
{
	if (s->finished)
		return;
	s->finished = true;
	s->asking = false;
	s->result.outcome = outcome;
	s->result.failure = failure;
	s->result.reason[0] = '\0';
	crawl_text_append(s->result.reason, sizeof(s->result.reason), reason, strlen(reason));
	uv_timer_stop(&s->timer);
	if (s->ws != NULL)
		ws_close(s->ws, NET_OK, "");
}

/* The job fails: what is left of the window stays open with that reason. */
static void
fail(Sync *s, NetFailure failure, const char *reason)
{
	if (s->finished)
		return;
	s->cb.page_end(s->user);
	if (s->at < s->nwindows)
		page_open(s, reason);
	sync_finish(s, SYNC_FAILED, failure, reason);
}

static NetFailure
refusal_class(const char *prefix)
{
	if (prefix != NULL && strcmp(prefix, "auth-required") == 0)
		return NET_AUTH_REQUIRED;
	if (prefix != NULL && strcmp(prefix, "rate-limited") == 0)
		return NET_RATE_LIMITED;
	return NET_REFUSED;
}

static void
refused(Sync *s, const char *how, const char *text, size_t len)
{
	char		reason[400] = "";
	NetFailure	f = refusal_class(nostr_message_prefix(text, len));

	if (f == NET_AUTH_REQUIRED)
		strcpy(reason, "auth_required");
	else
	{
		strcpy(reason, how);
		crawl_text_append(reason, sizeof(reason), text, len);
	}
	fail(s, f, reason);
}

static void
on_timer(uv_timer_t *t)
{
	Sync	   *s = t->data;

	if (s->notice[0] != '\0')
		refused(s, "notice: ", s->notice, strlen(s->notice));
	else
		fail(s, NET_TIMEOUT, "timeout");
}

static void
arm(Sync *s, uint32_t ms)
{
	uv_update_time(s->timer.loop);
	if (s->asking && !s->paused)
		uv_timer_start(&s->timer, on_timer, ms, 0);
	else
		uv_timer_stop(&s->timer);
}

void
sync_ask(Sync *s, int64_t until, bool confirm)
{
	static uint32_t counter;
	NostrBuf	b;
	uint32_t	limit = confirm ? s->page_limit / 2 + 1 : s->page_limit;

	memset(&s->page, 0, sizeof(s->page));
	s->page.until = until;
	s->page.confirm = confirm;
	s->page.oldest = INT64_MAX;
	s->page.last = INT64_MAX;
	s->notice[0] = '\0';
	snprintf(s->sub, sizeof(s->sub), "s%" PRIu32 "-%x", ++counter,
			 (unsigned) (uv_hrtime() & 0xFFFF));
	nostr_buf_init(&b, WS_MAX_QUEUED);
	nostr_buf_append_str(&b, "[\"REQ\",\"");
	nostr_buf_append_str(&b, s->sub);
	nostr_buf_append_str(&b, "\",{");
	nostr_buf_append_str(&b, s->filter);
	if (s->filter[0] != '\0')
		nostr_buf_append_byte(&b, ',');
	if (s->since != 0 && !confirm)
	{
		nostr_buf_append_str(&b, "\"since\":");
		nostr_buf_append_int(&b, s->since);
		nostr_buf_append_byte(&b, ',');
	}
	if (until != INT64_MAX)
	{
		nostr_buf_append_str(&b, "\"until\":");
		nostr_buf_append_int(&b, until);
		nostr_buf_append_byte(&b, ',');
	}
	nostr_buf_append_str(&b, "\"limit\":");
	nostr_buf_append_int(&b, limit);
	nostr_buf_append_str(&b, "}]");
	s->asking = true;
	s->asked_at = uv_hrtime();
	s->page_deadline = s->asked_at + (uint64_t) timeout_ms(s) * 10 * 1000000;
	s->result.reqs++;
	if (b.failed || !ws_send(s->ws, (char *) b.data, b.len))
		fail(s, NET_RESOURCES, "cannot queue the request");
	else
		arm(s, timeout_ms(s));
	nostr_buf_free(&b);
}

static void
on_opened(WsConn *c, void *user)
{
	Sync	   *s = user;

	(void) c;
	if (s->finished)
		return;
	if (s->nwindows == 0)
		sync_finish(s, SYNC_OK, NET_OK, "");
	else
		page_window_start(s);
}

static void
end_page(Sync *s, const NostrMessage *m)
{
	char		msg[80];
	int			n = snprintf(msg, sizeof(msg), "[\"CLOSE\",\"%s\"]", s->sub);

	s->asking = false;
	ws_send(s->ws, msg, (size_t) n);
	page_eose(s, m->hint == NOSTR_HINT_FINISH);
}

static void
handle(Sync *s, const NostrMessage *m)
{
	static const uint8_t no_id[32];
	bool		ours = s->asking && m->sub != NULL && m->sub_len == strlen(s->sub) &&
		memcmp(m->sub, s->sub, m->sub_len) == 0;

	if (m->type == NOSTR_MSG_EVENT && !ours)
	{
		s->result.events_received++;
		s->cb.rejected(s->user, "wrong_subscription", no_id, m->raw, m->raw_len);
		return;
	}
	if (m->type == NOSTR_MSG_NOTICE && s->asking)
	{
		s->notice[0] = '\0';
		crawl_text_append(s->notice, sizeof(s->notice), m->text, m->text_len);
		/* often the only refusal there is: do not wait long for more */
		if (s->page.received == 0)
			arm(s, timeout_ms(s) < 5000 ? timeout_ms(s) : 5000);
		return;
	}
	if (!ours)
		return;
	if (s->result.first_answer_us == 0)
		s->result.first_answer_us = (uint32_t) ((uv_hrtime() - s->asked_at) / 1000);
	if (m->type == NOSTR_MSG_CLOSED)
	{
		refused(s, "closed: ", m->text != NULL ? m->text : "", m->text_len);
		return;
	}
	if (m->type == NOSTR_MSG_EOSE)
	{
		end_page(s, m);
		return;
	}
	arm(s, timeout_ms(s));
	/* a page is bounded in number too: no relay may send without end */
	if (s->page.received > 10000 && s->page.received > s->page_limit * 4)
		fail(s, NET_RATE, "limit_ignored");
	else if (uv_hrtime() > s->page_deadline)
		fail(s, NET_RATE, "page_too_slow");
	else
		page_event(s, m->raw, m->raw_len);
}

static void
on_message(WsConn *c, void *user, const char *data, size_t len)
{
	Sync	   *s = user;
	NostrMessage m;

	(void) c;
	if (s->finished)
		return;
	nostr_buf_reset(&s->scratch);
	nostr_message_parse(data, len, &s->scratch, &m);
	if (m.type == NOSTR_MSG_EVENT || m.type == NOSTR_MSG_EOSE ||
		m.type == NOSTR_MSG_CLOSED || m.type == NOSTR_MSG_NOTICE)
		handle(s, &m);
}

static void
timer_closed(uv_handle_t *h)
{
	Sync	   *s = h->data;

	s->cb.done(s->user, &s->result);
	nostr_buf_free(&s->scratch);
	nostr_buf_free(&s->event_scratch);
	free(s->boundary);
	free(s->window);
	free(s->filter);
	free(s);
}

static void
on_closed(WsConn *c, void *user, NetFailure failure, const char *reason)
{
	Sync	   *s = user;

	s->result.timings = *ws_timings(c);
	s->result.bytes_received = ws_bytes_received(c);
	s->result.max_page = s->max_page;
	s->ws = NULL;
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
		fail(s, failure == NET_OK ? NET_DISCONNECTED : failure, text);
	}
	uv_timer_stop(&s->timer);
	uv_close((uv_handle_t *) &s->timer, timer_closed);
}

/* Copies what is between the braces; NULL: not an object. */
static char *
filter_members(const char *f, size_t len)
{
	while (len > 0 && strchr(" \t\r\n", f[0]) != NULL)
		f++, len--;
	while (len > 0 && strchr(" \t\r\n", f[len - 1]) != NULL)
		len--;
	if (len < 2 || f[0] != '{' || f[len - 1] != '}' || memchr(f, '\0', len) != NULL)
		return NULL;
	f++, len -= 2;
	while (len > 0 && strchr(" \t\r\n", f[0]) != NULL)
		f++, len--;
	return strndup(f, len);
}

Sync *
sync_start(Net *net, const NostrRelayUrl *url, const SyncSpec *spec,
		   const SyncCallbacks *cb, void *user)
{
	static const WsCallbacks ws_cb = {on_opened, on_message, on_closed};
	Sync	   *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->filter = filter_members(spec->filter, spec->filter_len);
	s->window = calloc((size_t) spec->nwindows + 1, sizeof(SyncWindow));
	s->net = net;
	s->network = url->network;
	s->cb = *cb;
	s->user = user;
	s->page_limit = spec->page_limit > 0 ? spec->page_limit : 1;
	s->nwindows = spec->nwindows;
	if (s->filter != NULL && s->window != NULL)
	{
		if (spec->nwindows > 0)
			memcpy(s->window, spec->window, spec->nwindows * sizeof(SyncWindow));
		s->since = s->nwindows > 0 ? s->window[0].since : 0;
		s->until = s->top = s->nwindows > 0 ? s->window[0].until : 0;
		nostr_buf_init(&s->scratch, NOSTR_EVENT_MAX_SIZE * 2);
		nostr_buf_init(&s->event_scratch, NOSTR_EVENT_MAX_SIZE * 4);
		if (spec->slice_ms > 0)
			s->slice_end = uv_hrtime() + (uint64_t) spec->slice_ms * 1000000;
		s->ws = ws_connect(net, url, &ws_cb, s);
	}
	if (s->ws == NULL)
	{
		free(s->filter);
		free(s->window);
		free(s);
		return NULL;
	}
	uv_timer_init(net_loop(net), &s->timer);
	s->timer.data = s;
	return s;
}

bool
sync_set(Sync *s, uint32_t seq, bool last, const SyncHeld *item, uint32_t n)
{
	(void) s, (void) seq, (void) last, (void) item, (void) n;
	return false;
}

void
sync_pause(Sync *s, bool paused)
{
	if (s->paused == paused)
		return;
	s->paused = paused;
	if (s->ws == NULL || s->finished)
		return;
	ws_pause(s->ws, paused);
	s->page_deadline = uv_hrtime() + (uint64_t) timeout_ms(s) * 10 * 1000000;
	arm(s, timeout_ms(s));
}

void
sync_cancel(Sync *s)
{
	if (s->finished)
		return;
	s->cb.page_end(s->user);
	sync_finish(s, SYNC_CANCELLED, NET_CANCELLED, "cancelled");
}
