/*
 * dns_address.c
 *
 * The addresses of a name: A and AAAA, at most DNS_MAX_ADDRESSES.
 */
#include "../nostr/pgfree.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "dns_internal.h"

typedef struct DnsResolve
{
	DnsPending	pending;
	DnsCallback cb;
	void	   *user;
	NetFailure	failure;
	const char *reason;
	NostrAddr	addr[DNS_MAX_ADDRESSES];
	int			n;
} DnsResolve;

/* IPv4 first and then by turns: most crawled hosts have working IPv4, and a
 * dead family costs one address, not all. */
static void
take_addresses(DnsResolve *r, const struct ares_addrinfo *result)
{
	const struct ares_addrinfo_node *n4 = result->nodes;
	const struct ares_addrinfo_node *n6 = result->nodes;

	while ((n4 != NULL || n6 != NULL) && r->n < DNS_MAX_ADDRESSES)
	{
		while (n4 != NULL && n4->ai_family != AF_INET)
			n4 = n4->ai_next;
		while (n6 != NULL && n6->ai_family != AF_INET6)
			n6 = n6->ai_next;
		if (n4 != NULL)
		{
			memcpy(r->addr[r->n++].bytes,
				   &((const struct sockaddr_in *) n4->ai_addr)->sin_addr, 4);
			n4 = n4->ai_next;
		}
		if (n6 != NULL && r->n < DNS_MAX_ADDRESSES)
		{
			r->addr[r->n].v6 = true;
			memcpy(r->addr[r->n++].bytes,
				   &((const struct sockaddr_in6 *) n6->ai_addr)->sin6_addr, 16);
			n6 = n6->ai_next;
		}
	}
}

static void
deliver(DnsPending *p, bool timed_out)
{
	DnsResolve *r = (DnsResolve *) p;

	if (timed_out)
		r->cb(r->user, NET_DNS_FAILED, "name servers did not answer in time", NULL, 0);
	else
		r->cb(r->user, r->failure, r->reason, r->addr, r->n);
}

static void
answer(void *arg, int status, int timeouts, struct ares_addrinfo *result)
{
	DnsResolve *r = arg;

	(void) timeouts;
	if (!dns_pending_answered(&r->pending))
	{
		ares_freeaddrinfo(result);
		return;
	}
	if (status == ARES_SUCCESS && result != NULL)
		take_addresses(r, result);
	ares_freeaddrinfo(result);
	if (r->n > 0)
	{
		r->failure = NET_OK;
		r->reason = "";
	}
	else if (status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA ||
			 status == ARES_EBADNAME)
	{
		r->failure = NET_DNS_NXDOMAIN;
		r->reason = status == ARES_ENOTFOUND ? "the name does not exist" : "the name has no address";
	}
	else if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
	{
		r->failure = NET_CANCELLED;
		r->reason = "shutting down";
	}
	else
	{
		r->failure = NET_DNS_FAILED;
		r->reason = ares_strerror(status);
	}
}

bool
dns_resolve(Dns *dns, const char *host, DnsCallback cb, void *user)
{
	struct ares_addrinfo_hints hints;
	DnsResolve *r;

	if (dns->active >= DNS_MAX_ACTIVE || (r = calloc(1, sizeof(*r))) == NULL)
		return false;
	r->cb = cb;
	r->user = user;
	dns_pending_start(dns, &r->pending, deliver);
	memset(&hints, 0, sizeof(hints));
	hints.ai_family = AF_UNSPEC;
	hints.ai_flags = ARES_AI_NOSORT;
	ares_getaddrinfo(dns->channel, host, NULL, &hints, answer, r);
	dns_arm_timer(dns);
	return true;
}
