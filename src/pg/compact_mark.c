/*
 * compact_mark.c
 *
 * Finds out which observations of a batch are packed already.  See compact.h
 * for the lock that makes the answer last.
 *
 * Events of the last half day cost nothing here; older ones cost about one
 * index lookup per block that the batch touches.
 */
#include "postgres.h"

#include <time.h>

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "pg/compact.h"
#include "pg/packed.h"

void
compact_lock(bool exclusive)
{
	Oid			table = get_relname_relid("observation", get_namespace_oid("bigbrotr", false));

	/* not the lock of a table: it would keep out readers and vacuum too */
	LockDatabaseObject(RelationRelationId, table, 0, exclusive ? ExclusiveLock : ShareLock);
}

static int
by_relay(const void *a, const void *b)
{
	const BbObservation *x = *(BbObservation *const *) a;
	const BbObservation *y = *(BbObservation *const *) b;

	if (x->relay_id != y->relay_id)
		return x->relay_id < y->relay_id ? -1 : 1;
	return (x->key > y->key) - (x->key < y->key);
}

/* Marks those of w[0..n), sorted by (relay, key), that blocks have. */
static void
mark(BbObservation **w, int n)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	BbPacked   *p = packed_begin(NOSTR_OBS_BY_RELAY, snapshot);
	int			i = 0;

	while (i < n)
	{
		int32		relay_id = w[i]->relay_id;
		int			end = i;
		BbBlock		b;

		while (end < n && w[end]->relay_id == relay_id)
			end++;
		packed_seek(p, relay_id, w[i]->key, w[end - 1]->key, false);
		while (i < end && packed_next_block(p, &b))
		{
			int			j = 0;

			for (; i < end && w[i]->key <= b.last_key; i++)
			{
				while (b.items[j].key < w[i]->key)
					j++;
				w[i]->packed = b.items[j].key == w[i]->key;
			}
			/* a batch may reach over years of blocks: skip to its next key */
			if (i < end)
				packed_seek(p, relay_id, w[i]->key, w[end - 1]->key, false);
		}
		i = end;
	}
	packed_end(p);
	UnregisterSnapshot(snapshot);
}

void
compact_mark(BbObservation *o, int n)
{
	int64		young = (int64) (time(NULL) - BB_COMPACT_MIN_AGE_S / 2) << 29;
	BbObservation **cold;
	int			m = 0;

	for (int i = 0; i < n; i++)
		o[i].packed = false;
	if (n == 0 || o[0].key >= young)
		return;
	compact_lock(false);
	if (packed_pages(NOSTR_OBS_BY_RELAY) == 0)
		return;
	cold = palloc(sizeof(*cold) * n);
	for (int i = 0; i < n && o[i].key < young; i++)
		cold[m++] = &o[i];
	qsort(cold, m, sizeof(*cold), by_relay);
	mark(cold, m);
	pfree(cold);
}
