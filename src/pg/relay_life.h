/*
 * relay_life.h
 *
 * What a pass over a relay means for its life: live, degraded, dead, parked,
 * and when it is asked again (docs/archive.md).
 *
 * Inside a transaction of the caller, SPI not connected.
 */
#ifndef BB_RELAY_LIFE_H
#define BB_RELAY_LIFE_H

#include "postgres.h"

typedef struct RelayNews		/* what a job told about its relay */
{
	int32		relay_id;
	int64		received;		/* events since the last news */
	int64		observed;		/* new observations since then */
	uint32		max_page;		/* 0: none */
	uint8		negentropy;		/* WireSupport; 0: not tried */
	uint8		auth;			/* 0 not asked, 1 accepted, 2 refused */
	uint32		requests_per_minute;	/* learned; 0: nothing */
} RelayNews;

/* It answered.  whole: the pass is over; live: it stays subscribed. */
extern void relay_life_ok(const RelayNews *n, bool whole, bool live, double next_s);

/* It did not: class as in net/failure.h.  retry_after_ms: what it asked for.
 * A pass that made progress before it failed counts as the first failure. */
extern void relay_life_failed(const RelayNews *n, const char *class, const char *reason,
							  bool progress, uint32 retry_after_ms);

/* Its live tail is over.  due: it is asked again at once. */
extern void relay_life_tail_ended(const RelayNews *n, bool due);

/* Nobody is subscribed any more (modulo: the relays of this worker). */
extern void relay_life_no_tails(int me, int nworkers);

/* How to read a class of failure. */
extern bool failure_is_ours(const char *class);	/* says nothing about the relay */
extern bool failure_is_definite(const char *class); /* will not go away soon */
extern bool failure_is_answer(const char *class);	/* the relay is there */
/* The class fit for a key of failure_counts: "other" when it is none. */
extern const char *failure_class(const char *class);

#endif
