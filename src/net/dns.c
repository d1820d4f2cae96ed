/*
 * dns.c
 *
 * c-ares on the loop: its sockets are polled with uv_poll, its timeouts run
 * from one timer; and the life of a question (dns_internal.h).
 *
 * Guarantees: a delivery within DNS_DEADLINE_MS, exactly once, never from
 * inside the call that asked (c-ares answers some questions at once, so the
 * answer is kept and a zero timer delivers it); no search domains, no hosts
 * file.  Race closed here: after our deadline c-ares still holds the question.
 */
#include "../nostr/pgfree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arrival.h"
#include "dns_internal.h"

#define DNS_DEADLINE_MS 5000
#define DNS_TRY_MS 1500
#define DNS_TRIES 2

typedef struct DnsPoll
{
	struct DnsPoll *next;
	Dns		   *dns;
	uv_poll_t	poll;
	ares_socket_t fd;
} DnsPoll;

static void
timer_cb(uv_timer_t *timer)
{
	Dns		   *dns = timer->data;

	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	dns_arm_timer(dns);
}

void
dns_arm_timer(Dns *dns)
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
	dns->reading = true;
	ares_process_fd(dns->channel,
					events & UV_READABLE ? fd : ARES_SOCKET_BAD,
					events & UV_WRITABLE ? fd : ARES_SOCKET_BAD);
	dns->reading = false;
	dns_arm_timer(dns);
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
release(DnsPending *p)
{
	if (p->answered && p->delivered && p->timer_closed)
		free(p);
}

static void
pending_timer_closed(uv_handle_t *handle)
{
	DnsPending *p = handle->data;

	p->timer_closed = true;
	release(p);
}

static void
pending_deliver(DnsPending *p)
{
	Dns		   *dns = p->dns;

	p->delivered = true;
	if (p->prev != NULL)
		p->prev->next = p->next;
	else
		dns->pending = p->next;
	if (p->next != NULL)
		p->next->prev = p->prev;
	dns->arrived = p->arrived;
	p->deliver(p, !p->answered);
	/* The close callback runs from the loop, so p is still ours here. */
	uv_close((uv_handle_t *) &p->timer, pending_timer_closed);
}

static void
pending_timer(uv_timer_t *timer)
{
	pending_deliver(timer->data);
}

void
dns_pending_start(Dns *dns, DnsPending *p, void (*deliver) (DnsPending *p, bool timed_out))
{
	p->dns = dns;
	p->deliver = deliver;
	uv_timer_init(dns->loop, &p->timer);
	p->timer.data = p;
	p->next = dns->pending;
	if (p->next != NULL)
		p->next->prev = p;
	dns->pending = p;
	dns->active++;
	uv_timer_start(&p->timer, pending_timer, DNS_DEADLINE_MS, 0);
}

bool
dns_pending_answered(DnsPending *p)
{
	p->answered = true;
	p->arrived = p->dns->reading ? p->dns->arrived : uv_hrtime();
	p->dns->active--;
	if (p->delivered)
	{
		release(p);
		return false;
	}
	uv_timer_start(&p->timer, pending_timer, 0, 0);
	return true;
}

uint64_t
dns_arrived(const Dns *dns)
{
	return dns->arrived;
}

/* --- sockets as c-ares would open them, with the time of each answer --- */

static ares_socket_t
open_socket(int family, int type, int protocol, void *user)
{
	int			fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	(void) user;
	if (fd >= 0)
		arrival_watch(fd);
	return fd;
}

static int
close_socket(ares_socket_t fd, void *user)
{
	(void) user;
	return close(fd);
}

static int
connect_socket(ares_socket_t fd, const struct sockaddr *to, ares_socklen_t len, void *user)
{
	(void) user;
	return connect(fd, to, len);
}

static ares_ssize_t
receive(ares_socket_t fd, void *data, size_t size, int flags, struct sockaddr *from,
		ares_socklen_t *len, void *user)
{
	Dns		   *dns = user;
	struct iovec v = {data, size};
	struct msghdr m = {.msg_iov = &v,.msg_iovlen = 1,.msg_name = from,
	.msg_namelen = from != NULL ? *len : 0};
	ssize_t		n = arrival_recv(fd, &m, flags, &dns->arrived);
	int			error = errno;

	if (from != NULL)
		*len = m.msg_namelen;
	if (dns->arrived == 0)
		dns->arrived = uv_hrtime();
	errno = error;
	return n;
}

static ares_ssize_t
send_pieces(ares_socket_t fd, const struct iovec *v, int n, void *user)
{
	struct msghdr m = {.msg_iov = (struct iovec *) v,.msg_iovlen = (size_t) n};

	(void) user;
	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

Dns *
dns_open(uv_loop_t *loop, const char *servers, bool as_is, const char **why)
{
	static const struct ares_socket_functions sockets = {
		open_socket, close_socket, connect_socket, receive, send_pieces
	};
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
	options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
		(as_is ? ARES_FLAG_NOCHECKRESP : 0);
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
	ares_set_socket_functions(dns->channel, &sockets, dns);
	dns->loop = loop;
	uv_timer_init(loop, &dns->timer);
	dns->timer.data = dns;
	return dns;
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
	while (dns->pending != NULL)
		pending_deliver(dns->pending);
	ares_library_cleanup();
	uv_close((uv_handle_t *) &dns->timer, dns_closed);
}
