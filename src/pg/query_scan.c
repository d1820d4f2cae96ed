/*
 * query_scan.c
 *
 * Receives rows of event and keeps those that match a filter.
 *
 * Guarantees that answers do not depend on indexes: each row is compared with
 * the whole filter.  An ordered scan stops only between two seconds, so that
 * ties are never cut before they are sorted.
 */
#include "postgres.h"

#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nostr/event.h"
#include "nostr/kind.h"
#include "pg/query.h"
#include "utils/memutils.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

int64
bb_clamp_second(int64 created_at)
{
	if (created_at < 0)
		return 0;
	return Min(created_at, NOSTR_KEY_MAX_TIME);
}

int
bb_hit_cmp(const void *a, const void *b)
{
	const BbHit *x = a;
	const BbHit *y = b;

	if (x->created_at != y->created_at)
		return x->created_at > y->created_at ? -1 : 1;
	return memcmp(x->id, y->id, 32);
}

static void
scan_startup(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
scan_nothing(DestReceiver *self)
{
}

void
bb_receiver_init(DestReceiver *pub, bool (*row) (TupleTableSlot *slot, DestReceiver *self))
{
	pub->receiveSlot = row;
	pub->rStartup = scan_startup;
	pub->rShutdown = scan_nothing;
	pub->rDestroy = scan_nothing;
	pub->mydest = DestTuplestore;	/* says to others only: somebody takes the rows */
}

/* The CHECKs of the table promise the length. */
const uint8 *
bb_slot_bytes32(TupleTableSlot *slot, int column)
{
	bool		isnull;
	bytea	   *b = DatumGetByteaPP(slot_getattr(slot, column, &isnull));

	if (VARSIZE_ANY_EXHDR(b) != 32)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("id or public key in bigbrotr.event is not 32 bytes long")));
	return (const uint8 *) VARDATA_ANY(b);
}

static void
scan_keep(BbScan *s, int64 key, const NostrEvent *ev)
{
	BbCandidate *c;

	if (s->n == s->cap)
	{
		s->cap = s->cap == 0 ? 256 : s->cap * 2;
		s->c = s->c == NULL ?
			MemoryContextAllocHuge(s->batch, sizeof(BbCandidate) * s->cap) :
			repalloc_huge(s->c, sizeof(BbCandidate) * s->cap);
	}
	c = &s->c[s->n++];
	c->hit.key = key;
	c->hit.created_at = ev->created_at;
	memcpy(c->hit.id, ev->id, 32);
	c->kind = ev->kind;
	memcpy(c->pubkey, ev->pubkey, 32);
	c->tags = NULL;
	c->tags_len = 0;
	c->gone = false;
	if (s->q->relay && (ev->kind == NOSTR_KIND_GIFT_WRAP || nostr_kind_is_addressable(ev->kind)))
	{
		uint8	   *copy = MemoryContextAlloc(s->batch, ev->tags_len);

		memcpy(copy, ev->tags, ev->tags_len);
		c->tags = copy;
		c->tags_len = (uint32) ev->tags_len;
	}
}

/* Column 7 is compared only when all else fits. */
static bool
fits(const BbQuery *q, int i, const NostrEvent *ev, TupleTableSlot *slot, bool searched)
{
	bool		isnull;
	Datum		content;

	if (!nostr_filter_match(&q->f[i], ev))
		return false;
	if (q->words[i] == NULL || searched)
		return true;
	content = slot_getattr(slot, 7, &isnull);
	return bb_search_match(q->search, q->words[i], ev->kind, content, isnull);
}

/* Does the row match, and is it this filter's to answer? */
static bool
scan_match(BbScan *s, const NostrEvent *ev, TupleTableSlot *slot)
{
	if (!fits(s->q, s->at, ev, slot, s->searched))
		return false;
	for (int i = 0; s->counting && i < s->at; i++)
		if (fits(s->q, i, ev, slot, false))
			return false;
	return !s->q->relay || bb_relay_servable(s->q, ev->kind, ev->tags, ev->tags_len);
}

static bool
scan_row(TupleTableSlot *slot, DestReceiver *self)
{
	BbScan	   *s = (BbScan *) self;
	static const uint8 no_tags[1] = {0};
	MemoryContext old;
	NostrEvent	ev;
	bool		isnull;
	Datum		tags;
	int64		key = DatumGetInt64(slot_getattr(slot, 1, &isnull));
	int64		second = key >> NOSTR_KEY_ID_BITS;

	CHECK_FOR_INTERRUPTS();
	if (!s->ordered && s->budget > 0 && s->examined >= s->budget)
	{
		s->stopped = true;
		return false;
	}
	/* a code of time knows no order beyond 2106 */
	if (s->ordered && s->grain > 0)
	{
		second = Min(second, PG_UINT32_MAX);
		second -= second % s->grain;
	}
	if (s->ordered && s->examined > 0 && second < s->second &&
		((s->want > 0 && s->matched >= s->want) || (s->budget > 0 && s->examined >= s->budget)))
	{
		s->stopped = true;
		return false;
	}
	if (s->examined++ == 0)
		s->newest = second;
	s->second = second;
	MemoryContextReset(s->row);
	old = MemoryContextSwitchTo(s->row);
	memset(&ev, 0, sizeof(ev));
	ev.created_at = DatumGetInt64(slot_getattr(slot, 2, &isnull));
	ev.kind = DatumGetInt32(slot_getattr(slot, 3, &isnull));
	memcpy(ev.id, bb_slot_bytes32(slot, 4), 32);
	memcpy(ev.pubkey, bb_slot_bytes32(slot, 5), 32);
	tags = slot_getattr(slot, 6, &isnull);
	ev.tags = no_tags;
	ev.tags_len = 1;
	if (!isnull && (s->q->f[s->at].letters != 0 || s->q->relay || s->counting))
	{
		struct varlena *v = PG_DETOAST_DATUM_PACKED(tags);

		ev.tags = (const uint8 *) VARDATA_ANY(v);
		ev.tags_len = VARSIZE_ANY_EXHDR(v);
	}
	/* a relay has no light events */
	if (!(isnull && s->q->relay) && scan_match(s, &ev, slot))
	{
		s->matched++;
		if (!s->counting || s->q->relay)
			scan_keep(s, key, &ev);
	}
	MemoryContextSwitchTo(old);
	return true;
}

void
bb_scan_init(BbScan *s, const BbQuery *q, int at, MemoryContext batch)
{
	memset(s, 0, sizeof(*s));
	bb_receiver_init(&s->pub, scan_row);
	s->q = q;
	s->at = at;
	s->batch = batch;
	s->row = AllocSetContextCreate(CurrentMemoryContext, "bigbrotr row", ALLOCSET_SMALL_SIZES);
}

void
bb_scan_reset(BbScan *s)
{
	MemoryContextReset(s->batch);
	s->c = NULL;
	s->n = s->cap = 0;
	s->examined = s->matched = 0;
	s->stopped = false;
}
