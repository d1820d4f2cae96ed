/*
 * case.c
 *
 * One case, from its seed to its verdict.
 */
#include "case.h"
#include "fixed.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void
case_fault(Case *c, const char *format,...)
{
	va_list		args;

	if (c->fault[0] != '\0')
		return;					/* the first one tells most */
	va_start(args, format);
	vsnprintf(c->fault, sizeof(c->fault), format, args);
	va_end(args);
}

/* --- the truth --- */

static void
find_truth(Case *c)
{
	json_t	   *json = json_loads(c->s.filter, 0, NULL);
	const RelayScript *s = &c->s.plan.base;
	RelayFilter f;
	bool	   *has = calloc((size_t) c->store.n + 1, sizeof(bool));
	Random		r = {c->s.seed + 1};

	if (!relay_filter_read(&f, json, SIZE_MAX))
		case_fault(c, "the test's own filter");
	c->archive.part = c->s.part;
	archive_fill(&c->archive, &c->store, c->s.held, c->s.phantoms, &r, has);
	c->truth = calloc((size_t) c->store.n + 1, sizeof(Truth));
	for (long i = 0; i < c->store.n && c->fault[0] == '\0'; i++)
	{
		RelayItem  *it = c->store.item[i];

		if (relay_filter_match(&f, it, 0) && !relay_spoils(s, it) &&
			!relay_kind_in(&s->hidden_kinds, it->kind))
		{
			c->truth[c->ntruth].held = has[i];
			c->truth[c->ntruth++].item = it;
		}
	}
	c->named = json_object_get(json, "kinds") != NULL && json_object_get(json, "#t") != NULL;
	free(has);
	json_decref(json);
}

static bool
matches_filter(Case *c, const RelayItem *it)
{
	json_t	   *json = json_loads(c->s.filter, 0, NULL);
	RelayFilter f;
	bool		ok = relay_filter_read(&f, json, SIZE_MAX) && relay_filter_match(&f, it, 0);

	json_decref(json);
	return ok;
}

static bool
in_windows(const Case *c, int64_t created_at)
{
	for (int i = 0; i < c->s.nwindows; i++)
	{
		const SyncWindow *w = &c->s.window[i];

		if ((w->since == 0 || created_at >= w->since) && created_at <= w->until)
			return true;
	}
	return false;
}

/* First true event that is not newer. */
static long
truth_at(const Case *c, int64_t created_at)
{
	long		low = 0;
	long		high = c->ntruth;

	while (low < high)
	{
		long		mid = low + (high - low) / 2;

		if (c->truth[mid].item->created_at > created_at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

long
case_missing(const Case *c)
{
	long		n = 0;

	for (long i = 0; i < c->ntruth; i++)
		n += !c->truth[i].delivered && !c->truth[i].held && in_windows(c, c->truth[i].item->created_at);
	return n;
}

/* --- what the Sync says --- */

static void
resume(uv_timer_t *t)
{
	Case	   *c = t->data;

	if (c->sync != NULL)
		sync_pause(c->sync, false);
}

/* True for one of those that were published during the tail. */
static bool
is_live(Case *c, const NostrEvent *ev)
{
	for (int i = 0; i < c->published; i++)
	{
		if (c->live[i] != NULL && memcmp(c->live[i]->id, ev->id, 32) == 0)
		{
			c->live[i] = NULL;
			if (++c->lived == CASE_LIVE)
				sync_cancel(c->sync);
			return true;
		}
	}
	return false;
}

static void
on_event(void *user, const NostrEvent *ev)
{
	Case	   *c = user;
	bool		found = false;

	c->events++;
	c->progressed = true;
	if (c->passed && (is_live(c, ev) || ev->created_at >= c->wall_start))
		return;
	for (long i = truth_at(c, ev->created_at);
		 i < c->ntruth && c->truth[i].item->created_at == ev->created_at && !found; i++)
	{
		if (memcmp(c->truth[i].item->id, ev->id, 32) == 0)
			found = c->truth[i].delivered = true;
	}
	if (!in_windows(c, ev->created_at))
		case_fault(c, "delivered an event of second %" PRId64 " outside all windows", ev->created_at);
	for (long i = relay_store_find(&c->store, ev->created_at); !found && i < c->store.n &&
		 c->store.item[i]->created_at == ev->created_at; i++)
	{
		found = memcmp(c->store.item[i]->id, ev->id, 32) == 0;
		if (found && !matches_filter(c, c->store.item[i]))
			case_fault(c, "delivered an event of kind %d that the filter excludes", ev->kind);
	}
	if (!found)
		case_fault(c, "delivered an event that the relay does not hold");
	if (c->s.cancel_after > 0 && c->events == c->s.cancel_after)
		sync_cancel(c->sync);
	else if (c->s.pause_every > 0 && c->events % c->s.pause_every == 0 && c->pauses < CASE_MAX_PAUSES &&
			 !uv_is_active((uv_handle_t *) &c->resume))
	{
		c->pauses++;
		sync_pause(c->sync, true);
		uv_timer_start(&c->resume, resume, 2, 0);
	}
}

static void
on_rejected(void *user, const char *reason, const uint8_t id[32], const char *sample, size_t len)
{
	Case	   *c = user;

	(void) id;
	(void) sample;
	(void) len;
	if (reason == NULL || reason[0] == '\0')
		case_fault(c, "rejected without a reason");
}

static void
on_page_end(void *user)
{
	(void) user;
}

static const char *
state_name(int state)
{
	return state == SYNC_OPEN ? "open" : state == SYNC_PAGED ? "paged" :
		state == SYNC_COMPLETE ? "complete" : "nothing";
}

/* Nothing may be missing in [since, until]. */
static void
judge_span(Case *c, int64_t since, int64_t until, const char *called)
{
	for (long i = truth_at(c, until); i < c->ntruth && c->truth[i].item->created_at >= since; i++)
	{
		if (!c->truth[i].delivered && !c->truth[i].held && !(c->s.flags & SCENARIO_LIES))
			case_fault(c, "%" PRId64 " .. %" PRId64 " called %s, but an event of second %" PRId64
					   " (kind %d) had not come; %ld are missing in all", since, until, called,
					   c->truth[i].item->created_at, c->truth[i].item->kind, case_missing(c));
	}
}

/* Whoever stops now believes the last words. */
static void
judge_last_words(Case *c)
{
	for (int i = 0; i < c->said.n; i++)
	{
		if (c->said.span[i].state != SYNC_OPEN)
			judge_span(c, c->said.span[i].since, c->said.span[i].until, state_name(c->said.span[i].state));
	}
}

/* A proof reaches up over what was paged before, as coverage_record does. */
static void
reach_up(Case *c, int64_t until)
{
	for (int i = 0; i < c->said.n && until < INT64_MAX; i++)
	{
		Span	   *p = &c->said.span[i];

		if (p->since == until + 1 && p->state == SYNC_PAGED)
		{
			p->state = SYNC_COMPLETE;
			until = p->until;
		}
	}
}

static void
on_window(void *user, const SyncNews *w)
{
	Case	   *c = user;

	if (c->verbose)
		printf("  said %" PRId64 " .. %" PRId64 " %s %s%s (held %" PRIu64 ", %d events so far)\n",
			   w->since, w->until, state_name((int) w->state), w->proof, w->reason, w->held, c->events);
	c->progressed = true;
	if (w->since > w->until)
		case_fault(c, "an empty window: %" PRId64 " .. %" PRId64, w->since, w->until);
	if (!in_windows(c, w->since) || !in_windows(c, w->until))
		case_fault(c, "%" PRId64 " .. %" PRId64 " was not asked for", w->since, w->until);
	if ((w->state == SYNC_OPEN) != (w->reason[0] != '\0'))
		case_fault(c, "%s with reason \"%s\"", state_name((int) w->state), w->reason);
	if ((w->state == SYNC_COMPLETE) != (w->proof[0] != '\0'))
		case_fault(c, "%s with proof \"%s\"", state_name((int) w->state), w->proof);
	spans_say(&c->said, w->since, w->until, (int) w->state);
	if (w->state == SYNC_COMPLETE)
	{
		c->proved = true;
		reach_up(c, w->until);
	}
	if (w->state == SYNC_COMPLETE)
		judge_span(c, w->since, w->until, w->proof);
}

/* --- rounds --- */

/*
 * What was paged up to there, above a gap: may its lowest second be asked for
 * again?  The worker lets more and more time pass between such questions.
 */
static bool
may_ask_above_gap(Case *c, int64_t until)
{
	int			i = 0;

	while (i < c->nabove_gap && c->above_gap[i].until != until)
		i++;
	if (i == CASE_MAX_ABOVE_GAP)
		return false;
	if (i == c->nabove_gap)
	{
		c->above_gap[i].until = until;
		c->above_gap[i].asked = 0;
		c->nabove_gap++;
	}
	return c->above_gap[i].asked++ < CASE_ABOVE_GAP;
}

/*
 * The worker's rule (coverage_missing): what is paged waits for the proof of
 * what is asked for below it; where nothing is, its lowest second is asked
 * for once more.
 */
static void
ask_paged(Case *c)
{
	for (int i = 0; i < c->said.n && c->nround < 64; i++)
	{
		const Span *p = &c->said.span[i];
		bool		waits = i > 0 && c->said.span[i - 1].until + 1 == p->since &&
			c->said.span[i - 1].state == SYNC_PAGED;

		for (int k = 0; k < c->nround && !waits; k++)
			waits = c->round_window[k].until + 1 == p->since;
		if (p->state != SYNC_PAGED || waits ||
			(i > 0 && c->said.span[i - 1].until + 1 == p->since && c->said.span[i - 1].state == SYNC_OPEN &&
			 !may_ask_above_gap(c, p->until)))
			continue;
		c->confirming |= c->nround == 0;
		c->round_window[c->nround++] = (SyncWindow) {p->since, p->since, SYNC_FETCH};
	}
}

/* What nothing was said of yet, or not the last word; false: nothing is left. */
static bool
next_round(Case *c)
{
	c->nround = 0;
	c->confirming = false;
	for (int i = 0; i < c->s.nwindows; i++)
	{
		int64_t		since = c->s.window[i].since;
		int64_t		until = c->s.window[i].until;
		int64_t		from;
		int64_t		to;

		if (until == INT64_MAX && c->rounds > 0)
			until = c->wall_start - 1;
		while (since <= until && c->nround < 64 && spans_hole(&c->said, since, until, &from, &to))
		{
			c->round_window[c->nround++] = (SyncWindow) {from, to, c->s.window[i].purpose};
			if (to == INT64_MAX)
				break;
			since = to + 1;
		}
	}
	ask_paged(c);
	/* newest first */
	for (int i = 1; i < c->nround; i++)
	{
		for (int k = i; k > 0 && c->round_window[k].since > c->round_window[k - 1].since; k--)
		{
			SyncWindow	t = c->round_window[k];

			c->round_window[k] = c->round_window[k - 1];
			c->round_window[k - 1] = t;
		}
	}
	return c->nround > 0;
}

static void
on_set_request(void *user, uint32_t seq, int64_t since, int64_t until, int64_t below_key)
{
	Case	   *c = user;

	if (c->verbose)
		printf("  asked for the set of %" PRId64 " .. %" PRId64 " below %" PRId64 "\n", since, until, below_key);
	if (!archive_request(&c->archive, seq, since, until, below_key))
		case_fault(c, "too many questions for the set at a time");
}

static void judge_end(Case *c);

static void
publish(uv_timer_t *t)
{
	Case	   *c = t->data;
	Random		r = {c->s.seed + 2 + (uint64_t) c->published};
	const NostrBuf *json = data_event(&c->s.data, (int64_t) time(NULL), &r);
	int64_t		now = (int64_t) time(NULL) + 1;

	if (c->sync != NULL && relay_counters(c->relay)->reqs == c->counters.reqs)
	{
		uv_timer_start(t, publish, 5, 0);	/* the tail is not subscribed yet */
		return;
	}
	if (c->sync == NULL || !relay_publish(c->relay, (const char *) json->data, json->len))
		return;
	for (long i = relay_store_find(&c->store, now); i < c->store.n; i++)
	{
		if (memmem(json->data, json->len, c->store.item[i]->json, c->store.item[i]->len) != NULL)
		{
			c->live[c->published] = c->store.item[i];
			break;
		}
	}
	if (++c->published < CASE_LIVE)
		uv_timer_start(t, publish, 5, 0);
}

static void
on_passed(void *user, const SyncResult *r)
{
	Case	   *c = user;

	if (c->passed)
		case_fault(c, "passed() came twice");
	c->passed = true;
	c->result = *r;
	c->result.outcome = SYNC_OK;
	c->counters = *relay_counters(c->relay);
	judge_end(c);
	uv_timer_start(&c->publish, publish, 5, 0);
}

static void on_done(void *user, const SyncResult *r);

static void
start_sync(Case *c)
{
	static const SyncCallbacks cb = {.event = on_event,.rejected = on_rejected,.page_end = on_page_end,
	.window = on_window,.passed = on_passed,.done = on_done};
	SyncCallbacks with_set = cb;
	SyncSpec	spec = {.filter = c->s.filter,.filter_len = strlen(c->s.filter),.slice_ms = c->s.slice_ms,
		.timeout_ms = c->s.timeout_ms,.page_limit = c->s.page_limit,.may_auth = c->s.may_auth,
		.tail_ms = c->s.tail ? CASE_TAIL_MS : 0,
		.negentropy = c->s.part > 0 && !c->no_negentropy ? c->s.negentropy : SYNC_UNSUPPORTED,.held = (uint64_t) c->archive.n,
		.ahead = c->s.seed % 2 == 0 ? SYNC_AHEAD_ALWAYS : SYNC_AHEAD_AUTO,
	.window = c->round_window,.nwindows = c->nround};

	c->rounds++;
	c->progressed = c->proved = false;
	c->heard_ns = uv_hrtime();
	with_set.set_request = c->s.part > 0 ? on_set_request : NULL;
	c->sync = sync_start(c->net, &c->url, &spec, &with_set, c);
	if (c->sync == NULL)
		case_fault(c, "sync_start returned NULL");
}

/* --- the verdict --- */

/*
 * Can the lowest second of a window be proved at all?  Only with an answer
 * that holds more than that second: from above it, or from below the window.
 */
static bool
provable(const Case *c, const SyncWindow *w)
{
	long		from = truth_at(c, w->until);
	long		to = from;
	long		k = 0;

	while (to < c->ntruth && c->truth[to].item->created_at >= w->since)
		to++;
	while (k < to - from && c->truth[to - 1 - k].item->created_at == c->truth[to - 1].item->created_at)
		k++;
	return to == from || to < c->ntruth || k < to - from;
}

/*
 * The most events that a page must hold, so that a second can be had: all of
 * it, or what the filter lets us ask for, one kind and topic.
 */
static long
density(const Case *c)
{
	long		most = 0;

	if (!c->named)
		return data_density(&c->store);
	for (long i = 0; i < c->ntruth; i++)
	{
		const RelayItem *a = c->truth[i].item;
		long		n = 0;

		for (long k = i; k < c->ntruth && c->truth[k].item->created_at == a->created_at; k++)
		{
			const RelayItem *b = c->truth[k].item;

			n += a->kind == b->kind && a->tags_len == b->tags_len && memcmp(a->tags, b->tags, a->tags_len) == 0;
		}
		most = n > most ? n : most;
	}
	return most;
}

/* A relay that only has odd manners must be proved, second by second. */
static void
judge_harmless(Case *c)
{
	if (c->result.outcome != SYNC_OK)
		case_fault(c, "a harmless relay failed: %s", c->result.reason);
	for (int i = 0; i < c->s.nwindows; i++)
	{
		const SyncWindow *w = &c->s.window[i];

		for (int k = 0; k < c->said.n && provable(c, w); k++)
		{
			const Span *said = &c->said.span[k];

			if (said->state != SYNC_COMPLETE && said->since <= w->until && said->until >= w->since)
				case_fault(c, "a harmless relay left %s %" PRId64 " .. %" PRId64, state_name(said->state),
						   said->since, said->until);
		}
	}
}

/*
 * Without order, time is halved until a piece fits: the logarithm of it.  With
 * one event in an answer each second is a dense one, and split.
 */
static unsigned long
most_requests(const Case *c)
{
	bool		cheap = (c->s.flags & SCENARIO_HARMLESS) && c->s.plan.base.cap != 1;

	return 60 + (cheap ? 8 : 34) * (unsigned long) c->store.n +
		8 * (unsigned long) c->rounds * (unsigned long) c->s.nwindows;
}

static void
judge_end(Case *c)
{
	const RelayScript *p = &c->s.plan.base;
	long		cap = p->cap_min > 0 ? p->cap_min : p->cap;

	if (c->result.outcome == SYNC_OK)
	{
		for (int i = 0; i < c->s.nwindows; i++)
		{
			int64_t		until = c->s.window[i].until;
			int64_t		from;
			int64_t		to;

			if (until == INT64_MAX)
				until = c->wall_start - 1;
			if (spans_hole(&c->said, c->s.window[i].since, until, &from, &to))
				case_fault(c, "OK, but not a word about %" PRId64 " .. %" PRId64, from, to);
		}
	}
	if (c->result.outcome == SYNC_FAILED && c->result.reason[0] == '\0')
		case_fault(c, "failed without a reason");
	if ((c->s.flags & SCENARIO_EMPTY) && c->result.outcome == SYNC_OK && !c->s.plan.base.auth &&
		c->s.plan.base.neg == RELAY_NEG_NONE)
		case_fault(c, "OK with a relay that serves nothing");
	if (cap > (long) c->s.page_limit)
		cap = c->s.page_limit;
	if ((c->s.flags & SCENARIO_HARMLESS) && c->s.cancel_after == 0 && density(c) < cap)
		judge_harmless(c);
	if (c->counters.reqs > most_requests(c))
		case_fault(c, "%lu requests for %ld events", c->counters.reqs, c->store.n);
}

/*
 * Another pass?  As long as slices end early; and then, should something be
 * paged and no more, for as long as that proves anything.
 */
static bool
go_on(Case *c, const SyncResult *r)
{
	if (c->fault[0] != '\0' || c->passed || r->retry_after_ms > 0 || (c->confirming && !c->proved) ||
		(r->outcome != SYNC_AGAIN && r->outcome != SYNC_OK))
		return false;
	if (!c->progressed)
		case_fault(c, "a slice without progress: %s", r->reason);
	else if (c->rounds >= CASE_MAX_ROUNDS + c->store.n)
		case_fault(c, "slices without end");
	else
		return next_round(c);
	return false;
}

static void
timer_gone(uv_handle_t *h)
{
	Case	   *c = h->data;

	if (--c->closing == 0)
		c->ended(c);
}

static void
archive_gone(uv_handle_t *h)
{
	Archive    *a = h->data;
	Case	   *c = (Case *) ((char *) a - offsetof(Case, archive));

	if (--c->closing == 0)
		c->ended(c);
}

static void
relay_gone(void *user)
{
	Case	   *c = user;

	c->closing = 3;
	uv_close((uv_handle_t *) &c->resume, timer_gone);
	uv_close((uv_handle_t *) &c->publish, timer_gone);
	archive_close(&c->archive, archive_gone);
}

static void
on_done(void *user, const SyncResult *r)
{
	Case	   *c = user;

	c->sync = NULL;
	c->done++;
	c->no_negentropy |= r->negentropy == SYNC_UNSUPPORTED;
	if (c->done != c->rounds)
		case_fault(c, "done() came %d times in %d rounds", c->done, c->rounds);
	if (c->verbose)
		printf("  done %d %s %s reqs %u events %" PRIu64 "\n", (int) r->outcome,
			   net_failure_name(r->failure), r->reason, r->reqs, r->events_received);
	judge_last_words(c);
	if (go_on(c, r))
	{
		start_sync(c);
		return;
	}
	c->counters = *relay_counters(c->relay);
	if (!c->passed)
	{
		c->result = *r;
		judge_end(c);
		if (c->s.tail && r->outcome == SYNC_OK)
			case_fault(c, "no live tail");
	}
	else if (c->lived < CASE_LIVE)
		case_fault(c, "%d of %d published events came through the tail: %s", c->lived, CASE_LIVE, r->reason);
	relay_stop(c->relay, relay_gone, c);
}

Case *
case_start(Net *net, uint64_t seed, bool verbose, void (*ended) (Case *c), void *user)
{
	Case	   *c = calloc(1, sizeof(Case));
	char		text[64];
	int			port;

	c->net = net;
	c->verbose = verbose;
	c->ended = ended;
	c->user = user;
	relay_store_init(&c->store);
	if (seed >= FIXED_SEED)
		fixed_draw(&c->s, &c->store, (int) (seed - FIXED_SEED));
	else
		scenario_draw(&c->s, &c->store, seed);
	if (verbose)
		scenario_print(&c->s, stdout);
	find_truth(c);
	port = relay_start(net_loop(net), &c->s.plan, &c->store, 0, &c->relay);
	snprintf(text, sizeof(text), "ws://127.0.0.1:%d", port);
	if (port < 0 || nostr_relay_url_parse(text, strlen(text), true, &c->url) != NOSTR_URL_OK)
	{
		fprintf(stderr, "cannot start a relay\n");
		exit(1);
	}
	uv_timer_init(net_loop(net), &c->resume);
	uv_timer_init(net_loop(net), &c->publish);
	c->resume.data = c->publish.data = c;
	archive_open(&c->archive, net_loop(net), &c->sync);
	c->wall_start = time(NULL);
	c->start_ns = uv_hrtime();
	next_round(c);
	start_sync(c);
	return c;
}

bool
case_stuck(Case *c, unsigned seconds)
{
	const RelayCounters *n = relay_counters(c->relay);

	if (c->sync == NULL)
		return false;
	if (n->bytes_in + n->bytes_out != c->bytes)
	{
		c->bytes = n->bytes_in + n->bytes_out;
		c->heard_ns = uv_hrtime();
	}
	if (n->reqs > most_requests(c))
		case_fault(c, "%lu requests for %ld events, and no end", n->reqs, c->store.n);
	else if (uv_hrtime() - c->heard_ns > seconds * UINT64_C(1000000000))
		case_fault(c, "nothing on the wire for %u s (%d done, %d events)", seconds, c->done, c->events);
	return c->fault[0] != '\0';
}

void
case_free(Case *c)
{
	relay_store_free(&c->store);
	scenario_free(&c->s);
	archive_free(&c->archive);
	spans_free(&c->said);
	free(c->truth);
	free(c);
}
