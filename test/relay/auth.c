/*
 * auth.c
 *
 * NIP-42: the challenge, and what makes an answer to it right.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nostr/tags.h"

#define AUTH_KIND		22242
#define AUTH_TOLERANCE	600		/* seconds */

void
auth_challenge(Conn *c)
{
	char		text[80];

	snprintf(c->challenge, sizeof(c->challenge), "%016llx%016llx",
			 (unsigned long long) random_next(&c->relay->random), (unsigned long long) random_next(&c->relay->random));
	snprintf(text, sizeof(text), "[\"AUTH\",\"%s\"]", c->challenge);
	frame_str(c, text);
}

bool
auth_missing(const Conn *c)
{
	int			auth = c->script->auth;

	return !c->authed && auth != RELAY_AUTH_NONE && auth != RELAY_AUTH_OFFER &&
		auth != RELAY_AUTH_KINDS;
}

/* The value of the first tag of that name is one of the two. */
static bool
tag_is(const NostrEvent *ev, const char *name, const char *a, const char *b)
{
	NostrTagIter it;
	NostrTagElement el;
	char		text[512];

	nostr_tags_iter(&it, ev->tags, ev->tags_len);
	while (nostr_tags_next(&it) > 0)
	{
		if (!nostr_tags_next_element(&it, &el) || nostr_tag_element_text_len(&el) != strlen(name))
			continue;
		nostr_tag_element_text(&el, text);
		if (memcmp(text, name, strlen(name)) != 0 || !nostr_tags_next_element(&it, &el) ||
			nostr_tag_element_text_len(&el) >= sizeof(text))
			continue;
		nostr_tag_element_text(&el, text);
		text[nostr_tag_element_text_len(&el)] = '\0';
		return strcmp(text, a) == 0 || strcmp(text, b) == 0;
	}
	return false;
}

static const char *
fault(const Conn *c, const NostrEvent *ev)
{
	char		url[64];
	char		slash[64];

	snprintf(url, sizeof(url), "ws://127.0.0.1:%d", c->relay->port);
	snprintf(slash, sizeof(slash), "ws://127.0.0.1:%d/", c->relay->port);
	if (ev->kind != AUTH_KIND)
		return "invalid: not kind 22242";
	if (llabs((long long) (ev->created_at - time(NULL))) > AUTH_TOLERANCE)
		return "invalid: created_at is too far away";
	if (c->challenge[0] == '\0' || !tag_is(ev, "challenge", c->challenge, c->challenge))
		return "invalid: challenge";
	if (!tag_is(ev, "relay", url, slash))
		return "invalid: relay";
	if (!nostr_event_verify(ev))
		return "invalid: signature";
	if (c->script->auth == RELAY_AUTH_REFUSE)
		return "restricted: this key is not on the list";
	return NULL;
}

void
auth_take(Conn *c, json_t *event)
{
	char	   *text = json_dumps(event, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *id = json_string_value(json_object_get(event, "id"));
	const char *why = "invalid: not an event";
	NostrBuf	scratch;
	NostrEvent	ev;
	char		out[300];

	nostr_buf_init(&scratch, NOSTR_EVENT_MAX_SIZE * 4);
	if (text != NULL && nostr_event_parse(text, strlen(text), &scratch, &ev, NULL) == NOSTR_OK)
		why = fault(c, &ev);
	nostr_buf_free(&scratch);
	free(text);
	if (c->script->auth == RELAY_AUTH_DEAF)
		return;
	c->authed = c->authed || why == NULL;
	c->relay->counters.auths += why == NULL;
	snprintf(out, sizeof(out), "[\"OK\",\"%.64s\",%s,\"%s\"]", id != NULL ? id : "",
			 why == NULL ? "true" : "false", why != NULL ? why : "");
	frame_str(c, out);
}
