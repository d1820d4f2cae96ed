/*
 * filter_parse.c
 *
 * Reads filters.  Survives any bytes; the first thing that is wrong, in the
 * order of the text, is the reason.
 */
#include "pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "hex.h"
#include "json.h"
#include "tag_key.h"
#include "tags.h"

#define HASH_TEXT 64
#define ITEM_MAX 32				/* bytes of one item of any list */

_Static_assert(sizeof(NostrFilterValue) <= ITEM_MAX && HASH_TEXT / 2 <= ITEM_MAX, "ITEM_MAX");

typedef struct Parser
{
	NostrJson	js;
	NostrFilter *f;
	NostrBuf	scratch;		/* unescaped strings */
	NostrFilterReject why;
	const uint8_t *at;			/* what is being read: the place of a fault */
} Parser;

static bool
fault(Parser *ps, NostrFilterReject why)
{
	if (ps->why == NOSTR_FILTER_OK)
		ps->why = why;
	return false;
}

/* A string, valid until the next one. */
static bool
read_string(Parser *ps, const uint8_t **s, size_t *len, NostrFilterReject why)
{
	uint8_t		c = nostr_json_peek(&ps->js);

	ps->at = ps->js.p;
	/* at the end of the text it is the JSON that is wrong */
	if (c != '"' && c != 0)
		return fault(ps, why);
	nostr_buf_reset(&ps->scratch);
	return nostr_json_string(&ps->js, &ps->scratch, s, len);
}

static bool
read_int(Parser *ps, int64_t *v, int64_t min, int64_t max, NostrFilterReject why)
{
	uint8_t		c = nostr_json_peek(&ps->js);
	const uint8_t *s;
	size_t		n;

	ps->at = ps->js.p;
	if (c != '-' && (c < '0' || c > '9') && c != 0)
		return fault(ps, why);
	if (!nostr_json_number(&ps->js, &s, &n))
		return false;
	return (nostr_json_int64(s, n, v) && *v >= min && *v <= max) || fault(ps, why);
}

static bool
read_hash(Parser *ps, NostrFilterList *l, NostrFilterReject why)
{
	const uint8_t *s;
	size_t		n;
	uint8_t		hash[HASH_TEXT / 2];

	if (!read_string(ps, &s, &n, why))
		return false;
	if (!nostr_hex_decode((const char *) s, n, hash, sizeof(hash)))
		return fault(ps, why);
	nostr_buf_append(&l->mem, hash, sizeof(hash));
	return true;
}

static bool
read_kind(Parser *ps, NostrFilterList *l)
{
	int64_t		v;
	uint16_t	kind;

	if (!read_int(ps, &v, 0, NOSTR_MAX_KIND, NOSTR_FILTER_BAD_KINDS))
		return false;
	kind = (uint16_t) v;
	nostr_buf_append(&l->mem, &kind, sizeof(kind));
	return true;
}

/* f->text never moves: it had room for the whole filter from the start. */
static bool
read_value(Parser *ps, NostrFilterList *l, bool hash)
{
	NostrFilterValue v;
	NostrTagElement el;
	const uint8_t *s;
	uint8_t    *dst;
	size_t		n;

	if (!read_string(ps, &s, &n, NOSTR_FILTER_BAD_TAG_VALUES))
		return false;
	dst = nostr_buf_reserve(&ps->f->text, n);
	if (dst == NULL)
		return fault(ps, NOSTR_FILTER_OUT_OF_MEMORY);
	el = nostr_tag_element_of(s, n, dst);
	if (hash && !(el.hex && n == HASH_TEXT))
		return fault(ps, NOSTR_FILTER_BAD_TAG_VALUES);
	v = (NostrFilterValue) {el.data, el.len, el.hex};
	ps->f->text.len += v.len;
	nostr_buf_append(&l->mem, &v, sizeof(v));
	return true;
}

static int
cmp_hash(const void *a, const void *b)
{
	return memcmp(a, b, HASH_TEXT / 2);
}

static int
cmp_kind(const void *a, const void *b)
{
	return (int) *(const uint16_t *) a - (int) *(const uint16_t *) b;
}

/* Sorts, and keeps one of equals. */
static void
sort_list(NostrFilterList *l, size_t size, int (*cmp) (const void *, const void *))
{
	uint32_t	kept = 0;

	if (l->n == 0)
		return;
	qsort(l->mem.data, l->n, size, cmp);
	for (uint32_t i = 1; i < l->n; i++)
	{
		if (cmp(l->mem.data + kept * size, l->mem.data + i * size) == 0)
			continue;
		kept++;
		memmove(l->mem.data + kept * size, l->mem.data + i * size, size);
	}
	l->n = kept + 1;
	l->mem.len = l->n * size;
}

typedef enum ListOf
{
	LIST_IDS,
	LIST_AUTHORS,
	LIST_KINDS,
	LIST_VALUES,
	LIST_HASH_VALUES			/* #e and #p */
} ListOf;

static bool
read_item(Parser *ps, NostrFilterList *l, ListOf what)
{
	switch (what)
	{
		case LIST_IDS:
			return read_hash(ps, l, NOSTR_FILTER_BAD_IDS);
		case LIST_AUTHORS:
			return read_hash(ps, l, NOSTR_FILTER_BAD_AUTHORS);
		case LIST_KINDS:
			return read_kind(ps, l);
		default:
			return read_value(ps, l, what == LIST_HASH_VALUES);
	}
}

static bool
read_list(Parser *ps, NostrFilterList *l, ListOf what)
{
	static const NostrFilterReject why[] = {
		NOSTR_FILTER_BAD_IDS, NOSTR_FILTER_BAD_AUTHORS, NOSTR_FILTER_BAD_KINDS,
		NOSTR_FILTER_BAD_TAG_VALUES, NOSTR_FILTER_BAD_TAG_VALUES
	};
	uint8_t		c = nostr_json_peek(&ps->js);
	bool		first = true;

	ps->at = ps->js.p;
	if (c != '[' && c != 0)
		return fault(ps, why[what]);
	if (!nostr_json_open(&ps->js, '['))
		return false;
	nostr_buf_init(&l->mem, (size_t) NOSTR_FILTER_MAX_VALUES * ITEM_MAX);
	l->given = true;
	while (nostr_json_more(&ps->js, ']', &first))
	{
		if (l->n == NOSTR_FILTER_MAX_VALUES)
			return fault(ps, NOSTR_FILTER_TOO_MANY_VALUES);
		if (!read_item(ps, l, what))
			return false;
		if (l->mem.failed)
			return fault(ps, NOSTR_FILTER_OUT_OF_MEMORY);
		l->n++;
	}
	if (what == LIST_KINDS)
		sort_list(l, sizeof(uint16_t), cmp_kind);
	else if (what <= LIST_AUTHORS)
		sort_list(l, HASH_TEXT / 2, cmp_hash);
	else
		sort_list(l, sizeof(NostrFilterValue), nostr_filter_value_cmp);
	return true;
}

static bool
read_search(Parser *ps)
{
	NostrFilter *f = ps->f;
	const uint8_t *s;
	uint8_t    *dst;
	size_t		n;

	if (!read_string(ps, &s, &n, NOSTR_FILTER_BAD_SEARCH))
		return false;
	if (n > NOSTR_FILTER_MAX_SEARCH)
		return fault(ps, NOSTR_FILTER_BAD_SEARCH);
	dst = nostr_buf_reserve(&f->text, n);
	if (dst == NULL)
		return fault(ps, NOSTR_FILTER_OUT_OF_MEMORY);
	if (n > 0)
		memcpy(dst, s, n);
	f->text.len += n;
	f->search = dst;
	f->search_len = n;
	return true;
}

typedef enum Member
{
	MEMBER_IDS,
	MEMBER_AUTHORS,
	MEMBER_KINDS,
	MEMBER_SINCE,
	MEMBER_UNTIL,
	MEMBER_LIMIT,
	MEMBER_SEARCH,
	MEMBER_LETTER				/* and the slot of the letter on top */
} Member;

#define MEMBER_COUNT (MEMBER_LETTER + NOSTR_FILTER_LETTERS)

static int
member_of(const uint8_t *s, size_t len)
{
	static const char *const names[MEMBER_LETTER] = {
		"ids", "authors", "kinds", "since", "until", "limit", "search"
	};
	int			slot;

	for (int i = 0; i < MEMBER_LETTER; i++)
		if (strlen(names[i]) == len && memcmp(names[i], s, len) == 0)
			return i;
	if (len != 2 || s[0] != '#')
		return MEMBER_COUNT;
	slot = nostr_filter_letter(s[1]);
	return slot < 0 ? MEMBER_COUNT : MEMBER_LETTER + slot;
}

static bool
read_member(Parser *ps, int member)
{
	NostrFilter *f = ps->f;
	int			slot = member - MEMBER_LETTER;

	switch (member)
	{
		case MEMBER_IDS:
			return read_list(ps, &f->ids, LIST_IDS);
		case MEMBER_AUTHORS:
			return read_list(ps, &f->authors, LIST_AUTHORS);
		case MEMBER_KINDS:
			return read_list(ps, &f->kinds, LIST_KINDS);
		case MEMBER_SINCE:
			return read_int(ps, &f->since, INT64_MIN, INT64_MAX, NOSTR_FILTER_BAD_SINCE);
		case MEMBER_UNTIL:
			return read_int(ps, &f->until, INT64_MIN, INT64_MAX, NOSTR_FILTER_BAD_UNTIL);
		case MEMBER_LIMIT:
			return read_int(ps, &f->limit, 0, INT64_MAX, NOSTR_FILTER_BAD_LIMIT);
		case MEMBER_SEARCH:
			return read_search(ps);
	}
	f->letters |= UINT64_C(1) << slot;
	return read_list(ps, &f->tags[slot],
					 slot == nostr_filter_letter('e') || slot == nostr_filter_letter('p') ?
					 LIST_HASH_VALUES : LIST_VALUES);
}

static bool
read_members(Parser *ps)
{
	bool		seen[MEMBER_COUNT] = {false};
	bool		first = true;

	if (!nostr_json_open(&ps->js, '{'))
		return false;
	while (nostr_json_more(&ps->js, '}', &first))
	{
		const uint8_t *s;
		size_t		n;
		int			m;

		if (!read_string(ps, &s, &n, NOSTR_FILTER_BAD_JSON))
			return false;
		m = member_of(s, n);
		if (m == MEMBER_COUNT)
			return fault(ps, NOSTR_FILTER_UNKNOWN_MEMBER);
		if (seen[m])
			return fault(ps, NOSTR_FILTER_DUPLICATE_MEMBER);
		seen[m] = true;
		if (!nostr_json_colon(&ps->js) || !read_member(ps, m))
			return false;
	}
	return nostr_json_end(&ps->js);
}

NostrFilterReject
nostr_filter_parse(const char *json, size_t len, NostrFilter *f, size_t *offset)
{
	Parser		ps = {.f = f};
	size_t		at;

	memset(f, 0, sizeof(*f));
	f->since = INT64_MIN;
	f->until = INT64_MAX;
	f->limit = -1;
	if (offset != NULL)
		*offset = 0;
	if (len > NOSTR_FILTER_MAX_SIZE)
		return NOSTR_FILTER_TOO_LARGE;
	nostr_buf_init(&f->text, len);
	if (nostr_buf_reserve(&f->text, len) == NULL)
		return NOSTR_FILTER_OUT_OF_MEMORY;
	/* an escape is longer than what it stands for */
	nostr_buf_init(&ps.scratch, len);
	nostr_json_init(&ps.js, json, len);
	ps.at = ps.js.start;

	if (nostr_json_peek(&ps.js) == '{')
		read_members(&ps);
	else if (nostr_json_skip(&ps.js) && nostr_json_end(&ps.js))
		ps.why = NOSTR_FILTER_NOT_OBJECT;
	nostr_buf_free(&ps.scratch);

	at = (size_t) (ps.at - ps.js.start);
	if (ps.why == NOSTR_FILTER_OK && ps.js.error != NOSTR_OK)
	{
		ps.why = ps.js.error == NOSTR_OUT_OF_MEMORY ? NOSTR_FILTER_OUT_OF_MEMORY :
			NOSTR_FILTER_BAD_JSON;
		at = ps.js.error_at;
	}
	if (offset != NULL && ps.why != NOSTR_FILTER_OK)
		*offset = at;
	return ps.why;
}
