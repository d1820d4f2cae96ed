/*
 * ruling.c
 *
 * See ruling.h.  Must survive tags with arbitrary contents: anything that
 * does not have exactly the form of its NIP says nothing.
 */
#include "pgfree.h"

#include <string.h>

#include "hex.h"
#include "ruling.h"
#include "tag_key.h"

#define FNV_START	UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME	UINT64_C(0x100000001b3)
#define MAX_KIND	65535

static const NostrTagElement no_text = {(const uint8_t *) "", 0, false};

static bool
is_text(const NostrTagElement *el, const char *s)
{
	return !el->hex && el->len == strlen(s) && memcmp(el->data, s, el->len) == 0;
}

bool
nostr_tags_have(const uint8_t *tags, size_t len, const char *name, const char *value)
{
	NostrTagIter it;
	NostrTagElement el;

	nostr_tags_iter(&it, tags, len);
	while (nostr_tags_next(&it) > 0)
		if (nostr_tags_next_element(&it, &el) && is_text(&el, name) &&
			nostr_tags_next_element(&it, &el) && is_text(&el, value))
			return true;
	return false;
}

NostrTagElement
nostr_tags_identifier(const uint8_t *tags, size_t len)
{
	NostrTagElement el;
	NostrTagIter it;

	nostr_tags_iter(&it, tags, len);
	while (nostr_tags_next(&it) > 0)
		if (nostr_tags_next_element(&it, &el) && is_text(&el, "d"))
			return nostr_tags_next_element(&it, &el) ? el : no_text;
	return no_text;
}

/* Character i of the text of an element. */
static uint8_t
text_at(const NostrTagElement *el, size_t i)
{
	static const char digits[] = "0123456789abcdef";

	if (!el->hex)
		return el->data[i];
	return (uint8_t) digits[i % 2 == 0 ? el->data[i / 2] >> 4 : el->data[i / 2] & 15];
}

bool
nostr_tag_element_same_text(const NostrTagElement *a, const NostrTagElement *b)
{
	size_t		len = nostr_tag_element_text_len(a);

	if (a->hex == b->hex)
		return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
	if (len != nostr_tag_element_text_len(b))
		return false;
	for (size_t i = 0; i < len; i++)
		if (text_at(a, i) != text_at(b, i))
			return false;
	return true;
}

int64_t
nostr_ruling_code(const uint8_t pubkey[32], const NostrRuling *r)
{
	uint64_t	h = FNV_START;
	size_t		len = nostr_tag_element_text_len(&r->value);

	h = (h ^ (uint64_t) r->sort) * FNV_PRIME;
	h = (h ^ (uint64_t) r->kind) * FNV_PRIME;
	for (int i = 0; i < 32; i++)
		h = (h ^ pubkey[i]) * FNV_PRIME;
	/* ids are always stored as bytes */
	if (r->sort == NOSTR_RULES_EVENT)
		for (size_t i = 0; i < r->value.len; i++)
			h = (h ^ r->value.data[i]) * FNV_PRIME;
	else
		for (size_t i = 0; i < len; i++)
			h = (h ^ text_at(&r->value, i)) * FNV_PRIME;
	/* FNV leaves the high bits of short values poor */
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	return (int64_t) h;
}

/* Kind of an address, without leading zeros; -1: none.  *n: digits. */
static int32_t
address_kind(const uint8_t *s, size_t len, size_t *n)
{
	int32_t		kind = 0;

	for (*n = 0; *n < len && s[*n] >= '0' && s[*n] <= '9'; (*n)++)
	{
		kind = kind * 10 + (s[*n] - '0');
		if (kind > MAX_KIND)
			return -1;
	}
	return *n == 0 || (*n > 1 && s[0] == '0') ? -1 : kind;
}

/* An "a" tag, kind:pubkey:identifier, about something of the same author. */
static bool
address(const NostrRulingIter *it, const NostrTagElement *el, NostrRuling *r)
{
	size_t		n;
	uint8_t		pubkey[32];

	/* only digits of hexadecimal numbers: no colon is among them */
	if (el->hex)
		return false;
	r->kind = address_kind(el->data, el->len, &n);
	if (r->kind < 0 || el->len < n + 66 || el->data[n] != ':' || el->data[n + 65] != ':' ||
		!nostr_hex_decode((const char *) el->data + n + 1, 64, pubkey, 32) || memcmp(pubkey, it->pubkey, 32) != 0)
		return false;
	r->sort = NOSTR_RULES_ADDRESS;
	r->value = (NostrTagElement) {el->data + n + 66, el->len - (n + 66), false};
	return nostr_kind_is_addressable(r->kind) || (nostr_kind_is_replaceable(r->kind) && r->value.len == 0);
}

void
nostr_rulings(NostrRulingIter *it, int32_t kind, const uint8_t pubkey[32], const uint8_t *tags, size_t len)
{
	memset(it, 0, sizeof(*it));
	it->kind = kind;
	it->pubkey = pubkey;
	it->tags = tags;
	it->len = len;
	it->done = !nostr_kind_rules(kind);
	nostr_tags_iter(&it->it, tags, len);
}

/* The next of a deletion. */
static bool
next_deletion(NostrRulingIter *it, NostrRuling *r)
{
	NostrTagElement el;
	uint8_t		letter;

	while (nostr_tags_next_letter(&it->it, &letter, &el))
	{
		if (letter == 'a' && address(it, &el, r))
			return true;
		if (letter == 'e' && el.hex && el.len == 32)
		{
			*r = (NostrRuling) {NOSTR_RULES_EVENT, 0, el};
			return true;
		}
	}
	return false;
}

/* The next of a request to vanish. */
static bool
next_vanish(NostrRulingIter *it, NostrRuling *r)
{
	NostrTagElement el;

	while (nostr_tags_next(&it->it) > 0)
	{
		if (!nostr_tags_next_element(&it->it, &el) || !is_text(&el, "relay") ||
			!nostr_tags_next_element(&it->it, &el) || el.hex)
			continue;
		*r = (NostrRuling) {NOSTR_RULES_VANISH, 0, el};
		return true;
	}
	return false;
}

bool
nostr_ruling_next(NostrRulingIter *it, NostrRuling *r)
{
	if (it->done)
		return false;
	if (it->kind == NOSTR_KIND_DELETION)
		return next_deletion(it, r);
	if (it->kind == NOSTR_KIND_VANISH)
		return next_vanish(it, r);
	it->done = true;
	*r = (NostrRuling) {NOSTR_RULES_VERSION, it->kind,
		nostr_kind_is_addressable(it->kind) ? nostr_tags_identifier(it->tags, it->len) : no_text};
	return true;
}
