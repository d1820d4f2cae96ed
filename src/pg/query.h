/*
 * query.h
 *
 * What query*.c share.  A query is a list of NIP-01 filters; each is answered
 * by scans of event along one index (query_drive.c), from the newest second
 * downwards until its limit is full (query_plan.c); every row that an index
 * finds is compared with the whole filter (query_scan.c).
 *
 * Times are whole seconds of the key: created_at clamped to what a key holds.
 */
#ifndef BB_QUERY_H
#define BB_QUERY_H

#include "postgres.h"

#include "nostr/filter.h"
#include "pg/ruling.h"
#include "pg/search.h"
#include "executor/tuptable.h"
#include "tcop/dest.h"
#include "utils/jsonb.h"

#define BB_QUERY_MAX_FILTERS	100
#define BB_QUERY_MAX_LIMIT		1000000 /* of one filter */

typedef struct BbQuery
{
	NostrFilter *f;
	TSQuery    *words;			/* of "search", one for each filter; NULL: none */
	int			n;
	BbSearch   *search;			/* NULL: no filter has words */
	bool		relay;			/* serve like a relay; else everything */
	int64		now;			/* unix seconds; for NIP-40 */
	const char *relay_url;		/* for NIP-62, may be NULL */
	int64		max_limit;		/* of each filter */
	BbKeyRange *uncovered;		/* where ruling may lack entries; relay only */
	int			nuncovered;
} BbQuery;

/* Reads one filter or an array of them; errors out on a bad one.  Belongs to
 * the current memory context. */
extern BbQuery *bb_query_read(Jsonb *filters, text *mode, int64 max_limit, text *relay_url);

/* --- rows that were found ------------------------------------------------ */

typedef struct BbHit
{
	int64		key;
	int64		created_at;
	uint8		id[32];
} BbHit;

/* A row that matches; what follows "hit" is for the rules of relays. */
typedef struct BbCandidate
{
	BbHit		hit;
	int32		kind;
	uint8		pubkey[32];
	const uint8 *tags;			/* packed; NULL where no rule needs them */
	uint32		tags_len;
	bool		gone;			/* a relay would not serve it */
} BbCandidate;

/* Newest first, of one second the lowest id first. */
extern int	bb_hit_cmp(const void *a, const void *b);

/* One scan of event: receives the rows of a statement, keeps what matches. */
typedef struct BbScan
{
	DestReceiver pub;			/* must be first */
	const BbQuery *q;
	int			at;				/* filter number */
	bool		counting;		/* only count those that no earlier filter has */
	bool		ordered;		/* rows come by second, newest first */
	int			grain;			/* seconds that share a place in that order; 0: none do */
	bool		searched;		/* rows have the words of this filter */
	int64		budget;			/* rows to look at before stopping; 0: all */
	int64		want;			/* matches that suffice; 0: all */

	int64		newest;			/* second of the first row */
	int64		second;			/* of the last row */
	int64		examined;
	int64		matched;
	bool		stopped;		/* before the end, all of "second" was seen */

	BbCandidate *c;
	int64		n;
	int64		cap;
	MemoryContext batch;		/* of c and what it points to */
	MemoryContext row;
} BbScan;

extern void bb_scan_init(BbScan *s, const BbQuery *q, int at, MemoryContext batch);
/* Empties c and the counts of a scan, to use it again. */
extern void bb_scan_reset(BbScan *s);
extern int64 bb_clamp_second(int64 created_at);
extern void bb_receiver_init(DestReceiver *pub, bool (*row) (TupleTableSlot *slot, DestReceiver *self));
/* 32 bytes of a bytea column. */
extern const uint8 *bb_slot_bytes32(TupleTableSlot *slot, int column);

/* --- ways through event, each along one index ----------------------------- */

typedef enum BbDrive
{
	BB_DRIVE_KEY,				/* ordered */
	BB_DRIVE_KIND,				/* one kind, ordered */
	BB_DRIVE_KINDS,
	BB_DRIVE_AUTHOR,			/* one author_code, ordered */
	BB_DRIVE_CODES,				/* author_codes */
	BB_DRIVE_AUTHORS,			/* author_codes of kind 0, all kinds */
	BB_DRIVE_TAG,
	BB_DRIVE_TAGS,				/* two letters */
	BB_DRIVE_TAG_NEAR,			/* within few keys: those of both indexes are intersected */
	BB_DRIVE_TAGS_NEAR,
	BB_DRIVE_SEARCH,			/* words, by the index of bb_drive_config */
	BB_DRIVE_ID,
	BB_DRIVE_KEYS,				/* by key */
	BB_DRIVE_ROWS,				/* whole rows by key */
	BB_DRIVE_N
} BbDrive;

/*
 * Runs a scan over the seconds [lo, hi]; SPI is connected.  a and b are what
 * the way needs: a kind, an array of codes, texts or keys.
 */
extern void bb_drive(BbDrive way, int64 lo, int64 hi, Datum a, Datum b, DestReceiver *dest);
extern void bb_drive_config(const BbSearch *s);
extern bool bb_drive_ordered(BbDrive way);
/* Seconds that share a place in the order of an index; 0: it goes by key.
 * What lies beyond 2106 shares one in any case. */
extern int	bb_drive_grain(BbDrive way);
/* int4[] of codes, sorted, each once: no row is found twice.  Sorts v. */
extern Datum bb_code_array(int32 *v, int n);

/* The planner's view of event (plan_hook.c): only the indexes of this way. */
typedef struct BbPin
{
	const char *column;			/* first column, NULL: an expression */
	const char *am;
	bool		and_key;		/* and the primary key */
} BbPin;
extern const BbPin *bb_plan_pin;
extern void bb_plan_hook_install(void);
/* Adds to the predicates of a query what follows for indexes over codes. */
struct PlannerInfo;
extern void bb_plan_clauses(struct PlannerInfo *root, Oid relid, int varno);

/* --- which way (query_way.c) ---------------------------------------------- */

/* A way and what it needs. */
typedef struct BbRoute
{
	BbDrive		way;
	Datum		a;
	Datum		b;
} BbRoute;

/* By the ids of a filter that has some. */
extern BbRoute bb_route_ids(const NostrFilter *f);
/* Down in time, passing the fewest rows. */
extern BbRoute bb_route_ordered(const NostrFilter *f);
/* To the matches themselves, in no order; false: there is none. */
extern bool bb_route_direct(const NostrFilter *f, BbRoute *r);

/* --- what relays do not serve (query_relay.c) ----------------------------- */

/* By its own kind and tags; ephemeral, expired, protected. */
extern bool bb_relay_servable(const BbQuery *q, int32 kind, const uint8 *tags, size_t len);
/* By other events (query_facts.c): marks as gone what was replaced, deleted,
 * vanished. */
extern void bb_relay_check(const BbQuery *q, BbCandidate *c, int64 n);

/* --- all of it (query_plan.c) --------------------------------------------- */

/* Hits of filter "at", in order, at most its limit; SPI is connected. */
extern BbHit *bb_query_hits(const BbQuery *q, int at, int64 *n);
/* Events of filter "at" that no earlier filter has. */
extern int64 bb_query_count(const BbQuery *q, int at);

#endif
