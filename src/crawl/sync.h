/*
 * sync.h
 *
 * Fetches a relay's events over windows of time and says what that proves
 * (NIP-01, 42, 67, 77).
 *
 * Callbacks come from the loop, never from inside sync_start.  Order matters:
 * a window() speaks for the event()s before it.  done() is the last one and
 * comes exactly once; the Sync is gone when it returns.  Events are parsed,
 * their id is right and they match filter and window; signatures are the
 * caller's business.  The same event may come more than once.
 *
 * Completeness: when the outcome is SYNC_OK every second of every window was
 * reported by window(), the last word about a second counts, and whatever was
 * not delivered lies in a second whose last word is SYNC_OPEN.  With any other
 * outcome seconds without a word are still to be asked for.
 *
 * The filter holds no since, until or limit.  A window without upper bound
 * (INT64_MAX) is reported up to the second before it was first asked:
 * nothing is claimed about the future.
 */
#ifndef CRAWL_SYNC_H
#define CRAWL_SYNC_H

#include "../net/ws.h"
#include "../nostr/event.h"

typedef enum SyncPurpose		/* the values travel as WirePurpose */
{
	SYNC_FETCH = 0,
	SYNC_RECHECK = 1
} SyncPurpose;

typedef enum SyncSupport		/* the values travel as WireSupport */
{
	SYNC_UNKNOWN = 0,
	SYNC_WORKS = 1,
	SYNC_UNSUPPORTED = 2
} SyncSupport;

typedef enum SyncAuth			/* NIP-42 */
{
	SYNC_AUTH_NOT_ASKED = 0,
	SYNC_AUTH_ACCEPTED = 1,
	SYNC_AUTH_REFUSED = 2
} SyncAuth;

typedef enum SyncAheadMode		/* several pages at a time */
{
	SYNC_AHEAD_AUTO = 0,		/* when the relay is far away */
	SYNC_AHEAD_NEVER = 1,
	SYNC_AHEAD_ALWAYS = 2		/* in small steps too, for tests */
} SyncAheadMode;

typedef struct SyncWindow
{
	int64_t		since;			/* 0: no bound */
	int64_t		until;			/* inclusive; INT64_MAX: no bound */
	SyncPurpose purpose;
} SyncWindow;

typedef struct SyncSpec
{
	const char *filter;			/* JSON object, copied */
	size_t		filter_len;
	uint32_t	slice_ms;		/* stop at a page boundary after this; 0: never */
	uint32_t	tail_ms;		/* stay subscribed that long after the windows */
	uint32_t	timeout_ms;		/* connect, and each answer; 0: the network's */
	uint32_t	page_limit;		/* at least 100 is asked for */
	uint32_t	known_cap;		/* largest page ever seen; 0: unknown */
	uint32_t	max_reqs_per_minute;	/* 0: learned */
	uint32_t	max_message;	/* bytes of a message that the relay takes; 0: not told */
	uint32_t	max_subs;		/* subscriptions at a time; 0: not told */
	SyncSupport negentropy;
	SyncAheadMode ahead;
	bool		may_auth;
	const uint8_t *seckey;		/* 32 bytes for NIP-42, copied; NULL: an ephemeral
								 * key, one per relay and process */
	uint64_t	held;			/* observations the archive has of this relay */
	const SyncWindow *window;	/* copied; newest first */
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
	uint32_t	max_page;		/* largest page, 0: none */
	SyncSupport negentropy;
	SyncAuth	auth;
	uint32_t	retry_after_ms; /* 0: nothing said */
	uint32_t	max_reqs_per_minute;	/* learned, 0: none */
} SyncResult;

typedef struct SyncNews			/* what is known of a part of a window */
{
	int64_t		since;
	int64_t		until;			/* inclusive */
	SyncState	state;
	SyncPurpose purpose;
	uint64_t	held;			/* events the relay showed to have in it */
	const char *proof;			/* "" unless complete */
	const char *reason;			/* "" unless open */
} SyncNews;

typedef struct SyncHeld			/* one observation that the archive has */
{
	int64_t		key;
	int64_t		created_at;
	uint8_t		id[32];
} SyncHeld;

typedef struct SyncCallbacks
{
	/* valid during the call */
	void		(*event) (void *user, const NostrEvent *ev);
	void		(*rejected) (void *user, const char *reason, const uint8_t id[32],
							 const char *sample, size_t len);
	void		(*page_end) (void *user);
	void		(*window) (void *user, const SyncNews *w);
	/* Asks for what the archive has observed of this relay in a window, keys
	 * below below_key, newest first; sync_set answers, never from inside.
	 * NULL: no negentropy. */
	void		(*set_request) (void *user, uint32_t seq, int64_t since, int64_t until,
								int64_t below_key);
	/* The windows are handled, the live tail begins. */
	void		(*passed) (void *user, const SyncResult *r);
	void		(*done) (void *user, const SyncResult *r);
} SyncCallbacks;

typedef struct Sync Sync;

/* NULL: out of memory, or the filter is not an object. */
extern Sync *sync_start(Net *net, const NostrRelayUrl *url, const SyncSpec *spec,
						const SyncCallbacks *cb, void *user);
/* Part of the answer to a set_request, copied; last: there is no more in the
 * window.  An empty part is the last one.  false: not asked for. */
extern bool sync_set(Sync *s, uint32_t seq, bool last, const SyncHeld *item, uint32_t n);
extern void sync_pause(Sync *s, bool paused);
extern void sync_cancel(Sync *s);	/* done() still comes */

#endif
