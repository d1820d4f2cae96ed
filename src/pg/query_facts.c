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
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nostr/hex.h"
#include "nostr/tag_key.h"
#include "pg/archive_plan.h"
#include "pg/query.h"
#include "utils/memutils.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#define KIND_DELETION	5
#define KIND_VANISH		62
#define KIND_GIFT_WRAP	1059
#define ADDRESSABLE(k)	((k) >= 30000 && (k) < 40000)
#define REPLACEABLE(k)	((k) == 0 || (k) == 3 || ((k) >= 10000 && (k) < 20000))

/* Somebody who may take a candidate away: its author, or who a gift is for. */
typedef struct Claim
{
	uint8		pubkey[32];
	BbCandidate *c;
	bool		recipient;
} Claim;

/* Receives the events that decide. */
typedef struct Facts
{
	DestReceiver pub;			/* must be first */
	const BbQuery *q;
	Claim	   *claim;			/* by pubkey, then id of the candidate */
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
	const uint8 *tags;			/* NULL in a light archive */
	size_t		tags_len;
} Fact;

static int
claim_cmp(const void *a, const void *b)
{
	const Claim *x = a;
	const Claim *y = b;
	int			c = memcmp(x->pubkey, y->pubkey, 32);

	return c != 0 ? c : memcmp(x->c->hit.id, y->c->hit.id, 32);
}

/* First claim of pubkey (and from that id on). */
static int64
claim_find(const Facts *f, const uint8 *pubkey, const uint8 *id)
{
	int64		lo = 0;
	int64		hi = f->n;

	while (lo < hi)
	{
		int64		mid = lo + (hi - lo) / 2;
		int			c = memcmp(f->claim[mid].pubkey, pubkey, 32);

		if (c == 0 && id != NULL)
			c = memcmp(f->claim[mid].c->hit.id, id, 32);
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
claimed_by(const Facts *f, int64 i, const uint8 *pubkey)
{
	return i < f->n && memcmp(f->claim[i].pubkey, pubkey, 32) == 0;
}

/* Value of the first tag "d" that has one, else the empty text. */
static NostrTagElement
identifier(const uint8 *tags, size_t len)
{
	NostrTagElement el = {(const uint8_t *) "", 0, false};
	NostrTagIter it;
	uint8		letter;

	nostr_tags_iter(&it, tags, len);
	while (nostr_tags_next_letter(&it, &letter, &el))
		if (letter == 'd')
			return el;
	return (NostrTagElement) {(const uint8_t *) "", 0, false};
}

static bool
same(const NostrTagElement *a, const NostrTagElement *b)
{
	return a->hex == b->hex && a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static bool
has_identifier(const BbCandidate *c, const NostrTagElement *d)
{
	NostrTagElement own;

	if (!ADDRESSABLE(c->kind))
		return d->len == 0;
	own = identifier(c->tags, c->tags_len);
	return same(&own, d);
}

static bool
is_text(const NostrTagElement *el, const char *s)
{
	return !el->hex && el->len == strlen(s) && memcmp(el->data, s, el->len) == 0;
}

/* A tag of that name with that value. */
static bool
has_tag(const Fact *fact, const char *name, const char *value)
{
	NostrTagIter it;
	NostrTagElement el;

	nostr_tags_iter(&it, fact->tags, fact->tags_len);
	while (nostr_tags_next(&it) > 0)
		if (nostr_tags_next_element(&it, &el) && is_text(&el, name) &&
			nostr_tags_next_element(&it, &el) && is_text(&el, value))
			return true;
	return false;
}

/* An "a" tag: kind:pubkey:identifier, deletes the versions up to its time. */
static void
delete_address(Facts *f, const Fact *fact, const NostrTagElement *el)
{
	size_t		len = nostr_tag_element_text_len(el);
	char	   *s = palloc(len + 1);
	char	   *end;
	long		kind;
	uint8		pubkey[32];
	NostrTagElement d;

	nostr_tag_element_text(el, s);
	s[len] = '\0';
	kind = strtol(s, &end, 10);
	if (end == s || s[0] < '0' || s[0] > '9' || (s[0] == '0' && end > s + 1) || *end != ':' || (s + len) - (end + 1) < 65 || end[65] != ':' ||
		!nostr_hex_decode(end + 1, 64, pubkey, 32) || memcmp(pubkey, fact->pubkey, 32) != 0)
		return;
	d = nostr_tag_element_of((const uint8 *) end + 66, s + len - (end + 66), palloc(len));
	for (int64 i = claim_find(f, fact->pubkey, NULL); claimed_by(f, i, fact->pubkey); i++)
	{
		BbCandidate *c = f->claim[i].c;

		if (!f->claim[i].recipient && c->kind == kind && c->hit.created_at <= fact->created_at &&
			(ADDRESSABLE(c->kind) || REPLACEABLE(c->kind)) && has_identifier(c, &d))
			c->gone = true;
	}
}

static void
take_deletion(Facts *f, const Fact *fact)
{
	NostrTagIter it;
	NostrTagElement el;
	uint8		letter;
	bool		wraps = has_tag(fact, "k", "1059");

	nostr_tags_iter(&it, fact->tags, fact->tags_len);
	while (nostr_tags_next_letter(&it, &letter, &el))
	{
		if (letter == 'a')
			delete_address(f, fact, &el);
		if (letter != 'e' || !el.hex || el.len != 32)
			continue;
		for (int64 i = claim_find(f, fact->pubkey, el.data);
			 claimed_by(f, i, fact->pubkey) && memcmp(f->claim[i].c->hit.id, el.data, 32) == 0; i++)
		{
			BbCandidate *c = f->claim[i].c;

			if (c->kind != KIND_DELETION && c->kind != KIND_VANISH && (!f->claim[i].recipient || wraps))
				c->gone = true;
		}
	}
}

static void
take_vanish(Facts *f, const Fact *fact)
{
	if (!has_tag(fact, "relay", "ALL_RELAYS") &&
		!(f->q->relay_url != NULL && has_tag(fact, "relay", f->q->relay_url)))
		return;
	for (int64 i = claim_find(f, fact->pubkey, NULL); claimed_by(f, i, fact->pubkey); i++)
	{
		BbCandidate *c = f->claim[i].c;

		if (c->hit.created_at <= fact->created_at && c->kind != KIND_VANISH)
			c->gone = true;
	}
}

/* A version: older ones of the same are gone. */
static void
take_version(Facts *f, const Fact *fact)
{
	NostrTagElement d = {(const uint8_t *) "", 0, false};

	if (ADDRESSABLE(fact->kind))
	{
		if (fact->tags == NULL)
			return;
		d = identifier(fact->tags, fact->tags_len);
	}
	for (int64 i = claim_find(f, fact->pubkey, NULL); claimed_by(f, i, fact->pubkey); i++)
	{
		BbCandidate *c = f->claim[i].c;

		if (f->claim[i].recipient || c->kind != fact->kind || !has_identifier(c, &d))
			continue;
		if (fact->created_at > c->hit.created_at ||
			(fact->created_at == c->hit.created_at && memcmp(fact->id, c->hit.id, 32) < 0))
			c->gone = true;
	}
}

static bool
fact_row(TupleTableSlot *slot, DestReceiver *self)
{
	Facts	   *f = (Facts *) self;
	MemoryContext old;
	Fact		fact = {0};
	bool		isnull;
	Datum		tags;

	CHECK_FOR_INTERRUPTS();
	MemoryContextReset(f->row);
	old = MemoryContextSwitchTo(f->row);
	fact.created_at = DatumGetInt64(slot_getattr(slot, 2, &isnull));
	fact.kind = DatumGetInt32(slot_getattr(slot, 3, &isnull));
	fact.id = bb_slot_bytes32(slot, 4);
	fact.pubkey = bb_slot_bytes32(slot, 5);
	tags = slot_getattr(slot, 6, &isnull);
	if (!isnull)
	{
		struct varlena *v = PG_DETOAST_DATUM_PACKED(tags);

		fact.tags = (const uint8 *) VARDATA_ANY(v);
		fact.tags_len = VARSIZE_ANY_EXHDR(v);
	}
	if (fact.kind == KIND_DELETION && fact.tags != NULL)
		take_deletion(f, &fact);
	else if (fact.kind == KIND_VANISH && fact.tags != NULL)
		take_vanish(f, &fact);
	else if (ADDRESSABLE(fact.kind) || REPLACEABLE(fact.kind))
		take_version(f, &fact);
	MemoryContextSwitchTo(old);
	return true;
}

static void
add_claim(Facts *f, const uint8 *pubkey, BbCandidate *c, bool recipient)
{
	if (f->n == f->cap)
	{
		f->cap *= 2;
		f->claim = repalloc_huge(f->claim, sizeof(Claim) * f->cap);
	}
	memcpy(f->claim[f->n].pubkey, pubkey, 32);
	f->claim[f->n].c = c;
	f->claim[f->n++].recipient = recipient;
}

static void
add_recipients(Facts *f, BbCandidate *c)
{
	NostrTagIter it;
	NostrTagElement el;
	uint8		letter;

	nostr_tags_iter(&it, c->tags, c->tags_len);
	while (nostr_tags_next_letter(&it, &letter, &el))
		if (letter == 'p' && el.hex && el.len == 32)
			add_claim(f, el.data, c, true);
}

/* Deletions and requests of everybody who has a claim. */
static void
ask_deletions(Facts *f)
{
	int32	   *codes = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32) * f->n * 2);
	int			n = 0;

	for (int64 i = 0; i < f->n; i++)
	{
		if (i > 0 && memcmp(f->claim[i].pubkey, f->claim[i - 1].pubkey, 32) == 0)
			continue;
		codes[n++] = nostr_author_code(f->claim[i].pubkey, KIND_DELETION);
		codes[n++] = nostr_author_code(f->claim[i].pubkey, KIND_VANISH);
	}
	bb_drive(BB_DRIVE_CODES, 0, NOSTR_KEY_MAX_TIME, bb_code_array(codes, n), (Datum) 0, &f->pub);
	pfree(codes);
}

/* Versions that are not older than the oldest that is asked for. */
static void
ask_versions(Facts *f, BbCandidate *c, int64 n)
{
	int32	   *codes = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int32) * n);
	int			m = 0;
	int64		lo = NOSTR_KEY_MAX_TIME;

	for (int64 i = 0; i < n; i++)
	{
		if (c[i].gone || !(ADDRESSABLE(c[i].kind) || REPLACEABLE(c[i].kind)))
			continue;
		codes[m++] = nostr_author_code(c[i].pubkey, c[i].kind);
		lo = Min(lo, bb_clamp_second(c[i].hit.created_at));
	}
	if (m > 0)
		bb_drive(BB_DRIVE_CODES, lo, NOSTR_KEY_MAX_TIME, bb_code_array(codes, m), (Datum) 0, &f->pub);
	pfree(codes);
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
	f.cap = n * 2;
	f.claim = MemoryContextAllocHuge(cxt, sizeof(Claim) * f.cap);
	for (int64 i = 0; i < n; i++)
	{
		add_claim(&f, c[i].pubkey, &c[i], false);
		if (c[i].kind == KIND_GIFT_WRAP)
			add_recipients(&f, &c[i]);
	}
	qsort(f.claim, f.n, sizeof(Claim), claim_cmp);
	ask_deletions(&f);
	ask_versions(&f, c, n);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}
