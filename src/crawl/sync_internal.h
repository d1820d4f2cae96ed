/*
 * sync_internal.h
 *
 * What sync.c (connection, messages) and page.c (paging, proofs) share.
 */
#ifndef CRAWL_SYNC_INTERNAL_H
#define CRAWL_SYNC_INTERNAL_H

#include "sync.h"

#define SYNC_MAX_BOUNDARY	20000	/* ids remembered of one second */
#define SYNC_MAX_SEGMENTS	64		/* pieces a window falls into */

typedef struct SyncPage			/* one REQ and its answer */
{
	int64_t		until;
	bool		confirm;		/* the second, differently cut query */
	uint32_t	received;		/* everything, also what was refused */
	uint32_t	in_range;
	uint32_t	fresh;			/* in range and not seen before */
	uint32_t	unreadable;
	uint32_t	above;			/* newer than until: the relay ignores it */
	bool		unsorted;
	int64_t		oldest;
	int64_t		last;
} SyncPage;

struct Sync
{
	Net		   *net;
	WsConn	   *ws;
	NostrNetwork network;
	SyncCallbacks cb;
	void	   *user;
	uv_timer_t	timer;
	bool		finished;		/* result decided, waiting for closed() */
	bool		paused;
	char	   *filter;			/* members, without the braces */
	SyncWindow *window;
	uint16_t	nwindows;
	uint16_t	at;
	uint32_t	page_limit;
	uint64_t	slice_end;		/* uv_hrtime, 0: never */

	/* the current window */
	int64_t		since;
	int64_t		until;			/* what is left of it: [since, until] */
	int64_t		top;			/* upper end of what may be claimed */
	SyncWindow	segment[SYNC_MAX_SEGMENTS];
	int			nsegments;
	uint8_t		(*boundary)[32];	/* ids seen in second boundary_at */
	uint32_t	nboundary;
	uint32_t	boundary_cap;
	int64_t		boundary_at;
	bool		boundary_full;

	SyncPage	page;
	uint32_t	max_page;
	char		sub[40];
	bool		asking;
	uint64_t	asked_at;
	uint64_t	page_deadline;	/* however slowly it drips */
	char		notice[300];
	NostrBuf	scratch;
	NostrBuf	event_scratch;
	SyncResult	result;
};

/* page.c */
extern void page_window_start(Sync *s);
extern void page_event(Sync *s, const char *json, size_t len);
extern void page_eose(Sync *s, bool finish_hint);
extern void page_open(Sync *s, const char *reason);	/* what is left of the window */

/* sync.c */
extern void sync_ask(Sync *s, int64_t until, bool confirm);
extern void sync_finish(Sync *s, SyncOutcome outcome, NetFailure failure,
						const char *reason);

#endif
