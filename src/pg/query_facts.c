/*
 * query_facts.c
 *
 * What a relay would not serve because of other events: versions that were
 * replaced (NIP-01), what was deleted (NIP-09) or vanished (NIP-62).
 *
 * Guarantees an answer that depends only on which events the archive has, not
 * on the order in which they came.  So the newest version counts even when it
 * was deleted itself: an older one does not come back.  Deletions and requests
 * to vanish are served for ever; nothing deletes them.
 *
 * All that could be said about a candidate is a claim, found by its code: in
 * bigbrotr.ruling, which gives keys of events that may say it, or where that
 * is not complete (ruling_cover.c) among all such events of the author.  Only
 * what an event of the archive says counts; a light one, which no relay could
 * serve, says nothing.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nostr/ruling.h"
#include "nostr/tag_key.h"
#include "pg/archive_plan.h"
#include "pg/grow.h"
#include "pg/key_list.h"
#include "pg/query.h"
#include "utils/memutils.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#define ALL_RELAYS		"ALL_RELAYS"
#define NEWEST			2		/* entries that are looked at first: mostly they decide */

/* Something that may be said about a candidate. */
typedef struct Claim
{
	int64		code;
	BbCandidate *c;
	const uint8 *pubkey;		/* who may say it: the author, or who a gift is for */
	NostrRuling what;
	bool		recipient;
} Claim;

/* Receives the events that decide. */
typedef struct Facts
{
	DestReceiver pub;			/* must be first */
	const BbQuery *q;
	Claim	   *claim;			/* by code */
	int64		n;
	int64		cap;
	MemoryContext row;
} Facts;

/* One row of event that decides. */
typedef struct Fact
{
	int64		created_at;
	int32		kind;
	const uint8 *id;
	const uint8 *pubkey;
	const uint8 *tags;			/* empty where they say nothing */
	size_t		tags_len;
} Fact;

/* --- claims ----------------------------------------------------------------- */

static void
add_claim(Facts *f, BbCandidate *c, const uint8 *pubkey, NostrRuling what)
{
	Claim	   *claim;

	BB_GROW(f->claim, f->n, f->cap);
	claim = &f->claim[f->n++];
	claim->code = nostr_ruling_code(pubkey, &what);
	claim->c = c;
	claim->pubkey = pubkey;
	claim->what = what;
	claim->recipient = pubkey != c->pubkey;
}

static NostrRuling
vanish_on(const char *relay)
{
	return (NostrRuling) {NOSTR_RULES_VANISH, 0, {(const uint8 *) relay, strlen(relay), false}};
}

/* What this author, or receiver, may say. */
static void
add_person(Facts *f, BbCandidate *c, const uint8 *pubkey)
{
	if (c->kind == NOSTR_KIND_VANISH)
		return;
	add_claim(f, c, pubkey, vanish_on(ALL_RELAYS));
	if (f->q->relay_url != NULL)
		add_claim(f, c, pubkey, vanish_on(f->q->relay_url));
	if (c->kind != NOSTR_KIND_DELETION)
		add_claim(f, c, pubkey, (NostrRuling) {NOSTR_RULES_EVENT, 0, {c->hit.id, 32, true}});
}

static void
add_candidate(Facts *f, BbCandidate *c)
{
	NostrTagElement el = {(const uint8 *) "", 0, false};
	NostrTagIter it;
	uint8		letter;

	add_person(f, c, c->pubkey);
	if (nostr_kind_is_versioned(c->kind))
	{
		if (nostr_kind_is_addressable(c->kind))
			el = nostr_tags_identifier(c->tags, c->tags_len);
		add_claim(f, c, c->pubkey, (NostrRuling) {NOSTR_RULES_ADDRESS, c->kind, el});
		add_claim(f, c, c->pubkey, (NostrRuling) {NOSTR_RULES_VERSION, c->kind, el});
	}
	if (c->kind != NOSTR_KIND_GIFT_WRAP)
		return;
	nostr_tags_iter(&it, c->tags, c->tags_len);
	while (nostr_tags_next_letter(&it, &letter, &el))
		if (letter == 'p' && el.hex && el.len == 32)
			add_person(f, c, el.data);
}

static int
claim_cmp(const void *a, const void *b)
{
	const Claim *x = a;
	const Claim *y = b;

	return x->code < y->code ? -1 : x->code > y->code;
}

/* First claim of that code or a greater one. */
static int64
claim_find(const Facts *f, int64 code)
{
	int64		lo = 0;
	int64		hi = f->n;

	while (lo < hi)
	{
		int64		mid = lo + (hi - lo) / 2;

		if (f->claim[mid].code < code)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* --- what events say about them --------------------------------------------- */

/* NIP-01: the lowest id of the newest. */
static bool
newer(int64 at, const uint8 *id, const BbHit *than)
{
	return at > than->created_at || (at == than->created_at && memcmp(id, than->id, 32) < 0);
}

/* Does this ruling of an event take the candidate away? */
static bool
takes(const Fact *fact, const NostrRuling *r, const Claim *claim)
{
	const BbCandidate *c = claim->c;

	if (r->sort != claim->what.sort || r->kind != claim->what.kind || memcmp(fact->pubkey, claim->pubkey, 32) != 0 ||
		!nostr_tag_element_same_text(&r->value, &claim->what.value))
		return false;
	switch (r->sort)
	{
		case NOSTR_RULES_EVENT:
			return !claim->recipient || nostr_tags_have(fact->tags, fact->tags_len, "k", "1059");
		case NOSTR_RULES_ADDRESS:
		case NOSTR_RULES_VANISH:
			return c->hit.created_at <= fact->created_at;
		case NOSTR_RULES_VERSION:
			return newer(fact->created_at, fact->id, &c->hit);
	}
	return false;
}

static void
apply(Facts *f, const Fact *fact)
{
	NostrRulingIter it;
	NostrRuling r;

	nostr_rulings(&it, fact->kind, fact->pubkey, fact->tags, fact->tags_len);
	while (nostr_ruling_next(&it, &r))
	{
		int64		code = nostr_ruling_code(fact->pubkey, &r);

		for (int64 i = claim_find(f, code); i < f->n && f->claim[i].code == code; i++)
			if (takes(fact, &r, &f->claim[i]))
				f->claim[i].c->gone = true;
	}
}

static bool
fact_row(TupleTableSlot *slot, DestReceiver *self)
{
	Facts	   *f = (Facts *) self;
	MemoryContext old;
	Fact		fact = {.tags = (const uint8 *) ""};
	Datum		tags;
	bool		isnull;

	CHECK_FOR_INTERRUPTS();
	MemoryContextReset(f->row);
	old = MemoryContextSwitchTo(f->row);
	fact.created_at = DatumGetInt64(slot_getattr(slot, 2, &isnull));
	fact.kind = DatumGetInt32(slot_getattr(slot, 3, &isnull));
	fact.id = bb_slot_bytes32(slot, 4);
	fact.pubkey = bb_slot_bytes32(slot, 5);
	tags = slot_getattr(slot, 6, &isnull);
	/* those of a replaceable kind may be long, and say nothing here */
	if (!isnull && !nostr_kind_is_replaceable(fact.kind))
	{
		struct varlena *v = PG_DETOAST_DATUM_PACKED(tags);

		fact.tags = (const uint8 *) VARDATA_ANY(v);
		fact.tags_len = VARSIZE_ANY_EXHDR(v);
	}
	if (!isnull)
		apply(f, &fact);
	MemoryContextSwitchTo(old);
	return true;
}

/* Of the candidates that are versions of the same, those that another one
 * replaces: what else there is needs to be asked for the newest only. */
static void
compare_versions(Facts *f)
{
	for (int64 i = 0, next; i < f->n; i = next)
	{
		const Claim *first = &f->claim[i];
		const BbHit *newest = &first->c->hit;

		for (next = i + 1; next < f->n && f->claim[next].code == first->code; next++)
			if (newer(f->claim[next].c->hit.created_at, f->claim[next].c->hit.id, newest))
				newest = &f->claim[next].c->hit;
		if (first->what.sort != NOSTR_RULES_VERSION)
			continue;
		for (int64 j = i; j < next; j++)
		{
			Claim	   *k = &f->claim[j];

			if (newest != &k->c->hit && k->what.sort == NOSTR_RULES_VERSION && k->what.kind == first->what.kind &&
				memcmp(k->pubkey, first->pubkey, 32) == 0 && nostr_tag_element_same_text(&k->what.value, &first->what.value))
				k->c->gone = true;
		}
	}
}

/* --- where they are looked for ---------------------------------------------- */

static int64
first_key(const BbHit *h)
{
	return bb_clamp_second(h->created_at) << NOSTR_KEY_ID_BITS;
}

/* One for each code that is still asked for. */
static int64
asks(const Facts *f, BbRulingAsk *ask)
{
	int64		n = 0;

	for (int64 i = 0; i < f->n; i++)
	{
		const Claim *k = &f->claim[i];
		/* what is deleted by its id may be newer than the deletion */
		int64		lo = k->what.sort == NOSTR_RULES_EVENT ? 0 : first_key(&k->c->hit);

		if (k->c->gone)
			continue;
		if (n > 0 && ask[n - 1].code == k->code)
		{
			ask[n - 1].lo = Min(ask[n - 1].lo, lo);
			ask[n - 1].own = -1;
			continue;
		}
		ask[n++] = (BbRulingAsk) {k->code, lo, k->what.sort == NOSTR_RULES_VERSION ? k->c->hit.key : -1, 0};
	}
	return n;
}

/* Applies the events of these keys. */
static void
read_keys(Facts *f, Datum *key, int n)
{
	n = bb_keys_distinct(key, n);
	if (n > 0)
		bb_drive(BB_DRIVE_KEYS, DatumGetInt64(key[0]) >> NOSTR_KEY_ID_BITS,
				 DatumGetInt64(key[n - 1]) >> NOSTR_KEY_ID_BITS,
				 archive_array(key, NULL, n, INT8OID), (Datum) 0, &f->pub);
}

/* By ruling.  What the newest entries do not decide, all are asked for. */
static void
look_up(Facts *f)
{
	BbRulingAsk *ask = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(BbRulingAsk) * Max(f->n, 1));
	int64		n = asks(f, ask);
	int64		left = 0;
	int			found;
	Datum	   *key;

	if (n == 0)
		return;
	found = bb_ruling_find(ask, n, NEWEST, &key);
	read_keys(f, key, found);
	for (int64 i = 0; i < n; i++)
	{
		bool		open = false;

		if (ask[i].found < NEWEST)
			continue;
		for (int64 c = claim_find(f, ask[i].code); c < f->n && f->claim[c].code == ask[i].code; c++)
			open |= !f->claim[c].c->gone;
		if (open)
			ask[left++] = ask[i];
	}
	if (left == 0)
		return;
	found = bb_ruling_find(ask, left, 0, &key);
	read_keys(f, key, found);
}

static int32
author_code(const Claim *k)
{
	switch (k->what.sort)
	{
		case NOSTR_RULES_EVENT:
		case NOSTR_RULES_ADDRESS:
			return nostr_author_code(k->pubkey, NOSTR_KIND_DELETION);
		case NOSTR_RULES_VANISH:
			return nostr_author_code(k->pubkey, NOSTR_KIND_VANISH);
		case NOSTR_RULES_VERSION:
			break;
	}
	return nostr_author_code(k->pubkey, k->what.kind);
}

/* Where ruling is not complete: versions that are not older than the oldest
 * that is asked for, or all else that everybody who has a claim says there. */
static void
go_through(Facts *f, const BbKeyRange *range, bool versions)
{
	int32	   *code = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32) * Max(f->n, 1));
	int			n = 0;
	int64		lo = versions ? PG_INT64_MAX : range->lo;

	for (int64 i = 0; i < f->n; i++)
	{
		const Claim *k = &f->claim[i];

		if (k->c->gone || (k->what.sort == NOSTR_RULES_VERSION) != versions)
			continue;
		code[n++] = author_code(k);
		if (versions)
			lo = Min(lo, first_key(&k->c->hit));
	}
	lo = Max(lo, range->lo);
	if (n > 0 && lo <= range->hi)
		bb_drive(BB_DRIVE_CODES, lo >> NOSTR_KEY_ID_BITS, range->hi >> NOSTR_KEY_ID_BITS,
				 bb_code_array(code, n), (Datum) 0, &f->pub);
	pfree(code);
}

void
bb_relay_check(const BbQuery *q, BbCandidate *c, int64 n)
{
	MemoryContext cxt;
	MemoryContext old;
	Facts		f = {.q = q};

	if (n == 0)
		return;
	cxt = AllocSetContextCreate(CurrentMemoryContext, "bigbrotr facts", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(cxt);
	bb_receiver_init(&f.pub, fact_row);
	f.row = AllocSetContextCreate(cxt, "bigbrotr row", ALLOCSET_SMALL_SIZES);
	f.cap = n * 4;
	f.claim = MemoryContextAllocHuge(cxt, sizeof(Claim) * f.cap);
	for (int64 i = 0; i < n; i++)
		add_candidate(&f, &c[i]);
	qsort(f.claim, f.n, sizeof(Claim), claim_cmp);
	compare_versions(&f);
	look_up(&f);
	for (int i = 0; i < q->nuncovered; i++)
	{
		go_through(&f, &q->uncovered[i], false);
		go_through(&f, &q->uncovered[i], true);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}
