/*
 * dense.h
 *
 * Shared by dense.c and dense_values.c: the values by which a second is
 * split.
 */
#ifndef CRAWL_DENSE_H
#define CRAWL_DENSE_H

#include "sync_internal.h"

#define DENSE_AUTHOR		(-1)	/* instead of a letter's slot */
#define DENSE_AT_ONCE		32		/* values in one question */
#define DENSE_MAX_VALUES	512		/* of tags that events have shown */
#define DENSE_MAX_TEXT		256		/* bytes of one of them */

typedef struct DenseValue
{
	int			slot;			/* of the letter, see filter.h */
	NostrFilterValue v;			/* an author: 32 bytes */
} DenseValue;

typedef struct DenseList
{
	DenseValue *value;
	uint32_t	n;
	uint32_t	next;			/* those before it are done */
	uint32_t	asked;			/* from next on, in the question under way */
	uint32_t	at_once;
	uint8_t    *text;			/* of values that are nobody else's */
	size_t		text_len;
} DenseList;

extern void dense_list_free(DenseList *l);
/* These begin a list anew; false: out of memory. */
/* The authors that the filter names, else those seen with that kind. */
extern bool dense_list_authors(DenseList *l, const NostrFilter *f, const SyncSeen *seen,
							   uint16_t kind);
/* The values of a tag that the filter names. */
extern bool dense_list_tag(DenseList *l, const NostrFilter *f, int slot);
/* None yet: dense_values_seen adds them. */
extern bool dense_list_seen(DenseList *l);
/* Values of single-letter tags that the filter does not name. */
extern void dense_values_seen(DenseList *l, const NostrFilter *f, const NostrEvent *ev);
/* Which values are asked for next, all of the same slot; sets asked. */
extern void dense_list_take(DenseList *l);

#endif
