/*
 * archive.h
 *
 * What the archive has observed of the relay, as a worker would tell a Sync:
 * part by part, below a key, never from inside the request.
 */
#ifndef TEST_PROPERTY_ARCHIVE_H
#define TEST_PROPERTY_ARCHIVE_H

#include "../../src/crawl/sync.h"
#include "../relay/store.h"
#include "../relay/random.h"

#define ARCHIVE_MAX_ASKED 16

typedef struct Archive
{
	SyncHeld   *held;			/* newest first */
	long		n;
	uint32_t	part;			/* items in one answer */
	uv_timer_t	timer;
	Sync	  **sync;			/* NULL there: it is gone */
	struct
	{
		uint32_t	seq;
		int64_t		since;
		int64_t		until;
		int64_t		below;
	}			asked[ARCHIVE_MAX_ASKED];
	int			nasked;
	unsigned long told;			/* items, in all */
} Archive;

/* Holds "share" percent of the store, and phantoms: events that the relay has
 * no longer.  has[i] (may be NULL): whether item i is held. */
extern void archive_fill(Archive *a, const RelayStore *store, int share, int phantoms,
						 Random *r, bool *has);
extern void archive_open(Archive *a, uv_loop_t *loop, Sync **sync);
/* false: more questions at a time than anyone should ask. */
extern bool archive_request(Archive *a, uint32_t seq, int64_t since, int64_t until, int64_t below);
extern void archive_close(Archive *a, void (*closed) (uv_handle_t *));	/* then archive_free */
extern void archive_free(Archive *a);

#endif
