/*
 * test_sync_parts.c
 *
 * The parts of a sync job that decide by themselves: what refusals mean, what
 * was seen of a second, which kinds to ask for, how fast to ask.
 */
#include "../../src/nostr/pgfree.h"

#include <stdio.h>
#include <stdlib.h>

#include "../../src/crawl/sync_internal.h"
#include "check.h"

static NetFailure
class_of(const char *text)
{
	return sync_refusal_class(text, strlen(text));
}

static void
refusals(void)
{
	CHECK(class_of("auth-required: members only") == NET_AUTH_REQUIRED);
	CHECK(class_of("ERROR: auth-required: only for you") == NET_AUTH_REQUIRED);
	CHECK(class_of("error: we need to authenticate you; Please authenticate") == NET_AUTH_REQUIRED);
	CHECK(class_of("rate-limited: slow down there chief") == NET_RATE_LIMITED);
	CHECK(class_of("you are sending TOO MANY REQUESTS") == NET_RATE_LIMITED);
	CHECK(class_of("ERROR: rate limit exceeded") == NET_RATE_LIMITED);
	CHECK(class_of("restricted: no") == NET_REFUSED);
	CHECK(class_of("ERROR: bad req: filter") == NET_REFUSED);
	CHECK(class_of("") == NET_REFUSED);
}

static NostrEvent
event(uint32_t n, int32_t kind)
{
	NostrEvent	ev = {.kind = kind};

	memcpy(ev.id, &n, sizeof(n));
	return ev;
}

static void
seconds(void)
{
	SyncSeen	seen = {0};
	NostrEvent	ev;

	sync_seen_reset(&seen, INT64_MAX);
	ev = event(1, 1);
	CHECK(sync_seen_add(&seen, 10, &ev));
	CHECK(!sync_seen_add(&seen, 10, &ev));
	CHECK(seen.n == 1 && seen.at == 10);
	/* another second begins anew */
	CHECK(sync_seen_add(&seen, 9, &ev));
	CHECK(seen.n == 1 && seen.at == 9);
	for (uint32_t i = 2; i < SYNC_MAX_SEEN * 2 + 100 && !seen.full; i++)
	{
		ev = event(i, 1);
		CHECK(sync_seen_add(&seen, 9, &ev));
	}
	/* no relay can make it grow without end */
	CHECK(seen.full && seen.n <= SYNC_MAX_SEEN * 2);
	free(seen.item);
}

static bool
has(const uint16_t *kind, uint32_t n, uint16_t k)
{
	for (uint32_t i = 0; i < n; i++)
		if (kind[i] == k)
			return true;
	return false;
}

static void
kinds(void)
{
	static const char filter[] = "{\"kinds\":[1,4,7,1059]}";
	Sync	   *s = calloc(1, sizeof(*s));
	uint16_t	cut[SYNC_MAX_CUT];
	uint32_t	n;

	CHECK(s != NULL);
	s->kinds_seen = calloc(1, NOSTR_MAX_KIND / 8 + 1);
	CHECK(nostr_filter_parse("{}", 2, &s->filter, NULL) == NOSTR_FILTER_OK);
	n = sync_kind_cut(s, 0, cut);
	CHECK(has(cut, n, 1) && has(cut, n, 30023));
	/* private messages are what relays hide */
	CHECK(!has(cut, n, 4) && !has(cut, n, 1059) && !has(cut, n, 65535));
	CHECK(sync_kind_cut(s, 1, cut) == 0);
	/* unless this one has shown some */
	sync_kind_seen(s, 4);
	sync_kind_seen(s, 65535);
	n = sync_kind_cut(s, 0, cut);
	CHECK(has(cut, n, 4) && has(cut, n, 65535) && !has(cut, n, 1059));
	CHECK(sync_kind_cut(s, 1, cut) == 2);
	nostr_filter_free(&s->filter);
	/* never beyond the filter */
	CHECK(nostr_filter_parse(filter, strlen(filter), &s->filter, NULL) == NOSTR_FILTER_OK);
	n = sync_kind_cut(s, 0, cut);
	CHECK(n == 3 && has(cut, n, 1) && has(cut, n, 4) && has(cut, n, 7));
	nostr_filter_free(&s->filter);
	free(s->kinds_seen);
	free(s);
}

static void
nothing(void *user)
{
	(void) user;
}

static void
rates(void)
{
	Sync	   *s = calloc(1, sizeof(*s));
	int			waits = 0;
	uint64_t	last = 0;

	CHECK(s != NULL);
	uv_timer_init(uv_default_loop(), &s->timer);
	s->cb.page_end = nothing;
	s->timeout_ms = 15000;
	sync_rate_init(s, 60);
	sync_rate_sent(s);
	CHECK(sync_rate_next(s) == sync_now(s) + 1000);

	/* each refusal waits longer than the one before, then the job ends */
	while (sync_rate_limited(s, "rate-limited: no", 16))
	{
		CHECK(sync_rate_next(s) - sync_now(s) > last);
		last = sync_rate_next(s) - sync_now(s);
		waits++;
	}
	CHECK(waits > 2 && waits < 20);
	CHECK(s->finished && s->result.failure == NET_RATE_LIMITED);
	CHECK(s->result.retry_after_ms > 0);
	uv_close((uv_handle_t *) &s->timer, NULL);
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	free(s);
}

int
main(void)
{
	refusals();
	seconds();
	kinds();
	rates();
	return check_done();
}
