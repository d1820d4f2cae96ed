/*
 * scenario.c
 *
 * The misbehaviours, and how a case is put together.  Those of one group
 * exclude each other.
 */
#include "scenario.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "nostr/hex.h"

#define QUICK_TIMEOUT	120		/* ms, where silence is what ends it */
#define PATIENT_TIMEOUT 30000	/* ms, where silence would be our own slowness */

typedef struct Misbehaviour
{
	const char *name;
	int			group;
	int			flags;
	void		(*apply) (RelayScript *s, Random *r, const DataSpec *d);
} Misbehaviour;

enum
{
	CAP, ORDER, TIES, IGNORE, HIDDEN, EOSE, HINTS, REFUSE, RATE, AUTH, LIMITS, DROP, SPEED, FRAMES,
	FLOOD, HANDSHAKE, COPIES, OUTSIDE, SPOIL, NEGENTROPY, DOCUMENT
};

#define APPLY(name) static void name(RelayScript *s, Random *r, const DataSpec *d)

APPLY(told_cap) { s->cap = (int) random_between(r, 1, 100); s->nip11_max_limit = s->cap; }
APPLY(untold_cap) { s->cap = (int) random_between(r, 1, 300); s->nip11_max_limit = -1; }
APPLY(tiny_cap) { s->cap = (int) random_between(r, 1, 4); }
APPLY(changing_cap) { s->cap = (int) random_between(r, 10, 300); s->cap_min = (int) random_between(r, 1, s->cap); }
APPLY(oldest_first) { s->order = RELAY_OLDEST; s->cap = (int) random_between(r, 1, 200); }
APPLY(shuffled) { s->order = RELAY_SHUFFLED; s->cap = (int) random_between(r, 5, 200); }
APPLY(any_events) { s->order = RELAY_ANY; s->cap = (int) random_between(r, 20, 200); }
APPLY(oldest_unlimited) { s->order = RELAY_OLDEST_UNLIMITED; s->cap = (int) random_between(r, 5, 200); }
APPLY(ties_arrival) { s->ties = RELAY_TIES_ARRIVAL; s->cap = (int) random_between(r, 5, 200); }
APPLY(ties_reverse) { s->ties = RELAY_TIES_REVERSE; s->cap = (int) random_between(r, 5, 200); }
APPLY(ignores_until) { s->ignore_until = true; s->cap = (int) random_between(r, 1, 200); }
APPLY(ignores_since) { s->ignore_since = true; }
APPLY(ignores_limit) { s->ignore_limit = true; }
APPLY(ignores_kinds) { s->ignore_kinds = true; }
APPLY(until_exclusive) { s->until_exclusive = true; s->cap = (int) random_between(r, 1, 200); }

static void
some_kinds(RelayKinds *k, Random *r, const DataSpec *d)
{
	for (int i = 0; i < d->kinds && k->n < RELAY_MAX_KINDS; i++)
	{
		if (random_one_in(r, 3))
			k->kind[k->n++] = data_kind(i);
	}
}

APPLY(hides_kinds) { some_kinds(&s->hidden_kinds, r, d); }
APPLY(hidden_eat_limit)
{
	some_kinds(&s->hidden_kinds, r, d);
	s->hidden_eat = true;
	s->cap = (int) random_between(r, 5, 200);
}
APPLY(hidden_before_auth) { some_kinds(&s->hidden_kinds, r, d); s->auth = RELAY_AUTH_KINDS; }

APPLY(no_eose) { s->eose = RELAY_EOSE_NEVER; }
APPLY(late_eose) { s->eose_delay_ms = (int) random_between(r, 1, 20); }
APPLY(too_late_eose) { s->eose_delay_ms = 2 * QUICK_TIMEOUT; }
APPLY(two_eose) { s->eose = RELAY_EOSE_TWICE; }
APPLY(foreign_eose) { s->eose = RELAY_EOSE_FOREIGN; }
APPLY(early_eose) { s->eose = RELAY_EOSE_EARLY; }
APPLY(honest_hints) { s->hints = RELAY_HINTS_HONEST; s->cap = (int) random_between(r, 1, 200); }
APPLY(always_more) { s->hints = RELAY_HINTS_MORE; s->cap = (int) random_between(r, 1, 200); }
APPLY(odd_hints)
{
	s->hints = random_one_in(r, 2) ? RELAY_HINTS_STRING : RELAY_HINTS_UNKNOWN;
	s->cap = (int) random_between(r, 1, 200);
}
APPLY(finish_lie) { s->hints = RELAY_HINTS_FINISH; s->cap = (int) random_between(r, 1, 50); }

static void
refusal(RelayScript *s, Random *r)
{
	static const char *const texts[] = {"auth-required: members only", "restricted: not for you",
		"rate-limited: slow down there chief", "blocked: you are banned", "error: could not connect to the database",
		"invalid: bad filter", "pow: difficulty 25>=24", "mute: no", "duplicate: again", "unsupported: filter",
		"ERROR: auth-required: sign in", "ERROR: bad req: too many", "ERROR: rate-limited: x", "", "no", ":",
	"shutting down"};

	snprintf(s->refuse_text, sizeof(s->refuse_text), "%s", texts[random_next(r) % 17]);
	s->refuse_from = random_one_in(r, 2) ? 1 : (int) random_between(r, 2, 6);
	s->refuse_count = random_one_in(r, 2) ? 0 : (int) random_between(r, 1, 3);
	s->refuse_after = random_one_in(r, 2) ? 0 : (int) random_between(r, 1, 60);
	s->cap = (int) random_between(r, 5, 200);
}

APPLY(closed) { s->refuse = RELAY_REFUSE_CLOSED; refusal(s, r); }
APPLY(notice_only) { s->refuse = RELAY_REFUSE_NOTICE; refusal(s, r); }
APPLY(silence) { s->refuse = RELAY_REFUSE_SILENT; refusal(s, r); }
APPLY(garbage) { s->refuse = RELAY_REFUSE_GARBAGE; refusal(s, r); }
APPLY(rate_closed)
{
	s->rate = (int) random_between(r, 1, 8);
	s->rate_ms = (int) random_between(r, 20, 60);
	s->cap = (int) random_between(r, 20, 200);
}
APPLY(rate_notice) { rate_closed(s, r, d); s->rate_how = RELAY_REFUSE_NOTICE; }
APPLY(rate_silent) { rate_closed(s, r, d); s->rate_how = RELAY_REFUSE_SILENT; }
APPLY(rate_disconnect) { rate_closed(s, r, d); s->rate_how = RELAY_REFUSE_DISCONNECT; }

APPLY(auth_offered) { s->auth = RELAY_AUTH_OFFER; }
APPLY(auth_required) { s->auth = random_one_in(r, 2) ? RELAY_AUTH_REQUIRED : RELAY_AUTH_LATE; }
APPLY(auth_by_notice) { auth_required(s, r, d); s->auth_notice = true; }
APPLY(auth_in_error) { auth_required(s, r, d); strcpy(s->auth_text, "ERROR: auth-required: who are you"); }
APPLY(auth_refused) { s->auth = RELAY_AUTH_REFUSE; }
APPLY(auth_deaf) { s->auth = RELAY_AUTH_DEAF; }
APPLY(auth_no_challenge) { s->auth = RELAY_AUTH_NO_CHALLENGE; }

APPLY(few_subs) { s->cap = (int) random_between(r, 20, 200); s->max_subs = 1 + s->cap % 3; }
APPLY(few_items) { s->max_items = (int) random_between(r, 1, 3); s->cap = (int) random_between(r, 5, 100); }
APPLY(restricted)
{
	some_kinds(&s->restricted_kinds, r, d);
	s->cap = (int) random_between(r, 5, 100);
}

APPLY(drops)
{
	s->drop_after = (int) random_between(r, 1, 120);
	s->drop_how = (int) random_between(r, 0, 3);
	s->cap = (int) random_between(r, 20, 200);
}
APPLY(drops_at_req)
{
	s->drop_req = (int) random_between(r, 1, 6);
	s->drop_how = (int) random_between(r, 0, 3);
	s->cap = (int) random_between(r, 10, 100);
}
APPLY(delays) { s->delay_ms = (int) random_between(r, 1, 15); s->cap = (int) random_between(r, 50, 300); }
APPLY(drips)
{
	s->drip_bytes = (int) random_between(r, 500, 20000);
	s->drip_ms = 1;
	s->cap = (int) random_between(r, 50, 300);
}
APPLY(slowloris) { s->drip_bytes = (int) random_between(r, 1, 3); s->drip_ms = (int) random_between(r, 5, 40); }
APPLY(fragments)
{
	s->fragment = (int) random_between(r, 1, 300);
	s->ping = random_one_in(r, 2) ? (int) random_between(r, 1, 20) : 0;
}
APPLY(pings) { s->ping = (int) random_between(r, 1, 10); }
APPLY(wrong_frames)
{
	s->frames = random_one_in(r, 4) ? RELAY_FRAMES_BINARY :
		(int) random_between(r, RELAY_FRAMES_RESERVED, RELAY_FRAMES_ORPHAN);
}
APPLY(masked_frames) { s->frames = RELAY_FRAMES_MASKED; }	/* libwebsockets does not mind, and garbles a few */
APPLY(flood) { s->flood = (int) random_between(r, RELAY_FLOOD_EVENTS, RELAY_FLOOD_GARBAGE); s->flood_mb = 2; }
APPLY(oversize) { s->oversize = (int) random_between(r, 1000000, 3000000); }
APPLY(large_message) { s->oversize = (int) random_between(r, 1000, 100000); }
APPLY(bad_handshake) { s->handshake = (int) random_between(r, RELAY_SHAKE_HANG, RELAY_SHAKE_GARBAGE); }
APPLY(bad_status)
{
	static const int status[] = {200, 301, 302, 308, 400, 402, 403, 404, 429, 500, 503};

	s->http = status[random_next(r) % 11];
	strcpy(s->location, "http://127.0.0.1:1/");
}
APPLY(duplicates) { s->duplicates = (int) random_between(r, 1, 10); s->cap = (int) random_between(r, 5, 200); }
APPLY(wrong_sub) { s->wrong_sub = (int) random_between(r, 1, 10); s->cap = (int) random_between(r, 5, 200); }
APPLY(outside) { s->outside = (int) random_between(r, 1, 10); s->cap = (int) random_between(r, 5, 200); }
APPLY(forged_ids) { s->forge_id = (int) random_between(r, 1, 10); s->cap = (int) random_between(r, 5, 200); }
APPLY(forged_sigs) { s->forge_sig = (int) random_between(r, 1, 10); }
APPLY(bad_utf8) { s->bad_utf8 = (int) random_between(r, 1, 10); s->cap = (int) random_between(r, 5, 200); }
APPLY(malformed) { s->malformed = (int) random_between(r, 1, 10); s->cap = (int) random_between(r, 5, 200); }
APPLY(no_negentropy) { s->neg = (int) random_between(r, RELAY_NEG_SILENT, RELAY_NEG_V0_ONLY); }
APPLY(negentropy)
{
	s->neg = RELAY_NEG_YES;
	s->neg_frame = random_one_in(r, 2) ? 4096 : 0;
	s->neg_max = random_one_in(r, 3) ? (int) random_between(r, 1, 300) : 0;
	s->neg_rounds = random_one_in(r, 6) ? (int) random_between(r, 1, 2) : 0;
	s->cap = (int) random_between(r, 5, 300);
}
APPLY(plain_negentropy) { s->neg = RELAY_NEG_YES; }
APPLY(document_lies)
{
	s->nip11 = (int) random_between(r, RELAY_NIP11_NONE, RELAY_NIP11_LENGTH);
	s->nip11_max_limit = (int) random_between(r, 1, 100000);
	s->cap = (int) random_between(r, 5, 200);
}

static const Misbehaviour list[] = {
	{"told_cap", CAP, SCENARIO_HARMLESS, told_cap},
	{"untold_cap", CAP, SCENARIO_HARMLESS, untold_cap},
	{"tiny_cap", CAP, SCENARIO_HARMLESS, tiny_cap},
	{"changing_cap", CAP, 0, changing_cap},
	{"oldest_first", ORDER, 0, oldest_first},
	{"shuffled", ORDER, 0, shuffled},
	{"any_events", ORDER, 0, any_events},
	{"oldest_unlimited", ORDER, SCENARIO_HARMLESS, oldest_unlimited},
	{"ties_arrival", TIES, SCENARIO_HARMLESS, ties_arrival},
	{"ties_reverse", TIES, SCENARIO_HARMLESS, ties_reverse},
	{"ignores_until", IGNORE, 0, ignores_until},
	{"ignores_since", IGNORE, 0, ignores_since},
	{"ignores_limit", IGNORE, 0, ignores_limit},
	{"ignores_kinds", IGNORE, 0, ignores_kinds},
	{"until_exclusive", IGNORE, 0, until_exclusive},
	{"hides_kinds", HIDDEN, 0, hides_kinds},
	{"hidden_eat_limit", HIDDEN, 0, hidden_eat_limit},
	{"hidden_before_auth", HIDDEN, 0, hidden_before_auth},
	{"no_eose", EOSE, SCENARIO_SILENT, no_eose},
	{"late_eose", EOSE, SCENARIO_HARMLESS, late_eose},
	{"too_late_eose", EOSE, SCENARIO_SILENT, too_late_eose},
	{"two_eose", EOSE, SCENARIO_HARMLESS, two_eose},
	{"foreign_eose", EOSE, SCENARIO_SILENT, foreign_eose},
	{"early_eose", EOSE, SCENARIO_LIES, early_eose},
	{"honest_hints", HINTS, 0, honest_hints},
	{"always_more", HINTS, 0, always_more},
	{"odd_hints", HINTS, SCENARIO_HARMLESS, odd_hints},
	{"finish_lie", HINTS, SCENARIO_LIES, finish_lie},
	{"closed", REFUSE, SCENARIO_SILENT, closed},
	{"notice_only", REFUSE, SCENARIO_SILENT, notice_only},
	{"silence", REFUSE, SCENARIO_SILENT, silence},
	{"garbage", REFUSE, SCENARIO_SILENT, garbage},
	{"rate_closed", RATE, SCENARIO_SILENT, rate_closed},
	{"rate_notice", RATE, SCENARIO_SILENT, rate_notice},
	{"rate_silent", RATE, SCENARIO_SILENT, rate_silent},
	{"rate_disconnect", RATE, 0, rate_disconnect},
	{"auth_offered", AUTH, SCENARIO_HARMLESS, auth_offered},
	{"auth_required", AUTH, SCENARIO_SILENT, auth_required},
	{"auth_by_notice", AUTH, SCENARIO_SILENT, auth_by_notice},
	{"auth_in_error", AUTH, SCENARIO_SILENT, auth_in_error},
	{"auth_refused", AUTH, SCENARIO_SILENT | SCENARIO_EMPTY, auth_refused},
	{"auth_deaf", AUTH, SCENARIO_SILENT | SCENARIO_EMPTY, auth_deaf},
	{"auth_no_challenge", AUTH, SCENARIO_SILENT | SCENARIO_EMPTY, auth_no_challenge},
	{"few_subs", LIMITS, 0, few_subs},
	{"few_items", LIMITS, 0, few_items},
	{"restricted", LIMITS, 0, restricted},
	{"drops", DROP, 0, drops},
	{"drops_at_req", DROP, 0, drops_at_req},
	{"delays", SPEED, SCENARIO_HARMLESS, delays},
	{"drips", SPEED, SCENARIO_HARMLESS, drips},
	{"slowloris", SPEED, SCENARIO_SILENT, slowloris},
	{"fragments", FRAMES, SCENARIO_HARMLESS, fragments},
	{"pings", FRAMES, SCENARIO_HARMLESS, pings},
	{"wrong_frames", FRAMES, SCENARIO_SILENT | SCENARIO_EMPTY, wrong_frames},
	{"masked_frames", FRAMES, SCENARIO_LIES, masked_frames},
	{"flood", FLOOD, SCENARIO_SILENT, flood},
	{"oversize", FLOOD, SCENARIO_EMPTY, oversize},
	{"large_message", FLOOD, SCENARIO_HARMLESS, large_message},
	{"bad_handshake", HANDSHAKE, SCENARIO_SILENT | SCENARIO_EMPTY, bad_handshake},
	{"bad_status", HANDSHAKE, SCENARIO_EMPTY, bad_status},
	{"duplicates", COPIES, SCENARIO_HARMLESS, duplicates},
	{"wrong_sub", COPIES, SCENARIO_HARMLESS, wrong_sub},
	{"outside", OUTSIDE, 0, outside},
	{"forged_ids", SPOIL, 0, forged_ids},
	{"forged_sigs", SPOIL, SCENARIO_HARMLESS, forged_sigs},
	{"bad_utf8", SPOIL, 0, bad_utf8},
	{"malformed", SPOIL, 0, malformed},
	{"no_negentropy", NEGENTROPY, SCENARIO_HARMLESS, no_negentropy},
	{"negentropy", NEGENTROPY, 0, negentropy},
	{"plain_negentropy", NEGENTROPY, SCENARIO_HARMLESS, plain_negentropy},
	{"document_lies", DOCUMENT, SCENARIO_HARMLESS, document_lies},
};

#define NLIST ((int) (sizeof(list) / sizeof(list[0])))

static void
at_least(int *n, int least)
{
	if (*n > 0 && *n < least)
		*n = least;
}

static void
draw_misbehaviours(Scenario *s, Random *r)
{
	int			wanted = (int) random_between(r, 1, 3);
	int			group[3];

	s->flags = SCENARIO_HARMLESS;
	for (int n = 0; n < wanted;)
	{
		const Misbehaviour *m = &list[random_next(r) % (uint64_t) NLIST];
		bool		taken = false;

		for (int i = 0; i < n; i++)
			taken = taken || group[i] == m->group;
		if (taken)
			continue;
		m->apply(&s->plan.base, r, &s->data);
		s->flags = (s->flags & m->flags & SCENARIO_HARMLESS) |
			((s->flags | m->flags) & ~SCENARIO_HARMLESS);
		group[n++] = m->group;
		snprintf(s->names + strlen(s->names), sizeof(s->names) - strlen(s->names), "%s%s",
				 n > 1 ? "+" : "", m->name);
	}
	/* fewer random events could look sorted by chance, and nobody could tell */
	if (s->plan.base.order == RELAY_ANY)
	{
		at_least(&s->plan.base.cap, 20);
		at_least(&s->plan.base.cap_min, 20);
		at_least(&s->plan.base.drop_after, 20);
		at_least(&s->plan.base.refuse_after, 20);
	}
}

/* All there is, but named: a dense second can be split by it. */
static void
name_everything(Scenario *s)
{
	char	   *f = s->filter;
	size_t		room = sizeof(s->filter);

	snprintf(f, room, "{\"kinds\":[");
	for (int i = 0; i < s->data.kinds; i++)
		snprintf(f + strlen(f), room - strlen(f), "%s%d", i > 0 ? "," : "", data_kind(i));
	strcat(f, "],\"#t\":[");
	for (int i = 0; i < s->data.topics; i++)
		snprintf(f + strlen(f), room - strlen(f), "%s\"%s\"", i > 0 ? "," : "", data_topic(i));
	strcat(f, "]}");
}

static void
draw_filter(Scenario *s, Random *r)
{
	char	   *f = s->filter;
	size_t		room = sizeof(s->filter);
	uint8_t		key[32];
	char		hex[65] = "";

	if (random_one_in(r, 2))
		strcpy(f, "{}");
	else if (random_one_in(r, 3))
	{
		int			n = (int) random_between(r, 1, 4);

		snprintf(f, room, "{\"kinds\":[");
		for (int i = 0; i < n; i++)
			snprintf(f + strlen(f), room - strlen(f), "%s%d", i > 0 ? "," : "",
					 data_kind((int) (random_next(r) % (uint64_t) s->data.kinds)));
		strcat(f, "]}");
	}
	else if (random_one_in(r, 2))
	{
		snprintf(f, room, "{\"authors\":[");
		for (int i = 0; i < 3; i++)
		{
			data_author((int) (random_next(r) % (uint64_t) s->data.authors), key);
			nostr_hex_encode(key, 32, hex);
			snprintf(f + strlen(f), room - strlen(f), "%s\"%s\"", i > 0 ? "," : "", hex);
		}
		strcat(f, "]}");
	}
	else if (random_one_in(r, 2))
		strcpy(f, "{\"#t\":[\"a\",\"c\"]}");
	else
		snprintf(f, room, "{\"kinds\":[%d,65000],\"#t\":[\"b\"]}", data_kind(0));
}

static void
draw_windows(Scenario *s, Random *r)
{
	int64_t		top = DATA_BASE + s->data.span + 10;
	int64_t		bottom = DATA_BASE - 10;

	s->nwindows = 1;
	s->window[0] = (SyncWindow) {0, INT64_MAX, SYNC_FETCH};
	if (random_one_in(r, 3))
		return;
	if (random_one_in(r, 2))
	{
		s->window[0].since = random_between(r, bottom, top);
		if (random_one_in(r, 2))
			s->window[0].until = random_between(r, s->window[0].since, top);
		return;
	}
	/* several, with or without room between them */
	s->nwindows = 0;
	for (int n = (int) random_between(r, 2, SCENARIO_MAX_WINDOWS); n > 0 && top > bottom; n--)
	{
		SyncWindow *w = &s->window[s->nwindows++];

		w->until = s->nwindows == 1 && random_one_in(r, 2) ? INT64_MAX : top;
		w->since = n == 1 && random_one_in(r, 2) ? 0 : random_between(r, bottom, top);
		w->purpose = random_one_in(r, 4) ? SYNC_RECHECK : SYNC_FETCH;
		top = w->since - 1 - random_between(r, 0, 3) * random_between(r, 0, s->data.span / 4);
	}
}

void
scenario_draw(Scenario *s, RelayStore *store, uint64_t seed)
{
	static const uint32_t limits[] = {1, 2, 10, 50, 100, 500, 500, 500, 1000, 5000};
	static const int held[] = {0, 10, 50, 90, 99, 100};
	static const uint32_t part[] = {1, 7, 100, 8192};
	Random		r = {seed};

	memset(s, 0, sizeof(*s));
	s->seed = seed;
	data_random_spec(&s->data, &r);
	relay_plan_default(&s->plan);
	draw_misbehaviours(s, &r);
	draw_filter(s, &r);
	if (s->data.shape == DATA_DENSE && seed % 3 > 0)
		name_everything(s);
	draw_windows(s, &r);
	s->page_limit = limits[random_next(&r) % 10];
	if (s->plan.base.order == RELAY_ANY && s->page_limit < 50)
		s->page_limit = 50;
	s->slice_ms = random_one_in(&r, 8) ? (uint32_t) random_between(&r, 1, 30) : 0;
	s->timeout_ms = s->flags & SCENARIO_SILENT ? QUICK_TIMEOUT : PATIENT_TIMEOUT;
	s->may_auth = random_one_in(&r, 2);
	if (s->plan.base.neg != RELAY_NEG_NONE || random_one_in(&r, 5))
	{
		s->negentropy = random_one_in(&r, 2) ? SYNC_UNKNOWN : SYNC_WORKS;
		s->held = held[random_next(&r) % 6];
		s->phantoms = random_one_in(&r, 3) ? (int) random_between(&r, 1, 100) : 0;
		s->part = part[random_next(&r) % 4];
	}
	s->pause_every = random_one_in(&r, 8) ? (int) random_between(&r, 1, 100) : 0;
	s->cancel_after = random_one_in(&r, 20) ? (int) random_between(&r, 1, 300) : 0;
	s->tail = (s->flags & SCENARIO_HARMLESS) && s->slice_ms == 0 && s->cancel_after == 0 &&
		strcmp(s->filter, "{}") == 0 && random_one_in(&r, 3);
	s->data_seed = r.state;
	data_fill(store, &s->data, &r);
}

void
scenario_print(const Scenario *s, FILE *f)
{
	NostrBuf	b;

	nostr_buf_init(&b, 1 << 20);
	relay_plan_json(&s->plan, &b);
	nostr_buf_append_byte(&b, '\0');
	fprintf(f, "  misbehaviour %s\n  script %s\n", s->names, (char *) b.data);
	fprintf(f, "  data %s, %d events in %" PRId64 " s, %d kinds, %d authors, from %#" PRIx64 "\n",
			data_shape_name(s->data.shape), s->data.events, s->data.span, s->data.kinds, s->data.authors,
			s->data_seed);
	fprintf(f, "  filter %s page_limit %u slice %u ms timeout %u ms auth %d pause %d cancel %d%s\n", s->filter,
			s->page_limit, s->slice_ms, s->timeout_ms, s->may_auth, s->pause_every, s->cancel_after, s->tail ? " tail" : "");
	if (s->part > 0)
		fprintf(f, "  archive holds %d %% and %d phantoms, told by %u, negentropy %s\n", s->held, s->phantoms,
				s->part, s->negentropy == SYNC_WORKS ? "works" : "unknown");
	for (int i = 0; i < s->nwindows; i++)
		fprintf(f, "  window %" PRId64 " .. %" PRId64 "%s\n", s->window[i].since, s->window[i].until,
				s->window[i].purpose == SYNC_RECHECK ? " recheck" : "");
	nostr_buf_free(&b);
}

void
scenario_free(Scenario *s)
{
	relay_plan_free(&s->plan);
}
