/*
 * rate.c
 *
 * How often a relay may be asked: a configured or learned distance between
 * requests, and a pause that doubles each time it says "rate-limited".
 *
 * Learned is the rate that it has granted so far, pauses included, less a
 * tenth: that falls towards what the relay allows with every refusal.  A job
 * waits MAX_STRIKES times at most, then it fails and says when to come back.
 */
#include "../nostr/pgfree.h"

#include <string.h>

#include "sync_internal.h"
#include "text.h"

#define MAX_STRIKES		6
#define BACKOFF_PART	15		/* first pause: timeout / 15, a second of 15 */
#define RETRY_AFTER_MS	60000

void
sync_rate_init(Sync *s, uint32_t max_reqs_per_minute)
{
	if (max_reqs_per_minute > 0)
		s->rate.interval_ms = 60000 / max_reqs_per_minute;
}

uint64_t
sync_rate_next(const Sync *s)
{
	return s->rate.next;
}

void
sync_rate_sent(Sync *s)
{
	if (s->rate.first == 0)
		s->rate.first = sync_now(s);
	s->rate.next = sync_now(s) + s->rate.interval_ms;
}

void
sync_rate_granted(Sync *s)
{
	s->rate.granted++;
	s->rate.strikes = 0;
}

bool
sync_rate_limited(Sync *s, const char *text, size_t len)
{
	SyncRate   *r = &s->rate;
	uint64_t	now = sync_now(s);
	uint64_t	pause = s->timeout_ms / BACKOFF_PART + 1;
	uint64_t	pace;
	char		reason[400] = "rate_limited: ";

	sync_ahead_off(s);
	pause <<= r->strikes;
	pace = (now - r->first + pause) * 10 / 9 / (r->granted + 1);
	if (pace > r->interval_ms && r->granted > 0)
		r->interval_ms = pace < 60000 ? (uint32_t) pace : 60000;
	s->result.max_reqs_per_minute = r->interval_ms > 0 ? 60000 / r->interval_ms : 0;
	r->strikes++;
	if (r->strikes > MAX_STRIKES || (s->slice_end != 0 && now + pause > s->slice_end))
	{
		s->result.retry_after_ms = RETRY_AFTER_MS;
		crawl_text_append(reason, sizeof(reason), text, len);
		sync_fail(s, NET_RATE_LIMITED, reason);
		return false;
	}
	r->next = now + pause;
	return true;
}
