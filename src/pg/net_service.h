/*
 * net_service.h
 *
 * The main loop of services whose jobs run in bigbrotr-net: start what is
 * due, wait, write what comes back, use the room that this made.
 */
#ifndef BB_NET_SERVICE_H
#define BB_NET_SERVICE_H

#include "postgres.h"

typedef struct BbNetService
{
	/* The child was lost: all jobs are due again. */
	void		(*forget) (void);

	/*
	 * Starts what is due, as far as there is room.  all: looks at everything,
	 * and returns the ms until it wants to again; else a job just made room,
	 * and an earlier time is all that counts.
	 */
	long		(*start) (bool all);
	/* Frames that are ready, one transaction; true: there may be more. */
	bool		(*frames) (void);
	int			(*busy) (void);	/* falls when a job makes room */
	const char *(*activity) (void);
	void		(*tick) (void); /* each time around; may be NULL */
} BbNetService;

/* After bb_worker_init. */
extern void bb_net_service(const BbNetService *s) __attribute__((noreturn));

#endif
