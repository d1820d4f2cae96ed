/*
 * mention_write.h
 *
 * The statements behind mention_store.c.  Internal to src/pg/mention_*.c.
 */
#ifndef BB_MENTION_WRITE_H
#define BB_MENTION_WRITE_H

#include "postgres.h"

#include "executor/spi.h"
#include "nostr/domain.h"
#include "nostr/sketch.h"
#include "pg/mention_store.h"

typedef struct BbMention
{
	char	   *url;			/* canonical, terminated */
	uint32		len;
	uint32		hash;
	/* since it was written last */
	int64		count;
	uint32		via;
	NostrSketch sketch;
	/* what was written */
	bool		written;		/* it was decided about (taken or refused) */
	uint32		via_written;
	TimestampTz written_at;
	/* while it is written */
	bool		known;			/* has a row in mention */
	bool		relay;
	bool		candidate;
	bool		refused;
	int32		authors;
	NostrNetwork network;
	const char *host;
	const char *domain;
} BbMention;

/* Writes n mentions, sorted by address.  SPI connected. */
extern void mention_write(BbMention **m, int n, BbMentionCounts *c);
/* Marks what is over the limits of its host or domain as refused, and counts
 * it.  The new ones only. */
extern void mention_limit(BbMention **m, int n, BbMentionCounts *c);
/* Runs statement sql, kept as *plan. */
extern void mention_run(SPIPlanPtr *plan, const char *sql, int expect, int nargs,
						Oid *types, Datum *values);
/* text[] of n strings. */
extern Datum mention_texts(const char **s, int n);

#endif
