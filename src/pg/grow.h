/*
 * grow.h
 *
 * Growable arrays, beyond a gigabyte if necessary.
 */
#ifndef BB_GROW_H
#define BB_GROW_H

#include "postgres.h"

/* Room for p[n] in an array of max elements (p NULL: none yet); it doubles, in
 * the context where it was begun. */
#define BB_GROW(p, n, max) \
	do { \
		if ((n) >= (max)) \
		{ \
			(max) = Max(1024, (max) * 2); \
			(p) = (p) == NULL ? palloc_extended(sizeof(*(p)) * (max), MCXT_ALLOC_HUGE) \
				: repalloc_huge(p, sizeof(*(p)) * (max)); \
		} \
	} while (0)

#endif
