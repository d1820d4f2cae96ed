/*
 * hidden.c
 *
 * Relays that hide kinds may count them against the limit, so an answer can
 * be empty although more lies below.  Asked for a single kind, such a relay
 * shows all or nothing of it; so if the end of a window is still in doubt,
 * the most important kinds are asked for one by one.
 */
#include "../nostr/pgfree.h"

#include "sync_internal.h"
#include "walk.h"

#define MAX_KINDS	32			/* of a filter */
#define LIMIT		20

/* What relays hold most of. */
static const uint16_t usual[] = {1, 7, 0, 6, 3, 5, 10002, 9735, 30023, 16, 4, 1059};

/* The next kind to ask for, from *at on; -1: that was all. */
static int
next_kind(const SyncWalk *w)
{
	const NostrFilterList *own = &w->s->filter.kinds;

	if (own->given)
		return w->next_single < own->n && own->n <= MAX_KINDS ?
			((const uint16_t *) own->mem.data)[w->next_single] : -1;
	return w->next_single < sizeof(usual) / sizeof(usual[0]) ? usual[w->next_single] : -1;
}

static void
single_event(SyncReq *r, const NostrEvent *ev, bool valid)
{
	SyncWalk   *w = sync_walk_of(r);
	int64_t		t = sync_walk_time(w, ev->created_at);

	if (w->seen.at == t && !sync_seen_add(&w->seen, t, ev))
		return;					/* a known one of the last second */
	sync_proof_unexpected(w, ev, valid);
}

static void
single_end(SyncReq *r, SyncEnd how)
{
	SyncWalk   *w = sync_walk_of(r);

	w->next_single++;
	if (how != SYNC_END_REFUSED && sync_crowded_out(r) != NULL)
		sync_walk_give_up(w, sync_crowded_out(r));
	else if (w->probe_fresh)	/* refused: hidden altogether */
		sync_proof_fresh(w);
	else if (!sync_hidden_ask(w))
		sync_proof_confirmed(w);
}

bool
sync_hidden_ask(SyncWalk *w)
{
	int			kind = next_kind(w);
	uint16_t	k = (uint16_t) kind;
	SyncAsk		ask = sync_walk_ask(w, w->lo, w->probe_hi, LIMIT);

	if (kind < 0)
		return false;
	ask.kinds = &k;
	ask.nkinds = 1;
	/* the second "until" itself may be one that the relay leaves out */
	if (!w->mirror && !w->s->until_tested && w->probe_hi < SYNC_NO_UNTIL - 1)
	{
		ask.slack = 1;
		ask.limit = w->s->limit;
	}
	w->probe_fresh = false;
	w->probe_oldest = INT64_MAX;
	sync_ask(&w->req, &ask, single_event, single_end);
	return true;
}
