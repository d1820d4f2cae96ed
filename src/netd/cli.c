/*
 * cli.c
 *
 * bigbrotr-net for people: check a relay, fetch its events.
 *
 * Acts as its own worker: answers every offer with "all unknown", so what it
 * prints went the same way as what a worker stores: verified, in order.
 */
#include "../nostr/pgfree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../crawl/validate.h"
#include "delivery.h"
#include "events_frame.h"
#include "jobs.h"
#include "verify.h"

static Net *net;
static NostrBuf frames;			/* from the delivery, not yet handled */
static uv_timer_t soon;
static Sync *sync_job;
static Delivery *delivery;
static uint64_t limit = UINT64_MAX;
static uint64_t printed;
static int	status;

static const char help[] =
"usage: bigbrotr-net check wss://relay [--allow CIDR]\n"
"       bigbrotr-net sync wss://relay [--since N] [--limit N] [--allow CIDR]\n"
"       bigbrotr-net --worker         (serves a worker on descriptor 3)\n";

static void
on_validated(void *user, const ValidateResult *r)
{
	(void) user;
	printf("%s: %s (%s)\n", r->is_relay ? "relay" : "no relay", r->reason,
		   net_failure_name(r->failure));
	status = r->is_relay ? 0 : 1;
	uv_stop(uv_default_loop());
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
		nostr_buf_free(&json);
		printed++;
	}
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
	delivery_passed(delivery, r);
}

static void
on_done(void *user, const SyncResult *r)
{
	(void) user;
	sync_job = NULL;
	status = r->outcome == SYNC_FAILED ? 1 : 0;
	fprintf(stderr, "%s %s: %" PRIu64 " events, %" PRIu64 " bytes, %u requests\n",
			net_failure_name(r->failure), r->reason, r->events_received,
			r->bytes_received, r->reqs);
	delivery_result(delivery, r);
}

static bool
start(const char *verb, const NostrRelayUrl *url, int64_t since)
{
	static const DeliverySink sink = {cli_out, cli_flush, cli_pause, cli_gone};
	static const SyncCallbacks cb = {on_event, on_rejected, on_page_end, on_window,
	NULL, on_passed, on_done};
	SyncWindow	w = {since, INT64_MAX, SYNC_FETCH};
	SyncSpec	spec = {.filter = "{}",.filter_len = 2,.window = &w,.nwindows = 1,
	.page_limit = limit < 500 ? (uint32_t) limit : 500,.may_auth = true};

	if (strcmp(verb, "check") == 0)
		return validate_start(net, url, on_validated, NULL) != NULL;
	nostr_buf_init(&frames, SIZE_MAX / 2);
	uv_timer_init(uv_default_loop(), &soon);
	delivery = delivery_new(uv_default_loop(), 1, &sink, NULL);
	if (delivery == NULL || !verify_open(uv_default_loop()))
		return false;
	sync_job = sync_start(net, url, &spec, &cb, NULL);
	return sync_job != NULL;
}

static int
usage(const char *why, const char *what)
{
	if (why != NULL)
		fprintf(stderr, "bigbrotr-net: %s%s\n", why, what);
	fputs(help, stderr);
	return 2;
}

/* A whole number of at least min; nothing behind it. */
static bool
number(const char *text, int64_t min, int64_t *out)
{
	char	   *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *out >= min;
}

/* One option and its value; NULL, or what is wrong. */
static const char *
option(NetConfig *c, const char *name, const char *value, int64_t *since)
{
	int64_t		n;
	size_t		bad;

	if (strcmp(name, "--since") == 0)
		return number(value, 0, since) ? NULL : "--since takes seconds since 1970, not ";
	if (strcmp(name, "--limit") == 0)
	{
		if (!number(value, 1, &n))
			return "--limit takes a number of events, not ";
		limit = (uint64_t) n;
		return NULL;
	}
	if (strcmp(name, "--allow") == 0)
		return nostr_cidr_list_parse(value, &c->allow, &bad) ? NULL :
			"--allow takes networks as in 127.0.0.0/8, not ";
	return "unknown option ";
}

int
cli_main(int argc, char **argv)
{
	NetConfig	c;
	NostrRelayUrl url;
	NostrUrlReject bad;
	int64_t		since = 0;
	const char *why = NULL;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
	{
		fputs(help, stdout);
		return 0;
	}
	if (argc < 2)
		return usage(NULL, NULL);
	if (strcmp(argv[1], "check") != 0 && strcmp(argv[1], "sync") != 0)
		return usage("unknown command ", argv[1]);
	if (argc < 3)
		return usage("which relay?", "");
	net_config_default(&c);
	c.network[NOSTR_CLEARNET].enabled = true;
	for (int i = 3; i < argc; i += 2)
	{
		if (i + 1 == argc)
			return usage("a value is missing after ", argv[i]);
		why = option(&c, argv[i], argv[i + 1], &since);
		if (why != NULL)
			return usage(why, strncmp(why, "unknown", 7) == 0 ? argv[i] : argv[i + 1]);
	}
	bad = nostr_relay_url_parse(argv[2], strlen(argv[2]), c.allow.n > 0, &url);
	if (bad != NOSTR_URL_OK)
	{
		fprintf(stderr, "bigbrotr-net: %s\n", nostr_url_reject_text(bad));
		return 2;
	}
	net = net_open(uv_default_loop(), &c, &why);
	events_frame_open(net);
	if (net == NULL || !start(argv[1], &url, since))
	{
		fprintf(stderr, "bigbrotr-net: %s\n", why != NULL ? why : "cannot start");
		return 2;
	}
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	fflush(stdout);
	return status;
}
