/*
 * netd_internal.h
 *
 * Between netd.c (the life of the child) and netd_io.c (its bytes).
 */
#ifndef BB_NETD_INTERNAL_H
#define BB_NETD_INTERNAL_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "wire/messages.h"

typedef struct NetdChild
{
	int			pid;			/* 0: none */
	int			sock;			/* -1: none */
	bool		hello;			/* it has said HELLO */
	TimestampTz heard;			/* when bytes came last */
	NostrBuf	in;
	size_t		in_done;		/* consumed */
	NostrBuf	out;
	size_t		out_done;		/* written */
} NetdChild;

extern NetdChild netd_child;

/* netd.c: ends the child, forgets what was on the way, says why. */
extern void netd_lose(const char *why);

/* netd_io.c; all of them may lose the child (then its pid is 0). */
extern void netd_io_init(void);
extern void netd_io_reset(void);	/* forgets both directions */
extern void netd_io_compact(void);	/* makes room; frames handed out end here */
extern void netd_io_read(void);		/* what there is, bounded */
/* A whole frame for the caller, left in the buffer.  HELLO, LOG and PONG are
 * handled on the way: netd_poll must not call the caller for them, who would
 * then not look for work that a new child makes possible. */
extern bool netd_io_find(WireFrame *f, size_t *used);

#endif
