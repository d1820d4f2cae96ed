/*
 * store.h
 *
 * The events a scripted relay serves, and NIP-01 filters over them.  Written
 * on its own, not with the parts under test, so that it can disagree.
 *
 * Items keep their address; several relays may share one store.
 */
#ifndef TEST_RELAY_STORE_H
#define TEST_RELAY_STORE_H

#include <jansson.h>

#include "nostr/event.h"

typedef struct RelayItem
{
	int64_t		created_at;
	int			kind;
	uint8_t		id[32];
	uint8_t		pubkey[32];
	unsigned long arrival;
	unsigned long mark;			/* the query that took it last */
	uint8_t    *tags;			/* packed */
	size_t		tags_len;
	size_t		len;
	char		json[];			/* terminated */
} RelayItem;

typedef struct RelayStore
{
	RelayItem **item;			/* newest first; equal times: lowest id first */
	long		n;
	long		room;
	unsigned long arrivals;
	bool		unsorted;		/* relay_store_sort() is due */
} RelayStore;

extern void relay_store_init(RelayStore *s);
extern void relay_store_free(RelayStore *s);
/* What is no event is kept too (created_at and kind 0): files of junk are
 * served as they are.  NULL: not an event, or already there. */
extern RelayItem *relay_store_add(RelayStore *s, const char *json, size_t len, bool only_valid);
/* Lines of a file; every corrupt-th has its signature broken.  -1: no file. */
extern long relay_store_load(RelayStore *s, const char *path, long corrupt);
extern void relay_store_sort(RelayStore *s);
/* First item that is not newer. */
extern long relay_store_find(const RelayStore *s, int64_t created_at);

typedef struct RelayFilter
{
	json_t	   *json;			/* borrowed */
	bool		has_since, has_until, has_limit;
	int64_t		since, until, limit;
} RelayFilter;

#define RELAY_IGNORE_SINCE	1
#define RELAY_IGNORE_UNTIL	2
#define RELAY_IGNORE_KINDS	4
#define RELAY_EXCLUDE_UNTIL	8

/* false: not a filter as NIP-01 has it. */
extern bool relay_filter_read(RelayFilter *f, json_t *json, size_t max_items);
extern bool relay_filter_match(const RelayFilter *f, const RelayItem *it, int flags);

#endif
