/*
 * packed.c
 *
 * See packed.h.
 *
 * An index scan finds blocks by their first key.  The block that holds key lo
 * is the last one that begins at or below it: one step back from lo, then
 * forward; going down, one scan from hi suffices.
 */
#include "pg/compat.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "executor/tuptable.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "pg/grow.h"
#include "pg/packed.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#define MAX_KEYS 3

struct BbPacked
{
	MemoryContext context;
	NostrObsForm form;
	Relation	table;
	Relation	index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
	int32		relay_id;
	int64		lo;
	int64		hi;
	bool		descending;
	bool		head;			/* the block that holds lo comes first */
	bool		done;
	NostrObs   *items;			/* of the block */
	int			cap;
	int			n;
	int			at;				/* packed_next: items given */
};

const char *
packed_table(NostrObsForm form)
{
	return form == NOSTR_OBS_BY_EVENT ? "observation_by_event" : "observation_by_relay";
}

static Oid
oid_of(const char *table, const char *suffix)
{
	char	   *name = psprintf("%s%s", table, suffix);
	Oid			oid = get_relname_relid(name, get_namespace_oid("bigbrotr", false));

	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"bigbrotr.%s\" does not exist", name)));
	pfree(name);
	return oid;
}

BlockNumber
packed_pages(NostrObsForm form)
{
	Relation	table = table_open(oid_of(packed_table(form), ""), AccessShareLock);
	BlockNumber pages = RelationGetNumberOfBlocks(table);

	table_close(table, AccessShareLock);
	return pages;
}

BbPacked *
packed_begin(NostrObsForm form, Snapshot snapshot)
{
	BbPacked   *p = palloc0(sizeof(*p));
	int			nkeys = form == NOSTR_OBS_BY_RELAY ? 3 : 2;

	p->context = CurrentMemoryContext;
	p->form = form;
	p->table = table_open(oid_of(packed_table(form), ""), AccessShareLock);
	p->index = index_open(oid_of(packed_table(form), "_pkey"), AccessShareLock);
	p->slot = table_slot_create(p->table, NULL);
#if PG_VERSION_NUM >= 180000
	p->scan = index_beginscan(p->table, p->index, snapshot, NULL, nkeys, 0);
#else
	p->scan = index_beginscan(p->table, p->index, snapshot, nkeys, 0);
#endif
	p->done = true;
	return p;
}

void
packed_end(BbPacked *p)
{
	index_endscan(p->scan);
	ExecDropSingleTupleTableSlot(p->slot);
	index_close(p->index, AccessShareLock);
	table_close(p->table, AccessShareLock);
	if (p->items != NULL)
		pfree(p->items);
	pfree(p);
}

/* Blocks with lo <= first_key <= hi. */
static void
rescan(BbPacked *p, int64 lo, int64 hi)
{
	ScanKeyData key[MAX_KEYS];
	int			n = 0;

	/* any relay: all of them, whatever their order */
	if (p->form == NOSTR_OBS_BY_RELAY)
	{
		ScanKeyInit(&key[n], n + 1,
					p->relay_id == 0 ? BTGreaterStrategyNumber : BTEqualStrategyNumber,
					p->relay_id == 0 ? F_INT4GT : F_INT4EQ, Int32GetDatum(p->relay_id));
		n++;
	}
	ScanKeyInit(&key[n], p->form == NOSTR_OBS_BY_RELAY ? 2 : 1, BTGreaterEqualStrategyNumber,
				F_INT8GE, Int64GetDatum(lo));
	n++;
	ScanKeyInit(&key[n], p->form == NOSTR_OBS_BY_RELAY ? 2 : 1, BTLessEqualStrategyNumber,
				F_INT8LE, Int64GetDatum(hi));
	n++;
	index_rescan(p->scan, key, n, NULL, 0);
}

void
packed_seek(BbPacked *p, int32 relay_id, int64 lo, int64 hi, bool descending)
{
	bool		any = p->form == NOSTR_OBS_BY_RELAY && relay_id == 0;
	MemoryContext old;

	p->relay_id = p->form == NOSTR_OBS_BY_RELAY ? relay_id : 0;
	p->lo = any ? PG_INT64_MIN : lo;
	p->hi = hi;
	p->descending = descending;
	p->n = p->at = 0;
	p->done = lo > hi;
	if (p->done)
		return;
	p->head = !any && !descending;
	old = MemoryContextSwitchTo(p->context);
	rescan(p, PG_INT64_MIN, p->head ? lo : hi);
	MemoryContextSwitchTo(old);
}

int
packed_items(const bytea *data, int64 first_key, int32 relay_id, NostrObs **items, int *cap)
{
	NostrObsReader r;
	int			n = 0;
	int			rc = -1;

	if (nostr_obs_open(&r, (const uint8 *) VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), first_key, relay_id))
	{
		for (;;)
		{
			BB_GROW(*items, n, *cap);
			rc = nostr_obs_next(&r, &(*items)[n]);
			if (rc != 1)
				break;
			n++;
		}
	}
	if (rc != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("packed observations from key %lld on are corrupted", (long long) first_key)));
	return n;
}

static Datum
column(TupleTableSlot *slot, int attnum)
{
	bool		isnull;
	Datum		d = slot_getattr(slot, attnum, &isnull);

	if (isnull)
		elog(ERROR, "unexpected null in packed observations");
	return d;
}

/* The row of the index scan as a block; columns as in src/schema. */
static void
take(BbPacked *p, BbBlock *b)
{
	bool		by_relay = p->form == NOSTR_OBS_BY_RELAY;
	Datum		d = column(p->slot, by_relay ? 5 : 4);
	bytea	   *data = DatumGetByteaPP(d);

	b->first_key = DatumGetInt64(column(p->slot, 1));
	b->last_key = DatumGetInt64(column(p->slot, 2));
	b->relay_id = by_relay ? DatumGetInt32(column(p->slot, 3)) : 0;
	p->n = packed_items(data, b->first_key, b->relay_id, &p->items, &p->cap);
	p->at = 0;
	b->size = (int) VARSIZE_ANY_EXHDR(data);
	if ((Pointer) data != DatumGetPointer(d))
		pfree(data);
	if (p->items[p->n - 1].key != b->last_key)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("packed observations from key %lld on do not end at key %lld",
						(long long) b->first_key, (long long) b->last_key)));
	b->items = p->items;
	b->n = p->n;
}

bool
packed_next_block(BbPacked *p, BbBlock *b)
{
	MemoryContext old = MemoryContextSwitchTo(p->context);
	bool		got = false;

	while (!p->done && !got)
	{
		bool		head = p->head;

		got = index_getnext_slot(p->scan, p->descending || head ? BackwardScanDirection
								 : ForwardScanDirection, p->slot);

		CHECK_FOR_INTERRUPTS();
		if (got && DatumGetInt64(column(p->slot, 2)) >= p->lo)
			take(p, b);
		else if (!head)
		{
			/* going down, what ends below lo ends it */
			p->done = true;
			got = false;
		}
		else
			got = false;
		if (head)
		{
			p->head = false;
			if (p->lo < p->hi)
				rescan(p, p->lo + 1, p->hi);
			else
				p->done = true;
		}
	}
	MemoryContextSwitchTo(old);
	return got;
}

bool
packed_next(BbPacked *p, NostrObs *out)
{
	BbBlock		b;

	for (;;)
	{
		while (p->at < p->n)
		{
			const NostrObs *o = &p->items[p->descending ? p->n - 1 - p->at : p->at];

			p->at++;
			if (o->key < p->lo || o->key > p->hi)
				continue;
			*out = *o;
			return true;
		}
		if (!packed_next_block(p, &b))
			return false;
	}
}
