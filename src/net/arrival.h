/*
 * arrival.h
 *
 * When did data arrive?  A loop busy with hundreds of handshakes looks at an
 * answer late; the kernel knows when it came.  All times are those of
 * uv_hrtime(), in nanoseconds.
 */
#ifndef NET_ARRIVAL_H
#define NET_ARRIVAL_H

#include <stdint.h>
#include <sys/socket.h>

/* Has the kernel note arrivals on that socket from now on. */
extern void arrival_watch(int fd);
/* When the first bytes that wait to be read arrived; 0: nobody knows. */
extern uint64_t arrival_peek(int fd);
/* recvmsg, and when what it read arrived (0: nobody knows). */
extern ssize_t arrival_recv(int fd, struct msghdr *m, int flags, uint64_t *when);
/* When a TCP connection begun at that time was accepted, just after it was;
 * 0: nobody knows. */
extern uint64_t arrival_connected(int fd, uint64_t began);

#endif
