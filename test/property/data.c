/*
 * data.c
 *
 * Random data sets.
 */
#include "data.h"

#include <string.h>

#include "nostr/tags.h"

const char *
data_shape_name(DataShape s)
{
	static const char *const names[DATA_SHAPES] = {"spread", "steady", "seconds", "bursts", "extremes", "dense"};

	return names[s];
}

int
data_kind(int n)
{
	static const int kinds[] = {1, 7, 4, 0, 1059, 6, 3, 5, 9735, 30023, 10002, 1984};
	int			known = (int) (sizeof(kinds) / sizeof(kinds[0]));

	return n < known ? kinds[n] : 20000 + n;
}

const char *
data_topic(int n)
{
	static char topic[16];

	snprintf(topic, sizeof(topic), n < 3 ? "%c" : "topic %d", n < 3 ? 'a' + n : n);
	return topic;
}

void
data_author(int n, uint8_t pubkey[32])
{
	memset(pubkey, 0, 32);
	for (int i = 0; i < 4; i++)
		pubkey[i] = (uint8_t) (n >> (8 * i));
	pubkey[31] = 1;
}

void
data_random_spec(DataSpec *d, Random *r)
{
	static const int most[] = {12, 60, 150, 150, 300, 300, 600, 2000};
	static const int64_t span[] = {1, 5, 60, 1000, 86400, 10000000};
	static const int authors[] = {1, 3, 20, 100000};
	static const int topics[] = {3, 3, 3, 12, 40};

	Random		dense = {r->state + 3};	/* of its own: the rest stays as it was */

	d->shape = (DataShape) (random_next(r) % DATA_DENSE);
	d->events = (int) random_between(r, 0, most[random_next(r) % 8]);
	d->span = span[random_next(r) % 6];
	d->kinds = (int) random_between(r, 1, 12);
	d->authors = authors[random_next(r) % 4];
	d->topics = 3;
	if (random_one_in(&dense, 8))
	{
		d->shape = DATA_DENSE;
		d->kinds = d->authors = 1;
		d->topics = topics[random_next(&dense) % 5];
	}
}

static int64_t
when(const DataSpec *d, int i, int64_t *burst, int *left, Random *r)
{
	static const int64_t ends[] = {0, 1, INT64_C(1725194263529), INT64_C(4000000000),
	(INT64_C(1) << 34) + 7, 1, 0};

	switch (d->shape)
	{
		case DATA_STEADY:
			return DATA_BASE + i;
		case DATA_SECONDS:
			return DATA_BASE + random_between(r, 0, d->span < 4 ? d->span : 4);
		case DATA_BURSTS:
		case DATA_DENSE:
			if (*left == 0 && random_one_in(r, 30))
			{
				*burst = DATA_BASE + random_between(r, 0, d->span);
				*left = (int) random_between(r, 2, 200);
			}
			if (*left > 0)
			{
				--*left;
				return *burst;
			}
			break;
		case DATA_EXTREMES:
			if (random_one_in(r, 10))
				return ends[random_next(r) % 7];
			break;
		case DATA_SPREAD:
			break;
	}
	return DATA_BASE + random_between(r, 0, d->span);
}

const NostrBuf *
data_event(const DataSpec *d, int64_t created_at, Random *r)
{
	static NostrBuf tags = {.max = 4096};
	static NostrBuf scratch = {.max = 65536};
	static NostrBuf json = {.max = 65536};
	char		content[1024];
	NostrEvent	ev = {0};
	const char *topic = data_topic((int) (random_next(r) % (uint64_t) d->topics));

	nostr_buf_reset(&tags);
	nostr_buf_reset(&scratch);
	nostr_buf_reset(&json);
	nostr_tags_begin(&tags, 1);
	nostr_tags_tag(&tags, 2);
	nostr_tags_name(&tags, (const uint8_t *) "t", 1);
	nostr_tags_element(&tags, (const uint8_t *) topic, strlen(topic));
	ev.created_at = created_at;
	ev.kind = data_kind((int) (random_next(r) % (uint64_t) d->kinds));
	data_author((int) (random_next(r) % (uint64_t) d->authors), ev.pubkey);
	for (int i = 0; i < 64; i++)
		ev.sig[i] = (uint8_t) random_next(r);
	ev.content_len = (size_t) snprintf(content, sizeof(content), "%016llx%*s",
									   (unsigned long long) random_next(r), d->filler, "");
	ev.content = (const uint8_t *) content;
	ev.tags = tags.data;
	ev.tags_len = tags.len;
	if (nostr_event_id(&ev, NOSTR_FORM_RAW, &scratch, ev.id))
		nostr_event_json(&ev, &json);
	return &json;
}

void
data_fill(RelayStore *store, const DataSpec *d, Random *r)
{
	int64_t		burst = 0;
	int			left = 0;

	for (int i = 0; i < d->events; i++)
	{
		const NostrBuf *json = data_event(d, when(d, i, &burst, &left, r), r);

		relay_store_add(store, (const char *) json->data, json->len, false);
	}
	relay_store_sort(store);
}

long
data_density(const RelayStore *store)
{
	long		most = 0;
	long		run = 0;

	for (long i = 0; i < store->n; i++)
	{
		run = i > 0 && store->item[i]->created_at == store->item[i - 1]->created_at ? run + 1 : 1;
		most = run > most ? run : most;
	}
	return most;
}
