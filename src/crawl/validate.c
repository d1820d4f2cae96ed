/*
 * validate.c
 *
 * Guarantees: done() exactly once, from the loop, after the connection is
 * gone; never later than twice the network's timeout after the connection
 * opened, however slowly or much the server talks.
 */
#include "../nostr/pgfree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../nostr/event.h"
#include "../nostr/message.h"
#include "text.h"
#include "validate.h"

struct Validate
{
	Net		   *net;
	WsConn	   *ws;
	HttpGet    *http;			/* the document is on its way */
	char		url[NOSTR_RELAY_URL_MAX + 1];
	NostrNetwork network;
	ValidateDone done;
	void	   *user;
	ValidateResult result;
	NostrBuf	scratch;
	uv_timer_t	timer;
	uint64_t	asked_at;		/* uv_hrtime of the REQ */
	bool		decided;
	bool		noticed;
	char		sub[32];
	char		notice[256];
};

static void
timer_closed(uv_handle_t *h)
{
	Validate   *v = h->data;

	v->done(v->user, &v->result);
	nostr_buf_free(&v->scratch);
	free(v);
}

static void
decide(Validate *v, bool is_relay, NetFailure failure, const char *reason)
{
	if (v->decided)
		return;
	v->decided = true;
	v->result.is_relay = is_relay;
	v->result.failure = failure;
	v->result.reason[0] = '\0';
	crawl_text_append(v->result.reason, sizeof(v->result.reason), reason, strlen(reason));
}

static void
finish(Validate *v, bool is_relay, NetFailure failure, const char *reason)
{
	decide(v, is_relay, failure, reason);
	if (v->ws != NULL)
		ws_close(v->ws, NET_OK, "");
}

static void
on_timer(uv_timer_t *t)
{
	Validate   *v = t->data;
	char		reason[400] = "no answer to our subscription";

	/* ws_connect failed, or cancelled before it: nothing to close */
	if (v->ws == NULL)
	{
		uv_close((uv_handle_t *) t, timer_closed);
		return;
	}
	if (v->noticed)
	{
		strcpy(reason, "only a notice: ");
		crawl_text_append(reason, sizeof(reason), v->notice, strlen(v->notice));
	}
	finish(v, false, NET_NOT_NOSTR, reason);
}

static void
on_opened(WsConn *c, void *user)
{
	Validate   *v = user;
	char		req[128];
	int			n;

	n = snprintf(req, sizeof(req), "[\"REQ\",\"%s\",{\"kinds\":[1],\"limit\":1}]", v->sub);
	v->asked_at = uv_hrtime();
	if (!ws_send(c, req, (size_t) n))
		finish(v, false, NET_RESOURCES, "cannot queue the request");
	uv_timer_start(&v->timer, on_timer,
				   net_config(v->net)->network[v->network].timeout_ms, 0);
}

static void
on_message(WsConn *c, void *user, const char *data, size_t len)
{
	Validate   *v = user;
	NostrMessage m;
	const char *proof = NULL;
	bool		ours;

	(void) c;
	if (v->decided)
		return;
	nostr_buf_reset(&v->scratch);
	nostr_message_parse(data, len, &v->scratch, &m);
	ours = m.sub != NULL && m.sub_len == strlen(v->sub) &&
		memcmp(m.sub, v->sub, m.sub_len) == 0;
	switch (m.type)
	{
		case NOSTR_MSG_EVENT:
			proof = ours ? "EVENT" : NULL;
			break;
		case NOSTR_MSG_EOSE:
			proof = ours ? "EOSE" : NULL;
			break;
		case NOSTR_MSG_CLOSED:
			proof = ours ? "CLOSED" : NULL;
			break;
		case NOSTR_MSG_AUTH:
			proof = "AUTH";
			break;
		case NOSTR_MSG_NOTICE:
			v->noticed = true;
			v->notice[0] = '\0';
			crawl_text_append(v->notice, sizeof(v->notice), m.text, m.text_len);
			break;
		default:
			break;
	}
	if (proof == NULL)
		return;
	v->result.first_answer_us = (uint32_t) ((uv_hrtime() - v->asked_at) / 1000);
	finish(v, true, NET_OK, proof);
}

static void
on_document(void *user, const HttpResult *r)
{
	Validate   *v = user;

	v->http = NULL;
	identity_read(r, &v->result.identity);
	uv_close((uv_handle_t *) &v->timer, timer_closed);
}

static void
on_closed(WsConn *c, void *user, NetFailure failure, const char *reason)
{
	Validate   *v = user;

	v->result.timings = *ws_timings(c);
	v->result.bytes_received = ws_bytes_received(c);
	decide(v, false, failure != NET_OK ? failure : NET_DISCONNECTED,
		   reason != NULL ? reason : "");
	v->ws = NULL;
	uv_timer_stop(&v->timer);
	if (v->result.is_relay)
		v->http = identity_get(v->net, v->url, on_document, v);
	if (v->http == NULL)
		uv_close((uv_handle_t *) &v->timer, timer_closed);
}

Validate *
validate_start(Net *net, const NostrRelayUrl *url, ValidateDone done, void *user)
{
	static const WsCallbacks cb = {on_opened, on_message, on_closed};
	static uint32_t counter;
	Validate   *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->net = net;
	v->network = url->network;
	snprintf(v->url, sizeof(v->url), "%s", url->url);
	v->done = done;
	v->user = user;
	nostr_buf_init(&v->scratch, NOSTR_EVENT_MAX_SIZE);
	snprintf(v->sub, sizeof(v->sub), "v%u-%x", ++counter, (unsigned) (uv_hrtime() & 0xFFFF));
	v->ws = ws_connect(net, url, &cb, v);
	if (v->ws == NULL)
	{
		nostr_buf_free(&v->scratch);
		free(v);
		return NULL;
	}
	uv_timer_init(net_loop(net), &v->timer);
	v->timer.data = v;
	return v;
}

void
validate_cancel(Validate *v)
{
	finish(v, false, NET_CANCELLED, "cancelled");
	if (v->http == NULL)
		return;
	http_cancel(v->http);
	v->http = NULL;
	uv_close((uv_handle_t *) &v->timer, timer_closed);
}
