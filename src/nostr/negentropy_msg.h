/*
 * negentropy_msg.h
 *
 * The parts of negentropy messages: numbers, bounds, ranges; fingerprints of
 * parts of a set; the step from one message to the next.  Internal to
 * negentropy*.c.
 */
#ifndef NOSTR_NEGENTROPY_MSG_H
#define NOSTR_NEGENTROPY_MSG_H

#include "negentropy.h"

#define NEG_FINGERPRINT		16
#define NEG_MAX_VARINT		10		/* bytes */
#define NEG_MAX_BOUND		(NEG_MAX_VARINT + 1 + 32)
#define NEG_MAX_SKIP		(NEG_MAX_BOUND + 1)
#define NEG_MAX_PRINT		(NEG_MAX_BOUND + 1 + NEG_FINGERPRINT)

typedef enum NegMode
{
	NEG_SKIP = 0,
	NEG_PRINT = 1,
	NEG_LIST = 2
} NegMode;

/* Upper ends of ranges are items: missing bytes of the id are zeros. */
extern const NostrNegItem neg_infinity;

static inline bool
neg_is_infinity(const NostrNegItem *bound)
{
	return bound->timestamp == UINT64_MAX;
}

extern int	neg_compare(const NostrNegItem *a, const NostrNegItem *b);

/* ------------------------------------------------------------- negentropy_set.c */

/* First index in [lo, hi) of an item not below bound, else hi. */
extern size_t neg_lower_bound(const NostrNegSet *set, size_t lo, size_t hi,
							  const NostrNegItem *bound);
extern void neg_fingerprint(const NostrNegSet *set, size_t lo, size_t hi,
							uint8_t out[NEG_FINGERPRINT]);

/* The shortest bound between the items below index at and from it on; 0 < at < n. */
extern NostrNegItem neg_cut(const NostrNegSet *set, size_t at);

/* ------------------------------------------------------------- negentropy_msg.c */

typedef struct NegReader
{
	const uint8_t *p;
	const uint8_t *end;
	uint64_t	timestamp;		/* deltas count from here */
	NostrNegError error;
} NegReader;

typedef struct NegRange
{
	NostrNegItem upper;
	NegMode		mode;
	const uint8_t *print;		/* NEG_PRINT */
	const uint8_t *ids;			/* NEG_LIST: n_ids x 32 bytes */
	size_t		n_ids;
} NegRange;

/* The next range; false: error is set.  Call only while p < end. */
extern bool neg_read_range(NegReader *r, NegRange *range);

typedef struct NegWriter
{
	NostrBuf   *out;
	uint64_t	timestamp;
} NegWriter;

extern void neg_write_varint(NostrBuf *out, uint64_t v);
extern void neg_write_bound(NegWriter *w, const NostrNegItem *upper);

/* ----------------------------------------------------------- negentropy_round.c */

/* One message being written while another is read. */
typedef struct NegRound
{
	NostrNeg   *neg;
	NegWriter	w;
	NostrNegItem prev;			/* upper end of the last range handled */
	size_t		at;				/* first item not below prev */
	NostrNegItem written;		/* upper end of the last range written */
	bool		asks;			/* something but "skip" was written: */
	NostrNegItem asked_lower;	/* the first of these */
	NostrNegItem asked_upper;
	bool		full;			/* the rest was put off */
} NegRound;

extern void neg_begin(NegRound *rd, NostrNeg *neg, NostrBuf *out);
/* Our items of a range about which the sides disagree: listed, or in parts. */
extern void neg_write_split(NegRound *rd, size_t lo, size_t hi, const NostrNegItem *upper);
/* All of r, then what was put off before; false: neg->error is set. */
extern bool neg_handle(NegRound *rd, NegReader *r);

#endif
