/*
 * archive.c
 *
 * Writes what a transaction brings: events, then observations.
 *
 * Guarantees that writers never deadlock: each writes all its events in the
 * order of their keys, and then all its observations in theirs.  Must
 * survive: any number of copies of an event; colliding ids, which move to
 * keys out of that order; transactions that write several times.  A writer
 * that finds itself in a circle with such transactions undoes what it wrote
 * and writes it again, provided that is all its transaction has in the
 * archive.
 */
#include "pg/compat.h"

#include "access/xact.h"
#include "pg/archive.h"
#include "pg/archive_delta.h"
#include "pg/archive_plan.h"
#include "pg/archive_row.h"
#include "pg/attempt.h"
#include "pg/retention.h"

/* Events in one statement: bounds what their arrays take. */
#define EVENTS_AT_ONCE	1000
/* Circles that one call leaves before it gives up. */
#define WAYS_OUT		10
/* Longest pause, in ms, after one: those who were waiting are awake, but on a
 * busy machine not yet running, and would find the same circle again. */
#define PAUSE_MAX		50

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

/* All of one call. */
typedef struct Write
{
	BbArchiveEvent *e;
	int			n;
	int		   *todo;			/* of e, those to be stored */
	int			ntodo;
	BbOffer    *o;
	int			m;
	bool		wrote;			/* out: anything */
} Write;

/* Counted, with its reason kept. */
static void
refuse(BbRejects *rejects, const BbArchiveEvent *e)
{
	archive_reject(rejects, e->relay_id, e->reason, e->ev.id, e->ev.content, e->ev.content_len, 1, e->seen_at);
}

/* What policies do not keep is refused; the others are to be stored. */
static void
find_events(Write *w, BbRejects *rejects)
{
	w->todo = palloc_extended(sizeof(int) * Max(w->n, 1), MCXT_ALLOC_HUGE);
	w->ntodo = 0;
	for (int i = 0; i < w->n; i++)
	{
		BbArchiveEvent *e = &w->e[i];

		if (e->outcome == BB_INVALID)
			continue;
		e->reason = retention_refuses(e->ev.kind, e->ev.created_at);
		if (e->reason == NULL)
		{
			w->todo[w->ntodo++] = i;
			continue;
		}
		e->outcome = BB_INVALID;
		refuse(rejects, e);
	}
}

/* Stores the first copy of each event; the others share its key and outcome. */
static void
write_events(Write *w)
{
	BbArchiveEvent *e = w->e;
	int			n = w->ntodo;
	Sorted	   *s = palloc_extended(sizeof(*s) * Max(n, 1), MCXT_ALLOC_HUGE);
	int		   *first = palloc(sizeof(*first) * Max(n, 1));
	int			ndistinct = 0;
	int			distinct = 0;

	for (int i = 0; i < n; i++)
	{
		s[i].at = w->todo[i];
		s[i].ev = &e[s[i].at];
		e[s[i].at].outcome = BB_PENDING;
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

static void
write_all(void *arg)
{
	Write	   *w = arg;

	if (w->n > 0)
	{
		write_events(w);
		archive_peer_news(w->e, w->n);
	}
	archive_lookup(w->o, w->m);
	if (w->n + w->m > 0)
		write_observations(w->e, w->n, w->o, w->m);
	w->wrote = TransactionIdIsValid(GetCurrentTransactionIdIfAny());
}

/* As it was before it was tried. */
static void
forget(Write *w, const int64 *offered)
{
	for (int i = 0; i < w->ntodo; i++)
	{
		BbArchiveEvent *e = &w->e[w->todo[i]];

		e->key = nostr_event_key(e->ev.created_at, e->ev.id);
		e->reason = NULL;
	}
	for (int i = 0; i < w->m; i++)
		w->o[i].key = offered[i];
}

/* Nothing is locked by this transaction but what the call locks: undone, it is
 * in nobody's way. */
static void
write_first(Write *w)
{
	int64	   *offered = palloc_extended(sizeof(int64) * Max(w->m, 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < w->m; i++)
		offered[i] = w->o[i].key;
	for (int i = 1;; i++)
	{
		ErrorData  *error = bb_attempt(write_all, w);

		if (error == NULL)
			break;
		if (error->sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED || i == WAYS_OUT)
			ReThrowError(error);
		FreeErrorData(error);
		forget(w, offered);
		CHECK_FOR_INTERRUPTS();
		pg_usleep(1000L * Min(1 << i, PAUSE_MAX));
	}
	pfree(offered);
}

static void
explain_deadlock(void *arg)
{
	if (geterrcode() == ERRCODE_T_R_DEADLOCK_DETECTED)
		errhint("Transactions that write several times can wait for each other. Pass all events in one call of bigbrotr.event_ingest, or repeat the transaction.");
}

/* What an earlier call has locked stays so. */
static void
write_again(Write *w)
{
	ErrorContextCallback hint = {.previous = error_context_stack,.callback = explain_deadlock};

	error_context_stack = &hint;
	write_all(w);
	error_context_stack = hint.previous;
}

void
archive_write(BbArchiveEvent *e, int n, BbOffer *o, int m, BbRejects *rejects)
{
	static LocalTransactionId writer;	/* the last transaction that wrote */
	Write		w = {.e = e,.n = n,.o = o,.m = m};

	SPI_connect();
	archive_partitions();
	SPI_finish();
	find_events(&w, rejects);
	if (writer == bb_local_xid())
		write_again(&w);
	else
		write_first(&w);
	if (w.wrote)
		writer = bb_local_xid();
	for (int i = 0; i < w.ntodo; i++)
		if (e[w.todo[i]].outcome == BB_INVALID)
			refuse(rejects, &e[w.todo[i]]);
	pfree(w.todo);
}
