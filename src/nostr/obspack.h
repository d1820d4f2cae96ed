/*
 * obspack.h
 *
 * Observations (which relay served which event, and when first) as packed
 * lists, in one of two forms:
 *
 *   by event   key delta, number of relays, then for each relay
 *              relay delta, change of seen_at
 *   by relay   all of one relay: key delta, change of seen_at
 *
 * Numbers are little-endian base 128, in as few bytes as they need; changes
 * of seen_at are signed (zigzag), from the item before.  The first key of a
 * block and, by relay, the relay are not in the bytes: they are the block's
 * index key.  The first byte is the form.  Items ascend strictly by (key,
 * relay_id), so a list of items has exactly one block and the other way
 * round: what is accepted packs to the same bytes again.
 *
 * Must survive any bytes: they may come from a dump that somebody edited.
 */
#ifndef NOSTR_OBSPACK_H
#define NOSTR_OBSPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one item needs at most, and a block beside its items. */
#define NOSTR_OBS_ITEM_MAX	30
#define NOSTR_OBS_HEADER	1

typedef enum NostrObsForm
{
	NOSTR_OBS_BY_EVENT = 1,
	NOSTR_OBS_BY_RELAY = 2
} NostrObsForm;

typedef struct NostrObs
{
	int64_t		key;			/* event.key, >= 0 */
	int32_t		relay_id;		/* > 0 */
	int32_t		seen_at;		/* as observation.seen_at */
} NostrObs;

typedef struct NostrObsReader
{
	const uint8_t *p;
	const uint8_t *end;
	NostrObsForm form;
	NostrObs	at;				/* the item before */
	uint64_t	left;			/* by event: relays of this key to come */
	bool		begun;
} NostrObsReader;

/* Order of items, for qsort and bsearch: by event (key, relay_id); by relay
 * (relay_id, key). */
extern int	nostr_obs_cmp_event(const void *a, const void *b);
extern int	nostr_obs_cmp_relay(const void *a, const void *b);

/*
 * How many of o[0..n) make one block of at most max bytes, so that the rest
 * makes equally large ones; at least one key with all its relays, however
 * large.  n > 0.
 */
extern size_t nostr_obs_cut(const NostrObs *o, size_t n, NostrObsForm form, size_t max);

/* Packs o[0..n), n > 0, sorted; by relay they are all of one relay.  out has
 * room for NOSTR_OBS_HEADER + n * NOSTR_OBS_ITEM_MAX; the length. */
extern size_t nostr_obs_pack(const NostrObs *o, size_t n, NostrObsForm form, uint8_t *out);

/* false: not a block.  relay_id counts only by relay. */
extern bool nostr_obs_open(NostrObsReader *r, const uint8_t *data, size_t len,
						   int64_t first_key, int32_t relay_id);
/* 1: *out is the next item; 0: that was all; -1: these bytes are no block. */
extern int	nostr_obs_next(NostrObsReader *r, NostrObs *out);

/* Merges two lists that are sorted by event into out (room for na + nb); an
 * item of both is there once, as seen first.  How many. */
extern size_t nostr_obs_merge(const NostrObs *a, size_t na, const NostrObs *b, size_t nb, NostrObs *out);

#endif
