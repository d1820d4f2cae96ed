/*
 * test_hostile.c
 *
 * The WebSocket client against relays that break its rules, on loopback.
 *
 * libwebsockets is not compiled with a sanitizer, so a write past one of its
 * buffers would go unseen: here each of its blocks has a guard behind it,
 * looked at when the block is given back.
 */
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/net/ws.h"
#include "relaycheck.h"

#define GUARD	64
#define MAX_MESSAGE	100000
#define ENOUGH		500			/* messages of a flood */
#define PINGS		3			/* answered: the connection is kept alive */

static uv_loop_t loop;
static Net *net;
static RelayStore store;
static int	overruns;

static void *
guarded_realloc(void *p, size_t size, const char *reason)
{
	static const unsigned char guard[GUARD] = {0xA5, 0x5A, 0xA5, 0x5A, 0xA5, 0x5A, 0xA5, 0x5A};
	size_t	   *block = p != NULL ? (size_t *) p - 2 : NULL;
	size_t		old = block != NULL ? block[0] : 0;
	size_t	   *fresh = NULL;

	(void) reason;
	if (block != NULL && memcmp((char *) p + old, guard, GUARD) != 0)
		overruns++;
	if (size > 0)
	{
		fresh = malloc(sizeof(size_t) * 2 + size + GUARD);
		fresh[0] = size;
		if (block != NULL)
			memcpy(fresh + 2, p, old < size ? old : size);
		memcpy((char *) (fresh + 2) + size, guard, GUARD);
	}
	free(block);
	return fresh != NULL ? fresh + 2 : NULL;
}

typedef struct Got
{
	int			opened;
	int			messages;
	size_t		largest;
	int			closed;
	NetFailure	failure;
	unsigned	pause_ms;		/* stop so long at every message */
	uint32_t	idle_ms;		/* stay, and ping after so much silence ... */
	uint32_t	answer_ms;		/* ... and wait so long */
	WsConn	   *conn;
	uv_timer_t	go_on;
} Got;

static void
on_opened(WsConn *c, void *user)
{
	static const char req[] = "[\"REQ\",\"a\",{}]";

	Got		   *g = user;

	g->opened++;
	CHECK(ws_send(c, req, strlen(req)));
	if (g->idle_ms > 0)
		ws_keep_alive(c, g->idle_ms, g->answer_ms);
}

static void
go_on(uv_timer_t *t)
{
	Got		   *g = t->data;

	if (g->closed == 0)
		ws_pause(g->conn, false);
}

static void
on_message(WsConn *c, void *user, const char *data, size_t len)
{
	Got		   *g = user;

	g->messages++;
	if (len > g->largest)
		g->largest = len;
	if (g->pause_ms > 0)
	{
		ws_pause(c, true);
		uv_timer_start(&g->go_on, go_on, g->pause_ms, 0);
	}
	if (g->idle_ms == 0 && ((len > 6 && memcmp(data, "[\"EOSE", 6) == 0) || g->messages == ENOUGH))
		ws_close(c, NET_OK, "");
}

static void
on_closed(WsConn *c, void *user, NetFailure failure, const char *reason)
{
	Got		   *g = user;

	(void) c;
	(void) reason;
	g->closed++;
	g->failure = failure;
}

static Got
talk_with(const char *script, Got g)
{
	static const WsCallbacks cb = {on_opened, on_message, on_closed};
	Relay	   *relay;
	const NostrRelayUrl *url = relaycheck_start(&loop, script, &store, &relay);

	uv_timer_init(&loop, &g.go_on);
	g.go_on.data = &g;
	g.conn = ws_connect(net, url, &cb, &g);
	WAIT_FOR(&loop, g.closed > 0 || relay_counters(relay)->pings >= PINGS);
	if (g.closed == 0)
		ws_close(g.conn, NET_OK, "");
	WAIT_FOR(&loop, g.closed > 0);
	CHECK(g.closed == 1);
	uv_close((uv_handle_t *) &g.go_on, NULL);
	relaycheck_stop(&loop, relay);
	printf("%-46s %-14s %d messages, largest %zu\n", script, net_failure_name(g.failure),
		   g.messages, g.largest);
	return g;
}

static Got
talk(const char *script, bool pause)
{
	Got			g = {.pause_ms = pause ? 1 : 0};

	return talk_with(script, g);
}

static void
test_sizes(void)
{
	Got			g = talk("{\"oversize\":99999}", false);

	CHECK(g.failure == NET_OK && g.largest == 99999);
	/* What comes after the piece that was too much must go nowhere. */
	g = talk("{\"oversize\":100001}", false);
	CHECK(g.failure == NET_TOO_LARGE && g.messages == 0);
	g = talk("{\"oversize\":3000000}", false);
	CHECK(g.failure == NET_TOO_LARGE && g.messages == 0);
	g = talk("{\"oversize\":3000000,\"fragment\":70000}", false);
	CHECK(g.failure == NET_TOO_LARGE && g.messages == 0);
	g = talk("{\"oversize\":3000000,\"frames\":\"binary\"}", false);
	CHECK(g.failure == NET_PROTOCOL && g.messages == 0);
	g = talk("{\"oversize\":300000,\"frames\":\"endless\"}", false);
	CHECK(g.failure == NET_TOO_LARGE && g.messages == 0);
}

static void
test_frames(void)
{
	Got			g = talk("{\"fragment\":1,\"ping\":1,\"oversize\":5000}", false);

	CHECK(g.failure == NET_OK && g.messages == 2 && g.largest == 5000);
	g = talk("{\"frames\":\"reserved\"}", false);
	CHECK(g.failure == NET_PROTOCOL || g.failure == NET_DISCONNECTED);
	g = talk("{\"frames\":\"orphan\"}", false);
	CHECK(g.failure == NET_PROTOCOL || g.failure == NET_DISCONNECTED);
}

static void
test_pauses(void)
{
	Got			g = talk("{\"flood\":\"notices\",\"flood_mb\":1,\"fragment\":7}", true);

	CHECK(g.failure == NET_OK && g.messages == ENOUGH);
	g = talk("{\"oversize\":90000,\"drip_bytes\":10000,\"drip_ms\":1}", true);
	CHECK(g.failure == NET_OK && g.messages == 2 && g.largest == 90000);
}

/* Silence: of a peer that is there, that waits for us, that is not there. */
static void
test_silence(void)
{
	Got			g = talk_with("{}", (Got) {.idle_ms = 10,.answer_ms = 5000});

	CHECK(g.failure == NET_OK && g.messages == 1);
	g = talk_with("{}", (Got) {.idle_ms = 10,.answer_ms = 200,.pause_ms = 500});
	CHECK(g.failure == NET_OK && g.messages == 1);
	g = talk_with("{\"mute_ms\":1}", (Got) {.idle_ms = 10,.answer_ms = 200});
	CHECK(g.failure == NET_TIMEOUT);
}

int
main(void)
{
	NetConfig	config;

	lws_set_allocator(guarded_realloc);
	uv_loop_init(&loop);
	relay_store_init(&store);
	netcheck_config(&config, 5000);
	config.max_message_size = MAX_MESSAGE;
	net = netcheck_open(&loop, &config);
	test_sizes();
	test_frames();
	test_pauses();
	test_silence();
	net_close(net);
	netcheck_settle(&loop);
	relay_store_free(&store);
	CHECK(overruns == 0);
	return check_done();
}
