/*
 * archive.c
 *
 * What the archive holds, and telling it.
 */
#include "archive.h"

#include <stdlib.h>
#include <string.h>

static int
by_key(const void *a, const void *b)
{
	const SyncHeld *x = a;
	const SyncHeld *y = b;

	return x->key > y->key ? -1 : x->key < y->key;
}

static void
add(Archive *a, int64_t created_at, const uint8_t id[32])
{
	SyncHeld   *h = &a->held[a->n++];

	h->created_at = created_at;
	memcpy(h->id, id, 32);
	h->key = nostr_event_key(created_at, id);
}

void
archive_fill(Archive *a, const RelayStore *store, int share, int phantoms, Random *r, bool *has)
{
	int64_t		low = store->n > 0 ? store->item[store->n - 1]->created_at : 0;
	int64_t		high = store->n > 0 ? store->item[0]->created_at : 1;
	uint8_t		id[32];

	a->held = calloc((size_t) store->n + (size_t) phantoms + 1, sizeof(SyncHeld));
	for (long i = 0; i < store->n; i++)
	{
		bool		held = random_between(r, 1, 100) <= share;

		if (has != NULL)
			has[i] = held;
		if (held)
			add(a, store->item[i]->created_at, store->item[i]->id);
	}
	for (int i = 0; i < phantoms; i++)
	{
		for (int b = 0; b < 32; b++)
			id[b] = (uint8_t) random_next(r);
		add(a, random_between(r, low, high), id);
	}
	qsort(a->held, (size_t) a->n, sizeof(SyncHeld), by_key);
	/* two of one key: the archive gives the second the next free one */
	for (long i = a->n - 2; i >= 0; i--)
	{
		if (a->held[i].key <= a->held[i + 1].key)
			a->held[i].key = a->held[i + 1].key + 1;
	}
}

static void
tell(uv_timer_t *t)
{
	Archive    *a = t->data;
	SyncHeld   *part = malloc(sizeof(SyncHeld) * (a->part + 1));
	uint32_t	n = 0;
	uint32_t	seq;
	bool		last = true;

	for (long i = 0; i < a->n; i++)
	{
		const SyncHeld *h = &a->held[i];

		if (h->key >= a->asked[0].below || h->created_at < a->asked[0].since ||
			h->created_at > a->asked[0].until)
			continue;
		if (n == a->part)
		{
			last = false;
			break;
		}
		part[n++] = *h;
	}
	a->told += n;
	seq = a->asked[0].seq;
	a->nasked--;
	if (*a->sync == NULL)
		a->nasked = 0;			/* nobody listens any more */
	else
	{
		memmove(a->asked, a->asked + 1, sizeof(a->asked[0]) * (size_t) a->nasked);
		if (a->nasked > 0)
			uv_timer_start(&a->timer, tell, 0, 0);
		sync_set(*a->sync, seq, last, part, n);
	}
	free(part);
}

void
archive_open(Archive *a, uv_loop_t *loop, Sync **sync)
{
	uv_timer_init(loop, &a->timer);
	a->timer.data = a;
	a->sync = sync;
}

bool
archive_request(Archive *a, uint32_t seq, int64_t since, int64_t until, int64_t below)
{
	if (a->nasked == ARCHIVE_MAX_ASKED)
		return false;
	a->asked[a->nasked].seq = seq;
	a->asked[a->nasked].since = since;
	a->asked[a->nasked].until = until;
	a->asked[a->nasked].below = below;
	if (a->nasked++ == 0)
		uv_timer_start(&a->timer, tell, 0, 0);
	return true;
}

void
archive_close(Archive *a, void (*closed) (uv_handle_t *))
{
	uv_close((uv_handle_t *) &a->timer, closed);
}

void
archive_free(Archive *a)
{
	free(a->held);
	a->held = NULL;
}
