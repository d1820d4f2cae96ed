/*
 * mention.c
 *
 * See mention.h.  Any element of any tag may hold an address: which tag it
 * was only decides the way.  The same string many times over (hints in a long
 * list of contacts) costs one comparison each.
 */
#include "pgfree.h"

#include <string.h>

#include "json.h"
#include "mention_internal.h"
#include "tags.h"

static const char *const via_names[NOSTR_VIA_COUNT] = {
	"r", "hint", "recommend", "contacts", "relay_list", "dm_list", "blocked", "search",
	"favourite", "relay_set", "discovery", "monitor", "relay_tag", "tag", "nip19", "text",
	"source"
};

/* The last few strings of an event as they were written. */
#define RECENT 8

typedef struct Recent
{
	const uint8_t *s[RECENT];
	size_t		len[RECENT];
	uint32_t	via[RECENT];
	int			next;
} Recent;

const char *
nostr_via_name(int bit)
{
	return bit >= 0 && bit < NOSTR_VIA_COUNT ? via_names[bit] : NULL;
}

void
nostr_mentions_init(NostrMentions *m)
{
	memset(m, 0, sizeof(*m));
	nostr_buf_init(&m->text, (size_t) NOSTR_MENTIONS_MAX * (NOSTR_RELAY_URL_MAX + 1));
	nostr_buf_init(&m->scratch, NOSTR_EVENT_MAX_SIZE);
}

void
nostr_mentions_free(NostrMentions *m)
{
	nostr_buf_free(&m->text);
	nostr_buf_free(&m->scratch);
	m->n = 0;
}

const char *
nostr_mention_url(const NostrMentions *m, int i)
{
	return (const char *) m->text.data + m->item[i].at;
}

static uint32_t
hash_of(const char *s, size_t len)
{
	uint32_t	h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t) s[i]) * 16777619u;
	return h;
}

bool
nostr_mention_add(NostrMentions *m, const char *s, size_t len, uint32_t via, bool allow_special)
{
	NostrRelayUrl u;
	NostrMention *it;
	uint32_t	hash;
	size_t		n;

	if (m->tries >= NOSTR_MENTION_TRIES)
	{
		m->more = true;
		return false;
	}
	m->tries++;
	if (nostr_relay_url_parse(s, len, allow_special, &u) != NOSTR_URL_OK)
		return false;
	n = strlen(u.url);
	hash = hash_of(u.url, n);
	for (int i = 0; i < m->n; i++)
	{
		it = &m->item[i];
		if (it->hash == hash && it->len == n && memcmp(nostr_mention_url(m, i), u.url, n) == 0)
		{
			it->via |= via;
			return true;
		}
	}
	if (m->n == NOSTR_MENTIONS_MAX)
	{
		m->more = true;
		return true;
	}
	it = &m->item[m->n];
	it->at = (uint32_t) m->text.len;
	it->len = (uint32_t) n;
	it->hash = hash;
	it->via = via;
	nostr_buf_append(&m->text, u.url, n + 1);
	if (m->text.failed)
		m->more = true;
	else
		m->n++;
	return true;
}

/* What a kind that lists relays means, whatever its tags are called; 0: none. */
static uint32_t
via_of_kind(int32_t kind)
{
	switch (kind)
	{
		case 10002:
			return NOSTR_VIA_RELAY_LIST;
		case 10006:
			return NOSTR_VIA_BLOCKED;
		case 10007:
			return NOSTR_VIA_SEARCH;
		case 10012:
			return NOSTR_VIA_FAVOURITE;
		case 10050:
			return NOSTR_VIA_DM_LIST;
		case 10166:
			return NOSTR_VIA_MONITOR;
		case 30002:
			return NOSTR_VIA_RELAY_SET;
		case 30166:
			return NOSTR_VIA_DISCOVERY;
		default:
			return 0;
	}
}

static uint32_t
via_of_tag(const NostrTagElement *name, int index)
{
	if (!name->hex && name->len == 1)
	{
		if (name->data[0] == 'r')
			return NOSTR_VIA_R;
		if (index == 2 && strchr("epaqEPA", name->data[0]) != NULL)
			return NOSTR_VIA_HINT;
	}
	else if (!name->hex && (name->len == 5 || name->len == 6) &&
			 memcmp(name->data, "relays", name->len) == 0)
		return NOSTR_VIA_RELAY_TAG;
	return NOSTR_VIA_TAG;
}

static bool
seen_before(Recent *r, const uint8_t *s, size_t len, uint32_t via)
{
	for (int i = 0; i < RECENT; i++)
		if (r->s[i] != NULL && r->len[i] == len && r->via[i] == via &&
			memcmp(r->s[i], s, len) == 0)
			return true;
	r->s[r->next] = s;
	r->len[r->next] = len;
	r->via[r->next] = via;
	r->next = (r->next + 1) % RECENT;
	return false;
}

static void
find_in_tags(NostrMentions *m, const NostrEvent *ev, bool allow_special)
{
	uint32_t	of_kind = via_of_kind(ev->kind);
	Recent		recent = {0};
	NostrTagIter it;

	nostr_tags_iter(&it, ev->tags, ev->tags_len);
	while (nostr_tags_next(&it) > 0)
	{
		NostrTagElement name;
		NostrTagElement el;

		if (!nostr_tags_next_element(&it, &name))
			return;
		for (int i = 1; nostr_tags_next_element(&it, &el); i++)
		{
			uint32_t	via;

			if (el.hex || el.len < sizeof("ws://a.b") - 1 ||
				memchr(el.data, ':', el.len) == NULL)
				continue;
			via = of_kind != 0 ? of_kind : via_of_tag(&name, i);
			if (!seen_before(&recent, el.data, el.len, via) &&
				!nostr_mention_add(m, (const char *) el.data, el.len, via, allow_special))
				nostr_mention_scan(m, el.data, el.len, via, false, allow_special);
		}
	}
}

/* Kind 3: an object whose names are relays.  false: it is something else. */
static bool
find_in_contacts(NostrMentions *m, const NostrEvent *ev, bool allow_special)
{
	NostrJson	js;
	bool		first = true;

	nostr_json_init(&js, (const char *) ev->content, ev->content_len);
	if (nostr_json_peek(&js) != '{' || !nostr_json_open(&js, '{'))
		return false;
	while (nostr_json_more(&js, '}', &first))
	{
		const uint8_t *s;
		size_t		len;

		nostr_buf_reset(&m->scratch);
		if (!nostr_json_string(&js, &m->scratch, &s, &len))
			return false;
		nostr_mention_add(m, (const char *) s, len, NOSTR_VIA_CONTACTS, allow_special);
		if (!nostr_json_colon(&js) || !nostr_json_skip(&js))
			return false;
	}
	return js.error == NOSTR_OK;
}

void
nostr_mentions_find(NostrMentions *m, const NostrEvent *ev, bool allow_special)
{
	m->n = 0;
	m->more = false;
	m->tries = 0;
	nostr_buf_reset(&m->text);
	find_in_tags(m, ev, allow_special);
	if (ev->content_len == 0)
		return;
	if (ev->kind == 3)
	{
		if (!find_in_contacts(m, ev, allow_special))
			nostr_mention_scan(m, ev->content, ev->content_len, NOSTR_VIA_CONTACTS,
							   false, allow_special);
	}
	else if (ev->kind == 2)
	{
		if (!nostr_mention_add(m, (const char *) ev->content, ev->content_len,
							   NOSTR_VIA_RECOMMEND, allow_special))
			nostr_mention_scan(m, ev->content, ev->content_len, NOSTR_VIA_RECOMMEND,
							   false, allow_special);
	}
	else
		nostr_mention_scan(m, ev->content, ev->content_len, NOSTR_VIA_TEXT, true, allow_special);
}
