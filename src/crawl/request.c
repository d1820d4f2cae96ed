/*
 * request.c
 *
 * One subscription and its answer.
 *
 * Guarantees: every request has an id of its own, and only events under it,
 * inside the bounds that were asked and fitting the filter, reach its owner;
 * silence and drip-feeding end (each message within the timeout, an answer
 * within SYNC_PAGE_TIMEOUTS of them); end() comes once, from the loop, unless
 * the request was stopped or the job ended.
 */
#include "../nostr/pgfree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sync_internal.h"
#include "text.h"

#define NOTICE_WAIT_MS 5000		/* for an answer after a NOTICE */
#define QUIET_MS		300		/* ends an answer whose EOSE says nothing */

static void finish_req(SyncReq *r, SyncEnd how);

void
sync_req_init(SyncReq *r, Sync *s)
{
	memset(r, 0, sizeof(*r));
	r->s = s;
	nostr_buf_init(&r->text, WS_MAX_QUEUED);
}

void
sync_req_free(SyncReq *r)
{
	nostr_buf_free(&r->text);
}

static void
forget_answer(SyncReq *r)
{
	r->received = r->in_range = r->ordered = r->unreadable = r->above = r->below = 0;
	r->rises = r->falls = 0;
	r->first = 0;
	r->oldest = SYNC_NO_UNTIL;
	r->newest = SYNC_NO_SINCE;
	r->hint = NOSTR_HINT_NONE;
	r->eose = false;
}

static void
unlink_req(SyncReq *r)
{
	SyncReq   **p = &r->s->reqs;

	while (*p != NULL && *p != r)
		p = &(*p)->next;
	if (*p != NULL)
		*p = r->next;
	r->next = NULL;
	r->state = SYNC_REQ_IDLE;
}

/* Ends the subscription at the relay; late events for it are still welcome. */
static void
close_sub(SyncReq *r, bool by_eose)
{
	Sync	   *s = r->s;
	char		msg[80];
	int			n = snprintf(msg, sizeof(msg), "[\"CLOSE\",\"%s\"]", r->sub);

	/* a conversation has its own end */
	if (r->state != SYNC_REQ_SENT || r->compose != NULL)
		return;
	if (s->ws != NULL)
		ws_send(s->ws, msg, (size_t) n);
	memcpy(s->old_sub[s->next_old].sub, r->sub, sizeof(r->sub));
	s->old_sub[s->next_old].since = r->since;
	s->old_sub[s->next_old].until = r->until;
	s->old_sub[s->next_old].by_eose = by_eose;
	s->next_old = (s->next_old + 1) % SYNC_OLD_SUBS;
}

static void
put_filter(SyncReq *r, const SyncAsk *a)
{
	NostrFilter f = r->s->filter;
	NostrFilter only = {.since = INT64_MIN,.until = INT64_MAX};

	if (a->nids > 0)
	{
		f = only;
		f.ids = (NostrFilterList) {.mem = {.data = (uint8_t *) a->ids,.len = a->nids * 32ul},
		.n = a->nids,.given = true};
	}
	if (a->nkinds > 0)
		f.kinds = (NostrFilterList) {.mem = {.data = (uint8_t *) a->kinds,.len = a->nkinds * 2ul},
		.n = a->nkinds,.given = true};
	if (a->nauthors > 0)
		f.authors = (NostrFilterList) {.mem = {.data = (uint8_t *) a->authors,.len = a->nauthors * 32ul},
		.n = a->nauthors,.given = true};
	f.since = a->since == SYNC_NO_SINCE ? INT64_MIN : a->since;
	f.until = a->until < SYNC_NO_UNTIL ? a->until + r->slack : a->until;
	f.limit = a->limit;
	nostr_buf_reset(&r->text);
	nostr_filter_json(&f, &r->text);
}

static void
begin(SyncReq *r)
{
	Sync	   *s = r->s;
	SyncReq   **p = &s->reqs;

	if (s->finished)
		return;
	r->retried = false;
	r->state = SYNC_REQ_WAITING;
	r->next = NULL;
	while (*p != NULL)
		p = &(*p)->next;
	*p = r;
	sync_req_pump(s);
}

void
sync_ask(SyncReq *r, const SyncAsk *ask,
		 void (*event) (SyncReq *, const NostrEvent *, bool),
		 void (*end) (SyncReq *, SyncEnd))
{
	r->event = event;
	r->end = end;
	r->compose = NULL;
	r->message = NULL;
	r->live = false;
	r->since = ask->since;
	r->until = ask->until;
	r->by_id = ask->nids > 0;
	r->slack = ask->slack > r->s->until_slack ? ask->slack : r->s->until_slack;
	r->limit = ask->limit;
	put_filter(r, ask);
	begin(r);
}

void
sync_req_conversation(SyncReq *r, void (*compose) (SyncReq *, NostrBuf *),
					  void (*message) (SyncReq *, const NostrMessage *),
					  void (*end) (SyncReq *, SyncEnd))
{
	r->event = NULL;
	r->end = end;
	r->compose = compose;
	r->message = message;
	r->live = false;
	r->by_id = true;
	begin(r);
}

void
sync_req_stop(SyncReq *r)
{
	if (r->state == SYNC_REQ_IDLE)
		return;
	close_sub(r, false);
	unlink_req(r);
}

/* The connection is gone: what had an answer ends, the rest waits for the next. */
void
sync_req_disconnected(Sync *s)
{
	SyncReq    *r;

	for (r = s->reqs; r != NULL; r = r->next)
		if (r->state == SYNC_REQ_SENT && r->received == 0)
			r->state = SYNC_REQ_WAITING;
	do
	{
		for (r = s->reqs; r != NULL && r->state != SYNC_REQ_SENT; r = r->next)
			;
		if (r != NULL)
			finish_req(r, SYNC_END_CLOSED);
	} while (r != NULL && !s->finished);
}

void
sync_req_again(SyncReq *r)
{
	close_sub(r, false);
	r->state = SYNC_REQ_WAITING;
	sync_schedule(r->s);
}

static void
send_req(SyncReq *r)
{
	static uint32_t counter;
	Sync	   *s = r->s;
	NostrBuf	b;

	forget_answer(r);
	s->notice[0] = '\0';
	snprintf(r->sub, sizeof(r->sub), "s%" PRIu32 "-%x", ++counter,
			 (unsigned) (uv_hrtime() & 0xFFFF));
	nostr_buf_init(&b, WS_MAX_QUEUED);
	if (r->compose != NULL)
		r->compose(r, &b);
	else
	{
		nostr_buf_append_str(&b, "[\"REQ\",\"");
		nostr_buf_append_str(&b, r->sub);
		nostr_buf_append_str(&b, "\",");
		nostr_buf_append(&b, r->text.data, r->text.len);
		nostr_buf_append_byte(&b, ']');
	}
	r->state = SYNC_REQ_SENT;
	r->asked_ns = uv_hrtime();
	r->deadline = sync_now(s) + s->timeout_ms;
	r->page_deadline = sync_now(s) + (uint64_t) s->timeout_ms * SYNC_PAGE_TIMEOUTS;
	s->result.reqs++;
	sync_rate_sent(s);
	if (b.failed || r->text.failed || !ws_send(s->ws, (char *) b.data, b.len))
		sync_fail(s, NET_RESOURCES, "cannot queue the request");
	nostr_buf_free(&b);
}

/* Sends what waits and may go. */
void
sync_req_pump(Sync *s)
{
	for (SyncReq *r = s->reqs; r != NULL && !s->finished; r = r->next)
	{
		if (r->state != SYNC_REQ_WAITING)
			continue;
		if (!s->opened || s->auth.pending || sync_rate_next(s) > sync_now(s))
			break;
		send_req(r);
	}
	sync_schedule(s);
}

static void
finish_req(SyncReq *r, SyncEnd how)
{
	Sync	   *s = r->s;

	if (how != SYNC_END_REFUSED)
		close_sub(r, how == SYNC_END_EOSE);
	unlink_req(r);
	if (how != SYNC_END_REFUSED && !r->by_id && r->in_range > s->max_page)
		s->max_page = r->in_range;
	s->cb.page_end(s->user);
	r->end(r, how);
	sync_schedule(s);
}

void
sync_req_refused(SyncReq *r, NetFailure failure, const char *text, size_t len)
{
	Sync	   *s = r->s;

	s->refusal.failure = failure;
	s->refusal.text[0] = '\0';
	crawl_text_append(s->refusal.text, sizeof(s->refusal.text), text, len);
	finish_req(r, SYNC_END_REFUSED);
}

void
sync_req_end(SyncReq *r)
{
	finish_req(r, SYNC_END_EOSE);
}

/* --- answers --- */

static void
track_order(SyncReq *r, int64_t t)
{
	/* what is published while we read has no place in the order */
	if (r->until == SYNC_NO_UNTIL && t >= r->s->started - 60)
		return;
	if (r->ordered++ > 0)
	{
		r->rises += t > r->last;
		r->falls += t < r->last;
	}
	r->last = t;
}

/* Among the last few; r counts no event twice that is repeated at once. */
static bool
came_twice(SyncReq *r, const uint8_t id[32])
{
	for (uint32_t i = 0; i < SYNC_RECENT && i < r->in_range; i++)
		if (memcmp(r->recent[i], id, 16) == 0)
			return true;
	memcpy(r->recent[r->in_range % SYNC_RECENT], id, 16);
	return false;
}

static void
take_event(SyncReq *r, const char *json, size_t len)
{
	Sync	   *s = r->s;
	NostrEvent	ev;
	NostrReject why;
	bool		valid;

	r->received++;
	s->useful = true;
	s->result.events_received++;
	nostr_buf_reset(&s->event_scratch);
	why = nostr_event_parse(json, len, &s->event_scratch, &ev, NULL);
	valid = why == NOSTR_OK;
	if (valid && ev.created_at < SYNC_NO_SINCE)
		ev.created_at = SYNC_NO_SINCE;
	if (!valid)
	{
		s->cb.rejected(s->user, nostr_reject_name(why), ev.id, json, len);
		if (why != NOSTR_ID_MISMATCH)
		{
			r->unreadable++;
			return;
		}
	}
	if (r->until < SYNC_NO_UNTIL && ev.created_at > r->until &&
		ev.created_at - r->slack <= r->until)
		return;					/* we asked for a second more than we want */
	if (ev.created_at > r->until || ev.created_at < r->since ||
		(valid && !nostr_filter_match(&s->filter, &ev)))
	{
		if (r->received == 1)
			r->first = ev.created_at > r->until ? 1 : ev.created_at < r->since ? -1 : 0;
		r->above += ev.created_at > r->until;
		r->below += ev.created_at < r->since;
		if (valid)
			s->cb.rejected(s->user, "outside_filter", ev.id, json, len);
		return;
	}
	if (!came_twice(r, ev.id))
		r->in_range++;
	track_order(r, ev.created_at);
	if (ev.created_at < r->oldest)
		r->oldest = ev.created_at;
	if (ev.created_at > r->newest)
		r->newest = ev.created_at;
	sync_kind_seen(s, ev.kind);
	if (valid)
	{
		s->any_known = true;
		memcpy(s->known_id, ev.id, 32);
	}
	r->event(r, &ev, valid);
}

/* Its EOSE says nothing, then: from now on answers end with silence. */
static void
events_after_eose(Sync *s)
{
	if (s->eose_untrusted)
		return;
	s->eose_untrusted = true;
	for (int i = 0; i < SYNC_LANES; i++)
		if (s->walk[i].active)
			sync_walk_restart(&s->walk[i], "events_after_eose");
}

/* After CLOSE a relay may still send what it had on the way. */
static void
late_event(Sync *s, const NostrMessage *m)
{
	static const uint8_t no_id[32];
	NostrEvent	ev;

	s->result.events_received++;
	for (int i = 0; i < SYNC_OLD_SUBS; i++)
	{
		if (strlen(s->old_sub[i].sub) != m->sub_len ||
			memcmp(s->old_sub[i].sub, m->sub, m->sub_len) != 0)
			continue;
		nostr_buf_reset(&s->event_scratch);
		if (nostr_event_parse(m->raw, m->raw_len, &s->event_scratch, &ev, NULL) == NOSTR_OK &&
			ev.created_at >= s->old_sub[i].since && ev.created_at <= s->old_sub[i].until &&
			sync_in_windows(s, ev.created_at) && nostr_filter_match(&s->filter, &ev))
		{
			s->cb.event(s->user, &ev);
			if (s->old_sub[i].by_eose && ev.created_at < s->started - 60)
				events_after_eose(s);
			return;
		}
	}
	s->cb.rejected(s->user, "wrong_subscription", no_id, m->raw, m->raw_len);
}

static void
take_closed(SyncReq *r, const char *text, size_t len)
{
	NetFailure	f = sync_refusal_class(text, len);
	char		reason[400] = "closed: ";

	if (f == NET_AUTH_REQUIRED)
	{
		sync_auth_needed(r, text, len);
		return;
	}
	if (f == NET_RATE_LIMITED)
	{
		if (!sync_rate_limited(r->s, text, len))
			return;
		if (r->received == 0)
			sync_req_again(r);
		else
			finish_req(r, SYNC_END_CLOSED);
		return;
	}
	crawl_text_append(reason, sizeof(reason), text, len);
	if (r->received > 0)
		finish_req(r, SYNC_END_CLOSED);
	else
		sync_req_refused(r, f, reason, strlen(reason));
}

/* Names no subscription: speaks for the oldest one that has no answer. */
static void
take_notice(Sync *s, const NostrMessage *m)
{
	SyncReq    *r = s->reqs;
	NetFailure	f = sync_refusal_class(m->text, m->text_len);
	uint64_t	wait = sync_now(s) + (s->timeout_ms < NOTICE_WAIT_MS ? s->timeout_ms : NOTICE_WAIT_MS);

	while (r != NULL && !(r->state == SYNC_REQ_SENT && r->received == 0 && !r->live))
		r = r->next;
	if (r == NULL)
		return;
	if (r->message != NULL)
	{
		r->message(r, m);
		return;
	}
	if (f == NET_AUTH_REQUIRED || f == NET_RATE_LIMITED)
	{
		take_closed(r, m->text, m->text_len);
		return;
	}
	/* often the only refusal there is: do not wait long for more */
	s->notice[0] = '\0';
	crawl_text_append(s->notice, sizeof(s->notice), m->text, m->text_len);
	if (r->deadline > wait)
		r->deadline = wait;
	sync_schedule(s);
}

static SyncReq *
find_req(Sync *s, const NostrMessage *m)
{
	SyncReq    *r = s->reqs;

	while (r != NULL && !(r->state == SYNC_REQ_SENT && strlen(r->sub) == m->sub_len &&
						  memcmp(r->sub, m->sub, m->sub_len) == 0))
		r = r->next;
	return r;
}

/* Events after EOSE come at once or not at all. */
static void
quiet_soon(SyncReq *r)
{
	Sync	   *s = r->s;
	uint32_t	ms = s->timeout_ms / 10 < QUIET_MS ? s->timeout_ms / 10 : QUIET_MS;

	if (s->eose_untrusted && r->eose && r->deadline > sync_now(s) + ms)
		r->deadline = sync_now(s) + ms;
}

static void
take_own(SyncReq *r, const NostrMessage *m)
{
	Sync	   *s = r->s;

	if (s->result.first_answer_us == 0)
		s->result.first_answer_us = (uint32_t) ((uv_hrtime() - r->asked_ns) / 1000);
	if (m->type == NOSTR_MSG_CLOSED)
		take_closed(r, m->text != NULL ? m->text : "", m->text_len);
	else if (m->type == NOSTR_MSG_EOSE)
	{
		sync_rate_granted(s);
		s->useful = true;
		r->hint = s->hints_untrusted ? NOSTR_HINT_NONE : m->hint;
		r->eose = true;
		quiet_soon(r);
		if (!r->live && !s->eose_untrusted)
			finish_req(r, SYNC_END_EOSE);
	}
	else
	{
		r->deadline = sync_now(s) + s->timeout_ms;
		quiet_soon(r);
		/* an answer is bounded in number too: no relay may send without end */
		if (!r->live && r->received > SYNC_MAX_FLOOD && r->received > r->limit * 4)
			sync_fail(s, NET_RATE, "limit_ignored");
		else
			take_event(r, m->raw, m->raw_len);
	}
}

void
sync_req_message(Sync *s, const NostrMessage *m)
{
	SyncReq    *r;

	if (m->type == NOSTR_MSG_NOTICE)
	{
		take_notice(s, m);
		return;
	}
	r = find_req(s, m);
	if (r != NULL && r->message != NULL)
		r->message(r, m);
	else if (r != NULL && (m->type == NOSTR_MSG_EVENT || m->type == NOSTR_MSG_EOSE ||
						   m->type == NOSTR_MSG_CLOSED))
		take_own(r, m);
	else if (m->type == NOSTR_MSG_EVENT)
		late_event(s, m);
}

/* --- time limits --- */

static void
timed_out(SyncReq *r)
{
	Sync	   *s = r->s;
	char		reason[400] = "notice: ";

	if (r->received > 0 || r->eose)
		finish_req(r, SYNC_END_SILENCE);
	else if (s->notice[0] != '\0')
	{
		strcat(reason, s->notice);
		sync_req_refused(r, NET_REFUSED, reason, strlen(reason));
	}
	else
		sync_req_refused(r, NET_TIMEOUT, "timeout", 7);
}

void
sync_req_timeouts(Sync *s, uint64_t now)
{
	for (SyncReq *r = s->reqs; r != NULL && !s->finished; r = r->next)
	{
		if (r->state != SYNC_REQ_SENT || r->live ||
			(now < r->deadline && now < r->page_deadline))
			continue;
		timed_out(r);			/* the list may be another one now */
		return;
	}
}

uint64_t
sync_req_deadline(const Sync *s)
{
	uint64_t	first = UINT64_MAX;

	for (const SyncReq *r = s->reqs; r != NULL; r = r->next)
	{
		uint64_t	d = r->deadline < r->page_deadline ? r->deadline : r->page_deadline;

		if (r->state == SYNC_REQ_WAITING)
			d = s->auth.pending || !s->opened ? UINT64_MAX : sync_rate_next(s);
		else if (r->live)
			d = UINT64_MAX;
		if (d < first)
			first = d;
	}
	return first;
}
