/*
 * message.c
 *
 * What a client says, and who answers.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* [verb, id, text]; the strings may hold anything. */
void
message_say(Conn *c, const char *verb, const char *id, const char *text)
{
	json_t	   *m = json_pack("[s, s, s]", verb, id, text);
	char	   *s = json_dumps(m, JSON_COMPACT);

	frame_str(c, s);
	free(s);
	json_decref(m);
}

void
message_notice(Conn *c, const char *text)
{
	json_t	   *m = json_pack("[s, s]", "NOTICE", text);
	char	   *s = json_dumps(m, JSON_COMPACT);

	frame_str(c, s);
	free(s);
	json_decref(m);
}

static Sub *
find_sub(Conn *c, const char *id)
{
	for (int i = 0; i < RELAY_MAX_SUBS; i++)
	{
		if (c->sub[i].filters != NULL && strcmp(c->sub[i].id, id) == 0)
			return &c->sub[i];
	}
	return NULL;
}

static void
drop_sub(Sub *s)
{
	if (s != NULL)
	{
		json_decref(s->filters);
		s->filters = NULL;
	}
}

void
message_push(Conn *c, const RelayItem *it)
{
	for (int i = 0; i < RELAY_MAX_SUBS; i++)
	{
		Sub		   *s = &c->sub[i];
		RelayFilter f;

		if (s->filters == NULL || answer_hidden(c, it))
			continue;
		for (size_t k = 2; k < json_array_size(s->filters); k++)
		{
			if (relay_filter_read(&f, json_array_get(s->filters, k), SIZE_MAX) &&
				relay_filter_match(&f, it, answer_flags(c->script)))
			{
				answer_event(c, s->id, it);
				c->relay->counters.pushed++;
				break;
			}
		}
	}
}

static void
published(Conn *c, json_t *event)
{
	const char *id = json_string_value(json_object_get(event, "id"));
	char	   *text = json_dumps(event, JSON_COMPACT | JSON_ENCODE_ANY);
	json_int_t	kind = json_integer_value(json_object_get(event, "kind"));
	int			how = c->script->writes;
	const char *why = "";
	bool		ok = true;
	char		out[300];

	c->relay->counters.writes++;
	if (how == RELAY_WRITES_NEVER || (how == RELAY_WRITES_AUTH && !c->authed))
	{
		ok = false, why = "auth-required: sign in to publish";
		if (c->script->auth == RELAY_AUTH_LATE)
			auth_challenge(c);
	}
	else if (how == RELAY_WRITES_KIND && kind >= 20000 && kind < 30000)
		ok = false, why = "blocked: this kind is not accepted here";
	else if (how == RELAY_WRITES_REFUSE)
		ok = false, why = "restricted: read-only";
	else if (how == RELAY_WRITES_YES || how == RELAY_WRITES_AUTH || how == RELAY_WRITES_KIND)
	{
		NostrBuf	scratch;
		NostrEvent	ev;

		nostr_buf_init(&scratch, NOSTR_EVENT_MAX_SIZE * 4);
		if (text == NULL || nostr_event_parse(text, strlen(text), &scratch, &ev, NULL) != NOSTR_OK ||
			!nostr_event_verify(&ev))
			ok = false, why = "invalid: not a valid event";
		else if (!relay_publish(c->relay, text, strlen(text)))
			why = "duplicate: already here";
		else
			c->relay->counters.published++;
		nostr_buf_free(&scratch);
	}
	snprintf(out, sizeof(out), "[\"OK\",\"%.64s\",%s,\"%s\"]", id != NULL ? id : "",
			 ok ? "true" : "false", why);
	conn_wait(c, c->script->ok_delay_ms);
	if (how != RELAY_WRITES_SILENT)
		frame_str(c, out);
	free(text);
}

static void
subscribe(Conn *c, const char *id, json_t *m)
{
	int			open = 0;
	int			free_at = -1;

	c->relay->counters.reqs++;
	c->reqs++;
	drop_sub(find_sub(c, id));
	for (int i = 0; i < RELAY_MAX_SUBS; i++)
	{
		if (c->sub[i].filters != NULL)
			open++;
		else if (free_at < 0)
			free_at = i;
	}
	if (open >= c->script->max_subs || free_at < 0)
	{
		c->relay->counters.refused++;
		message_say(c, "CLOSED", id, "error: too many concurrent REQs");
		return;
	}
	c->sub[free_at].filters = json_incref(m);
	strcpy(c->sub[free_at].id, id);
	answer_req(c, id, m);
}

void
message_take(Conn *c, const char *msg, size_t len)
{
	json_t	   *m;
	const char *verb;
	const char *id;

	if (len > (size_t) c->script->max_message)
	{
		c->relay->counters.too_long++;
		message_notice(c, "ERROR: message too large");
		return;
	}
	m = json_loadb(msg, len, 0, NULL);
	verb = json_string_value(json_array_get(m, 0));
	id = json_string_value(json_array_get(m, 1));
	if (verb == NULL)
		message_notice(c, "ERROR: bad msg: unparseable message");
	else if (strcmp(verb, "EVENT") == 0)
		published(c, json_array_get(m, 1));
	else if (strcmp(verb, "AUTH") == 0)
		auth_take(c, json_array_get(m, 1));
	else if (id == NULL || id[0] == '\0' || strlen(id) > RELAY_SUB_LEN)
		message_notice(c, "ERROR: bad msg: subscription id");
	else if (strcmp(verb, "REQ") == 0)
		subscribe(c, id, m);
	else if (strcmp(verb, "CLOSE") == 0)
		drop_sub(find_sub(c, id));
	else if (strcmp(verb, "COUNT") == 0 && c->script->count)
		answer_count(c, id, m);
	else if (strncmp(verb, "NEG-", 4) == 0 && c->script->neg != RELAY_NEG_NONE)
		neg_take(c, verb, id, m);
	else
		message_notice(c, "ERROR: bad msg: unknown cmd");
	json_decref(m);
}
