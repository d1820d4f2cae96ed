/*
 * netcheck.h
 *
 * What the unit tests with a network share: waiting on a loop, a Net for
 * loopback, and which leaks are not ours.  For one source file of a program.
 */
#ifndef TEST_NETCHECK_H
#define TEST_NETCHECK_H

#include <stdlib.h>

#include "../../src/net/net.h"
#include "../../src/net/seen.h"
#include "../../src/net/ws.h"
#include "../../src/nostr/crypto.h"
#include "check.h"

#define PATIENCE_MS 30000		/* nothing that is waited for takes that long */

typedef struct Patience
{
	uv_timer_t	timer;
	bool		over;
	bool		closed;
} Patience;

static inline void
patience_over(uv_timer_t *t)
{
	((Patience *) t->data)->over = true;
}

static inline void
patience_closed(uv_handle_t *h)
{
	((Patience *) h->data)->closed = true;
}

static inline void
patience_begin(Patience *p, uv_loop_t *loop)
{
	p->over = p->closed = false;
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	uv_update_time(loop);
	uv_timer_start(&p->timer, patience_over, PATIENCE_MS, 0);
}

static inline void
patience_end(Patience *p)
{
	uv_close((uv_handle_t *) &p->timer, patience_closed);
	while (!p->closed)
		uv_run(p->timer.loop, UV_RUN_NOWAIT);
}

/* Runs the loop until cond is true.  When it never becomes so the program ends:
 * what is still going on would write into variables of a test that is over. */
#define WAIT_FOR(loop_, cond) \
	do { \
		Patience patience_; \
		patience_begin(&patience_, loop_); \
		while (!(cond) && !patience_.over) \
			uv_run(loop_, UV_RUN_ONCE); \
		patience_end(&patience_); \
		CHECK(cond); \
		if (!(cond)) \
			exit(1); \
	} while (0)

/* For callbacks whose whole message is that they were called. */
static inline void
netcheck_flag(void *user)
{
	*(bool *) user = true;
}

/* Loopback may be connected to, and no name server answers. */
static inline void
netcheck_config(NetConfig *c, uint32_t timeout_ms)
{
	size_t		bad;

	net_config_default(c);
	strcpy(c->dns_servers, "127.0.0.1:1");
	CHECK(nostr_cidr_list_parse("127.0.0.0/8", &c->allow, &bad));
	c->network[NOSTR_CLEARNET].timeout_ms = timeout_ms;
}

/* A Net, or the end of the test. */
static inline Net *
netcheck_open(uv_loop_t *loop, const NetConfig *c)
{
	const char *why = "out of memory";
	Net		   *net = NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (nostr_crypto_init())
		net = net_open(loop, c, &why);
	if (net == NULL)
	{
		fprintf(stderr, "no network: %s\n", why);
		exit(1);
	}
	return net;
}

/* What was being closed is closed: for the end, beside handles that stay. */
static inline void
netcheck_settle(uv_loop_t *loop)
{
	for (int i = 0; i < 100; i++)
		uv_run(loop, UV_RUN_NOWAIT);
}

/* Valid until the next call. */
static inline const NostrRelayUrl *
netcheck_url(const char *text)
{
	static NostrRelayUrl url;

	CHECK(nostr_relay_url_parse(text, strlen(text), true, &url) == NOSTR_URL_OK);
	return &url;
}

/* How a connection ended that is closed as soon as it has opened. */
typedef struct NetLook
{
	bool		over;
	NetFailure	failure;
	WsTimings	timings;
} NetLook;

static inline void
netlook_opened(WsConn *c, void *user)
{
	(void) user;
	ws_close(c, NET_OK, "");
}

static inline void
netlook_message(WsConn *c, void *user, const char *data, size_t len)
{
	(void) c, (void) user, (void) data, (void) len;
}

static inline void
netlook_closed(WsConn *c, void *user, NetFailure f, const char *why)
{
	NetLook    *look = user;

	(void) why;
	look->failure = f;
	look->timings = *ws_timings(c);
	look->over = true;
}

/* Connects once, noting in seen (may be NULL) what is seen on the way. */
static inline NetLook
netcheck_look(uv_loop_t *loop, Net *net, const NostrRelayUrl *url, NetSeen *seen)
{
	static const WsCallbacks cb = {netlook_opened, netlook_message, netlook_closed};
	NetLook		look = {0};
	WsConn	   *c = ws_connect(net, url, &cb, &look);

	CHECK(c != NULL);
	if (seen != NULL)
		ws_observe(c, seen);
	WAIT_FOR(loop, look.over);
	return look;
}

/* OpenSSL, libcurl and libwebsockets keep some memory for the life of the
 * process: only what our code allocates counts. */
extern const char *__lsan_default_options(void);
extern const char *__lsan_default_suppressions(void);

const char *
__lsan_default_options(void)
{
	return "print_suppressions=0";
}

const char *
__lsan_default_suppressions(void)
{
	return "leak:libcrypto\nleak:libssl\nleak:libwebsockets\n";
}

#endif
