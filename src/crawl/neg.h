/*
 * neg.h
 *
 * Shared by negtalk.c, negfetch.c and negset.c: one window by negentropy.
 */
#ifndef CRAWL_NEG_H
#define CRAWL_NEG_H

#include "../nostr/nip77.h"
#include "sync_internal.h"

#define SYNC_NEG_STACK	64
#define SYNC_NEG_FEW_IDS 10		/* an answer to so many may be empty, to more it is cut */

typedef struct SyncNegRange
{
	int64_t		lo;
	int64_t		hi;				/* inclusive; SYNC_NO_UNTIL: no bound */
} SyncNegRange;

struct SyncNeg
{
	Sync	   *s;
	SyncReq		req;
	bool		active;			/* the current window is ours */

	/* what is left of the window: [lo, hi]; the set is whole above set_lo */
	int64_t		lo;
	int64_t		hi;
	int64_t		top;
	NostrNegSet set;
	size_t		room;
	size_t		counted;
	int64_t		set_lo;
	uint32_t	seq;
	bool		waiting;		/* for a part of it */

	SyncNegRange stack[SYNC_NEG_STACK];
	int			n;
	SyncNegRange at;			/* being reconciled */
	bool		asking;
	NostrNegSet part;			/* of the set, with what was fetched since */
	NostrNip77	talk;
	bool		talking;
	bool		answered;		/* ever, in this job */
	int			lost;
	bool		oversize;		/* the answer was more than we take */
	int			oversizes;
	uint32_t	talks;			/* for this window */

	/* ids that the relay has and we lack */
	uint8_t    *need;			/* sorted */
	uint32_t	nneed;
	uint32_t	next_need;
	uint32_t	batch;
	uint32_t	asked;
	uint32_t	got;			/* of those asked */
	uint32_t	withheld;
	size_t		have;			/* of ours the relay lacks */
	size_t		set_in_range;
	bool		partial;		/* there are more */
	NostrNegItem *fetched;		/* in this window */
	uint32_t	nfetched;
	uint32_t	cap_fetched;
};

/* negset.c */
extern bool sync_negset_start(Sync *s); /* false: no memory to spare */
extern void sync_negset_drop(SyncNeg *g);

/* negtalk.c */
extern void sync_neg_collected(Sync *s);	/* the set is there */
extern void sync_neg_fetched(Sync *s);	/* all of need was asked for */

/* negfetch.c */
extern void sync_neg_fetch(Sync *s);	/* what is left of need */

#endif
