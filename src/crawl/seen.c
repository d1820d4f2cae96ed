/*
 * seen.c
 *
 * What a walk remembers: the events of one second, so that asking for it
 * again shows what is new, and which kinds a relay serves.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "sync_internal.h"

void
sync_seen_reset(SyncSeen *seen, int64_t at)
{
	seen->n = 0;
	seen->full = false;
	seen->at = at;
}

bool
sync_seen_again(SyncSeen *seen, const uint8_t id[32])
{
	for (uint32_t i = seen->n; i-- > 0;)
	{
		SyncSeenItem *it = &seen->item[i];

		if (memcmp(it->id, id, 32) != 0)
			continue;
		if (it->answer == seen->answer)
			return false;
		it->answer = seen->answer;
		return true;
	}
	return false;
}

bool
sync_seen_add(SyncSeen *seen, int64_t at, const NostrEvent *ev)
{
	SyncSeenItem *it;

	if (seen->at != at)
		sync_seen_reset(seen, at);
	for (uint32_t i = seen->n; i-- > 0;)
		if (memcmp(seen->item[i].id, ev->id, 32) == 0)
		{
			seen->item[i].answer = seen->answer;
			return false;
		}
	if (seen->n == seen->cap)
	{
		uint32_t	cap = seen->cap > 0 ? seen->cap * 2 : 64;
		void	   *p = cap <= SYNC_MAX_SEEN * 2 ? realloc(seen->item, cap * sizeof(*it)) : NULL;

		if (p == NULL)
		{
			seen->full = true;
			return true;
		}
		seen->item = p;
		seen->cap = cap;
	}
	it = &seen->item[seen->n++];
	memcpy(it->id, ev->id, 32);
	memcpy(it->pubkey, ev->pubkey, 32);
	it->kind = (uint16_t) ev->kind;
	it->answer = seen->answer;
	it->proved = false;
	return true;
}

void
sync_kind_seen(Sync *s, int32_t kind)
{
	if (s->kinds_seen != NULL)
		s->kinds_seen[kind / 8] |= (uint8_t) (1 << (kind % 8));
}

/* Kinds in common use that are public, whatever the relay's policy; ascending. */
static const uint16_t common[] = {
	0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 16, 17, 18, 20, 21, 22, 40, 41, 42, 43, 44,
	62, 64, 78, 818, 1018, 1021, 1022, 1040, 1063, 1066, 1068, 1111, 1222, 1244, 1311,
	1337, 1617, 1618, 1621, 1622, 1630, 1631, 1632, 1633, 1808, 1971, 1984, 1985, 1986,
	1987, 2003, 2004, 2022, 4550, 5000, 5050, 5300, 6000, 6050, 6300, 7000, 7374, 7375,
	7376, 8000, 9000, 9001, 9005, 9007, 9021, 9022, 9041, 9321, 9467, 9734, 9735, 9802,
	10000, 10001, 10002, 10003, 10004, 10005, 10006, 10007, 10009, 10012, 10013, 10015,
	10019, 10020, 10030, 10050, 10063, 10096, 10101, 10102, 10133, 10166, 10312, 10317,
	10377, 11111, 13194, 17375, 30000, 30001, 30002, 30003, 30004, 30005, 30007, 30008,
	30009, 30015, 30017, 30018, 30019, 30020, 30023, 30024, 30030, 30040, 30041, 30063,
	30078, 30166, 30267, 30311, 30312, 30313, 30315, 30388, 30402, 30403, 30617, 30618,
	30818, 30819, 31234, 31388, 31890, 31922, 31923, 31924, 31925, 31989, 31990, 32123,
	32267, 34235, 34236, 34550, 37375, 38172, 38173, 38383, 38384, 39000, 39001, 39002,
	39003, 39089, 39092, 39701,
};

static bool
is_common(uint16_t kind)
{
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (common[i] == kind)
			return true;
	return false;
}

static bool
is_seen(const Sync *s, uint32_t kind)
{
	return s->kinds_seen[kind / 8] >> (kind % 8) & 1;
}

uint32_t
sync_kind_cut(const Sync *s, int which, uint16_t *out)
{
	bool		all = which == 0;
	const uint16_t *own = (const uint16_t *) s->filter.kinds.mem.data;
	uint32_t	n = 0;

	if (s->filter.ids.given)
		return 0;
	if (s->filter.kinds.given)
	{
		for (uint32_t i = 0; i < s->filter.kinds.n && n < SYNC_MAX_CUT; i++)
			if (is_seen(s, own[i]) || (all && is_common(own[i])))
				out[n++] = own[i];
		return n;
	}
	for (uint32_t k = 0, c = 0; k <= NOSTR_MAX_KIND && n < SYNC_MAX_CUT; k++)
	{
		bool		listed = c < sizeof(common) / sizeof(common[0]) && common[c] == k;

		c += listed;
		if (is_seen(s, k) || (all && listed))
			out[n++] = (uint16_t) k;
	}
	return n;
}
