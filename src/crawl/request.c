/*
 * request.c
 *
 * One subscription: sent when its turn comes, and ended in time.
 *
 * Guarantees: every request has its own subscription id; silence and
 * drip-feeding end (each message within the timeout, an answer within
 * SYNC_PAGE_TIMEOUTS of them); end() is called once, from the loop, unless
 * the request was stopped or the job ended.
 */
#include "../nostr/pgfree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sync_internal.h"
#include "text.h"

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
	nostr_filter_free(&r->filter);
}

static void
forget_answer(SyncReq *r)
{
	r->received = r->in_range = r->ordered = r->unreadable = r->above = r->below = 0;
	r->strays = r->rises = r->falls = 0;
	r->first = 0;
	r->ignored = 0;
	r->oldest = SYNC_NO_UNTIL;
	r->newest = SYNC_NO_SINCE;
	r->hint = NOSTR_HINT_NONE;
	r->first_ns = 0;
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

	if (a->bare)
		f = only;
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
	for (uint32_t i = 0; i < a->ntags; i++)
		f.tags[a->tags[i].slot] = (NostrFilterList) {.mem = {.data = (uint8_t *) a->tags[i].value},
		.n = a->tags[i].n,.given = true};
	f.since = a->since == SYNC_NO_SINCE ? INT64_MIN : a->since;
	f.until = a->until < SYNC_NO_UNTIL ? a->until + r->slack : a->until;
	f.limit = a->limit;
	nostr_buf_reset(&r->text);
	nostr_filter_json(&f, &r->text);
	r->narrow = a->nids > 0 || a->nkinds > 0 || a->nauthors > 0 || a->ntags > 0;
	if (!r->narrow)
		return;
	/* the lists are the caller's: a copy */
	nostr_filter_free(&r->filter);
	r->narrow = nostr_filter_parse((char *) r->text.data, r->text.len, &r->filter, NULL) == NOSTR_FILTER_OK;
	r->filter.since = INT64_MIN;
	r->filter.until = INT64_MAX;
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
	r->bare = ask->bare;
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
	r->bare = false;
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

	sync_ahead_off(s);
	for (r = s->reqs; r != NULL; r = r->next)
		if (r->state == SYNC_REQ_SENT && r->received == 0)
			r->state = SYNC_REQ_WAITING;
	do
	{
		for (r = s->reqs; r != NULL && r->state != SYNC_REQ_SENT; r = r->next)
			;
		if (r != NULL)
			sync_req_finish(r, SYNC_END_CLOSED);
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

void
sync_req_finish(SyncReq *r, SyncEnd how)
{
	Sync	   *s = r->s;

	if (how != SYNC_END_REFUSED)
		close_sub(r, how == SYNC_END_EOSE);
	unlink_req(r);
	if (how != SYNC_END_REFUSED && !r->by_id && !r->bare && r->in_range > s->max_page)
		s->max_page = r->in_range;
	if (how == SYNC_END_EOSE)
		s->silences = 0;
	s->cb.page_end(s->user);
	r->end(r, how);
	sync_schedule(s);
}

void
sync_req_refused(SyncReq *r, NetFailure failure, const char *text, size_t len)
{
	Sync	   *s = r->s;

	if (!r->ahead && sync_ahead_under_way(s))
	{
		/* it may be that it was only one too many */
		sync_ahead_off(s);
		sync_req_again(r);
		return;
	}
	s->refusal.failure = failure;
	s->refusal.text[0] = '\0';
	crawl_text_append(s->refusal.text, sizeof(s->refusal.text), text, len);
	sync_req_finish(r, SYNC_END_REFUSED);
}

/* --- time limits --- */

static void
timed_out(SyncReq *r)
{
	Sync	   *s = r->s;
	char		reason[400] = "notice: ";

	if (r->received > 0 || r->eose)
		sync_req_finish(r, SYNC_END_SILENCE);
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
