/*
 * neg.c
 *
 * NIP-77, the relay's side: sessions by subscription id, and refusals.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "nostr/hex.h"
#include "nostr/negentropy.h"

#define MAX_SESSIONS 16

typedef struct Session
{
	struct Session *next;
	char		sub[RELAY_SUB_LEN + 1];
	NostrNegSet set;
	NostrNeg	neg;
	int			rounds;
} Session;

static void
session_free(Session *s)
{
	nostr_neg_free(&s->neg);
	nostr_neg_set_free(&s->set);
	free(s);
}

static void
session_close(Conn *c, const char *sub)
{
	for (Session **p = (Session **) &c->neg; *p != NULL; p = &(*p)->next)
	{
		Session    *s = *p;

		if (strcmp(s->sub, sub) == 0)
		{
			*p = s->next;
			session_free(s);
			return;
		}
	}
}

static Session *
session_find(const Conn *c, const char *sub)
{
	Session    *s = c->neg;

	while (s != NULL && strcmp(s->sub, sub) != 0)
		s = s->next;
	return s;
}

static int
session_count(const Conn *c)
{
	int			n = 0;

	for (const Session *s = c->neg; s != NULL; s = s->next)
		n++;
	return n;
}

/* Everything the filter matches and this client may see. */
static bool
fill(const Conn *c, const RelayFilter *f, NostrNegSet *set)
{
	const RelayStore *store = c->relay->store;

	for (long i = f->has_until ? relay_store_find(store, f->until) : 0; i < store->n; i++)
	{
		const RelayItem *it = store->item[i];

		if (f->has_since && it->created_at < f->since)
			break;
		if (it->created_at >= 0 && !answer_hidden(c, it) && relay_filter_match(f, it, 0) &&
			!nostr_neg_set_add(set, (uint64_t) it->created_at, it->id))
			return false;
	}
	return nostr_neg_set_seal(set);
}

static void
say_error(Conn *c, const char *sub, const char *text, long max)
{
	json_t	   *m = json_pack("[s, s, s]", "NEG-ERR", sub, text);
	char	   *s;

	if (max > 0)
		json_array_append_new(m, json_integer(max));
	s = json_dumps(m, JSON_COMPACT);
	frame_str(c, s);
	free(s);
	json_decref(m);
	session_close(c, sub);
}

static void
round_trip(Conn *c, Session *s, const char *hex)
{
	size_t		len = hex != NULL ? strlen(hex) / 2 : 0;
	uint8_t    *msg = malloc(len + 1);
	NostrBuf	out;

	nostr_buf_init(&out, NOSTR_NEG_MAX_MESSAGE);
	if (c->script->neg_rounds > 0 && s->rounds++ >= c->script->neg_rounds)
		say_error(c, s->sub, "closed: took too long", 0);
	else if (len == 0 || !nostr_hex_decode(hex, strlen(hex), msg, len) ||
			 nostr_neg_receive(&s->neg, msg, len, &out) != NOSTR_NEG_SEND)
		say_error(c, s->sub, "error: PROTOCOL-ERROR", 0);
	else
	{
		char	   *text = malloc(out.len * 2 + 1);

		nostr_hex_encode(out.data, out.len, text);
		text[out.len * 2] = '\0';
		message_say(c, "NEG-MSG", s->sub, text);
		free(text);
	}
	nostr_buf_free(&out);
	free(msg);
}

static void
serve(Conn *c, const char *sub, json_t *msg)
{
	const RelayScript *script = c->script;
	NostrNegLimits limits = {.frame = (size_t) script->neg_frame};
	Session    *s;
	RelayFilter f;

	session_close(c, sub);
	if (auth_missing(c))
	{
		if (script->auth == RELAY_AUTH_LATE)
			auth_challenge(c);
		say_error(c, sub, script->auth_text, 0);
		return;
	}
	if (!relay_filter_read(&f, json_array_get(msg, 2), (size_t) script->max_items))
	{
		say_error(c, sub, "error: bad filter", 0);
		return;
	}
	if (session_count(c) >= MAX_SESSIONS)
	{
		say_error(c, sub, "blocked: too many sessions", 0);
		return;
	}
	s = calloc(1, sizeof(Session));
	strcpy(s->sub, sub);
	nostr_neg_set_init(&s->set, NOSTR_NEG_MAX_SET);
	if (!fill(c, &f, &s->set) || (script->neg_max > 0 && s->set.n > (size_t) script->neg_max))
	{
		nostr_neg_set_free(&s->set);
		free(s);
		say_error(c, sub, "blocked: this query is too big", script->neg_max);
		return;
	}
	nostr_neg_server(&s->neg, &s->set, 0, UINT64_MAX - 1, &limits);
	s->next = c->neg;
	c->neg = s;
	round_trip(c, s, json_string_value(json_array_get(msg, 3)));
}

static void
refuse(Conn *c, const char *sub)
{
	switch (c->script->neg)
	{
		case RELAY_NEG_CLOSED:
			say_error(c, sub, "closed: took too long", 0);
			break;
		case RELAY_NEG_BLOCKED:
			say_error(c, sub, "blocked: this query is too big", 0);
			break;
		case RELAY_NEG_ERROR:
			say_error(c, sub, "error: bad filter", 0);
			break;
		case RELAY_NEG_V0:
			message_say(c, "NEG-MSG", sub, "60");
			break;
		case RELAY_NEG_V0_ONLY:
			/* ["NEG-OPEN", id, filter, id size, message]: what strfry before 1.0 wants */
			message_notice(c, "ERROR: negentropy error: negentropy query missing elements");
			break;
		case RELAY_NEG_GARBAGE:
			message_say(c, "NEG-MSG", sub, "61ffffffffffffffffffff02");
			break;
		default:
			break;
	}
}

void
neg_take(Conn *c, const char *verb, const char *sub, json_t *msg)
{
	Session    *s = session_find(c, sub);
	bool		open = strcmp(verb, "NEG-OPEN") == 0;

	conn_wait(c, open || strcmp(verb, "NEG-MSG") == 0 ? c->script->delay_ms : 0);
	if (open)
	{
		c->relay->counters.neg_opens++;
		if (c->script->neg == RELAY_NEG_YES)
			serve(c, sub, msg);
		else
			refuse(c, sub);
	}
	else if (strcmp(verb, "NEG-MSG") == 0)
	{
		c->relay->counters.neg_msgs++;
		if (s != NULL)
			round_trip(c, s, json_string_value(json_array_get(msg, 2)));
		else if (c->script->neg == RELAY_NEG_YES)
			say_error(c, sub, "closed: unknown subscription handle", 0);
	}
	else
		session_close(c, sub);
}

void
neg_free(Conn *c)
{
	while (c->neg != NULL)
	{
		Session    *s = c->neg;

		c->neg = s->next;
		session_free(s);
	}
}
