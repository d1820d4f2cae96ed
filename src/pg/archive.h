/*
 * archive.h
 *
 * The only way into the archive: events, observations, rejected events,
 * counters (coverage: coverage.h).
 *
 * All functions run inside a transaction of the caller with SPI *not*
 * connected (they connect themselves), and use saved plans.  Concurrent
 * writers never deadlock when a transaction calls archive_write once, then
 * archive_rejects_write, then mention_flush (mention_store.h): each writes in
 * one order, that of the keys.  When others write several times, the first
 * call of a transaction steps back out of a deadlock and writes again; a later
 * one fails with a hint.  A row that the database refuses never fails the
 * batch: it is found by bisection and becomes a rejected event with the
 * SQLSTATE and message as its reason.
 */
#ifndef BB_ARCHIVE_H
#define BB_ARCHIVE_H

#include "postgres.h"

#include "nostr/event.h"

/* observation.seen_at counts seconds since 2020-01-01 00:00 UTC: 4 bytes
 * until 2088 instead of 8. */
#define BB_SEEN_EPOCH INT64CONST(1577836800)

typedef enum BbOutcome
{
	BB_PENDING,
	BB_NEW,						/* event stored (and observation, if a relay is given) */
	BB_OBSERVED,				/* event known, observation new */
	BB_DUPLICATE,				/* nothing new */
	BB_INVALID					/* refused; reason */
} BbOutcome;

/* One event to write; relay_id 0 = no observation. */
typedef struct BbArchiveEvent
{
	NostrEvent	ev;				/* pointers valid during the call */
	int64		key;			/* in: nostr_event_key; out: the key it has */
	int32		relay_id;
	int64		seen_at;		/* unix seconds */
	BbOutcome	outcome;		/* out */
	const char *reason;			/* out for BB_INVALID, palloc'ed in the caller's context */
} BbArchiveEvent;

/* One (key, id) pair a relay offered. */
typedef struct BbOffer
{
	int64		key;			/* in: computed; out: the key under which it is stored */
	uint8		id[32];
	int32		relay_id;
	int64		seen_at;
	bool		known;			/* out */
	bool		observed;		/* out of archive_write: the observation was new */
} BbOffer;

/* Which are in the archive?  One indexed query (more only on collisions). */
extern void archive_lookup(BbOffer *o, int n);

/* Refused events of a transaction until they are written, in the memory
 * context that was current: copies of the eight samples per relay and reason
 * that there is room for, and counts. */
typedef struct BbRejects BbRejects;

extern BbRejects *archive_rejects(void);
/* id and sample may be NULL.  count >= 1. */
extern void archive_reject(BbRejects *r, int32 relay_id, const char *reason,
						   const uint8 *id, const uint8 *sample, size_t sample_len,
						   int64 count, int64 seen_at);
extern void archive_rejects_write(BbRejects *r);

/*
 * All that a transaction has for the archive: stores the events, looks up the
 * offers (which sees these events too), and adds the observations of both.
 * Fills outcomes; what the database refuses goes to r.  Events that are
 * BB_INVALID already are left alone.
 */
extern void archive_write(BbArchiveEvent *e, int n, BbOffer *o, int m, BbRejects *r);

/* One observation of a relay. */
typedef struct BbHeld
{
	int64		key;
	int64		created_at;
	uint8		id[32];
} BbHeld;

/* What was observed of a relay in [since, until] under keys below below_key,
 * newest first; how many.  *last: there is no more below. */
extern int	archive_set(int32 relay_id, int64 since, int64 until, int64 below_key,
						BbHeld *out, int max, bool *last);

/* Adds to the counters of this worker (table counter), same transaction. */
extern void archive_count(const char *service, int worker, const char *name, int64 n);

#endif
