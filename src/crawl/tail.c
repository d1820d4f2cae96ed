/*
 * tail.c
 *
 * The live tail: after the windows the connection stays subscribed for some
 * time, from just before the start of the job.
 *
 * It proves nothing: what it brings is stored, and the next pass asks for the
 * same time again.  Half-open connections are noticed by pings, since silence
 * is no fault here.  When the tail begins, stored events that the windows
 * have brought come once more; the last MAX_RECENT ids are not passed on
 * twice.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "sync_internal.h"

#define MAX_RECENT	4096		/* a power of two */
#define SLACK_S		60			/* clocks differ, and events are older than their arrival */
#define PING_MS		60000		/* of silence, before we ask whether the relay is there ... */
#define PING_TIMEOUTS 4			/* ... or so many timeouts, if that is less */
#define FLUSH_MS	100			/* refused events are reported that late */

struct SyncTail
{
	SyncReq		req;
	uint64_t	end;			/* uv_now */
	uint64_t	flush;			/* 0: nothing to */
	uint8_t		recent[MAX_RECENT][16];
	uint32_t	next;
};

static void
tail_event(SyncReq *r, const NostrEvent *ev, bool valid)
{
	Sync	   *s = r->s;
	SyncTail   *t = s->tail;
	uint8_t    *place;

	if (t->flush == 0)
		t->flush = sync_now(s) + FLUSH_MS;
	if (!valid)
		return;
	place = t->recent[(ev->id[16] << 8 | ev->id[17]) & (MAX_RECENT - 1)];
	if (memcmp(place, ev->id, 16) == 0)
		return;
	memcpy(place, ev->id, 16);
	s->cb.event(s->user, ev);
	sync_schedule(s);
}

static void
tail_end(SyncReq *r, SyncEnd how)
{
	(void) how;
	/* the windows are done: the tail's end is no failure */
	sync_finish(r->s, SYNC_OK, NET_OK, "");
}

bool
sync_tail_start(Sync *s)
{
	SyncTail   *t = s->tail_ms > 0 ? calloc(1, sizeof(*t)) : NULL;
	uint32_t	idle = s->timeout_ms < PING_MS / PING_TIMEOUTS ?
		s->timeout_ms * PING_TIMEOUTS : PING_MS;
	SyncAsk		ask = {.since = s->started - SLACK_S,.until = SYNC_NO_UNTIL,.limit = s->limit};

	if (t == NULL)
		return false;
	s->tail = t;
	t->end = sync_now(s) + s->tail_ms;
	sync_req_init(&t->req, s);
	s->cb.passed(s->user, &s->result);
	sync_ask(&t->req, &ask, tail_event, tail_end);
	t->req.live = true;
	ws_keep_alive(s->ws, idle, s->timeout_ms);
	sync_schedule(s);
	return true;
}

uint64_t
sync_tail_deadline(const Sync *s)
{
	if (s->tail == NULL)
		return UINT64_MAX;
	return s->tail->flush != 0 && s->tail->flush < s->tail->end ? s->tail->flush : s->tail->end;
}

void
sync_tail_timeout(Sync *s, uint64_t now)
{
	SyncTail   *t = s->tail;

	if (t == NULL)
		return;
	if (t->flush != 0 && now >= t->flush)
	{
		t->flush = 0;
		s->cb.page_end(s->user);
	}
	if (now >= t->end)
		sync_finish(s, SYNC_OK, NET_OK, "");
}

void
sync_tail_free(Sync *s)
{
	if (s->tail != NULL)
		sync_req_free(&s->tail->req);
	free(s->tail);
	s->tail = NULL;
}
