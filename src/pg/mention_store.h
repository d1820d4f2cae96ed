/*
 * mention_store.h
 *
 * From mentions of relays to rows: provenance (table mention), candidates,
 * and what was refused because a host or domain has too many addresses.
 *
 * mention_add collects in memory, mention_flush writes, as the last thing of
 * the transaction that stores the events (so that its row locks are short).
 * An address that this process has not written yet is always written with the
 * events that mention it.  Of known ones the counts are written now and then
 * (mention_flush with all: at once): the most mentioned relay is in every
 * seventh event, and its row would be rewritten in every transaction.  A
 * process that dies loses those counts, never an address.
 *
 * Rows are written in the order of their addresses, so that writers do not
 * deadlock.  Memory is bounded; a full table is written and emptied.
 */
#ifndef BB_MENTION_STORE_H
#define BB_MENTION_STORE_H

#include "postgres.h"

#include "nostr/event.h"

typedef struct BbMentionCounts	/* added to, not set */
{
	int64		candidates;		/* new ones */
	int64		refused;		/* mentions over a limit */
} BbMentionCounts;

/* author: 32 bytes, or NULL.  false: the address is not canonical.  Inside a
 * transaction: a full table is written first. */
extern bool mention_add(const char *url, size_t len, uint32 via, const uint8 *author,
						BbMentionCounts *c);
/* All mentions of an event. */
extern void mention_add_event(const NostrEvent *ev, BbMentionCounts *c);
/* Inside a transaction, SPI not connected. */
extern void mention_flush(bool all, BbMentionCounts *c);
/* Forgets everything: what an aborted transaction left. */
extern void mention_reset(void);

#endif
