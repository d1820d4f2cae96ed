/*
 * due_queue.h
 *
 * What is due, per network, read from the database in batches, so that a free
 * connection does not wait for a query.  In memory only; what was read may
 * have changed seconds ago, and is a hint just as a job in flight is.
 */
#ifndef BB_DUE_QUEUE_H
#define BB_DUE_QUEUE_H

#include "postgres.h"

#include "nostr/relay_url.h"

#define DUE_READ	256			/* entries of a network that are read at a time */

typedef struct DueEntry
{
	int32		id;
	char	   *url;			/* valid until the next due_read of its network */
	NostrNetwork network;
} DueEntry;

typedef struct DueQueue
{
	/* SELECT id, url, ms until it is due; in that order; $1 network, $2 limit */
	const char *sql;
	int			(*room) (NostrNetwork network); /* how many more may run */
	int			(*running) (NostrNetwork network);
	bool		(*runs) (const DueEntry *e);
	/* private */
	struct DuePart
	{
		MemoryContext cxt;
		DueEntry	entry[DUE_READ];
		int			first;
		int			n;
		bool		more;		/* the last read got as many as it asked for */
	}			part[NOSTR_NETWORK_COUNT];
	int			turn;
} DueQueue;

/* Forgets what was read: everything is read again.  No SPI. */
extern void due_forget(DueQueue *q);
/* Could something be started?  Else due_next would give nothing. */
extern bool due_possible(const DueQueue *q);
/*
 * The next one for which there is room, the networks in turn; NULL: none.
 * Reads when it has to; lowers *wait_ms to when more is due.  In a
 * transaction, SPI connected.
 */
extern const DueEntry *due_next(DueQueue *q, long *wait_ms);

#endif
