/*
 * negtalk.c
 *
 * One window by negentropy (NIP-77): the relay and the archive find out what
 * the archive lacks, and only that is fetched, by id.
 *
 * Guarantees: COMPLETE ("nip77") only for a range in which the relay answered
 * every question and delivered every id that it claimed.  What it withholds
 * is narrowed down and reported open, "ids_withheld".  A range that is too
 * large is halved; a relay that does not speak the protocol, or breaks it, is
 * paged from there on.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "neg.h"

#define MIN_HELD		100		/* observations, to try a relay */
#define MIN_DENSITY_SPAN (30 * 86400)	/* a window longer than this ... */
#define MIN_ITEMS		100		/* ... with fewer items is new: paged */
#define MAX_NEED		100000	/* ids of one conversation */
#define MAX_TALKS		400		/* conversations about one window */
#define MAX_UNANSWERED	12
#define IDS_AT_ONCE		200
#define MAX_LOST		3
#define MAX_FRAME		60000	/* bytes, so that the hex fits where nothing is told */
#define MAX_OVERSIZE	3		/* answers beyond what we take; each costs a connection */
#define FRAMING			300		/* bytes of a message beside filter and hex */
#define ID_BYTES		67		/* of an id in a REQ */

static void next_range(Sync *s);
static void talk(Sync *s);

static int64_t
claim_top(const SyncNeg *g, int64_t hi)
{
	return hi < g->top ? hi : g->top;
}

static int64_t
claim_since(int64_t lo)
{
	return lo == SYNC_NO_SINCE ? 0 : lo;
}

static void
talk_over(SyncNeg *g)
{
	if (g->talking)
		nostr_nip77_free(&g->talk);
	g->talking = false;
	nostr_neg_set_free(&g->part);
}

void
sync_neg_free(Sync *s)
{
	SyncNeg    *g = s->neg;

	if (g == NULL)
		return;
	talk_over(g);
	sync_negset_drop(g);
	sync_req_free(&g->req);
	free(g->need);
	free(g->fetched);
	free(g);
	s->neg = NULL;
}

void
sync_neg_abort(Sync *s, const char *reason)
{
	SyncNeg    *g = s->neg;

	if (g == NULL || !g->active)
		return;
	sync_say(s, claim_since(g->lo), claim_top(g, g->asking ? g->at.hi : g->hi), SYNC_OPEN, 0,
			 "", reason);
	g->active = false;
}

/* All that is left of the window, by paging. */
static void
page_rest(Sync *s)
{
	SyncNeg    *g = s->neg;
	int64_t		hi = g->asking ? g->at.hi : g->hi;

	g->active = false;
	talk_over(g);
	sync_negset_drop(g);
	sync_walk_start(&s->walk, claim_since(g->lo), hi, claim_top(g, hi));
}

/* --- ranges --- */

static bool
push(SyncNeg *g, int64_t lo, int64_t hi)
{
	if (lo > hi)
		return true;
	if (g->n == SYNC_NEG_STACK)
		return false;
	g->stack[g->n++] = (SyncNegRange) {lo, hi};
	return true;
}

/* Halves the range at the middle of what we hold there.  false: cannot. */
static bool
split(SyncNeg *g)
{
	SyncNegRange r = g->at;
	int64_t		lo = r.lo > 0 ? r.lo : 0;
	int64_t		hi = r.hi < g->top ? r.hi : g->top;
	size_t		first = nostr_neg_set_find(&g->set, (uint64_t) lo);
	size_t		end = nostr_neg_set_find(&g->set, (uint64_t) hi + 1);
	int64_t		m;

	if (lo >= hi)
		return false;
	m = lo + (hi - lo) / 2;
	if (end - first >= 2)
	{
		int64_t		t = (int64_t) g->set.items[first + (end - first) / 2].timestamp;

		if (t > lo && t <= hi)
			m = t - 1;
	}
	return push(g, r.lo, m) && push(g, m + 1, r.hi);
}

void
sync_neg_fetched(Sync *s)
{
	SyncNeg    *g = s->neg;
	uint64_t	held = g->set_in_range + g->nneed - g->withheld;

	held -= g->have < g->set_in_range ? g->have : g->set_in_range;
	if (g->withheld == 0 && !g->partial)
		sync_say(s, claim_since(g->at.lo), claim_top(g, g->at.hi), SYNC_COMPLETE, held,
				 "nip77", "");
	else if (g->withheld == 0)
		(void) push(g, g->at.lo, g->at.hi); /* the rest of it */
	else if (g->talks >= MAX_TALKS || !split(g))
		sync_say(s, claim_since(g->at.lo), claim_top(g, g->at.hi), SYNC_OPEN, held,
				 "", "ids_withheld");
	next_range(s);
}

static void
next_range(Sync *s)
{
	SyncNeg    *g = s->neg;

	g->asking = false;
	if (g->n == 0 && g->set_lo > g->lo)
	{
		g->hi = g->set_lo - 1;
		g->nfetched = 0;
		if (!sync_negset_start(s))
			page_rest(s);
	}
	else if (g->n == 0)
	{
		g->active = false;
		sync_negset_drop(g);
		sync_next_window(s);
	}
	else if (sync_slice_over(s))
		sync_finish(s, SYNC_AGAIN, NET_OK, "");
	else
	{
		g->at = g->stack[--g->n];
		g->asking = true;
		talk(s);
	}
}

/* --- the conversation --- */

static void
too_large(Sync *s)
{
	SyncNeg    *g = s->neg;

	/* one that finds everything too large is not asked for ever */
	if (g->talks < (g->answered ? MAX_TALKS : MAX_UNANSWERED) && split(g))
		next_range(s);
	else
		page_rest(s);
}

static void
agreed(Sync *s)
{
	SyncNeg    *g = s->neg;

	s->result.negentropy = SYNC_WORKS;
	g->partial = g->talk.outcome == NOSTR_NIP77_PARTIAL;
	g->have = g->talk.have;
	free(g->need);
	g->need = g->talk.need.data;	/* ours now */
	g->nneed = (uint32_t) (g->talk.need.len / 32);
	nostr_buf_init(&g->talk.need, 0);
	g->next_need = g->withheld = 0;
	g->batch = s->max_page > SYNC_NEG_FEW_IDS && s->max_page < IDS_AT_ONCE ? s->max_page : IDS_AT_ONCE;
	if (s->max_message > 0 && g->batch > (s->max_message - FRAMING) / ID_BYTES)
		g->batch = (s->max_message - FRAMING) / ID_BYTES;
	talk_over(g);
	sync_neg_fetch(s);
}

static void
unsupported(Sync *s)
{
	s->negentropy = SYNC_UNSUPPORTED;
	s->result.negentropy = SYNC_UNSUPPORTED;
	page_rest(s);
}

bool
sync_neg_oversize(Sync *s)
{
	SyncNeg    *g = s->neg;

	if (g == NULL || !g->active || g->req.state != SYNC_REQ_SENT || g->req.message == NULL)
		return false;
	g->oversize = true;
	g->req.received++;			/* it is not to be asked again as it was */
	s->useful = true;
	return true;
}

/* It does not keep to frames that we could take. */
static void
oversize(Sync *s)
{
	SyncNeg    *g = s->neg;

	g->oversize = false;
	if (++g->oversizes <= MAX_OVERSIZE)
		too_large(s);
	else
	{
		s->negentropy = SYNC_UNSUPPORTED;	/* for this job */
		page_rest(s);
	}
}

static void
talk_end(SyncReq *r, SyncEnd how)
{
	Sync	   *s = r->s;
	SyncNeg    *g = s->neg;

	if (g->oversize)
	{
		talk_over(g);
		oversize(s);
		return;
	}

	if (how == SYNC_END_REFUSED)
	{
		/* no answer, or authentication that did not work */
		talk_over(g);
		if (s->refusal.failure == NET_AUTH_REQUIRED)
			sync_fail_refused(s);
		else
			unsupported(s);
		return;
	}
	switch (how == SYNC_END_EOSE ? g->talk.outcome : NOSTR_NIP77_LOST)
	{
		case NOSTR_NIP77_AGREED:
		case NOSTR_NIP77_PARTIAL:
			agreed(s);
			break;
		case NOSTR_NIP77_TOO_LARGE:
			too_large(s);
			break;
		case NOSTR_NIP77_LOST:
			if (++g->lost <= MAX_LOST)
				talk(s);
			else
				page_rest(s);
			break;
		case NOSTR_NIP77_UNSUPPORTED:
		case NOSTR_NIP77_BROKEN:
			unsupported(s);
			break;
		default:
			s->negentropy = SYNC_UNSUPPORTED;	/* for this job */
			page_rest(s);
			break;
	}
}

static void
talk_message(SyncReq *r, const NostrMessage *m)
{
	Sync	   *s = r->s;
	SyncNeg    *g = s->neg;
	NostrBuf	text;
	bool		taken;

	nostr_buf_init(&text, WS_MAX_QUEUED);
	taken = nostr_nip77_receive(&g->talk, m, &text);
	if (taken && text.len > 0 && !ws_send(s->ws, (char *) text.data, text.len))
		sync_fail(s, NET_RESOURCES, "cannot queue the message");
	nostr_buf_free(&text);
	if (!taken || s->finished)
		return;
	r->deadline = sync_now(s) + s->timeout_ms;
	r->page_deadline = r->deadline + (uint64_t) s->timeout_ms * SYNC_PAGE_TIMEOUTS;
	if (m->type == NOSTR_MSG_NEG_MSG)
	{
		r->received++;
		s->useful = g->answered = true;
	}
	if (g->talk.outcome == NOSTR_NIP77_RUNNING)
		return;
	if (g->talk.outcome == NOSTR_NIP77_AUTH_REQUIRED)
		sync_auth_needed(r, m->text, m->text_len);
	else if (g->talk.outcome != NOSTR_NIP77_RATE_LIMITED)
		sync_req_finish(r, SYNC_END_EOSE);
	else if (sync_rate_limited(s, m->text, m->text_len))
		sync_req_again(r);
}

static const NostrNegSet *
set_of_range(SyncNeg *g)
{
	uint64_t	lo = g->at.lo > 0 ? (uint64_t) g->at.lo : 0;
	uint64_t	hi = (uint64_t) g->at.hi;
	size_t		first = nostr_neg_set_find(&g->set, lo);
	size_t		end = nostr_neg_set_find(&g->set, hi < UINT64_MAX - 1 ? hi + 1 : hi);

	g->set_in_range = end - first;
	nostr_neg_set_free(&g->part);
	if (g->nfetched == 0)
		return &g->set;
	nostr_neg_set_init(&g->part, end - first + g->nfetched + 1);
	for (size_t i = first; i < end; i++)
		nostr_neg_set_add(&g->part, g->set.items[i].timestamp, g->set.items[i].id);
	for (uint32_t i = 0; i < g->nfetched; i++)
		if (g->fetched[i].timestamp >= lo && g->fetched[i].timestamp <= hi)
			nostr_neg_set_add(&g->part, g->fetched[i].timestamp, g->fetched[i].id);
	nostr_neg_set_seal(&g->part);
	g->set_in_range = g->part.n;
	return &g->part;
}

/*
 * Bytes of negentropy that fit into a message to this relay, in hex beside
 * the filter; 0: it takes what we write.  Less than NOSTR_NEG_MIN_FRAME is
 * not enough for a conversation.
 */
static size_t
frame_room(const Sync *s)
{
	NostrBuf	json;
	size_t		other;

	if (s->max_message == 0 || s->max_message > 4 * NOSTR_NEG_MAX_MESSAGE)
		return 0;
	nostr_buf_init(&json, WS_MAX_QUEUED);
	nostr_filter_json(&s->filter, &json);
	other = json.len + FRAMING;
	nostr_buf_free(&json);
	if (s->max_message < other + 2 * NOSTR_NEG_MIN_FRAME)
		return 1;
	other = (s->max_message - other) / 2;
	return other < MAX_FRAME ? other : MAX_FRAME;
}

/* The first message, with the request's subscription id. */
static void
compose(SyncReq *r, NostrBuf *text)
{
	Sync	   *s = r->s;
	SyncNeg    *g = s->neg;
	NostrFilter f = s->filter;
	NostrNegLimits limits = {0};
	NostrBuf	json;
	const NostrNegSet *set;

	talk_over(g);
	set = set_of_range(g);
	nostr_buf_init(&json, WS_MAX_QUEUED);
	f.since = g->at.lo == SYNC_NO_SINCE ? INT64_MIN : g->at.lo;
	f.until = g->at.hi;
	f.limit = -1;
	nostr_filter_json(&f, &json);
	limits.frame = frame_room(s);
	nostr_nip77_init(&g->talk, r->sub, set, g->at.lo > 0 ? (uint64_t) g->at.lo : 0,
					 g->at.hi == SYNC_NO_UNTIL ? UINT64_MAX - 1 : (uint64_t) g->at.hi,
					 &limits, MAX_NEED);
	g->talking = true;
	nostr_nip77_open(&g->talk, (char *) json.data, json.len, text);
	nostr_buf_free(&json);
}

static void
talk(Sync *s)
{
	SyncNeg    *g = s->neg;

	g->talks++;
	sync_req_conversation(&g->req, compose, talk_message, talk_end);
}

void
sync_neg_collected(Sync *s)
{
	SyncNeg    *g = s->neg;
	bool		fetch_only = s->window[s->at].purpose == SYNC_FETCH;
	int64_t		span = claim_top(g, g->hi) - claim_since(g->set_lo);

	g->n = 0;
	g->talks = 0;
	if (g->set.failed || !nostr_neg_set_seal(&g->set) ||
		(fetch_only && (g->set.n == 0 ||
						(g->set.n < MIN_ITEMS && span > MIN_DENSITY_SPAN))))
	{
		page_rest(s);
		return;
	}
	push(g, g->set_lo, g->hi);
	next_range(s);
}

bool
sync_neg_start(Sync *s, int64_t top)
{
	const SyncWindow *w = &s->window[s->at];
	SyncNeg    *g = s->neg;

	if (frame_room(s) == 1)
		return false;
	if (s->cb.set_request == NULL || s->negentropy == SYNC_UNSUPPORTED ||
		s->held < (s->negentropy == SYNC_WORKS ? 1 : MIN_HELD))
		return false;
	if (g == NULL)
	{
		g = s->neg = calloc(1, sizeof(*g));
		if (g == NULL)
			return false;
		g->s = s;
		sync_req_init(&g->req, s);
	}
	g->lo = w->since == 0 ? SYNC_NO_SINCE : w->since;
	g->hi = w->until;
	g->top = top;
	g->asking = false;
	g->nfetched = 0;
	g->active = true;
	if (sync_negset_start(s))
		return true;
	g->active = false;
	return false;
}
