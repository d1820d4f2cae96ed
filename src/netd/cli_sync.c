/*
 * cli_sync.c
 *
 * The command "sync": one sync job, for people.  Given a file of events that
 * are held already, it asks the relay by negentropy (NIP-77) for what is not
 * in it.
 */
#include "../nostr/pgfree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli_sync.h"
#include "delivery.h"
#include "verify.h"

static NostrBuf frames;			/* from the delivery, not yet handled */
static uv_timer_t soon;
static Sync *sync_job;
static Delivery *delivery;
static uint64_t limit;
static uint64_t printed;
static int *status;

/* what is held, newest first */
static SyncHeld *held;
static uint32_t nheld;
static struct
{
	uint32_t	seq;			/* 0: nothing was asked for */
	int64_t		since;
	int64_t		until;
	int64_t		below_key;
}			asked;

static int
newest_first(const void *a, const void *b)
{
	const SyncHeld *x = a;
	const SyncHeld *y = b;

	return x->key == y->key ? 0 : x->key > y->key ? -1 : 1;
}

/* NULL, or why not (static). */
static const char *
read_held(const char *path)
{
	FILE	   *f = fopen(path, "r");
	const char *why = NULL;
	char	   *line = NULL;
	size_t		size = 0;
	ssize_t		len;
	NostrBuf	scratch;
	NostrEvent	ev;

	if (f == NULL)
		return "cannot read the file of events that are held";
	nostr_buf_init(&scratch, NOSTR_EVENT_MAX_SIZE * 4);
	while ((len = getline(&line, &size, f)) > 0)
	{
		SyncHeld   *p;

		if (line[len - 1] == '\n')
			len--;
		nostr_buf_reset(&scratch);
		if (nostr_event_parse(line, (size_t) len, &scratch, &ev, NULL) != NOSTR_OK)
			continue;
		p = realloc(held, (nheld + 1ul) * sizeof(*p));
		if (p == NULL)
		{
			why = "out of memory";
			break;
		}
		held = p;
		p[nheld].key = nostr_event_key(ev.created_at, ev.id);
		p[nheld].created_at = ev.created_at;
		memcpy(p[nheld++].id, ev.id, 32);
	}
	free(line);
	fclose(f);
	nostr_buf_free(&scratch);
	if (nheld > 0)
		qsort(held, nheld, sizeof(*held), newest_first);
	return why;
}

static void
answer_set(void)
{
	SyncHeld	part[WIRE_MAX_SET];
	uint32_t	seq = asked.seq;
	uint32_t	n = 0;

	asked.seq = 0;
	if (seq == 0 || sync_job == NULL)
		return;
	for (uint32_t i = 0; i < nheld && n < WIRE_MAX_SET; i++)
		if (held[i].key < asked.below_key && held[i].created_at >= asked.since &&
			held[i].created_at <= asked.until)
			part[n++] = held[i];
	sync_set(sync_job, seq, n < WIRE_MAX_SET, part, n);
}

static void
print_events(WireReader *r)
{
	uint16_t	n;

	wire_get_u64(r);
	n = wire_get_u16(r);
	for (uint16_t i = 0; i < n && printed < limit; i++)
	{
		NostrEvent	ev;
		NostrBuf	json;
		int64_t		key;

		wire_get_event(r, &key, &ev);
		if (r->bad)
			return;
		nostr_buf_init(&json, NOSTR_EVENT_MAX_SIZE * 6);
		nostr_event_json(&ev, &json);
		if (!json.failed)
			printf("%.*s\n", (int) json.len, (const char *) json.data);
		else
		{
			fprintf(stderr, "bigbrotr-net: out of memory\n");
			*status = 1;
		}
		nostr_buf_free(&json);
		printed++;
	}
	fflush(stdout);
	if (printed >= limit && sync_job != NULL)
		sync_cancel(sync_job);
}

static void
answer_all(WireReader *r)
{
	uint8_t		all[WIRE_MAX_OFFER / 8];
	uint32_t	seq = wire_get_u32(r);
	uint16_t	n;

	wire_get_u64(r);
	n = wire_get_u16(r);
	memset(all, 0xFF, sizeof(all));
	delivery_answer(delivery, seq, n, all, ((size_t) n + 7) / 8);
}

static void
print_window(WireReader *r)
{
	static const char *const state[] = {"open", "paged", "complete"};
	int64_t		since = (int64_t) wire_get_u64(r);
	int64_t		until = (int64_t) wire_get_u64(r);
	uint8_t		st = wire_get_u8(r);
	size_t		pl;
	size_t		rl;
	const uint8_t *p = wire_get_bytes(r, WIRE_MAX_TEXT, &pl);
	const uint8_t *w = wire_get_bytes(r, WIRE_MAX_TEXT, &rl);

	if (!r->bad)
		fprintf(stderr, "window %" PRId64 "..%" PRId64 " %s %.*s%.*s\n", since, until,
				state[st % 3], (int) pl, (const char *) p, (int) rl, (const char *) w);
}

static void
on_soon(uv_timer_t *t)
{
	NostrBuf	now = frames;
	size_t		at = 0;
	size_t		used;
	WireFrame	f;

	(void) t;
	answer_set();
	nostr_buf_init(&frames, SIZE_MAX / 2);
	while (wire_next(now.data + at, now.len - at, &f, &used) == 1)
	{
		WireReader	r;

		at += used;
		wire_reader(&r, &f);
		if (f.type == WIRE_OFFER)
			answer_all(&r);
		else if (f.type == WIRE_EVENTS)
			print_events(&r);
		else if (f.type == WIRE_WINDOW)
			print_window(&r);
		else if (f.type == WIRE_RESULT)
			uv_stop(uv_default_loop());
	}
	nostr_buf_free(&now);
}

static void
on_set_request(void *user, uint32_t seq, int64_t since, int64_t until, int64_t below_key)
{
	(void) user;
	asked.seq = seq;
	asked.since = since;
	asked.until = until;
	asked.below_key = below_key;
	uv_timer_start(&soon, on_soon, 0, 0);
}

static NostrBuf *
cli_out(void *user)
{
	(void) user;
	return &frames;
}

static void
cli_flush(void *user)
{
	(void) user;
	if (frames.len > 0)
		uv_timer_start(&soon, on_soon, 0, 0);
}

static void
cli_pause(void *user, bool paused)
{
	(void) user;
	if (sync_job != NULL)
		sync_pause(sync_job, paused);
}

static void
cli_gone(void *user)
{
	(void) user;
}

static void
on_event(void *user, const NostrEvent *ev)
{
	(void) user;
	delivery_event(delivery, ev);
}

static void
on_rejected(void *user, const char *reason, const uint8_t id[32], const char *s, size_t len)
{
	(void) user;
	fprintf(stderr, "rejected: %s\n", reason);
	delivery_rejected(delivery, reason, id, s, len);
}

static void
on_page_end(void *user)
{
	(void) user;
	delivery_page_end(delivery);
}

static void
on_window(void *user, const SyncNews *w)
{
	(void) user;
	delivery_window(delivery, w);
}

static void
on_passed(void *user, const SyncResult *r)
{
	(void) user;
	fprintf(stderr, "live tail\n");
	delivery_passed(delivery, r);
}

static void
on_done(void *user, const SyncResult *r)
{
	static const char *const support[] = {"not tried", "works", "unsupported"};
	static const char *const auth[] = {"not asked for", "accepted", "refused"};

	(void) user;
	sync_job = NULL;
	if (r->outcome == SYNC_FAILED)
		*status = 1;
	fprintf(stderr, "%s %s: %" PRIu64 " events, %" PRIu64 " bytes, %u requests, "
			"largest page %u, negentropy %s, authentication %s\n",
			net_failure_name(r->failure), r->reason, r->events_received,
			r->bytes_received, r->reqs, r->max_page, support[r->negentropy], auth[r->auth]);
	delivery_result(delivery, r);
}

bool
cli_sync_start(Net *net, const NostrRelayUrl *url, const CliSync *what, int *st,
			   const char **why)
{
	static const DeliverySink sink = {cli_out, cli_flush, cli_pause, cli_gone};
	static const SyncCallbacks cb = {on_event, on_rejected, on_page_end, on_window,
	on_set_request, on_passed, on_done};
	SyncSpec	spec = what->spec;

	status = st;
	limit = what->limit;
	nostr_buf_init(&frames, SIZE_MAX / 2);
	uv_timer_init(net_loop(net), &soon);
	delivery = delivery_new(net_loop(net), 1, &sink, NULL);
	*why = "out of memory, or no threads";
	if (delivery == NULL || !verify_open(net_loop(net)))
		return false;
	if (what->held != NULL && (*why = read_held(what->held)) != NULL)
		return false;
	spec.window = &what->window;
	spec.nwindows = 1;
	spec.held = nheld;
	spec.negentropy = what->held != NULL ? SYNC_WORKS : SYNC_UNKNOWN;
	sync_job = sync_start(net, url, &spec, &cb, NULL);
	if (sync_job == NULL)
		*why = "the filter is not valid";
	return sync_job != NULL;
}
