/*
 * analytics.h
 *
 * The views of the analytics by name, what they must show, and how the
 * tallies are computed from nothing.  Internal to src/pg/analytics*.c.
 */
#ifndef BB_ANALYTICS_H
#define BB_ANALYTICS_H

#include "postgres.h"

typedef struct BbView
{
	const char *name;
	const char *key;			/* the columns that tell its rows apart */
	const char *columns;		/* all columns, in the order of truth */
	const char *shown;			/* how they are read to be compared; NULL: as they are */
	const char *truth;			/* what they must be, from the archive */
} BbView;

extern const BbView bb_views[];
extern const int bb_view_count;

/* Statements that make all tallies anew, in order; ends with NULL. */
extern const char *const bb_rebuild[];

#endif
