/*
 * fold_tally.h
 *
 * Sums by key in memory, and adding them to the tallies.
 */
#ifndef BB_FOLD_TALLY_H
#define BB_FOLD_TALLY_H

#include "postgres.h"

typedef enum FoldTally
{
	TALLY_AUTHOR,
	TALLY_AUTHOR_KIND,
	TALLY_KIND,
	TALLY_DAY,
	TALLY_DAY_AUTHOR,
	TALLY_DAY_KIND,
	TALLY_TIME,
	TALLY_RELAY,
	TALLY_RELAY_KIND,
	TALLY_RELAY_AUTHOR,
	TALLY_NETWORK_AUTHOR,
	TALLY_NETWORK_KIND,
	TALLY_N
} FoldTally;

/* Changes of one row of a tally. */
typedef struct FoldSum
{
	int64		a;				/* its key, in the order of the columns */
	int32		b;
	int32		c;
	int64		n;				/* more events (or whatever the tally counts) */
	int64		x;				/* of its second counter */
	int64		y;				/* of its third */
	int64		lo;				/* oldest and newest time that was added; lo > hi: none */
	int64		hi;
	int32		turn;			/* after fold_add: 1 when the row counted nothing before and does
								 * now; -1 the other way round */
	int32		at;				/* internal to the hash */
} FoldSum;

/* Sums of different keys; zero it. */
typedef struct FoldSums
{
	struct foldsums_hash *index;
	FoldSum    *v;
	int			n;
	int			max;
} FoldSums;

/* The sum of that key; a new one is nothing. */
extern FoldSum *fold_sum(FoldSums *s, int64 a, int32 b, int32 c);
/* Adds n and the times of a finer sum. */
extern FoldSum *fold_sum_up(FoldSums *s, int64 a, int32 b, int32 c, const FoldSum *of);
extern void fold_sums_free(FoldSums *s);

/* Adds all sums to the rows of a tally, makes the rows that are missing, and
 * says how each has turned.  Sorts them.  network: for the tallies that have
 * one, else NULL. */
extern void fold_add(FoldTally t, const char *network, FoldSums *s);

/* Arrays of a field for arguments of statements. */
typedef enum FoldField
{
	SUM_A, SUM_B, SUM_C, SUM_N, SUM_X, SUM_Y, SUM_LO, SUM_HI
} FoldField;
extern Datum fold_column(const FoldSums *s, FoldField f);

#endif
