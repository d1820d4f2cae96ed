/*
 * publish.c
 *
 * See publish.h.  At most PUBLISH_WINDOW events are on their way; a relay that
 * answers nothing for a network's timeout ends the job.  While we wait to be
 * authenticated nothing else is sent; a relay that lets us wait in vain, or
 * refuses our key, has refused what it wanted the key for.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "../nostr/event.h"
#include "../nostr/hex.h"
#include "../nostr/message.h"
#include "auth_event.h"
#include "publish.h"
#include "text.h"

typedef enum ItemState
{
	ITEM_WAITING,				/* to be sent */
	ITEM_SENT,
	ITEM_HELD,					/* refused for want of authentication */
	ITEM_SENT_AGAIN,
	ITEM_OVER
} ItemState;

typedef enum AuthState
{
	AUTH_NOT_ASKED,
	AUTH_WANTED,				/* answers or the challenge are still to come */
	AUTH_SENT,
	AUTH_ACCEPTED,
	AUTH_REFUSED
} AuthState;

struct Publish
{
	Net		   *net;
	WsConn	   *ws;
	NostrNetwork network;
	char		url[NOSTR_RELAY_URL_MAX + 1];
	PublishCallbacks cb;
	void	   *user;
	uv_timer_t	timer;
	NostrBuf	scratch;
	int			n;
	int			open;			/* sent and not answered */
	int			over;
	bool		ending;			/* failure and reason are set */
	NetFailure	failure;
	char		reason[256];
	bool		has_key;
	uint8_t		seckey[32];
	AuthState	auth;
	uint8_t		auth_id[32];
	char		challenge[AUTH_MAX_CHALLENGE];	/* "" none yet */
	struct
	{
		PublishEvent event;
		ItemState	state;
	}			item[];
};

static void send_more(Publish *p);

static void
end(Publish *p, NetFailure failure, const char *reason)
{
	if (p->ending)
		return;
	p->ending = true;
	p->failure = failure;
	p->reason[0] = '\0';
	crawl_text_append(p->reason, sizeof(p->reason), reason, strlen(reason));
	if (p->ws != NULL)
		ws_close(p->ws, NET_OK, "");
}

static void
answer(Publish *p, int i, PublishOutcome outcome, const char *text)
{
	p->item[i].state = ITEM_OVER;
	p->over++;
	p->cb.answer(p->user, i, outcome, text);
}

static bool
authenticating(const Publish *p)
{
	return p->auth == AUTH_WANTED || p->auth == AUTH_SENT;
}

/* Not authenticated, and never will be: what waited for it is refused. */
static void
auth_refused(Publish *p, const char *why, size_t len)
{
	char		reason[256] = "auth-required: ";

	p->auth = AUTH_REFUSED;
	crawl_text_append(reason, sizeof(reason), why, len);
	for (int i = 0; i < p->n; i++)
	{
		if (p->item[i].state == ITEM_HELD)
			answer(p, i, PUBLISH_REFUSED, reason);
	}
	send_more(p);
}

/* With the newest challenge: some relays send another with each refusal. */
static void
authenticate(Publish *p)
{
	NostrBuf	msg;
	bool		sent;

	if (p->auth != AUTH_WANTED || p->open > 0 || p->challenge[0] == '\0')
		return;
	nostr_buf_init(&msg, 65536);
	sent = auth_event_message(&msg, p->auth_id, p->url, p->challenge, p->seckey) &&
		ws_send(p->ws, (char *) msg.data, msg.len);
	nostr_buf_free(&msg);
	p->auth = AUTH_SENT;
	if (!sent)
		auth_refused(p, "cannot sign", 11);
}

static void
on_timer(uv_timer_t *t)
{
	Publish    *p = t->data;

	if (!authenticating(p) || p->open > 0)
		end(p, NET_TIMEOUT, "no answer to an event");
	else if (p->auth == AUTH_SENT)
		auth_refused(p, "no answer to our authentication", 31);
	else
		auth_refused(p, "the relay sent no challenge", 27);
}

static bool
send_event(Publish *p, const PublishEvent *e)
{
	NostrBuf	msg;
	bool		ok;

	nostr_buf_init(&msg, e->len + 16);
	nostr_buf_append_str(&msg, "[\"EVENT\",");
	nostr_buf_append(&msg, e->json, e->len);
	nostr_buf_append_byte(&msg, ']');
	ok = !msg.failed && ws_send(p->ws, (char *) msg.data, msg.len);
	nostr_buf_free(&msg);
	return ok;
}

static void
send_more(Publish *p)
{
	if (p->ending)
		return;
	uv_timer_start(&p->timer, on_timer, net_config(p->net)->network[p->network].timeout_ms, 0);
	if (p->over == p->n)
	{
		end(p, NET_OK, "");
		return;
	}
	for (int i = 0; i < p->n && p->open < PUBLISH_WINDOW && !authenticating(p); i++)
	{
		bool		again = p->item[i].state == ITEM_HELD;

		if (p->item[i].state != ITEM_WAITING && !again)
			continue;
		if (!send_event(p, &p->item[i].event))
		{
			if (p->open == 0)	/* otherwise the queue is full: after the next answer */
				end(p, NET_RESOURCES, "cannot queue the event");
			return;
		}
		p->item[i].state = again ? ITEM_SENT_AGAIN : ITEM_SENT;
		p->open++;
	}
}

static void
on_opened(WsConn *ws, void *user)
{
	(void) ws;
	send_more(user);
}

/* May a refusal still be turned by authenticating? */
static bool
wants_auth(const Publish *p, int i, const NostrMessage *m)
{
	const char *prefix = nostr_message_prefix(m->text, m->text_len);

	return !m->ok && p->has_key && p->item[i].state == ITEM_SENT && p->auth != AUTH_REFUSED &&
		prefix != NULL && strcmp(prefix, "auth-required") == 0;
}

static void
event_answered(Publish *p, int i, const NostrMessage *m)
{
	char		reason[256] = "";

	p->open--;
	if (wants_auth(p, i, m))
	{
		p->item[i].state = ITEM_HELD;
		if (p->auth == AUTH_NOT_ASKED)
			p->auth = AUTH_WANTED;
	}
	else
	{
		crawl_text_append(reason, sizeof(reason), m->text != NULL ? m->text : "", m->text_len);
		answer(p, i, m->ok ? PUBLISH_TAKEN : PUBLISH_REFUSED, reason);
	}
	authenticate(p);
	send_more(p);
}

static void
take_answer(Publish *p, const NostrMessage *m)
{
	uint8_t		id[32];

	if (m->sub_len != 64 || !nostr_hex_decode(m->sub, 64, id, 32))
		return;
	if (p->auth == AUTH_SENT && memcmp(p->auth_id, id, 32) == 0)
	{
		if (!m->ok)
		{
			auth_refused(p, m->text, m->text_len);
			return;
		}
		p->auth = AUTH_ACCEPTED;
		send_more(p);
		return;
	}
	for (int i = 0; i < p->n; i++)
	{
		if ((p->item[i].state == ITEM_SENT || p->item[i].state == ITEM_SENT_AGAIN) &&
			memcmp(p->item[i].event.id, id, 32) == 0)
		{
			event_answered(p, i, m);
			return;
		}
	}
}

static void
on_message(WsConn *ws, void *user, const char *data, size_t len)
{
	Publish    *p = user;
	NostrMessage m;

	(void) ws;
	nostr_buf_reset(&p->scratch);
	nostr_message_parse(data, len, &p->scratch, &m);
	if (m.type == NOSTR_MSG_OK)
		take_answer(p, &m);
	else if (m.type == NOSTR_MSG_AUTH && auth_event_challenge(p->challenge, m.text, m.text_len))
		authenticate(p);
}

static void
timer_closed(uv_handle_t *h)
{
	Publish    *p = h->data;

	for (int i = 0; i < p->n; i++)
	{
		if (p->item[i].state != ITEM_OVER)
			p->cb.answer(p->user, i, PUBLISH_UNANSWERED, p->reason);
	}
	p->cb.done(p->user, p->failure, p->reason);
	nostr_buf_free(&p->scratch);
	explicit_bzero(p->seckey, sizeof(p->seckey));
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
	else
		end(p, NET_DISCONNECTED, "the connection ended");
	uv_close((uv_handle_t *) &p->timer, timer_closed);
}

Publish *
publish_start(Net *net, const NostrRelayUrl *url, const PublishEvent *events, int n,
			  const uint8_t *seckey, const PublishCallbacks *cb, void *user)
{
	static const WsCallbacks ws_cb = {on_opened, on_message, on_closed};
	Publish    *p = calloc(1, sizeof(*p) + sizeof(p->item[0]) * (size_t) n);

	if (p == NULL)
		return NULL;
	p->net = net;
	p->network = url->network;
	memcpy(p->url, url->url, sizeof(p->url));
	p->cb = *cb;
	p->user = user;
	p->n = n;
	if (seckey != NULL)
	{
		memcpy(p->seckey, seckey, 32);
		p->has_key = true;
	}
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
