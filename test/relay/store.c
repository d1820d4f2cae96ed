/*
 * store.c
 *
 * Loading, order, filters.
 */
#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "nostr/hex.h"
#include "nostr/tags.h"

void
relay_store_init(RelayStore *s)
{
	memset(s, 0, sizeof(*s));
}

void
relay_store_free(RelayStore *s)
{
	for (long i = 0; i < s->n; i++)
	{
		free(s->item[i]->tags);
		free(s->item[i]);
	}
	free(s->item);
	relay_store_init(s);
}

static int
newest_first(const void *a, const void *b)
{
	const RelayItem *x = *(RelayItem *const *) a;
	const RelayItem *y = *(RelayItem *const *) b;

	if (x->created_at != y->created_at)
		return x->created_at > y->created_at ? -1 : 1;
	return memcmp(x->id, y->id, 32);
}

void
relay_store_sort(RelayStore *s)
{
	if (s->unsorted && s->n > 0)
		qsort(s->item, (size_t) s->n, sizeof(RelayItem *), newest_first);
	s->unsorted = false;
}

long
relay_store_find(const RelayStore *s, int64_t created_at)
{
	long		low = 0;
	long		high = s->n;

	while (low < high)
	{
		long		mid = low + (high - low) / 2;

		if (s->item[mid]->created_at > created_at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
holds(const RelayStore *s, const NostrEvent *ev)
{
	for (long i = relay_store_find(s, ev->created_at);
		 i < s->n && s->item[i]->created_at == ev->created_at; i++)
	{
		if (memcmp(s->item[i]->id, ev->id, 32) == 0)
			return true;
	}
	return false;
}

/* In its place when the rest is in order, so that one event costs no sort. */
static void
append_or_insert(RelayStore *s, RelayItem *it, bool in_place)
{
	long		at = s->n;

	if (s->n == s->room)
	{
		s->room = s->room > 0 ? s->room * 2 : 1024;
		s->item = realloc(s->item, (size_t) s->room * sizeof(RelayItem *));
	}
	if (in_place)
	{
		at = relay_store_find(s, it->created_at);
		while (at < s->n && newest_first(&s->item[at], &it) < 0)
			at++;
		memmove(s->item + at + 1, s->item + at, (size_t) (s->n - at) * sizeof(RelayItem *));
	}
	else
		s->unsorted = true;
	s->item[at] = it;
	s->n++;
}

RelayItem *
relay_store_add(RelayStore *s, const char *json, size_t len, bool only_valid)
{
	RelayItem  *it = NULL;
	NostrEvent	ev;
	NostrBuf	scratch;
	bool		valid;

	nostr_buf_init(&scratch, NOSTR_EVENT_MAX_SIZE * 4);
	valid = nostr_event_parse(json, len, &scratch, &ev, NULL) == NOSTR_OK;
	if (only_valid)
		relay_store_sort(s);
	if (!only_valid || (valid && !holds(s, &ev)))
		it = calloc(1, sizeof(RelayItem) + len + 1);
	if (it != NULL)
	{
		memcpy(it->json, json, len);
		it->len = len;
		it->arrival = s->arrivals++;
		it->created_at = ev.created_at;
		it->kind = ev.kind;
		memcpy(it->id, ev.id, 32);
		memcpy(it->pubkey, ev.pubkey, 32);
		if (valid && ev.tags_len > 0)
		{
			it->tags = malloc(ev.tags_len);
			memcpy(it->tags, ev.tags, ev.tags_len);
			it->tags_len = ev.tags_len;
		}
		append_or_insert(s, it, only_valid);
	}
	nostr_buf_free(&scratch);
	return it;
}

long
relay_store_load(RelayStore *s, const char *path, long corrupt)
{
	FILE	   *f = fopen(path, "r");
	char	   *line = NULL;
	size_t		size = 0;
	ssize_t		len;
	long		n = 0;

	if (f == NULL)
		return -1;
	while ((len = getline(&line, &size, f)) > 0)
	{
		RelayItem  *it;

		if (line[len - 1] == '\n')
			line[--len] = '\0';
		it = relay_store_add(s, line, (size_t) len, false);
		if (corrupt > 0 && n % corrupt == corrupt - 1)
		{
			char	   *sig = strstr(it->json, "\"sig\":\"");

			if (sig != NULL)
				sig[20] = sig[20] == 'a' ? 'b' : 'a';
		}
		n++;
	}
	free(line);
	fclose(f);
	relay_store_sort(s);
	return n;
}

static bool
read_time(json_t *json, const char *name, bool *has, int64_t *value)
{
	json_t	   *v = json_object_get(json, name);

	*has = v != NULL;
	*value = json_integer_value(v);
	return v == NULL || json_is_integer(v);
}

bool
relay_filter_read(RelayFilter *f, json_t *json, size_t max_items)
{
	const char *name;
	json_t	   *v;
	bool		ok;

	f->json = json;
	ok = json_is_object(json) && read_time(json, "since", &f->has_since, &f->since) &&
		read_time(json, "until", &f->has_until, &f->until) &&
		read_time(json, "limit", &f->has_limit, &f->limit) && f->limit >= 0;
	json_object_foreach(json, name, v)
	{
		bool		hex = strcmp(name, "ids") == 0 || strcmp(name, "authors") == 0;

		if (!hex && strcmp(name, "kinds") != 0 && name[0] != '#')
			continue;
		ok = ok && json_is_array(v) && json_array_size(v) <= max_items;
		for (size_t i = 0; hex && ok && i < json_array_size(v); i++)
			ok = json_string_length(json_array_get(v, i)) == 64;
	}
	return ok;
}

static bool
list_has_hex(json_t *list, const uint8_t bytes[32])
{
	char		hex[64];
	size_t		i;
	json_t	   *v;

	nostr_hex_encode(bytes, 32, hex);
	json_array_foreach(list, i, v)
	{
		if (memcmp(json_string_value(v), hex, 64) == 0)
			return true;
	}
	return false;
}

static bool
list_has_kind(json_t *list, int kind)
{
	size_t		i;
	json_t	   *v;

	json_array_foreach(list, i, v)
	{
		if (json_is_integer(v) && json_integer_value(v) == kind)
			return true;
	}
	return false;
}

/* Some tag of that name has one of these values as its first. */
static bool
tag_match(json_t *list, char name, const RelayItem *it)
{
	NostrTagIter walk;
	NostrTagElement el;
	bool		found = false;

	nostr_tags_iter(&walk, it->tags, it->tags_len);
	while (!found && it->tags_len > 0 && nostr_tags_next(&walk) > 0)
	{
		char	   *text;
		size_t		len;

		if (!nostr_tags_next_element(&walk, &el) || el.len != 1 || el.hex ||
			el.data[0] != (uint8_t) name || !nostr_tags_next_element(&walk, &el))
			continue;
		len = nostr_tag_element_text_len(&el);
		text = malloc(len + 1);
		nostr_tag_element_text(&el, text);
		for (size_t i = 0; !found && i < json_array_size(list); i++)
		{
			json_t	   *v = json_array_get(list, i);

			found = json_is_string(v) && json_string_length(v) == len &&
				memcmp(json_string_value(v), text, len) == 0;
		}
		free(text);
	}
	return found;
}

bool
relay_filter_match(const RelayFilter *f, const RelayItem *it, int flags)
{
	const char *name;
	json_t	   *v;

	if (f->has_since && !(flags & RELAY_IGNORE_SINCE) && it->created_at < f->since)
		return false;
	if (f->has_until && !(flags & RELAY_IGNORE_UNTIL) &&
		(it->created_at > f->until || ((flags & RELAY_EXCLUDE_UNTIL) && it->created_at == f->until)))
		return false;
	json_object_foreach(f->json, name, v)
	{
		bool		ok = true;

		if (strcmp(name, "ids") == 0)
			ok = list_has_hex(v, it->id);
		else if (strcmp(name, "authors") == 0)
			ok = list_has_hex(v, it->pubkey);
		else if (strcmp(name, "kinds") == 0)
			ok = (flags & RELAY_IGNORE_KINDS) || list_has_kind(v, it->kind);
		else if (name[0] == '#' && name[1] != '\0' && name[2] == '\0')
			ok = tag_match(v, name[1], it);
		if (!ok)
			return false;
	}
	return true;
}
