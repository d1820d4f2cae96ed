/*
 * filter.c
 *
 * Match, canonical text and names of filters.  The lists are sorted, so a
 * match costs one binary search per list and per tag of a letter that the
 * filter names.
 */
#include "pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "tag_key.h"
#include "tags.h"
#include "writer.h"

static const struct
{
	const char *name;
	const char *text;
}			reasons[NOSTR_FILTER_REJECT_COUNT] = {
	[NOSTR_FILTER_OK] = {"ok", "the filter is well-formed"},
	[NOSTR_FILTER_TOO_LARGE] = {"too_large", "the filter is larger than 1 MB"},
	[NOSTR_FILTER_BAD_JSON] = {"bad_json", "not valid JSON (RFC 8259) in valid UTF-8"},
	[NOSTR_FILTER_NOT_OBJECT] = {"not_object", "not a JSON object"},
	[NOSTR_FILTER_DUPLICATE_MEMBER] = {"duplicate_member", "a member occurs more than once"},
	[NOSTR_FILTER_UNKNOWN_MEMBER] = {"unknown_member", "not one of ids, authors, kinds, # with one letter, since, until, limit, search"},
	[NOSTR_FILTER_TOO_MANY_VALUES] = {"too_many_values", "a list has more than 10000 values"},
	[NOSTR_FILTER_BAD_IDS] = {"bad_ids", "\"ids\" is not an array of strings of 64 lower-case hexadecimal digits"},
	[NOSTR_FILTER_BAD_AUTHORS] = {"bad_authors", "\"authors\" is not an array of strings of 64 lower-case hexadecimal digits"},
	[NOSTR_FILTER_BAD_KINDS] = {"bad_kinds", "\"kinds\" is not an array of integers from 0 to 65535"},
	[NOSTR_FILTER_BAD_TAG_VALUES] = {"bad_tag_values", "the values of a tag are not an array of strings, for #e and #p of 64 lower-case hexadecimal digits"},
	[NOSTR_FILTER_BAD_SINCE] = {"bad_since", "\"since\" is not an integer of 64 bits"},
	[NOSTR_FILTER_BAD_UNTIL] = {"bad_until", "\"until\" is not an integer of 64 bits"},
	[NOSTR_FILTER_BAD_LIMIT] = {"bad_limit", "\"limit\" is not an integer of 64 bits, 0 or more"},
	[NOSTR_FILTER_BAD_SEARCH] = {"bad_search", "\"search\" is not a string of at most 1024 bytes"},
	[NOSTR_FILTER_OUT_OF_MEMORY] = {"out_of_memory", "out of memory"},
};

const char *
nostr_filter_reject_name(NostrFilterReject r)
{
	return (unsigned) r < NOSTR_FILTER_REJECT_COUNT ? reasons[r].name : "unknown";
}

const char *
nostr_filter_reject_text(NostrFilterReject r)
{
	return (unsigned) r < NOSTR_FILTER_REJECT_COUNT ? reasons[r].text : "unknown reason";
}

void
nostr_filter_free(NostrFilter *f)
{
	nostr_buf_free(&f->ids.mem);
	nostr_buf_free(&f->authors.mem);
	nostr_buf_free(&f->kinds.mem);
	for (int i = 0; i < NOSTR_FILTER_LETTERS; i++)
		nostr_buf_free(&f->tags[i].mem);
	nostr_buf_free(&f->text);
	memset(f, 0, sizeof(*f));
}

int
nostr_filter_letter(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	return -1;
}

static uint8_t
letter_of(int slot)
{
	return (uint8_t) (slot < 26 ? 'A' + slot : 'a' + slot - 26);
}

/* Any fixed order will do: cheapest comparison first. */
int
nostr_filter_value_cmp(const void *a, const void *b)
{
	const NostrFilterValue *x = a;
	const NostrFilterValue *y = b;

	if (x->hex != y->hex)
		return x->hex ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->len > 0 ? memcmp(x->data, y->data, x->len) : 0;
}

static int
compare_hashes(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

static int
compare_kinds(const void *a, const void *b)
{
	return (int) *(const uint16_t *) a - (int) *(const uint16_t *) b;
}

static bool
has_hash(const NostrFilterList *l, const uint8_t hash[32])
{
	return !l->given || (l->n > 0 && bsearch(hash, l->mem.data, l->n, 32, compare_hashes) != NULL);
}

static bool
has_kind(const NostrFilterList *l, int32_t kind)
{
	uint16_t	k = (uint16_t) kind;

	return !l->given || (l->n > 0 && bsearch(&k, l->mem.data, l->n, sizeof(k), compare_kinds) != NULL);
}

static bool
has_tags(const NostrFilter *f, const NostrEvent *ev)
{
	uint64_t	missing = f->letters;
	NostrTagIter it;
	NostrTagElement el;
	uint8_t		letter;

	if (missing == 0)
		return true;
	nostr_tags_iter(&it, ev->tags, ev->tags_len);
	while (missing != 0 && nostr_tags_next_letter(&it, &letter, &el))
	{
		NostrFilterValue v;
		int			slot = nostr_filter_letter(letter);

		if (slot < 0 || !(missing & UINT64_C(1) << slot) || f->tags[slot].n == 0)
			continue;
		v = (NostrFilterValue) {el.data, el.len, el.hex};
		if (bsearch(&v, f->tags[slot].mem.data, f->tags[slot].n, sizeof(v),
					nostr_filter_value_cmp) != NULL)
			missing &= ~(UINT64_C(1) << slot);
	}
	return missing == 0;
}

bool
nostr_filter_match(const NostrFilter *f, const NostrEvent *ev)
{
	return ev->created_at >= f->since && ev->created_at <= f->until &&
		has_kind(&f->kinds, ev->kind) && has_hash(&f->authors, ev->pubkey) &&
		has_hash(&f->ids, ev->id) && has_tags(f, ev);
}

static bool
empty(const NostrFilterList *l)
{
	return l->given && l->n == 0;
}

bool
nostr_filter_never(const NostrFilter *f)
{
	bool		never = f->since > f->until || empty(&f->ids) ||
		empty(&f->authors) || empty(&f->kinds);

	for (int i = 0; i < NOSTR_FILTER_LETTERS; i++)
		never |= empty(&f->tags[i]);
	return never;
}

/* Opens a member; *first is whether nothing was written before. */
static void
put_name(NostrWriter *w, bool *first, const char *name)
{
	nostr_writer_put(w, *first ? "\"" : ",\"", *first ? 1 : 2);
	*first = false;
	nostr_writer_put(w, name, strlen(name));
	nostr_writer_put(w, "\":", 2);
}

static void
put_hex(NostrWriter *w, const uint8_t *data, size_t len)
{
	nostr_writer_put(w, "\"", 1);
	nostr_writer_hex(w, data, len);
	nostr_writer_put(w, "\"", 1);
}

/* The items of a list, each written by put. */
static void
put_list(NostrWriter *w, bool *first, const char *name, const NostrFilterList *l,
		 void (*put) (NostrWriter *, const NostrFilterList *, uint32_t))
{
	if (!l->given)
		return;
	put_name(w, first, name);
	nostr_writer_put(w, "[", 1);
	for (uint32_t i = 0; i < l->n; i++)
	{
		if (i > 0)
			nostr_writer_put(w, ",", 1);
		put(w, l, i);
	}
	nostr_writer_put(w, "]", 1);
}

static void
put_hash(NostrWriter *w, const NostrFilterList *l, uint32_t i)
{
	put_hex(w, l->mem.data + (size_t) i * 32, 32);
}

static void
put_kind(NostrWriter *w, const NostrFilterList *l, uint32_t i)
{
	nostr_writer_int(w, ((const uint16_t *) l->mem.data)[i]);
}

static void
put_value(NostrWriter *w, const NostrFilterList *l, uint32_t i)
{
	const NostrFilterValue *v = (const NostrFilterValue *) l->mem.data + i;

	if (v->hex)
		put_hex(w, v->data, v->len);
	else
		nostr_writer_string(w, v->data, v->len, NOSTR_FORM_ESCAPED);
}

static void
put_int(NostrWriter *w, bool *first, const char *name, int64_t v, int64_t none)
{
	if (v == none)
		return;
	put_name(w, first, name);
	nostr_writer_int(w, v);
}

void
nostr_filter_json(const NostrFilter *f, NostrBuf *out)
{
	NostrWriter w;
	bool		first = true;

	nostr_writer_init(&w, out);
	nostr_writer_put(&w, "{", 1);
	put_list(&w, &first, "ids", &f->ids, put_hash);
	put_list(&w, &first, "authors", &f->authors, put_hash);
	put_list(&w, &first, "kinds", &f->kinds, put_kind);
	for (int i = 0; i < NOSTR_FILTER_LETTERS; i++)
	{
		char		name[3] = {'#', (char) letter_of(i), '\0'};

		put_list(&w, &first, name, &f->tags[i], put_value);
	}
	put_int(&w, &first, "since", f->since, INT64_MIN);
	put_int(&w, &first, "until", f->until, INT64_MAX);
	put_int(&w, &first, "limit", f->limit, -1);
	if (f->search != NULL)
	{
		put_name(&w, &first, "search");
		nostr_writer_string(&w, f->search, f->search_len, NOSTR_FORM_ESCAPED);
	}
	nostr_writer_put(&w, "}", 1);
	nostr_writer_flush(&w);
}
