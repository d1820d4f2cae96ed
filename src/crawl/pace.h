/*
 * pace.h
 *
 * How many lanes beside a walk are worthwhile, and how far apart (ahead.c),
 * measured on the walk's own pages.
 */
#ifndef BB_CRAWL_PACE_H
#define BB_CRAWL_PACE_H

#include "sync_internal.h"

#define SYNC_LANES_MAX	3

typedef struct SyncPace
{
	uint32_t	pages;			/* of the walk */
	uint32_t	started;		/* lanes */
	int64_t		span;			/* seconds that a page covers, the mean of the last ones */
	uint64_t	wait_ns;		/* for a page to begin, without lanes */
	uint64_t	read_ns;		/* from its first message to its last */
} SyncPace;

/* A page of the walk has come; alone: no lane was under way. */
extern void sync_pace_page(SyncPace *p, const SyncReq *r, bool alone);

/* A page of a lane has come. */
extern void sync_pace_span(SyncPace *p, const SyncReq *r);

/* Lanes that are worth while, at most SYNC_LANES_MAX. */
extern int	sync_pace_lanes(const SyncPace *p, const Sync *s);

/* Seconds between a lane and the one below it. */
extern int64_t sync_pace_step(const SyncPace *p, const Sync *s);

/* Another window: what pages cost there is much the same, how many will come
 * is not known. */
extern void sync_pace_restart(SyncPace *p);

#endif							/* BB_CRAWL_PACE_H */
