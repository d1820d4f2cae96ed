/*
 * arrival.c
 *
 * Software timestamps of the kernel (SO_TIMESTAMPING), which use the wall
 * clock, converted to uv_hrtime() by their difference to now.  Timestamps
 * later than now or implausibly old are discarded.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "../nostr/pgfree.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>

#include <uv.h>

#include "arrival.h"

#define TOO_OLD	UINT64_C(60000000000)	/* ns */

void
arrival_watch(int fd)
{
	int			what = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;

	(void) setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &what, sizeof(what));
}

static uint64_t
ns(const struct timespec *t)
{
	return (uint64_t) t->tv_sec * 1000000000 + (uint64_t) t->tv_nsec;
}

ssize_t
arrival_recv(int fd, struct msghdr *m, int flags, uint64_t *when)
{
	union
	{
		struct cmsghdr head;
		char		space[CMSG_SPACE(sizeof(struct scm_timestamping)) + 64];
	}			control;
	struct timespec today;
	ssize_t		n;

	*when = 0;
	m->msg_control = &control;
	m->msg_controllen = sizeof(control);
	n = recvmsg(fd, m, flags);
	for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
	{
		struct scm_timestamping stamp;
		uint64_t	age;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING)
			continue;
		memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
		clock_gettime(CLOCK_REALTIME, &today);
		age = ns(&today) - ns(&stamp.ts[0]);	/* enormous when it is in the future */
		if (stamp.ts[0].tv_sec > 0 && age < TOO_OLD)
			*when = uv_hrtime() - age;
	}
	return n;
}

uint64_t
arrival_peek(int fd)
{
	char		byte;
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v,.msg_iovlen = 1};
	uint64_t	when;

	(void) arrival_recv(fd, &m, MSG_PEEK | MSG_DONTWAIT, &when);
	return when;
}

/* The kernel's first measurement of the way is that of the connection,
 * unless a packet of it was lost. */
uint64_t
arrival_connected(int fd, uint64_t began)
{
	struct tcp_info info;
	socklen_t	len = sizeof(info);
	uint64_t	at;

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 || info.tcpi_rtt == 0 ||
		info.tcpi_total_retrans > 0)
		return 0;
	at = began + (uint64_t) info.tcpi_rtt * 1000;
	return at <= uv_hrtime() ? at : 0;
}
