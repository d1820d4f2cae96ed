/*
 * auth_event.c
 *
 * See auth_event.h.
 */
#include "../nostr/pgfree.h"

#include <string.h>
#include <time.h>

#include "../nostr/crypto.h"
#include "../nostr/sign.h"
#include "../nostr/tags.h"
#include "auth_event.h"

static void
put_pair(NostrBuf *tags, const char *name, const char *value)
{
	nostr_tags_tag(tags, 2);
	nostr_tags_name(tags, (const uint8_t *) name, strlen(name));
	nostr_tags_element(tags, (const uint8_t *) value, strlen(value));
}

bool
auth_event_message(NostrBuf *msg, uint8_t id[32], const char *relay_url,
				   const char *challenge, const uint8_t seckey[32])
{
	NostrEvent	ev = {.kind = AUTH_EVENT_KIND, .created_at = (int64_t) time(NULL)};
	NostrBuf	tags;
	bool		ok;

	nostr_buf_init(&tags, 65536);
	nostr_tags_begin(&tags, 2);
	put_pair(&tags, "relay", relay_url);
	put_pair(&tags, "challenge", challenge);
	ev.tags = tags.data;
	ev.tags_len = tags.len;
	ev.content = (const uint8_t *) "";
	ok = !tags.failed && nostr_crypto_init() && nostr_event_sign(&ev, seckey);
	if (ok)
	{
		memcpy(id, ev.id, 32);
		nostr_buf_append_str(msg, "[\"AUTH\",");
		nostr_event_json(&ev, msg);
		nostr_buf_append_byte(msg, ']');
	}
	nostr_buf_free(&tags);
	return ok && !msg->failed;
}

bool
auth_event_challenge(char challenge[AUTH_MAX_CHALLENGE], const char *text, size_t len)
{
	if (len == 0 || len >= AUTH_MAX_CHALLENGE || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(challenge, text, len);
	challenge[len] = '\0';
	return true;
}
