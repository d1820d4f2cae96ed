/*
 * dns.h
 *
 * Name resolution with c-ares on the loop: A and AAAA, bounded in time and
 * number.  The address guard is applied by the caller (ws.c) to every answer.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "net.h"

#define DNS_MAX_ADDRESSES 16

typedef struct Dns Dns;

/* failure: NET_OK, NET_DNS_NXDOMAIN, NET_DNS_FAILED or NET_CANCELLED. */
typedef void (*DnsCallback) (void *user, NetFailure failure, const char *reason,
							 const NostrAddr *addr, int n);

/* as_is: an answer that says SERVFAIL or REFUSED is the answer, instead of a
 * reason to ask the next server. */
extern Dns *dns_open(uv_loop_t *loop, const char *servers, bool as_is, const char **why);
/* Never calls back from inside; the callback comes exactly once. */
extern bool dns_resolve(Dns *dns, const char *host, DnsCallback cb, void *user);
/* In the callback of an answer: when it arrived, uv_hrtime(). */
extern uint64_t dns_arrived(const Dns *dns);
extern void dns_close(Dns *dns);

#endif
