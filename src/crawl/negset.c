/*
 * negset.c
 *
 * The set that the archive holds of a relay in a window, requested from the
 * worker part by part, newest first.
 *
 * Guarantees: no more than MAX_ITEMS per job and MAX_TOTAL per process; what
 * does not fit shortens the window at a whole second, and the rest is
 * requested when this part is done.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "neg.h"

#define MAX_ITEMS	250000		/* 42 bytes each */
#define MAX_TOTAL	1000000
#define MIN_ROOM	20000		/* less is not worth a conversation */

static size_t total;			/* items of all jobs */

static void
ask(Sync *s, int64_t below_key)
{
	SyncNeg    *g = s->neg;

	g->waiting = true;
	s->cb.set_request(s->user, ++g->seq, g->lo == SYNC_NO_SINCE ? 0 : g->lo, g->hi, below_key);
}

void
sync_negset_drop(SyncNeg *g)
{
	total -= g->counted;
	g->counted = 0;
	nostr_neg_set_free(&g->set);
}

bool
sync_negset_start(Sync *s)
{
	SyncNeg    *g = s->neg;
	size_t		room = MAX_TOTAL > total ? MAX_TOTAL - total : 0;

	sync_negset_drop(g);
	if (room < MIN_ROOM)
		return false;
	g->room = room < MAX_ITEMS ? room : MAX_ITEMS;
	nostr_neg_set_init(&g->set, g->room);
	g->set_lo = g->lo;
	ask(s, INT64_MAX);
	return true;
}

/* Everything above the second of the last item has come. */
static void
shorten(SyncNeg *g, int64_t created_at)
{
	g->set_lo = created_at < g->hi ? created_at + 1 : g->hi;
}

bool
sync_set(Sync *s, uint32_t seq, bool last, const SyncHeld *item, uint32_t n)
{
	SyncNeg    *g = s->neg;
	uint32_t	i = 0;

	if (s->finished)
		return true;			/* it was asked for when the job still ran */
	if (g == NULL || seq != g->seq || !g->waiting)
		return false;
	g->waiting = false;
	for (; i < n && g->set.n < g->room; i++)
		if (item[i].created_at >= 0)
			nostr_neg_set_add(&g->set, (uint64_t) item[i].created_at, item[i].id);
	total += g->set.n - g->counted;
	g->counted = g->set.n;
	if (g->set.n >= g->room && (i < n || !last))
	{
		shorten(g, item[i - 1].created_at);
		last = true;
	}
	if (!last && n > 0)
		ask(s, item[n - 1].key);
	else
		sync_neg_collected(s);
	return true;
}
