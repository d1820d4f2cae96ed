/*
 * mention_store.c
 *
 * Mentions between the events and the table: see mention_store.h.
 *
 * Must survive any number of addresses; an address and its author are the
 * only things from outside that are kept, and both are bounded.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "nostr/mention.h"
#include "pg/guc.h"
#include "pg/mention_store.h"
#include "pg/mention_write.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define STORE_MAX		16384	/* addresses in memory */
#define STORE_SLOTS		32768	/* a power of two */
#define STORE_KEEP		12288	/* more are forgotten after a flush: room for a transaction */
#define COUNT_MAX		1000	/* mentions of one address not yet written */
#define WAIT_S			60

static MemoryContext store_context;
static BbMention **items;		/* STORE_MAX */
static int	nitems;
static int16 *slots;			/* index + 1 into items; 0: free */

static void
store_open(void)
{
	store_context = AllocSetContextCreate(TopMemoryContext, "bigbrotr mentions",
										  ALLOCSET_DEFAULT_SIZES);
	items = MemoryContextAlloc(store_context, sizeof(*items) * STORE_MAX);
	slots = MemoryContextAllocZero(store_context, sizeof(*slots) * STORE_SLOTS);
	nitems = 0;
}

void
mention_reset(void)
{
	if (store_context == NULL)
		return;
	MemoryContextDelete(store_context);
	store_context = NULL;
	nitems = 0;
}

static uint32
hash_of(const char *s, size_t len)
{
	uint32		h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8) s[i]) * 16777619u;
	return h;
}

static int16 *
slot_of(const char *url, size_t len, uint32 hash)
{
	uint32		at = hash % STORE_SLOTS;

	while (slots[at] != 0)
	{
		BbMention  *m = items[slots[at] - 1];

		if (m->hash == hash && m->len == len && memcmp(m->url, url, len) == 0)
			break;
		at = (at + 1) % STORE_SLOTS;
	}
	return &slots[at];
}

static bool
is_canonical(const char *url, size_t len)
{
	NostrRelayUrl u;
	bool		special = bb_allow_networks != NULL && bb_allow_networks[0] != '\0';

	return nostr_relay_url_parse(url, len, special, &u) == NOSTR_URL_OK &&
		strlen(u.url) == len && memcmp(u.url, url, len) == 0;
}

bool
mention_add(const char *url, size_t len, uint32 via, const uint8 *author, BbMentionCounts *c)
{
	uint32		hash = hash_of(url, len);
	BbMention  *m;
	int16	   *slot;

	if (!bb_finder_events && (via & NOSTR_VIA_SOURCE) == 0)
		return true;
	if (nitems == STORE_MAX)
		mention_flush(true, c);
	if (store_context == NULL)
		store_open();
	slot = slot_of(url, len, hash);
	if (*slot == 0)
	{
		if (via == 0 || via >= (1u << NOSTR_VIA_COUNT) || !is_canonical(url, len))
			return false;
		m = MemoryContextAllocZero(store_context, sizeof(*m));
		m->url = MemoryContextAlloc(store_context, len + 1);
		memcpy(m->url, url, len);
		m->url[len] = '\0';
		m->len = len;
		m->hash = hash;
		items[nitems++] = m;
		*slot = nitems;
	}
	m = items[*slot - 1];
	m->count++;
	m->via |= via;
	if (author != NULL)
		nostr_sketch_add(&m->sketch, nostr_sketch_hash(author));
	return true;
}

void
mention_add_event(const NostrEvent *ev, BbMentionCounts *c)
{
	static NostrMentions found;

	if (!bb_finder_events)
		return;
	if (found.text.max == 0)
		nostr_mentions_init(&found);
	nostr_mentions_find(&found, ev, bb_allow_networks != NULL && bb_allow_networks[0] != '\0');
	for (int i = 0; i < found.n; i++)
		(void) mention_add(nostr_mention_url(&found, i), found.item[i].len,
						   found.item[i].via, ev->pubkey, c);
}

static bool
is_due(const BbMention *m, TimestampTz now)
{
	if (m->count == 0)
		return false;
	return !m->written || (m->via & ~m->via_written) != 0 || m->count >= COUNT_MAX ||
		TimestampDifferenceExceeds(m->written_at, now, WAIT_S * 1000);
}

static int
by_url(const void *a, const void *b)
{
	return strcmp((*(BbMention *const *) a)->url, (*(BbMention *const *) b)->url);
}

void
mention_flush(bool all, BbMentionCounts *c)
{
	TimestampTz now = GetCurrentTimestamp();
	BbMention **due;
	int			n = 0;

	if (nitems == 0)
		return;
	all |= nitems > STORE_KEEP;
	due = palloc(sizeof(*due) * nitems);
	for (int i = 0; i < nitems; i++)
		if (all ? items[i]->count > 0 : is_due(items[i], now))
			due[n++] = items[i];
	if (n > 0)
	{
		qsort(due, n, sizeof(*due), by_url);
		SPI_connect();
		mention_write(due, n, c);
		SPI_finish();
	}
	for (int i = 0; i < n; i++)
	{
		due[i]->written = true;
		due[i]->written_at = now;
		due[i]->via_written |= due[i]->via;
		due[i]->via = 0;
		due[i]->count = 0;
		memset(&due[i]->sketch, 0, sizeof(due[i]->sketch));
	}
	pfree(due);
	if (nitems > STORE_KEEP)
		mention_reset();
}
