/*
 * dns_internal.h
 *
 * The common life cycle of DNS queries.
 *
 * A query starts with dns_pending_start; c-ares' callback calls
 * dns_pending_answered (true: take the answer now, delivery follows from a
 * zero timer); deliver() runs exactly once, also at the deadline and when the
 * resolver is closed.  c-ares may hold our pointer longer than that, so the
 * memory is freed when c-ares, the caller and the timer have all let go.
 */
#ifndef NET_DNS_INTERNAL_H
#define NET_DNS_INTERNAL_H

#include <ares.h>

#include "dns.h"

#define DNS_MAX_ACTIVE 4096

typedef struct DnsPending DnsPending;

struct DnsPending				/* first member of a question; calloc'ed */
{
	DnsPending *prev;
	DnsPending *next;
	Dns		   *dns;
	uv_timer_t	timer;
	void		(*deliver) (DnsPending *p, bool timed_out);
	uint64_t	arrived;		/* its last answer, uv_hrtime() */
	bool		answered;		/* c-ares called back */
	bool		delivered;
	bool		timer_closed;
};

struct Dns
{
	uv_loop_t  *loop;
	ares_channel channel;
	uv_timer_t	timer;
	struct DnsPoll *polls;
	DnsPending *pending;
	int			active;
	bool		reading;		/* c-ares reads what came */
	uint64_t	arrived;		/* what is being read, then what is being delivered */
};

extern void dns_pending_start(Dns *dns, DnsPending *p,
							  void (*deliver) (DnsPending *p, bool timed_out));
/* false: delivered before, the answer is of no use (p may be gone). */
extern bool dns_pending_answered(DnsPending *p);
extern void dns_arm_timer(Dns *dns);	/* after every call of c-ares that asks */

#endif
