/*
 * compact_merge.c
 *
 * Merges observations into the blocks of the compact tier.
 *
 * Guarantees that blocks of one form (and relay) never overlap, and that only
 * blocks are rewritten into which something falls, or which are small and end
 * just before it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "pg/archive_plan.h"
#include "pg/compact.h"
#include "pg/packed.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#define WRITE_BLOCKS 512		/* in one statement */
/* A block with fewer bytes than this takes what comes behind it. */
#define SMALL_BLOCK (BB_PACKED_BLOCK / 3)

/* Blocks to write and to remove.  The tables are read as they were before. */
typedef struct Writer
{
	NostrObsForm form;
	Datum		first[WRITE_BLOCKS];
	Datum		last[WRITE_BLOCKS];
	Datum		relay[WRITE_BLOCKS];
	Datum		n[WRITE_BLOCKS];
	Datum		data[WRITE_BLOCKS];
	int			count;
	Datum		gone_first[WRITE_BLOCKS];
	Datum		gone_relay[WRITE_BLOCKS];
	int			gone;
	MemoryContext context;		/* of data */
} Writer;

static void
flush_gone(Writer *w)
{
	Datum		args[2];

	if (w->gone == 0)
		return;
	args[0] = archive_array(w->gone_first, NULL, w->gone, INT8OID);
	args[1] = archive_array(w->gone_relay, NULL, w->gone, INT4OID);
	archive_plan_run(w->form == NOSTR_OBS_BY_EVENT ? BB_PLAN_PACKED_DROP_EVENT : BB_PLAN_PACKED_DROP_RELAY,
					 args, NULL);
	w->gone = 0;
}

/* What is removed may have the key of what is written: it goes first. */
static void
flush(Writer *w)
{
	Datum		args[5];

	flush_gone(w);
	if (w->count == 0)
		return;
	args[0] = archive_array(w->first, NULL, w->count, INT8OID);
	args[1] = archive_array(w->last, NULL, w->count, INT8OID);
	args[2] = archive_array(w->n, NULL, w->count, INT4OID);
	args[3] = archive_array(w->data, NULL, w->count, BYTEAOID);
	args[4] = archive_array(w->relay, NULL, w->count, INT4OID);
	archive_plan_run(w->form == NOSTR_OBS_BY_EVENT ? BB_PLAN_PACKED_ADD_EVENT : BB_PLAN_PACKED_ADD_RELAY,
					 args, NULL);
	w->count = 0;
	MemoryContextReset(w->context);
}

static Writer *
writer(NostrObsForm form)
{
	Writer	   *w = palloc0(sizeof(*w));

	w->form = form;
	w->context = AllocSetContextCreate(CurrentMemoryContext, "bigbrotr blocks", ALLOCSET_DEFAULT_SIZES);
	return w;
}

static void
finish(Writer *w)
{
	flush(w);
	MemoryContextDelete(w->context);
	pfree(w);
}

static bytea *
pack(const NostrObs *o, size_t n, NostrObsForm form)
{
	bytea	   *data = palloc_extended(VARHDRSZ + NOSTR_OBS_HEADER + n * NOSTR_OBS_ITEM_MAX, MCXT_ALLOC_HUGE);
	size_t		len = VARHDRSZ + nostr_obs_pack(o, n, form, (uint8 *) VARDATA(data));

	if (len > MaxAllocSize)
		elog(ERROR, "too many observations of one event");
	SET_VARSIZE(data, len);
	return repalloc(data, len);
}

/* o[0..n) as blocks. */
static void
put(Writer *w, const NostrObs *o, size_t n)
{
	size_t		take;

	for (size_t i = 0; i < n; i += take)
	{
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		if (w->count == WRITE_BLOCKS)
			flush(w);
		take = nostr_obs_cut(o + i, n - i, w->form, BB_PACKED_BLOCK);
		old = MemoryContextSwitchTo(w->context);
		w->data[w->count] = PointerGetDatum(pack(o + i, take, w->form));
		MemoryContextSwitchTo(old);
		w->first[w->count] = Int64GetDatum(o[i].key);
		w->last[w->count] = Int64GetDatum(o[i + take - 1].key);
		w->relay[w->count] = Int32GetDatum(o[i].relay_id);
		w->n[w->count++] = Int32GetDatum((int32) take);
	}
}

/*
 * The block that o belongs to: the one that holds its key, or a small one that
 * ends below it.  Its items are copied, it is to be removed.
 */
static size_t
take_block(Writer *w, BbPacked *p, const NostrObs *o, NostrObs **items)
{
	BbBlock		b;

	packed_seek(p, o->relay_id, 0, o->key, true);
	if (!packed_next_block(p, &b) || (b.last_key < o->key && b.size >= SMALL_BLOCK))
		return 0;
	if (w->gone == WRITE_BLOCKS)
		flush_gone(w);
	w->gone_first[w->gone] = Int64GetDatum(b.first_key);
	w->gone_relay[w->gone++] = Int32GetDatum(b.relay_id);
	*items = palloc_extended(sizeof(NostrObs) * b.n, MCXT_ALLOC_HUGE);
	memcpy(*items, b.items, sizeof(NostrObs) * b.n);
	return b.n;
}

/* Where the next block behind o begins. */
static int64
next_block(BbPacked *p, const NostrObs *o)
{
	BbBlock		b;

	if (o->key == PG_INT64_MAX)
		return PG_INT64_MAX;
	packed_seek(p, o->relay_id, o->key + 1, PG_INT64_MAX, false);
	while (packed_next_block(p, &b))
	{
		if (b.first_key > o->key)
			return b.first_key;
	}
	return PG_INT64_MAX;
}

/* o is sorted as the form wants it. */
static int64
merge_form(const NostrObs *o, size_t n, NostrObsForm form)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	BbPacked   *p = packed_begin(form, snapshot);
	Writer	   *w = writer(form);
	int64		duplicates = 0;
	size_t		end;

	for (size_t i = 0; i < n; i = end)
	{
		NostrObs   *base = NULL;
		NostrObs   *merged;
		size_t		nbase = take_block(w, p, &o[i], &base);
		int64		limit = next_block(p, &o[i]);
		size_t		m;

		for (end = i + 1; end < n && o[end].key < limit &&
			 (form == NOSTR_OBS_BY_EVENT || o[end].relay_id == o[i].relay_id);)
			end++;
		/* the last key of all is nobody's limit */
		while (end < n && limit == PG_INT64_MAX && o[end].key == limit &&
			   (form == NOSTR_OBS_BY_EVENT || o[end].relay_id == o[i].relay_id))
			end++;
		merged = palloc_extended(sizeof(NostrObs) * (nbase + end - i), MCXT_ALLOC_HUGE);
		m = nostr_obs_merge(base, nbase, o + i, end - i, merged);
		duplicates += nbase + end - i - m;
		put(w, merged, m);
		pfree(merged);
		if (base != NULL)
			pfree(base);
	}
	finish(w);
	packed_end(p);
	UnregisterSnapshot(snapshot);
	return duplicates;
}

/* o is sorted as the form wants it; all of them are there. */
static void
remove_form(const NostrObs *o, size_t n, NostrObsForm form)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	BbPacked   *p = packed_begin(form, snapshot);
	Writer	   *w = writer(form);
	size_t		end;

	for (size_t i = 0; i < n; i = end)
	{
		NostrObs   *base = NULL;
		size_t		nbase = take_block(w, p, &o[i], &base);
		size_t		m = 0;

		end = i;
		for (size_t b = 0; b < nbase; b++)
		{
			if (end < n && nostr_obs_cmp_event(&base[b], &o[end]) == 0)
				end++;
			else
				base[m++] = base[b];
		}
		if (end == i)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("two forms of packed observations differ"),
					 errhint("Run SELECT * FROM bigbrotr.packed_verify() to find the differences.")));
		put(w, base, m);
		pfree(base);
	}
	finish(w);
	packed_end(p);
	UnregisterSnapshot(snapshot);
}

void
compact_remove(NostrObs *o, int n)
{
	remove_form(o, n, NOSTR_OBS_BY_EVENT);
	qsort(o, n, sizeof(*o), nostr_obs_cmp_relay);
	remove_form(o, n, NOSTR_OBS_BY_RELAY);
}

int64
compact_merge(NostrObs *o, int n)
{
	int64		duplicates = merge_form(o, n, NOSTR_OBS_BY_EVENT);

	qsort(o, n, sizeof(*o), nostr_obs_cmp_relay);
	if (merge_form(o, n, NOSTR_OBS_BY_RELAY) != duplicates)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("two forms of packed observations differ"),
				 errhint("Run SELECT * FROM bigbrotr.packed_verify() to find the differences.")));
	return duplicates;
}
