/*
 * sync.h
 *
 * Fetches a relay's events over windows of time, newest first, one page at a
 * time, and says what that proves (NIP-01, NIP-67).
 *
 * Callbacks come from the loop, never from inside sync_start.  Order matters:
 * a window() speaks for the event()s before it.  done() is the last one and
 * comes exactly once; the Sync is gone when it returns.  Events are parsed
 * and their id is right; signatures are the caller's business.
 *
 * The filter holds no since, until or limit.  A window without upper bound
 * (INT64_MAX) is reported up to the second before it was first asked:
 * nothing is claimed about the future.  Timers use uv_default_loop().
 */
#ifndef CRAWL_SYNC_H
#define CRAWL_SYNC_H

#include "../net/ws.h"
#include "../nostr/event.h"

typedef struct SyncWindow
{
	int64_t		since;			/* 0: no bound */
	int64_t		until;			/* inclusive; INT64_MAX: no bound */
} SyncWindow;

typedef struct SyncSpec
{
	const char *filter;			/* JSON object, copied */
	size_t		filter_len;
	uint32_t	slice_ms;		/* stop at a page boundary after this; 0: never */
	uint32_t	page_limit;
	const SyncWindow *window;	/* copied */
	uint16_t	nwindows;
} SyncSpec;

typedef enum SyncState			/* the values travel as WireWindowState */
{
	SYNC_OPEN = 0,
	SYNC_PAGED = 1,
	SYNC_COMPLETE = 2
} SyncState;

typedef enum SyncOutcome		/* the values travel as WireOutcome */
{
	SYNC_OK = 0,
	SYNC_AGAIN = 1,
	SYNC_FAILED = 2,
	SYNC_CANCELLED = 3
} SyncOutcome;

typedef struct SyncResult
{
	SyncOutcome outcome;
	NetFailure	failure;
	char		reason[512];
	WsTimings	timings;
	uint32_t	first_answer_us;
	uint64_t	events_received;
	uint64_t	bytes_received;
	uint32_t	reqs;
} SyncResult;

typedef struct SyncCallbacks
{
	/* valid during the call */
	void		(*event) (void *user, const NostrEvent *ev);
	void		(*rejected) (void *user, const char *reason, const uint8_t id[32],
							 const char *sample, size_t len);
	void		(*page_end) (void *user);
	void		(*window) (void *user, int64_t since, int64_t until, SyncState state,
						   const char *proof, const char *reason);
	void		(*done) (void *user, const SyncResult *r);
} SyncCallbacks;

typedef struct Sync Sync;

/* NULL: out of memory, or the filter is not an object. */
extern Sync *sync_start(Net *net, const NostrRelayUrl *url, const SyncSpec *spec,
						const SyncCallbacks *cb, void *user);
extern void sync_pause(Sync *s, bool paused);
extern void sync_cancel(Sync *s);	/* done() still comes */

#endif
