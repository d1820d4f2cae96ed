/*
 * check_ws.c
 *
 * The conversation of a check: open, read one event, write one and look
 * whether it is stored.  Proof of work that the relay demands is done in
 * short turns between other events of the loop, and its time is not counted.
 */
#include "../nostr/pgfree.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../nostr/crypto.h"
#include "../nostr/hex.h"
#include "../nostr/tags.h"
#include "check_internal.h"
#include "text.h"

#define POW_TRIES_PER_TURN 1000	/* well below a millisecond each turn */
#define PROBE_CONTENT "nip66-test"

static void step_over(Check *c);
static void send_probe(Check *c);

static uint32_t
since_asked(const Check *c)
{
	return (uint32_t) (ws_answer_ns(c->ws) / 1000) + 1;
}

static void
answer_ok(CheckAnswer *a, uint32_t us)
{
	a->ok = true;
	a->us = us;
	a->reason[0] = '\0';
}

static void
answer_bad(CheckAnswer *a, const char *text, size_t len)
{
	a->ok = false;
	a->reason[0] = '\0';
	crawl_text_append(a->reason, sizeof(a->reason), text, len);
}

/* The question that the present step waits for. */
static CheckAnswer *
current(Check *c)
{
	switch (c->step)
	{
		case STEP_OPENING:
			return &c->result.open;
		case STEP_READING:
			return &c->result.read;
		case STEP_WAITING:
		case STEP_WORKING:
		case STEP_LISTENING:
		case STEP_WRITING:
			return &c->result.write;
		default:
			return NULL;
	}
}

static void
give_up(Check *c, const char *text, size_t len)
{
	CheckAnswer *a = current(c);

	if (a != NULL)
		answer_bad(a, text, len);
	step_over(c);
}

static void
finish(Check *c)
{
	c->step = STEP_OVER;
	if (c->step_timer_open)
		uv_timer_stop(&c->step_timer);
	if (c->ws != NULL)
		ws_close(c->ws, NET_OK, "");
}

static void
on_step_timer(uv_timer_t *t)
{
	Check	   *c = t->data;

	if (c->step == STEP_LISTENING)
		send_probe(c);			/* deaf to that question, perhaps not to this one */
	else if (c->notice[0] != '\0')
		give_up(c, c->notice, strlen(c->notice));
	else
		give_up(c, "timeout", 7);
}

static void
wait_for_answer(Check *c)
{
	c->notice[0] = '\0';
	uv_update_time(c->step_timer.loop);
	uv_timer_start(&c->step_timer, on_step_timer,
				   net_config(c->net)->network[c->url.network].timeout_ms, 0);
}

/* A subscription of its own; filter without braces. */
static bool
request(Check *c, const char *filter)
{
	static uint32_t counter;
	char		msg[256];
	int			n;

	snprintf(c->sub, sizeof(c->sub), "c%u-%x", ++counter, (unsigned) (uv_hrtime() & 0xFFFF));
	n = snprintf(msg, sizeof(msg), "[\"REQ\",\"%s\",{%s}]", c->sub, filter);
	wait_for_answer(c);
	return ws_send(c->ws, msg, (size_t) n);
}

static bool
request_probe(Check *c)
{
	char		filter[96];
	char		hex[65] = "";

	nostr_hex_encode(c->probe.id, 32, hex);
	snprintf(filter, sizeof(filter), "\"ids\":[\"%s\"]", hex);
	return request(c, filter);
}

static void
make_probe(Check *c)
{
	memset(&c->probe, 0, sizeof(c->probe));
	nostr_tags_begin(&c->tags, 1);
	nostr_tags_tag(&c->tags, 2);
	nostr_tags_name(&c->tags, (const uint8_t *) "d", 1);
	nostr_tags_element(&c->tags, (const uint8_t *) c->url.url, strlen(c->url.url));
	c->probe.kind = c->spec.probe_kind;
	c->probe.created_at = (int64_t) time(NULL);
	c->probe.content = (const uint8_t *) PROBE_CONTENT;
	c->probe.content_len = strlen(PROBE_CONTENT);
	c->probe.tags = c->tags.data;
	c->probe.tags_len = c->tags.len;
	nostr_pubkey_from_seckey(c->seckey, c->probe.pubkey);
}

static void
send_probe(Check *c)
{
	NostrBuf	msg;
	bool		sent;

	nostr_buf_init(&msg, WS_MAX_QUEUED);
	nostr_buf_append_str(&msg, "[\"EVENT\",");
	nostr_event_json(&c->probe, &msg);
	nostr_buf_append_byte(&msg, ']');
	c->step = STEP_WRITING;
	wait_for_answer(c);
	sent = !msg.failed && ws_send(c->ws, (char *) msg.data, msg.len);
	nostr_buf_free(&msg);
	if (!sent)
		give_up(c, "cannot queue the event", 22);
}

/* The event is ready: first a subscription that is to get it. */
static void
listen_for_probe(Check *c)
{
	c->step = STEP_LISTENING;
	if (!nostr_event_sign(&c->probe, c->seckey))
		give_up(c, "cannot sign the event", 21);
	else if (!request_probe(c))
		give_up(c, "cannot queue the request", 24);
}

static void
work(uv_timer_t *t)
{
	Check	   *c = t->data;

	if (nostr_pow_step(&c->pow, &c->probe, POW_TRIES_PER_TURN))
		listen_for_probe(c);
	else
		uv_timer_start(&c->step_timer, work, 0, 0);
}

static void
write_probe(Check *c)
{
	int64_t		bits = c->nip11.min_pow_difficulty;
	char		reason[96];

	make_probe(c);
	if (c->nip11.data == NULL || bits == NIP11_ABSENT || bits <= 0)
	{
		listen_for_probe(c);
		return;
	}
	if (bits > c->spec.max_pow)
	{
		snprintf(reason, sizeof(reason), "pow: the relay demands %lld bits, we do at most %u",
				 (long long) bits, c->spec.max_pow);
		give_up(c, reason, strlen(reason));
		return;
	}
	c->step = STEP_WORKING;
	nostr_pow_start(&c->pow, c->tags.data, c->tags.len, (int) bits);
	uv_timer_start(&c->step_timer, work, 0, 0);
}

/* After reading: write, when we are to and know what the relay demands. */
static void
write_next(Check *c)
{
	if (!c->spec.write || c->spec.seckey == NULL)
	{
		finish(c);
		return;
	}
	c->result.write.asked = true;
	c->step = STEP_WAITING;
	uv_timer_stop(&c->step_timer);
	if (c->nip11_over)
		write_probe(c);
}

void
check_ws_nip11_over(Check *c)
{
	if (c->step == STEP_WAITING)
		write_probe(c);
}

/* The step's question is answered, one way or the other. */
static void
step_over(Check *c)
{
	switch (c->step)
	{
		case STEP_READING:
			write_next(c);
			break;
		case STEP_LISTENING:
			if (c->result.write.reason[0] == '\0')
				send_probe(c);
			else
				finish(c);
			break;
		case STEP_WRITING:
			c->step = STEP_LOOKING;
			if (!c->result.write.ok || !request_probe(c))
				finish(c);
			break;
		default:
			finish(c);
			break;
	}
}

static void
on_opened(WsConn *ws, void *user)
{
	Check	   *c = user;
	const WsTimings *t = ws_timings(ws);

	c->result.failure = NET_OK;
	answer_ok(&c->result.open, t->dns + t->tcp + t->tls + t->upgrade);
	if (!check_wants(c, CHECK_RTT))
	{
		finish(c);
		return;
	}
	c->result.read.asked = true;
	c->step = STEP_READING;
	if (!request(c, "\"limit\":1"))
		give_up(c, "cannot queue the request", 24);
}

static bool
is_probe(Check *c, const NostrMessage *m)
{
	NostrEvent	ev;

	nostr_buf_reset(&c->scratch);
	return nostr_event_parse(m->raw, m->raw_len, &c->scratch, &ev, NULL) == NOSTR_OK &&
		memcmp(ev.id, c->probe.id, 32) == 0;
}

static void
subscription_answer(Check *c, const NostrMessage *m)
{
	bool		closed = m->type == NOSTR_MSG_CLOSED;

	switch (c->step)
	{
		case STEP_READING:
			if (closed)
				give_up(c, m->text, m->text_len);
			else
			{
				answer_ok(&c->result.read, since_asked(c));
				step_over(c);
			}
			break;
		case STEP_LISTENING:
			/* refused or not: the write itself is the question */
			if (m->type != NOSTR_MSG_EVENT)
				send_probe(c);
			break;
		case STEP_WRITING:
			if (m->type == NOSTR_MSG_EVENT && is_probe(c, m))
				c->result.write_live = true;
			break;
		case STEP_LOOKING:
			if (m->type == NOSTR_MSG_EVENT && is_probe(c, m))
				c->result.write_stored = true;
			step_over(c);
			break;
		default:
			break;
	}
}

static void
write_answer(Check *c, const NostrMessage *m)
{
	char		hex[65] = "";

	nostr_hex_encode(c->probe.id, 32, hex);
	if (c->step != STEP_WRITING || m->sub_len != 64 || memcmp(m->sub, hex, 64) != 0)
		return;
	if (m->ok)
		answer_ok(&c->result.write, since_asked(c));
	else
		answer_bad(&c->result.write, m->text_len > 0 ? m->text : "refused without a reason",
				   m->text_len > 0 ? m->text_len : 24);
	step_over(c);
}

static void
on_message(WsConn *ws, void *user, const char *data, size_t len)
{
	Check	   *c = user;
	NostrMessage m;

	(void) ws;
	if (c->step == STEP_OVER)
		return;
	nostr_buf_reset(&c->scratch);
	nostr_message_parse(data, len, &c->scratch, &m);
	switch (m.type)
	{
		case NOSTR_MSG_EVENT:
		case NOSTR_MSG_EOSE:
		case NOSTR_MSG_CLOSED:
			if (m.sub_len == strlen(c->sub) && memcmp(m.sub, c->sub, m.sub_len) == 0)
				subscription_answer(c, &m);
			break;
		case NOSTR_MSG_OK:
			write_answer(c, &m);
			break;
		case NOSTR_MSG_AUTH:
			c->result.challenged = true;
			break;
		case NOSTR_MSG_NOTICE:
			c->notice[0] = '\0';
			crawl_text_append(c->notice, sizeof(c->notice), m.text, m.text_len);
			break;
		default:
			break;
	}
}

static void
step_timer_closed(uv_handle_t *h)
{
	check_part_over(h->data);
}

static void
on_closed(WsConn *ws, void *user, NetFailure failure, const char *reason)
{
	Check	   *c = user;
	CheckAnswer *a = current(c);

	c->result.timings = *ws_timings(ws);
	c->ws = NULL;
	if (c->step == STEP_OPENING)
		c->result.failure = failure != NET_OK ? failure : NET_CANCELLED;
	if (a != NULL && !a->ok)
	{
		if (c->stopped)
			reason = c->stop_reason;
		answer_bad(a, reason[0] != '\0' ? reason : net_failure_name(failure),
				   reason[0] != '\0' ? strlen(reason) : strlen(net_failure_name(failure)));
	}
	c->step = STEP_OVER;
	nostr_pow_end(&c->pow);
	uv_close((uv_handle_t *) &c->step_timer, step_timer_closed);
}

void
check_ws_start(Check *c)
{
	static const WsCallbacks cb = {on_opened, on_message, on_closed};

	c->result.open.asked = true;
	c->ws = ws_connect(c->net, &c->url, &cb, c);
	if (c->ws == NULL)
	{
		c->result.failure = NET_RESOURCES;
		answer_bad(&c->result.open, "out of memory", 13);
		return;
	}
	c->parts++;
	ws_observe(c->ws, &c->seen);
	uv_timer_init(net_loop(c->net), &c->step_timer);
	c->step_timer.data = c;
	c->step_timer_open = true;
}

void
check_ws_stop(Check *c)
{
	if (c->ws == NULL)
		return;
	if (c->step_timer_open)
		uv_timer_stop(&c->step_timer);
	ws_close(c->ws, c->step == STEP_OPENING ? NET_TIMEOUT : NET_OK, c->stop_reason);
}
