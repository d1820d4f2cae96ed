/*
 * answer.c
 *
 * Handles a relay's answer to a request.
 *
 * Guarantees: only events under the request's subscription id, within its
 * bounds and matching its filter reach the owner of the request; everything
 * else is counted and reported as refused.
 */
#include "../nostr/pgfree.h"

#include <string.h>

#include "sync_internal.h"
#include "text.h"

#define NOTICE_WAIT_MS 5000		/* for an answer after a NOTICE */
#define QUIET_MS		300		/* ends an answer whose EOSE says nothing */

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
	uint32_t	n = r->in_range + r->strays;

	for (uint32_t i = 0; i < SYNC_RECENT && i < n; i++)
		if (memcmp(r->recent[i], id, 16) == 0)
			return true;
	memcpy(r->recent[n % SYNC_RECENT], id, 16);
	return false;
}

/* Not what was asked for: it tells nothing of the order, but takes a place in
 * the answer.  The job may want it all the same. */
static bool
take_stray(SyncReq *r, const NostrEvent *ev, const char *json, size_t len)
{
	Sync	   *s = r->s;
	bool		wanted = nostr_filter_match(&s->filter, ev);

	if (wanted && !(r->narrow && !nostr_filter_match(&r->filter, ev)))
		return false;
	if (!came_twice(r, ev->id))
		r->strays++;
	if (!wanted)
		s->cb.rejected(s->user, "outside_filter", ev->id, json, len);
	else if (sync_in_windows(s, ev->created_at))
		s->cb.event(s->user, ev);
	return true;
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
	{
		r->ignored++;			/* we asked for a second more than we want */
		return;
	}
	if (ev.created_at > r->until || ev.created_at < r->since)
	{
		if (r->received == 1)
			r->first = ev.created_at > r->until ? 1 : ev.created_at < r->since ? -1 : 0;
		r->above += ev.created_at > r->until;
		r->below += ev.created_at < r->since;
		if (valid)
			s->cb.rejected(s->user, "outside_filter", ev.id, json, len);
		return;
	}
	if (r->bare)
	{
		r->in_range += !came_twice(r, ev.id);
		return;
	}
	if (valid && take_stray(r, &ev, json, len))
		return;
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
	if (s->walk.active)
		sync_walk_restart(&s->walk, "events_after_eose");
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

	if (r->ahead && r->received == 0)
	{
		sync_req_refused(r, f, text, len);
		return;
	}
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
			sync_req_finish(r, SYNC_END_CLOSED);
		return;
	}
	crawl_text_append(reason, sizeof(reason), text, len);
	if (r->received > 0)
		sync_req_finish(r, SYNC_END_CLOSED);
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

	sync_ahead_off(s);
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

	if (r->first_ns == 0)
		r->first_ns = uv_hrtime();
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
			sync_req_finish(r, SYNC_END_EOSE);
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

/* An EVENT that breaks off: all that is known of it is whose answer it was in. */
static void
broken_event(SyncReq *r, const char *data, size_t len)
{
	static const uint8_t no_id[32];
	Sync	   *s = r->s;

	r->received++;
	r->unreadable++;
	r->deadline = sync_now(s) + s->timeout_ms;
	s->result.events_received++;
	s->cb.rejected(s->user, nostr_reject_name(NOSTR_BAD_JSON), no_id, data, len);
}

void
sync_answer(Sync *s, const NostrMessage *m, const char *data, size_t len)
{
	SyncReq    *r;

	if (m->type == NOSTR_MSG_NOTICE)
	{
		take_notice(s, m);
		return;
	}
	r = find_req(s, m);
	if (m->type == NOSTR_MSG_INVALID)
	{
		if (r != NULL && r->message == NULL)
			broken_event(r, data, len);
	}
	else if (r != NULL && r->message != NULL)
		r->message(r, m);
	else if (r != NULL && (m->type == NOSTR_MSG_EVENT || m->type == NOSTR_MSG_EOSE ||
						   m->type == NOSTR_MSG_CLOSED))
		take_own(r, m);
	else if (m->type == NOSTR_MSG_EVENT)
		late_event(s, m);
}
