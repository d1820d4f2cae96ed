/*
 * query_relay.c
 *
 * What a relay would not serve because of its own kind and tags: ephemeral,
 * expired (NIP-40) and protected (NIP-70) events.  The archive has no AUTH
 * from the author of a protected event, so it may not pass it on.
 */
#include "postgres.h"

#include "pg/query.h"

#include "nostr/tag_key.h"

#define KIND_EPHEMERAL(k)	((k) >= 20000 && (k) < 30000)

static bool
is(const NostrTagElement *el, const char *s)
{
	return !el->hex && el->len == strlen(s) && memcmp(el->data, s, el->len) == 0;
}

/* Digits only; what is too large is far away. */
static bool
in_the_past(const NostrTagElement *el, int64 now)
{
	char		text[24];
	size_t		len = nostr_tag_element_text_len(el);
	int64		v = 0;

	if (len == 0 || len > 18)
		return false;
	nostr_tag_element_text(el, text);
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (text[i] - '0');
	}
	return v <= now;
}

bool
bb_relay_servable(const BbQuery *q, int32 kind, const uint8 *tags, size_t len)
{
	NostrTagIter it;
	NostrTagElement el;

	if (KIND_EPHEMERAL(kind))
		return false;
	nostr_tags_iter(&it, tags, len);
	while (nostr_tags_next(&it) > 0)
	{
		if (!nostr_tags_next_element(&it, &el))
			continue;
		if (is(&el, "-"))
			return false;
		if (is(&el, "expiration") && nostr_tags_next_element(&it, &el) && in_the_past(&el, q->now))
			return false;
	}
	return true;
}
