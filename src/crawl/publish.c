/*
 * publish.c
 *
 * See publish.h.  At most PUBLISH_WINDOW events are on their way; a relay that
 * answers nothing for a network's timeout ends the job.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "../nostr/event.h"
#include "../nostr/hex.h"
#include "../nostr/message.h"
#include "publish.h"
#include "text.h"

struct Publish
{
	Net		   *net;
	WsConn	   *ws;
	NostrNetwork network;
	PublishCallbacks cb;
	void	   *user;
	uv_timer_t	timer;
	NostrBuf	scratch;
	int			n;
	int			sent;
	int			answered;
	NetFailure	failure;
	char		reason[256];
	struct
	{
		PublishEvent event;
		bool		answered;
	}			item[];
};

static void
end(Publish *p, NetFailure failure, const char *reason)
{
	p->failure = failure;
	p->reason[0] = '\0';
	crawl_text_append(p->reason, sizeof(p->reason), reason, strlen(reason));
	if (p->ws != NULL)
		ws_close(p->ws, NET_OK, "");
}

static void
on_timer(uv_timer_t *t)
{
	end(t->data, NET_TIMEOUT, "no answer to an event");
}

static void
send_more(Publish *p)
{
	while (p->sent < p->n && p->sent - p->answered < PUBLISH_WINDOW)
	{
		const PublishEvent *e = &p->item[p->sent].event;
		NostrBuf	msg;
		bool		ok;

		nostr_buf_init(&msg, e->len + 16);
		nostr_buf_append_str(&msg, "[\"EVENT\",");
		nostr_buf_append(&msg, e->json, e->len);
		nostr_buf_append_byte(&msg, ']');
		ok = !msg.failed && ws_send(p->ws, (char *) msg.data, msg.len);
		nostr_buf_free(&msg);
		if (!ok && p->sent > p->answered)
			break;				/* the queue is full: after the next answer */
		if (!ok)
		{
			end(p, NET_RESOURCES, "cannot queue the event");
			return;
		}
		p->sent++;
	}
	uv_timer_start(&p->timer, on_timer, net_config(p->net)->network[p->network].timeout_ms, 0);
}

static void
on_opened(WsConn *ws, void *user)
{
	(void) ws;
	send_more(user);
}

static void
take_answer(Publish *p, const NostrMessage *m)
{
	uint8_t		id[32];
	char		reason[256] = "";

	if (m->sub_len != 64 || !nostr_hex_decode(m->sub, 64, id, 32))
		return;
	crawl_text_append(reason, sizeof(reason), m->text != NULL ? m->text : "", m->text_len);
	for (int i = 0; i < p->sent; i++)
	{
		if (p->item[i].answered || memcmp(p->item[i].event.id, id, 32) != 0)
			continue;
		p->item[i].answered = true;
		p->answered++;
		p->cb.answer(p->user, i, m->ok ? PUBLISH_TAKEN : PUBLISH_REFUSED, reason);
		if (p->answered == p->n)
			end(p, NET_OK, "");
		else
			send_more(p);
		return;
	}
}

static void
on_message(WsConn *ws, void *user, const char *data, size_t len)
{
	Publish    *p = user;
	NostrMessage m;

	(void) ws;
	nostr_buf_reset(&p->scratch);
	if (nostr_message_parse(data, len, &p->scratch, &m) == NOSTR_MSG_OK)
		take_answer(p, &m);
}

static void
timer_closed(uv_handle_t *h)
{
	Publish    *p = h->data;

	for (int i = 0; i < p->n; i++)
	{
		if (!p->item[i].answered)
			p->cb.answer(p->user, i, PUBLISH_UNANSWERED, p->reason);
	}
	p->cb.done(p->user, p->failure, p->reason);
	nostr_buf_free(&p->scratch);
	free(p);
}

static void
on_closed(WsConn *ws, void *user, NetFailure failure, const char *reason)
{
	Publish    *p = user;

	(void) ws;
	p->ws = NULL;
	if (failure != NET_OK)
		end(p, failure, reason);
	else if (p->answered < p->n && p->failure == NET_OK)
		end(p, NET_DISCONNECTED, "the connection ended");
	uv_close((uv_handle_t *) &p->timer, timer_closed);
}

Publish *
publish_start(Net *net, const NostrRelayUrl *url, const PublishEvent *events, int n,
			  const PublishCallbacks *cb, void *user)
{
	static const WsCallbacks ws_cb = {on_opened, on_message, on_closed};
	Publish    *p = calloc(1, sizeof(*p) + sizeof(p->item[0]) * (size_t) n);

	if (p == NULL)
		return NULL;
	p->net = net;
	p->network = url->network;
	p->cb = *cb;
	p->user = user;
	p->n = n;
	for (int i = 0; i < n; i++)
		p->item[i].event = events[i];
	nostr_buf_init(&p->scratch, NOSTR_EVENT_MAX_SIZE);
	p->ws = ws_connect(net, url, &ws_cb, p);
	if (p->ws == NULL)
	{
		free(p);
		return NULL;
	}
	uv_timer_init(net_loop(net), &p->timer);
	p->timer.data = p;
	return p;
}

void
publish_cancel(Publish *p)
{
	if (p->ws != NULL)
		end(p, NET_CANCELLED, "cancelled");
}
