/*
 * page.c
 *
 * Paging through one window and judging what an answer proves.
 *
 * Guarantees: every step asks for an older second, finds something new, or
 * ends the window, so paging ends; COMPLETE is only said after NIP-67's
 * finish, or after an empty page that a differently cut query confirmed; a
 * second that may be denser than the relay's cap is never claimed.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sync_internal.h"


static void
say(Sync *s, int64_t since, int64_t until, SyncState state,
	const char *proof, const char *reason)
{
	SyncNews	news = {since, until, state, SYNC_FETCH, 0, proof, reason};

	if (s->at < s->nwindows)
		news.purpose = s->window[s->at].purpose;
	if (since <= until)
		s->cb.window(s->user, &news);
}

void
page_open(Sync *s, const char *reason)
{
	int64_t		until = s->until < s->top ? s->until : s->top;

	say(s, s->since, until, SYNC_OPEN, "", reason);
}

void
page_window_start(Sync *s)
{
	const SyncWindow *w = &s->window[s->at];

	s->since = w->since;
	s->until = w->until;
	s->top = w->until;
	if (s->top == INT64_MAX)
	{
		s->top = (int64_t) time(NULL) - 1;
		if (s->top < s->since)
			s->top = s->since;
	}
	s->nsegments = 0;
	s->nboundary = 0;
	s->boundary_full = false;
	s->boundary_at = INT64_MAX;
	sync_ask(s, s->until, false);
}

static void
next_window(Sync *s)
{
	s->at++;
	if (s->at >= s->nwindows)
		sync_finish(s, SYNC_OK, NET_OK, "");
	else if (s->slice_end != 0 && uv_hrtime() > s->slice_end)
		sync_finish(s, SYNC_AGAIN, NET_OK, "");
	else
		page_window_start(s);
}

static void
give_up(Sync *s, const char *reason)
{
	page_open(s, reason);
	next_window(s);
}

static void
complete(Sync *s, const char *proof)
{
	for (int i = 0; i < s->nsegments; i++)
		say(s, s->segment[i].since, s->segment[i].until, SYNC_COMPLETE, proof, "");
	say(s, s->since, s->top, SYNC_COMPLETE, proof, "");
	next_window(s);
}

/* True when the id was already seen in the boundary second; remembers it. */
static bool
boundary_seen(Sync *s, const NostrEvent *ev)
{
	if (s->boundary_at < ev->created_at)
		return false;
	if (s->boundary_at > ev->created_at)
	{
		s->boundary_at = ev->created_at;
		s->nboundary = 0;
		s->boundary_full = false;
	}
	for (uint32_t i = s->nboundary; i-- > 0;)
	{
		if (memcmp(s->boundary[i], ev->id, 32) == 0)
			return true;
	}
	if (s->nboundary == s->boundary_cap)
	{
		uint32_t	cap = s->boundary_cap ? s->boundary_cap * 2 : 64;
		void	   *p = cap <= SYNC_MAX_BOUNDARY * 2 ?
			realloc(s->boundary, (size_t) cap * 32) : NULL;

		if (p == NULL)
		{
			s->boundary_full = true;
			return false;
		}
		s->boundary = p;
		s->boundary_cap = cap;
	}
	memcpy(s->boundary[s->nboundary++], ev->id, 32);
	return false;
}

void
page_event(Sync *s, const char *json, size_t len)
{
	SyncPage   *p = &s->page;
	NostrEvent	ev;
	NostrReject why;

	p->received++;
	s->result.events_received++;
	nostr_buf_reset(&s->event_scratch);
	why = nostr_event_parse(json, len, &s->event_scratch, &ev, NULL);
	if (why != NOSTR_OK)
	{
		p->unreadable++;
		s->cb.rejected(s->user, nostr_reject_name(why), ev.id, json, len);
		return;
	}
	if (ev.created_at > p->last)
		p->unsorted = true;
	p->last = ev.created_at;
	if (ev.created_at > p->until)
	{
		p->above++;
		s->cb.rejected(s->user, "outside_filter", ev.id, json, len);
		return;
	}
	if (ev.created_at < s->since)
	{
		/* the confirming query may reach below; without since anyone may */
		if (!p->confirm && s->since != 0)
			s->cb.rejected(s->user, "outside_filter", ev.id, json, len);
		else if (s->since == 0)
			s->cb.event(s->user, &ev);
		return;
	}
	p->in_range++;
	if (ev.created_at < p->oldest)
		p->oldest = ev.created_at;
	if (boundary_seen(s, &ev))
		return;
	p->fresh++;
	s->cb.event(s->user, &ev);
}

/* Nothing older than the boundary second came: leave that second. */
static void
leave_second(Sync *s, bool dense)
{
	int64_t		second = s->until;

	if (dense)
	{
		say(s, second, second, SYNC_OPEN, "", "dense_second");
		if (s->nsegments == SYNC_MAX_SEGMENTS)
		{
			give_up(s, "too_many_dense_seconds");
			return;
		}
		s->segment[s->nsegments++] = (SyncWindow) {.since = second + 1,.until = s->top};
		s->top = second - 1;
		if (second <= s->since)
		{
			/* nothing below is left to prove: the next query only confirms */
			s->since = second;
			sync_ask(s, second, true);
			return;
		}
	}
	if (second <= s->since)
	{
		sync_ask(s, second, true);
		return;
	}
	s->until = second - 1;
	sync_ask(s, s->until, false);
}

static void
judge_confirm(Sync *s, const SyncPage *p)
{
	if (p->fresh > 0)
		give_up(s, "empty_page_contradicted");
	else if (p->unreadable > 0 || p->above > 0)
		give_up(s, "unreadable_events");
	else
		complete(s, "empty_page_confirmed");
}

void
page_eose(Sync *s, bool finish_hint)
{
	const SyncPage *p = &s->page;

	s->cb.page_end(s->user);
	if (p->unsorted && !p->confirm)
		give_up(s, "not_newest_first");
	else if (p->confirm)
		judge_confirm(s, p);
	else if (p->above > 0)
		give_up(s, "until_ignored");
	else if (finish_hint)
		complete(s, "nip67_finish");
	else if (p->in_range == 0 && p->unreadable > 0)
		give_up(s, "unreadable_events");
	else if (p->in_range == 0)
		sync_ask(s, s->until, true);
	else
	{
		bool		dense = s->boundary_full ||
			(p->received >= s->max_page && p->received > 1);

		if (p->received > s->max_page)
			s->max_page = p->received;
		if (p->oldest < s->until)
		{
			say(s, p->oldest + 1, s->until < s->top ? s->until : s->top,
				SYNC_PAGED, "", "");
			s->until = p->oldest;
		}
		if (s->slice_end != 0 && uv_hrtime() > s->slice_end)
			sync_finish(s, SYNC_AGAIN, NET_OK, "");
		else if (p->fresh > 0 && !s->boundary_full)
			sync_ask(s, s->until, false);
		else
			leave_second(s, dense);
	}
}
