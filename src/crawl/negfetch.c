/*
 * negfetch.c
 *
 * Fetches by id what a conversation (negtalk.c) found to be missing.
 *
 * Guarantees: each id is asked for until it arrives, or until an answer to
 * only a few of them brought none: then those count as withheld.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "neg.h"

static bool
is_needed(const SyncNeg *g, const uint8_t id[32])
{
	const uint8_t *from = g->need + 32ul * g->next_need;

	for (uint32_t i = 0; i < g->asked; i++)
		if (memcmp(from + 32ul * i, id, 32) == 0)
			return true;
	return false;
}

static void
need_event(SyncReq *r, const NostrEvent *ev, bool valid)
{
	Sync	   *s = r->s;
	SyncNeg    *g = s->neg;
	uint8_t    *from = g->need + 32ul * g->next_need;
	NostrNegItem *it;

	if (!valid || !is_needed(g, ev->id))
		return;
	/* those that came go to the front, so that the rest can be asked again */
	for (uint32_t i = g->got; i < g->asked; i++)
	{
		if (memcmp(from + 32ul * i, ev->id, 32) != 0)
			continue;
		memmove(from + 32ul * i, from + 32ul * g->got, 32);
		memcpy(from + 32ul * g->got++, ev->id, 32);
		if (g->nfetched == g->cap_fetched)
		{
			uint32_t	cap = g->cap_fetched > 0 ? g->cap_fetched * 2 : 256;
			void	   *p = realloc(g->fetched, cap * sizeof(*it));

			if (p == NULL)
				break;
			g->fetched = p;
			g->cap_fetched = cap;
		}
		it = &g->fetched[g->nfetched++];
		it->timestamp = ev->created_at > 0 ? (uint64_t) ev->created_at : 0;
		memcpy(it->id, ev->id, 32);
		break;
	}
	s->cb.event(s->user, ev);
}

static void
need_end(SyncReq *r, SyncEnd how)
{
	Sync	   *s = r->s;
	SyncNeg    *g = s->neg;

	if (how == SYNC_END_REFUSED && g->batch <= SYNC_NEG_FEW_IDS)
	{
		sync_fail_refused(s);
		return;
	}
	g->next_need += g->got;
	if (g->got == 0 && g->batch > SYNC_NEG_FEW_IDS)
		g->batch /= 4;
	else if (g->got == 0)
	{
		g->next_need += g->asked;
		g->withheld += g->asked;
	}
	sync_neg_fetch(s);
}

void
sync_neg_fetch(Sync *s)
{
	SyncNeg    *g = s->neg;
	SyncAsk		ask = {.since = SYNC_NO_SINCE,.until = SYNC_NO_UNTIL};
	uint32_t	left = g->nneed - g->next_need;

	if (left == 0)
	{
		sync_neg_fetched(s);
		return;
	}
	g->asked = left < g->batch ? left : g->batch;
	g->got = 0;
	ask.ids = g->need + 32ul * g->next_need;
	ask.nids = ask.limit = g->asked;
	sync_ask(&g->req, &ask, need_event, need_end);
}
