/*
 * dense_values.c
 *
 * Lists of authors and tag values: those that the filter names and those that
 * the events of a second have shown.  Values that relays refuse to look up
 * (long ones, and #e and #p that are not ids) are left out.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "../nostr/tags.h"
#include "dense.h"

void
dense_list_free(DenseList *l)
{
	free(l->value);
	free(l->text);
	memset(l, 0, sizeof(*l));
}

static bool
begin(DenseList *l, uint32_t room, size_t text)
{
	dense_list_free(l);
	l->at_once = DENSE_AT_ONCE;
	l->value = malloc(((size_t) room + 1) * sizeof(DenseValue));
	l->text = malloc(text + 1);
	return l->value != NULL && l->text != NULL;
}

static bool
has(const DenseList *l, const DenseValue *v)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->value[i].slot == v->slot && nostr_filter_value_cmp(&l->value[i].v, &v->v) == 0)
			return true;
	return false;
}

/* With a copy of the bytes. */
static void
keep(DenseList *l, DenseValue v)
{
	memcpy(l->text + l->text_len, v.v.data, v.v.len);
	v.v.data = l->text + l->text_len;
	l->text_len += v.v.len;
	l->value[l->n++] = v;
}

static DenseValue
author(const uint8_t *pubkey)
{
	return (DenseValue) {DENSE_AUTHOR, {pubkey, 32, true}};
}

bool
dense_list_authors(DenseList *l, const NostrFilter *f, const SyncSeen *seen, uint16_t kind)
{
	uint32_t	room = f->authors.given ? f->authors.n : seen->n;

	if (!begin(l, room, room * 32ul))
		return false;
	for (uint32_t i = 0; i < f->authors.n; i++)
		keep(l, author(f->authors.mem.data + 32ul * i));
	for (uint32_t i = 0; i < seen->n && !f->authors.given; i++)
	{
		DenseValue	v = author(seen->item[i].pubkey);

		if (seen->item[i].kind == kind && !has(l, &v))
			keep(l, v);
	}
	return true;
}

bool
dense_list_tag(DenseList *l, const NostrFilter *f, int slot)
{
	const NostrFilterValue *own = (const NostrFilterValue *) f->tags[slot].mem.data;

	if (!begin(l, f->tags[slot].n, 0))
		return false;
	for (uint32_t i = 0; i < f->tags[slot].n; i++)
		l->value[l->n++] = (DenseValue) {slot, own[i]};
	return true;
}

bool
dense_list_seen(DenseList *l)
{
	return begin(l, DENSE_MAX_VALUES, DENSE_MAX_VALUES * DENSE_MAX_TEXT);
}

static bool
can_be_asked(const DenseValue *v)
{
	bool		id = v->slot == nostr_filter_letter('e') || v->slot == nostr_filter_letter('p');

	if (v->v.len > DENSE_MAX_TEXT)
		return false;
	return !id || (v->v.hex && v->v.len == 32);
}

void
dense_values_seen(DenseList *l, const NostrFilter *f, const NostrEvent *ev)
{
	NostrTagIter it;
	NostrTagElement el;

	nostr_tags_iter(&it, ev->tags, ev->tags_len);
	while (l->n < DENSE_MAX_VALUES && nostr_tags_next(&it) > 0)
	{
		DenseValue	v;

		if (!nostr_tags_next_element(&it, &el) || el.data != &it.letter)
			continue;
		v.slot = nostr_filter_letter(it.letter);
		if (v.slot < 0 || f->tags[v.slot].given || !nostr_tags_next_element(&it, &el))
			continue;
		v.v = (NostrFilterValue) {el.data, el.len, el.hex};
		if (can_be_asked(&v) && !has(l, &v))
			keep(l, v);
	}
}

void
dense_list_take(DenseList *l)
{
	uint32_t	end = l->next + 1;

	for (uint32_t i = end; i < l->n && end - l->next < l->at_once; i++)
	{
		DenseValue	v = l->value[i];

		if (v.slot != l->value[l->next].slot)
			continue;
		l->value[i] = l->value[end];
		l->value[end++] = v;
	}
	l->asked = end - l->next;
}
