/*
 * transfer.h
 *
 * Imports and exports in steps: each is a transaction that also records the
 * position in its row of bigbrotr.transfer, so that an interrupted one
 * continues where it stopped.
 */
#ifndef BB_TRANSFER_H
#define BB_TRANSFER_H

#include "postgres.h"

typedef struct BbTransfer
{
	int32		id;
	char	   *source;			/* path of a file */
	char	   *relay_url;		/* '' none */
	int64		position;		/* bytes of the file that are done */
	int64		key;			/* export: of the last event written; -1 none */
	bool		begun;			/* there was a step; the file is ours */
	int64		size;			/* out: bytes of the file */
	/* out: what the step did */
	int64		events;
	int64		observations;
	int64		known;
	int64		invalid;
} BbTransfer;

/* The row, locked until the end of the transaction.  SPI connected; texts in
 * its memory. */
extern void transfer_read(BbTransfer *t, int32 id, const char *direction);

/* Adds what the step did; finished: there is no more.  SPI connected. */
extern void transfer_write(const BbTransfer *t, bool finished);

/* An error unless the present role may read (write) files of the server. */
extern void transfer_need_role(bool write);

#endif
