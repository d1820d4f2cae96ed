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
	const char *columns;		/* those that are compared */
	const char *truth;			/* the same columns from the archive; NULL: the view
								 * itself reads nothing that is kept */
} BbView;

extern const BbView bb_views[];
extern const int bb_view_count;

/* Statements that make all tallies anew, in order; ends with NULL. */
extern const char *const bb_rebuild[];

#endif
