/*
 * filter_covers.c
 *
 * Does one filter select everything that another one selects?  May say no
 * although the answer is yes (with a search or a limit), never the reverse.
 */
#include "pgfree.h"

#include <string.h>

#include "filter.h"

typedef int (*Compare) (const void *a, const void *b);

static int
cmp_32(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

static int
cmp_kind(const void *a, const void *b)
{
	return *(const uint16_t *) a - *(const uint16_t *) b;
}

/* Both lists are sorted, each value once: one walk. */
static bool
list_covers(const NostrFilterList *wide, const NostrFilterList *narrow, size_t size,
			Compare cmp)
{
	const uint8_t *w = wide->mem.data;
	uint32_t	i = 0;

	if (!wide->given)
		return true;
	if (!narrow->given)
		return false;
	for (uint32_t k = 0; k < narrow->n; k++)
	{
		const uint8_t *value = narrow->mem.data + k * size;

		while (i < wide->n && cmp(w + i * size, value) < 0)
			i++;
		if (i == wide->n || cmp(w + i * size, value) != 0)
			return false;
	}
	return true;
}

bool
nostr_filter_covers(const NostrFilter *wide, const NostrFilter *narrow)
{
	if (wide->limit >= 0 || wide->since > narrow->since || wide->until < narrow->until)
		return false;
	if (wide->search != NULL &&
		(narrow->search == NULL || wide->search_len != narrow->search_len ||
		 memcmp(wide->search, narrow->search, wide->search_len) != 0))
		return false;
	for (int i = 0; i < NOSTR_FILTER_LETTERS; i++)
		if (!list_covers(&wide->tags[i], &narrow->tags[i], sizeof(NostrFilterValue),
						 nostr_filter_value_cmp))
			return false;
	return list_covers(&wide->ids, &narrow->ids, 32, cmp_32) &&
		list_covers(&wide->authors, &narrow->authors, 32, cmp_32) &&
		list_covers(&wide->kinds, &narrow->kinds, sizeof(uint16_t), cmp_kind);
}
