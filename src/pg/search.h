/*
 * search.h
 *
 * Full text search in contents (NIP-50): what of an event can be found, and
 * what a "search" asks for.
 */
#ifndef BB_SEARCH_H
#define BB_SEARCH_H

#include "postgres.h"

#include "tsearch/ts_type.h"

#define BB_SEARCH_MAX_BYTES		16384	/* of a content, from its start */
#define BB_SEARCH_MAX_WORD		255		/* bytes without white space; longer ones are cut */
#define BB_SEARCH_MAX_ROWS		100000	/* compared in one query when there is no index */

typedef struct BbSearch
{
	Oid			config;			/* of text search */
	const char *config_name;	/* as SQL, with its schema */
	bool		indexed;		/* search_enable was called */
	int64		compared;		/* rows of this query */
} BbSearch;

/* How this archive is searched; SPI is connected. */
extern void bb_search_read(BbSearch *s);

/*
 * The words of a "search"; NULL when it asks for nothing: it is empty, or has
 * only extensions (key:value), of which none is supported.
 */
extern TSQuery bb_search_words(const BbSearch *s, const uint8 *search, size_t len);

/* Does that content match?  An error after BB_SEARCH_MAX_ROWS without an index. */
extern bool bb_search_match(BbSearch *s, TSQuery words, int32 kind, Datum content, bool isnull);

#endif
