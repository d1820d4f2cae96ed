/*
 * filter.h
 *
 * A filter (NIP-01, with NIP-50's search): strict parser, one canonical text,
 * match.
 *
 * Members: ids, authors, kinds, #a to #z and #A to #Z, since, until, limit,
 * search; each at most once, nothing else.  Values of ids, authors, #e and #p
 * are exactly 64 lower-case hexadecimal digits.  A list that is there but
 * empty matches nothing, as NIP-01's "at least one of" says.
 */
#ifndef NOSTR_FILTER_H
#define NOSTR_FILTER_H

#include "event.h"

#define NOSTR_FILTER_MAX_SIZE	(1024 * 1024)	/* bytes of JSON text */
#define NOSTR_FILTER_MAX_VALUES 10000	/* in one list, as written */
#define NOSTR_FILTER_MAX_SEARCH 1024	/* bytes */
#define NOSTR_FILTER_LETTERS	52

/* Why a filter was refused.  Values are internal; the names are the API. */
typedef enum NostrFilterReject
{
	NOSTR_FILTER_OK = 0,
	NOSTR_FILTER_TOO_LARGE,
	NOSTR_FILTER_BAD_JSON,
	NOSTR_FILTER_NOT_OBJECT,
	NOSTR_FILTER_DUPLICATE_MEMBER,
	NOSTR_FILTER_UNKNOWN_MEMBER,
	NOSTR_FILTER_TOO_MANY_VALUES,
	NOSTR_FILTER_BAD_IDS,
	NOSTR_FILTER_BAD_AUTHORS,
	NOSTR_FILTER_BAD_KINDS,
	NOSTR_FILTER_BAD_TAG_VALUES,
	NOSTR_FILTER_BAD_SINCE,
	NOSTR_FILTER_BAD_UNTIL,
	NOSTR_FILTER_BAD_LIMIT,
	NOSTR_FILTER_BAD_SEARCH,
	NOSTR_FILTER_OUT_OF_MEMORY,
	NOSTR_FILTER_REJECT_COUNT
} NostrFilterReject;

/* A list of a filter: n items in mem.data, sorted, each once. */
typedef struct NostrFilterList
{
	NostrBuf	mem;
	uint32_t	n;
	bool		given;			/* false: the filter does not have this list */
} NostrFilterList;

/* One value of a tag, in the packed form of tags.h. */
typedef struct NostrFilterValue
{
	const uint8_t *data;
	size_t		len;
	bool		hex;			/* the value is the lower-case hex of data */
} NostrFilterValue;

typedef struct NostrFilter
{
	NostrFilterList ids;		/* 32 bytes each */
	NostrFilterList authors;	/* 32 bytes each */
	NostrFilterList kinds;		/* uint16_t */
	NostrFilterList tags[NOSTR_FILTER_LETTERS]; /* NostrFilterValue; A-Z, a-z */
	int64_t		since;			/* inclusive; INT64_MIN: no bound */
	int64_t		until;			/* inclusive; INT64_MAX: no bound */
	int64_t		limit;			/* -1: none */
	const uint8_t *search;		/* NULL: none */
	size_t		search_len;
	NostrBuf	text;			/* private: what values and search point into */
	uint64_t	letters;		/* private: bit per list of tags that is given */
} NostrFilter;

/* Stable snake_case name ("bad_kinds") and a sentence for people. */
extern const char *nostr_filter_reject_name(NostrFilterReject r);
extern const char *nostr_filter_reject_text(NostrFilterReject r);

/*
 * Reads one filter; copies what it keeps.  *f is always to be freed with
 * nostr_filter_free, after a failure too.  *offset (may be NULL): byte of the
 * value or member that was refused.  Memory: at most a small multiple of len.
 */
extern NostrFilterReject nostr_filter_parse(const char *json, size_t len,
											NostrFilter *f, size_t *offset);
extern void nostr_filter_free(NostrFilter *f);

/*
 * Does the event fit?  limit and search are not looked at: the first counts,
 * the second is the relay's own idea.  Only the first value of a tag counts.
 * O(number of tags x log of the lists); no allocation; reads *f only, so
 * threads may share it.
 */
extern bool nostr_filter_match(const NostrFilter *f, const NostrEvent *ev);

/*
 * True: whatever narrow lets through, wide lets through too.  False: perhaps
 * not (a wide filter with a limit or another search is never trusted).
 */
extern bool nostr_filter_covers(const NostrFilter *wide, const NostrFilter *narrow);

/* True when no event can fit: an empty list, or since above until. */
extern bool nostr_filter_never(const NostrFilter *f);

/*
 * The canonical text: compact JSON, members and values in one order, no value
 * twice, no bound that bounds nothing.  Filters that ask for the same have
 * the same text, however they were written.  Valid for PostgreSQL text (no
 * U+0000).
 */
extern void nostr_filter_json(const NostrFilter *f, NostrBuf *out);

/* An order of two values; 0: the same. */
extern int	nostr_filter_value_cmp(const void *a, const void *b);
/* Which of "tags" is that letter's; -1: no letter. */
extern int	nostr_filter_letter(uint8_t letter);

#endif
