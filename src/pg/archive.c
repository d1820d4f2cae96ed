/*
 * archive.c
 *
 * Writes what a transaction brings: events, then observations.
 *
 * Guarantees that writers never deadlock: each writes all its events in the
 * order of their keys, and then all its observations in theirs.  Must survive
 * any number of copies of an event.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pg/archive.h"
#include "pg/archive_delta.h"
#include "pg/archive_plan.h"
#include "pg/archive_row.h"
#include "pg/retention.h"

/* Events in one statement: bounds what their arrays take. */
#define EVENTS_AT_ONCE	1000

typedef struct Sorted
{
	const BbArchiveEvent *ev;
	int			at;
} Sorted;

/* The key follows from the id and created_at, so copies are neighbours. */
static int
by_key(const void *a, const void *b)
{
	const Sorted *x = a;
	const Sorted *y = b;
	int			c;

	if (x->ev->key != y->ev->key)
		return x->ev->key < y->ev->key ? -1 : 1;
	c = memcmp(x->ev->ev.id, y->ev->ev.id, 32);
	return c != 0 ? c : x->at - y->at;
}

/* Stores the first copy of each event; the others share its key and outcome. */
static void
write_events(BbArchiveEvent *e, int n, BbRejects *rejects)
{
	Sorted	   *s = palloc_extended(sizeof(*s) * n, MCXT_ALLOC_HUGE);
	int		   *first = palloc(sizeof(*first) * n);
	int			all = n;
	int			ndistinct = 0;
	int			distinct = 0;

	n = 0;
	for (int i = 0; i < all; i++)
	{
		if (e[i].outcome == BB_INVALID)
			continue;
		e[i].reason = retention_refuses(e[i].ev.kind, e[i].ev.created_at);
		if (e[i].reason != NULL)
		{
			e[i].outcome = BB_INVALID;
			archive_reject(rejects, e[i].relay_id, e[i].reason, e[i].ev.id, e[i].ev.content,
						   e[i].ev.content_len, 1, e[i].seen_at);
			continue;
		}
		e[i].outcome = BB_PENDING;
		s[n].ev = &e[i];
		s[n++].at = i;
	}
	qsort(s, n, sizeof(*s), by_key);
	for (int i = 0; i < n; i++)
		if (i == 0 || memcmp(s[i - 1].ev->ev.id, s[i].ev->ev.id, 32) != 0)
			first[ndistinct++] = s[i].at;
	for (int i = 0; i < ndistinct; i += EVENTS_AT_ONCE)
		archive_event_store(e, first + i, Min(EVENTS_AT_ONCE, ndistinct - i));
	for (int i = 0; i < n; i++)
	{
		BbArchiveEvent *x = &e[s[i].at];

		if (distinct < ndistinct && s[i].at == first[distinct])
			distinct++;
		else
		{
			const BbArchiveEvent *f = &e[first[distinct - 1]];

			x->key = f->key;
			x->outcome = f->outcome == BB_INVALID ? BB_INVALID : BB_DUPLICATE;
			x->reason = f->reason;
		}
		if (x->outcome == BB_INVALID)
			archive_reject(rejects, x->relay_id, x->reason, x->ev.id, x->ev.content,
						   x->ev.content_len, 1, x->seen_at);
	}
	pfree(first);
	pfree(s);
}

static void
add_observation(BbObservation *o, int64 key, int32 relay_id, int64 seen_at, int at)
{
	o->key = key;
	o->relay_id = relay_id;
	o->seen_at = seen_at;
	o->fresh = false;
	o->at = at;
}

/* Of events that are stored and of offers that are known, in one order. */
static void
write_observations(BbArchiveEvent *e, int n, BbOffer *offer, int m)
{
	BbObservation *o = palloc_extended(sizeof(*o) * ((Size) n + m), MCXT_ALLOC_HUGE);
	BbDelta		delta;
	int			k = 0;

	for (int i = 0; i < n; i++)
		if (e[i].outcome != BB_INVALID && e[i].relay_id != 0)
			add_observation(&o[k++], e[i].key, e[i].relay_id, e[i].seen_at, i);
	for (int i = 0; i < m; i++)
		if (offer[i].known && offer[i].relay_id != 0)
			add_observation(&o[k++], offer[i].key, offer[i].relay_id, offer[i].seen_at, n + i);
	archive_observation_insert(o, k);
	archive_delta_init(&delta, n, k);
	for (int i = 0; i < n; i++)
		if (e[i].outcome == BB_NEW)
			archive_delta_event(&delta, e[i].key);
	for (int i = 0; i < k; i++)
	{
		if (!o[i].fresh)
			continue;
		archive_delta_seen(&delta, o[i].key, o[i].relay_id);
		if (o[i].at >= n)
			offer[o[i].at - n].observed = true;
		else if (e[o[i].at].outcome == BB_DUPLICATE)
			e[o[i].at].outcome = BB_OBSERVED;
	}
	archive_delta_write(&delta);
	pfree(o);
}

void
archive_write(BbArchiveEvent *e, int n, BbOffer *o, int m, BbRejects *rejects)
{
	SPI_connect();
	archive_partitions();
	SPI_finish();
	if (n > 0)
	{
		write_events(e, n, rejects);
		archive_peer_news(e, n);
	}
	archive_lookup(o, m);
	if (n + m > 0)
		write_observations(e, n, o, m);
}
