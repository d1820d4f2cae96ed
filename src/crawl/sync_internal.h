/*
 * sync_internal.h
 *
 * What the files of a sync job share; nobody outside includes it.
 *
 *   sync.c      the job: windows one after the other, its end
 *   request.c   one subscription; answer.c its answer
 *   refusal.c   what CLOSED and NOTICE mean; auth.c, rate.c react
 *   walk.c      paging through one window; claim.c says what is known of it;
 *               proof.c, cutoff.c and hidden.c judge its end
 *   ahead.c     several pages at a time
 *   seen.c      the ids of one second
 *   dense.c     seconds that hold more than a page, dense_values.c by what
 *               they are split
 *   scatter.c   relays that answer in no order
 *   negtalk.c   negentropy (NIP-77); negset.c what the archive holds,
 *               negfetch.c what it lacks
 *   tail.c      the live tail
 *
 * Time of created_at inside: no lower bound is SYNC_NO_SINCE, so that a walk
 * in the other direction is the same walk with negated times.
 */
#ifndef CRAWL_SYNC_INTERNAL_H
#define CRAWL_SYNC_INTERNAL_H

#include "../nostr/filter.h"
#include "../nostr/message.h"
#include "auth_event.h"
#include "sync.h"

#define SYNC_NO_SINCE		(-INT64_MAX)
#define SYNC_NO_UNTIL		INT64_MAX
#define SYNC_MAX_SEEN		20000	/* ids remembered of one second */
#define SYNC_MAX_HOLES		4096	/* gaps that one window may fall into */
#define SYNC_OLD_SUBS		8
#define SYNC_RECENT			8
#define SYNC_SURE_STEPS		8		/* so many in a row are no accident */
#define SYNC_SMALL_LIMIT	100		/* what no relay refuses; less proves too little */
#define SYNC_MAX_FLOOD		10000	/* events beyond any limit that was asked for */
#define SYNC_MAX_CUT		400		/* kinds in one filter */
#define SYNC_MAX_SILENCES	5		/* in a row, of a relay that has answered before */
#define SYNC_PAGE_TIMEOUTS	10		/* a page ends after that many timeouts */

/* ------------------------------------------------------------- requests */

typedef struct SyncReq SyncReq;

typedef enum SyncEnd			/* how the answer ended */
{
	SYNC_END_EOSE,
	SYNC_END_SILENCE,			/* events, but no EOSE in time */
	SYNC_END_CLOSED,			/* events, then CLOSED */
	SYNC_END_REFUSED			/* nothing: s->refusal says why */
} SyncEnd;

typedef struct SyncAskTag		/* values of one tag instead of the filter's */
{
	int			slot;			/* of its letter, see filter.h */
	const NostrFilterValue *value;
	uint32_t	n;
} SyncAskTag;

typedef struct SyncAsk			/* what differs from the job's filter */
{
	int64_t		since;			/* SYNC_NO_SINCE: none */
	int64_t		until;			/* SYNC_NO_UNTIL: none */
	uint32_t	limit;
	int			slack;			/* seconds above until that are asked for and ignored */
	const uint16_t *kinds;		/* instead of the filter's; NULL: those */
	uint32_t	nkinds;
	const uint8_t *authors;		/* 32 bytes each; NULL: the filter's */
	uint32_t	nauthors;
	const SyncAskTag *tags;
	uint32_t	ntags;
	const uint8_t *ids;			/* 32 bytes each: nothing else is asked then */
	uint32_t	nids;
	bool		bare;			/* without the job's filter: what comes is only counted */
} SyncAsk;

typedef enum SyncReqState
{
	SYNC_REQ_IDLE,
	SYNC_REQ_WAITING,			/* for its turn: rate, authentication */
	SYNC_REQ_SENT
} SyncReqState;

struct SyncReq
{
	Sync	   *s;
	SyncReq    *next;			/* of those that are not idle, oldest first */
	/* An event of the answer, in its bounds and fitting the filter.  valid:
	 * false when only its time and claimed id are readable (forged). */
	void		(*event) (SyncReq *r, const NostrEvent *ev, bool valid);
	void		(*end) (SyncReq *r, SyncEnd how);
	/* a conversation instead (NIP-77): its first text, and what it is told */
	void		(*compose) (SyncReq *r, NostrBuf *text);
	void		(*message) (SyncReq *r, const NostrMessage *m);
	int			slack;
	bool		by_id;			/* says nothing about the size of pages */
	bool		bare;
	bool		narrow;			/* asks for less than the job's filter does: */
	NostrFilter filter;
	bool		ahead;			/* a lane's: refused, it is given up */
	bool		live;			/* no deadline, EOSE is no end */
	SyncReqState state;
	char		sub[24];
	NostrBuf	text;			/* what follows the subscription id */
	int64_t		since;
	int64_t		until;
	uint32_t	limit;
	bool		eose;			/* came, but is not believed to be the end */
	bool		retried;		/* after an authentication */

	uint32_t	received;		/* everything, also what was refused */
	uint32_t	in_range;		/* not counting those that came twice */
	uint32_t	unreadable;
	uint32_t	strays;			/* in the bounds, but not what was asked for */
	uint32_t	above;			/* newer than until: the relay ignores it */
	uint32_t	below;
	uint32_t	ignored;		/* in the second that "slack" added */
	int			first;			/* the first event: 1 above, -1 below, 0 inside */
	uint32_t	rises;			/* events newer than the one before */
	uint32_t	falls;
	int64_t		oldest;
	int64_t		newest;
	int64_t		last;
	uint32_t	ordered;		/* events that tell of the order */
	uint8_t		recent[SYNC_RECENT][16];	/* ids, against duplicates */
	NostrEoseHint hint;
	uint64_t	asked_ns;
	uint64_t	first_ns;		/* its first message, 0: none */
	uint64_t	deadline;		/* uv_now */
	uint64_t	page_deadline;
};

/* ---------------------------------------------------------------- walks */

typedef struct SyncSeenItem
{
	uint8_t		id[32];
	uint8_t		pubkey[32];
	uint16_t	kind;
	uint32_t	answer;			/* the last one that it was in */
	bool		proved;			/* in one that was not cut off (dense.c) */
} SyncSeenItem;

typedef struct SyncSeen			/* the events of one second */
{
	SyncSeenItem *item;
	uint32_t	n;
	uint32_t	cap;
	uint32_t	answer;			/* being read */
	int64_t		at;				/* which second, in the walk's time */
	bool		full;			/* more than can be remembered */
} SyncSeen;

typedef struct SyncHole			/* said to be open, in real time */
{
	int64_t		since;
	int64_t		until;
} SyncHole;

typedef struct SyncDense SyncDense;
typedef struct SyncScatter SyncScatter;
typedef struct SyncAhead SyncAhead;

typedef struct SyncWalk
{
	Sync	   *s;
	bool		active;
	bool		mirror;			/* oldest first: times below are negated */
	SyncReq		req;
	int64_t		lo;				/* what is left: [lo, hi] */
	int64_t		hi;
	int64_t		first_lo;		/* what it began with, in real time */
	int64_t		first_hi;
	int64_t		since;			/* the claim, in real time, inclusive */
	int64_t		top;
	SyncHole   *hole;
	uint32_t	nholes;
	uint32_t	cap_holes;
	SyncSeen	seen;			/* the boundary second */
	bool		spoken;			/* something to take back */
	bool		unsaid;			/* (hi, unsaid_hi] has come, if the order is as believed */
	int64_t		unsaid_hi;
	uint64_t	shown;			/* distinct events so far */
	uint64_t	said;			/* of them, already in a PAGED */

	/* the answer being read, in the walk's time */
	uint32_t	fresh;
	uint32_t	known;
	int64_t		fresh_oldest;
	int64_t		page_oldest;
	uint32_t	last_size;		/* of the last page, in range */
	bool		last_full;
	int64_t		probe_hi;		/* upper bound of the confirming query */
	int64_t		probe_oldest;	/* what it found against expectation */
	bool		above_asked;
	bool		probe_boundary; /* it began at the last second with events */
	int			probe_cut;
	bool		probe_fresh;
	bool		below_lo;		/* it showed events below the window: all above came */
	unsigned	next_single;	/* kinds asked for one by one */
	bool		side_asked;
	int64_t		newest;			/* of all events, in the walk's time */
	bool		capacity_asked;
	bool		bare_asked;
	bool		expect;			/* the known events of second hi must come again */
	bool		older;			/* the confirming query showed older ones */
	bool		finish;			/* NIP-67 says that this is all */
	bool		more;			/* NIP-67 says that it is not */
	int			rounds;			/* confirmations in a row */
	int			failed_controls;
	SyncDense  *dense;
	SyncScatter *scatter;
	SyncAhead  *ahead;
} SyncWalk;

typedef enum SyncOrder
{
	SYNC_ORDER_UNKNOWN,
	SYNC_ORDER_NEWEST_FIRST,
	SYNC_ORDER_OLDEST_FIRST,
	SYNC_ORDER_NONE
} SyncOrder;

/* ------------------------------------------------------------------ job */

typedef struct SyncAuthState
{
	char		challenge[AUTH_MAX_CHALLENGE];	/* "" none yet */
	bool		pending;		/* requests wait for it */
	bool		sent;
	uint8_t		event_id[32];
	uint64_t	deadline;
} SyncAuthState;

typedef struct SyncRate
{
	uint64_t	first;			/* uv_now of the first REQ */
	uint64_t	next;			/* no REQ before */
	uint32_t	granted;		/* REQs that were not limited */
	uint32_t	interval_ms;	/* between REQs, 0: none */
	uint32_t	strikes;
	uint64_t	waited_ms;
} SyncRate;

typedef struct SyncNeg SyncNeg;
typedef struct SyncTail SyncTail;

struct Sync
{
	Net		   *net;
	WsConn	   *ws;
	NostrRelayUrl url;
	SyncCallbacks cb;
	void	   *user;
	uv_timer_t	timer;
	bool		opened;
	bool		useful;			/* something came over this connection */
	bool		retracted;		/* the current window was said to be open as a whole */
	bool		spoken;			/* of some window: the job was not for nothing */
	int			reconnects;
	uint64_t	bytes_before;	/* over earlier connections */
	bool		finished;		/* result decided, waiting for closed() */
	bool		paused;
	uint64_t	paused_at;
	NostrFilter filter;
	SyncWindow *window;
	uint16_t	nwindows;
	uint16_t	at;
	bool		begun;			/* with the current window */
	int64_t		started;		/* unix seconds */
	uint32_t	timeout_ms;
	uint32_t	page_limit;		/* as configured */
	uint32_t	limit;			/* as asked now */
	uint32_t	max_message;	/* of ours, that the relay takes; 0: not told */
	uint32_t	max_subs;		/* 0: not told */
	uint32_t	tail_ms;
	uint64_t	slice_end;		/* uv_now, 0: never */
	bool		may_auth;
	bool		has_key;
	uint8_t		seckey[32];
	SyncSupport negentropy;
	uint64_t	held;

	SyncReq    *reqs;
	struct
	{
		char		sub[24];
		int64_t		since;
		int64_t		until;
		bool		by_eose;
	}			old_sub[SYNC_OLD_SUBS];
	unsigned	next_old;
	char		notice[300];
	struct
	{
		NetFailure	failure;
		char		text[400];
	}			refusal;
	bool		limit_reduced;
	int			silences;		/* requests in a row that were not answered at all */
	SyncAuthState auth;
	SyncRate	rate;

	SyncOrder	order;
	uint32_t	order_steps;	/* how often seen */
	uint32_t	known_cap;		/* largest page of earlier jobs; 0: unknown */
	uint32_t	max_page;
	uint32_t	min_cut;		/* smallest page that was followed by more */
	int			cut;			/* which list of kinds is not refused: 0, 1; 2 none */
	int			until_slack;	/* 1: the relay takes until as exclusive */
	bool		until_tested;	/* events of the second "until" came */
	bool		eose_untrusted; /* events came after it */
	bool		hints_untrusted;
	SyncAheadMode ahead;
	bool		ahead_off;		/* for the rest of the job */
	int			contradictions;
	uint8_t    *kinds_seen;		/* bitmap */
	bool		any_known;
	uint8_t		known_id[32];	/* an event that the relay served */
	SyncWalk	walk;
	SyncNeg    *neg;
	SyncTail   *tail;

	NostrBuf	scratch;
	NostrBuf	event_scratch;
	SyncResult	result;
};

/* sync.c */
extern void sync_say(Sync *s, int64_t since, int64_t until, SyncState state,
					 uint64_t held, const char *proof, const char *reason);
extern void sync_next_window(Sync *s);	/* the current one is handled */
extern void sync_finish(Sync *s, SyncOutcome outcome, NetFailure failure,
						const char *reason);
/* What is left of the window stays open with that reason. */
extern void sync_fail(Sync *s, NetFailure failure, const char *reason);
/* With s->refusal; silence of one that answers otherwise leaves only the
 * window open. */
extern void sync_fail_refused(Sync *s);
extern bool sync_bear_silence(Sync *s); /* was it that, and not too often? */
extern bool sync_slice_over(const Sync *s);
extern void sync_retract(Sync *s, const char *reason);	/* earlier windows hold no longer */
extern bool sync_full(const SyncReq *r);	/* may the answer have been cut off? */
/* An answer of nothing that was asked for, and as large as answers get: what
 * was asked for may have found no place.  The reason, or NULL. */
extern const char *sync_crowded_out(const SyncReq *r);
/* An answer of that size was followed by more.  Cut off by our own limit it
 * says nothing about the relay. */
extern void sync_was_cut(Sync *s, uint32_t size, uint32_t limit);
extern bool sync_in_windows(const Sync *s, int64_t t);
extern void sync_schedule(Sync *s);	/* after any deadline changed */
extern uint64_t sync_now(const Sync *s);	/* ms */

/* request.c */
extern void sync_req_init(SyncReq *r, Sync *s);
extern void sync_req_free(SyncReq *r);
extern void sync_ask(SyncReq *r, const SyncAsk *ask,
					 void (*event) (SyncReq *, const NostrEvent *, bool),
					 void (*end) (SyncReq *, SyncEnd));
extern void sync_req_conversation(SyncReq *r, void (*compose) (SyncReq *, NostrBuf *),
								  void (*message) (SyncReq *, const NostrMessage *),
								  void (*end) (SyncReq *, SyncEnd));
extern void sync_req_stop(SyncReq *r);	/* no callback any more */
extern void sync_req_again(SyncReq *r);	/* once more from the beginning */
extern void sync_req_disconnected(Sync *s);
extern void sync_req_refused(SyncReq *r, NetFailure failure, const char *text, size_t len);
/* The answer is complete, or never will be: r->end. */
extern void sync_req_finish(SyncReq *r, SyncEnd how);
extern void sync_req_pump(Sync *s);
extern void sync_req_timeouts(Sync *s, uint64_t now);
extern uint64_t sync_req_deadline(const Sync *s);	/* UINT64_MAX: none */

/* answer.c */
extern void sync_answer(Sync *s, const NostrMessage *m, const char *data, size_t len);

/* refusal.c: CLOSED and NOTICE texts */
extern NetFailure sync_refusal_class(const char *text, size_t len);

/* auth.c */
extern void sync_auth_challenge(Sync *s, const char *text, size_t len);
extern void sync_auth_ok(Sync *s, const NostrMessage *m);
extern void sync_auth_needed(SyncReq *r, const char *text, size_t len);
extern void sync_auth_timeout(Sync *s, uint64_t now);

/* rate.c */
extern void sync_rate_init(Sync *s, uint32_t max_reqs_per_minute);
extern uint64_t sync_rate_next(const Sync *s);	/* uv_now from which a REQ may go */
extern void sync_rate_sent(Sync *s);
extern void sync_rate_granted(Sync *s);
/* false: too often, the job has failed */
extern bool sync_rate_limited(Sync *s, const char *text, size_t len);

/* seen.c */
extern bool sync_seen_add(SyncSeen *seen, int64_t at, const NostrEvent *ev);	/* false: known */
extern bool sync_seen_again(SyncSeen *seen, const uint8_t id[32]);	/* known, first time in this answer */
extern void sync_seen_reset(SyncSeen *seen, int64_t at);
extern void sync_kind_seen(Sync *s, int32_t kind);
/* Kinds in out[SYNC_MAX_CUT]: 0 those that a relay does not hide from
 * strangers, 1 only those that it has shown.  Returns how many; 0: no choice. */
extern uint32_t sync_kind_cut(const Sync *s, int which, uint16_t *out);

/* walk.c */
extern void sync_walk_start(SyncWalk *w, int64_t since, int64_t until, int64_t top);
extern void sync_walk_go_on(SyncWalk *w);	/* with what is left */
extern void sync_walk_complete(SyncWalk *w, const char *proof);
extern void sync_walk_give_up(SyncWalk *w, const char *reason);
extern void sync_walk_hole(SyncWalk *w, int64_t lo, int64_t hi, const char *reason);
extern void sync_walk_abort(SyncWalk *w, const char *reason);	/* says, stops */
extern void sync_walk_free(SyncWalk *w);
extern void sync_walk_restart(SyncWalk *w, const char *reason);	/* nothing holds that was said */
/* Counts and delivers an event of this walk's answer. */
extern void sync_walk_take(SyncWalk *w, const NostrEvent *ev, bool valid);
extern int64_t sync_walk_time(const SyncWalk *w, int64_t created_at);
extern SyncAsk sync_walk_ask(const SyncWalk *w, int64_t lo, int64_t hi, uint32_t limit);

/* proof.c: nothing is left in [lo, hi], it seems */
extern void sync_proof_start(SyncWalk *w);

/* dense.c: the boundary second holds more than a page; goes on below it */
extern void sync_dense_start(SyncWalk *w);
extern void sync_dense_free(SyncWalk *w);

/* ahead.c */
extern void sync_ahead_start(SyncWalk *w);	/* lanes, if they are worth it */
/* The lower bound of the walk's next page. */
extern int64_t sync_ahead_floor(const SyncWalk *w);
/* Was it delivered by the lane that the walk comes to? */
extern bool sync_ahead_has(const SyncWalk *w, const NostrEvent *ev);
/* After each page of the walk; true: it has been seen to how it goes on. */
extern bool sync_ahead_page(SyncWalk *w, SyncEnd how);
extern void sync_ahead_off(Sync *s);	/* nothing is asked ahead any more */
extern bool sync_ahead_under_way(const Sync *s);
extern void sync_ahead_say(SyncWalk *w);	/* what has come, when the job ends */
extern void sync_ahead_stop(SyncWalk *w);	/* and forget what has come */
extern void sync_ahead_free(SyncWalk *w);

/* scatter.c: takes the walk over, from its beginning */
extern void sync_scatter_start(SyncWalk *w);
extern void sync_scatter_free(SyncWalk *w);

/* negtalk.c */
/* false: not for this relay or window, page it */
extern bool sync_neg_start(Sync *s, int64_t top);
/* The connection ended with a message beyond what we take: was it an answer of
 * a conversation?  Then that is asked for less. */
extern bool sync_neg_oversize(Sync *s);
extern void sync_neg_abort(Sync *s, const char *reason);
extern void sync_neg_free(Sync *s);

/* tail.c */
extern bool sync_tail_start(Sync *s);
extern uint64_t sync_tail_deadline(const Sync *s);
extern void sync_tail_timeout(Sync *s, uint64_t now);
extern void sync_tail_free(Sync *s);

#endif
