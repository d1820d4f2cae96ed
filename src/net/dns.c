/*
 * dns.c
 *
 * c-ares on the loop: its sockets are polled with uv_poll, its timeouts run
 * from one timer.
 *
 * Guarantees: an answer or a failure within DNS_DEADLINE_MS, exactly once,
 * never from inside dns_resolve (c-ares answers some questions at once, so
 * the answer is kept and a zero timer delivers it); no search domains, no
 * hosts file.  Race closed here: after our deadline c-ares still holds the
 * request; it is freed only when c-ares, the caller and the timer let go.
 */
#include "../nostr/pgfree.h"

#include <ares.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "dns.h"

#define DNS_DEADLINE_MS 5000
#define DNS_TRY_MS 1500
#define DNS_TRIES 2
#define DNS_MAX_ACTIVE 4096

typedef struct DnsRequest
{
	struct DnsRequest *prev;
	struct DnsRequest *next;
	Dns		   *dns;
	DnsCallback cb;
	void	   *user;
	uv_timer_t	timer;
	bool		answered;		/* c-ares called back */
	bool		delivered;
	bool		timer_closed;
	NetFailure	failure;
	const char *reason;
	NostrAddr	addr[DNS_MAX_ADDRESSES];
	int			n;
} DnsRequest;

typedef struct DnsPoll
{
	struct DnsPoll *next;
	Dns		   *dns;
	uv_poll_t	poll;
	ares_socket_t fd;
} DnsPoll;

struct Dns
{
	uv_loop_t  *loop;
	ares_channel channel;
	uv_timer_t	timer;
	DnsPoll    *polls;
	DnsRequest *requests;
	int			active;
};

static void arm_timer(Dns *dns);

static void
timer_cb(uv_timer_t *timer)
{
	Dns		   *dns = timer->data;

	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm_timer(dns);
}

static void
arm_timer(Dns *dns)
{
	struct timeval tv;
	struct timeval *left = ares_timeout(dns->channel, NULL, &tv);

	if (left == NULL)
		uv_timer_stop(&dns->timer);
	else
		uv_timer_start(&dns->timer, timer_cb,
					   (uint64_t) left->tv_sec * 1000 + (uint64_t) left->tv_usec / 1000 + 1, 0);
}

static void
poll_cb(uv_poll_t *poll, int status, int events)
{
	DnsPoll    *p = poll->data;
	Dns		   *dns = p->dns;
	ares_socket_t fd = p->fd;

	if (status < 0)
		events = UV_READABLE | UV_WRITABLE; /* c-ares finds the error itself */
	ares_process_fd(dns->channel,
					events & UV_READABLE ? fd : ARES_SOCKET_BAD,
					events & UV_WRITABLE ? fd : ARES_SOCKET_BAD);
	arm_timer(dns);
}

static void
poll_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void
socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
	Dns		   *dns = data;
	DnsPoll   **link = &dns->polls;
	DnsPoll    *p;

	while (*link != NULL && (*link)->fd != fd)
		link = &(*link)->next;
	p = *link;

	if (!readable && !writable)
	{
		if (p != NULL)
		{
			*link = p->next;
			uv_poll_stop(&p->poll);
			uv_close((uv_handle_t *) &p->poll, poll_closed);
		}
		return;
	}
	if (p == NULL)
	{
		p = calloc(1, sizeof(*p));
		if (p == NULL)
			return;				/* the query times out */
		if (uv_poll_init(dns->loop, &p->poll, fd) != 0)
		{
			free(p);
			return;
		}
		p->poll.data = p;
		p->dns = dns;
		p->fd = fd;
		p->next = dns->polls;
		dns->polls = p;
	}
	uv_poll_start(&p->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), poll_cb);
}

static void
request_release(DnsRequest *r)
{
	if (r->answered && r->delivered && r->timer_closed)
		free(r);
}

static void
request_timer_closed(uv_handle_t *handle)
{
	DnsRequest *r = handle->data;

	r->timer_closed = true;
	request_release(r);
}

static void
request_deliver(DnsRequest *r)
{
	Dns		   *dns = r->dns;

	r->delivered = true;
	if (r->prev != NULL)
		r->prev->next = r->next;
	else
		dns->requests = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
	r->cb(r->user, r->failure, r->reason, r->addr, r->n);
	/* The close callback runs from the loop, so r is still ours here. */
	uv_close((uv_handle_t *) &r->timer, request_timer_closed);
}

static void
request_timer(uv_timer_t *timer)
{
	DnsRequest *r = timer->data;

	if (!r->answered)
	{
		r->failure = NET_DNS_FAILED;
		r->reason = "name servers did not answer in time";
	}
	request_deliver(r);
}

/* IPv4 first and then by turns: most crawled hosts have working IPv4, and a
 * dead family costs one address, not all. */
static void
take_addresses(DnsRequest *r, const struct ares_addrinfo *result)
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
answer(void *arg, int status, int timeouts, struct ares_addrinfo *result)
{
	DnsRequest *r = arg;

	(void) timeouts;
	r->answered = true;
	r->dns->active--;
	if (r->delivered)
	{
		ares_freeaddrinfo(result);
		request_release(r);
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
	uv_timer_start(&r->timer, request_timer, 0, 0);
}

Dns *
dns_open(uv_loop_t *loop, const char *servers, const char **why)
{
	struct ares_options options;
	Dns		   *dns = calloc(1, sizeof(*dns));
	char		lookups[] = "b";

	*why = "could not initialise the resolver";
	if (dns == NULL || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
	{
		free(dns);
		return NULL;
	}
	memset(&options, 0, sizeof(options));
	options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
	options.timeout = DNS_TRY_MS;
	options.tries = DNS_TRIES;
	options.lookups = lookups;
	options.sock_state_cb = socket_state;
	options.sock_state_cb_data = dns;
	if (ares_init_options(&dns->channel, &options,
						  ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
						  ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS)
	{
		ares_library_cleanup();
		free(dns);
		return NULL;
	}
	if (servers[0] != '\0' && ares_set_servers_ports_csv(dns->channel, servers) != ARES_SUCCESS)
	{
		*why = "the list of name servers is not valid";
		ares_destroy(dns->channel);
		ares_library_cleanup();
		free(dns);
		return NULL;
	}
	dns->loop = loop;
	uv_timer_init(loop, &dns->timer);
	dns->timer.data = dns;
	return dns;
}

bool
dns_resolve(Dns *dns, const char *host, DnsCallback cb, void *user)
{
	struct ares_addrinfo_hints hints;
	DnsRequest *r;

	if (dns->active >= DNS_MAX_ACTIVE || (r = calloc(1, sizeof(*r))) == NULL)
		return false;
	r->dns = dns;
	r->cb = cb;
	r->user = user;
	uv_timer_init(dns->loop, &r->timer);
	r->timer.data = r;
	r->next = dns->requests;
	if (r->next != NULL)
		r->next->prev = r;
	dns->requests = r;
	dns->active++;
	uv_timer_start(&r->timer, request_timer, DNS_DEADLINE_MS, 0);

	memset(&hints, 0, sizeof(hints));
	hints.ai_family = AF_UNSPEC;
	hints.ai_flags = ARES_AI_NOSORT;
	ares_getaddrinfo(dns->channel, host, NULL, &hints, answer, r);
	arm_timer(dns);
	return true;
}

static void
dns_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void
dns_close(Dns *dns)
{
	if (dns == NULL)
		return;
	ares_destroy(dns->channel); /* answers every request as cancelled */
	while (dns->requests != NULL)
		request_deliver(dns->requests);
	ares_library_cleanup();
	uv_close((uv_handle_t *) &dns->timer, dns_closed);
}
