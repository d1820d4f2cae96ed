/*
 * archive_reject.c
 *
 * Remembers refused events, and counts.
 *
 * Guarantees that what strangers send cannot make rejected_event grow: eight
 * rows per relay and reason, a bounded sample, and a reason cut at its first
 * colon (what follows is the detail of one sample).  The same bounds what a
 * transaction keeps, and all are written in one order.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "nostr/crypto.h"
#include "pg/archive.h"
#include "pg/archive_plan.h"
#include "pg/foreign_text.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#define SAMPLE_MAX 4096
#define REASON_MAX 64
#define DETAIL_MAX 512
#define SLOTS 8

/* The name of a reason: out has room for REASON_MAX bytes and the end. */
static void
clip(char *out, const char *s, size_t len)
{
	char	   *clean = bb_foreign_text((const uint8 *) s, len);

	strlcpy(out, clean, pg_mbcliplen(clean, strlen(clean), REASON_MAX) + 1);
	pfree(clean);
}

static Datum
clipped_text(const char *s, size_t len, int max)
{
	char	   *clean = bb_foreign_text((const uint8 *) s, len);
	int			clen = strlen(clean);

	if (clen > max)
		clen = pg_mbcliplen(clean, clen, max);
	return PointerGetDatum(cstring_to_text_with_len(clean, clen));
}

static Datum
bytes(const uint8 *data, size_t len)
{
	return PointerGetDatum(cstring_to_text_with_len((const char *) data, len));
}

typedef struct RejectKey
{
	int32		relay_id;
	int32		slot;
	char		reason[REASON_MAX + 1];
} RejectKey;

typedef struct Reject
{
	RejectKey	key;
	int64		count;
	int64		seen_at;		/* the latest */
	Datum		id;				/* of the first; 0: none */
	Datum		sample;
	Datum		detail;
} Reject;

struct BbRejects
{
	MemoryContext context;
	HTAB	   *all;
};

BbRejects *
archive_rejects(void)
{
	BbRejects  *r = palloc(sizeof(*r));
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(RejectKey);
	ctl.entrysize = sizeof(Reject);
	ctl.hcxt = CurrentMemoryContext;
	r->context = CurrentMemoryContext;
	r->all = hash_create("bigbrotr rejects", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return r;
}

/* Which of the rows that there is room for. */
static int32
slot_of(const uint8 *id, const uint8 *sample, size_t sample_len)
{
	uint8		hash[32] = {0};

	if (id != NULL)
		return id[0] % SLOTS;
	if (sample_len > 0)
		nostr_sha256(sample, sample_len, hash);
	return hash[0] % SLOTS;
}

void
archive_reject(BbRejects *r, int32 relay_id, const char *reason, const uint8 *id,
			   const uint8 *sample, size_t sample_len, int64 count, int64 seen_at)
{
	const char *colon = strchr(reason, ':');
	RejectKey	key;
	Reject	   *x;
	bool		found;

	if (sample == NULL)
		sample_len = 0;
	/* padding is part of the key */
	memset(&key, 0, sizeof(key));
	key.relay_id = relay_id;
	key.slot = slot_of(id, sample, sample_len);
	clip(key.reason, reason, colon != NULL ? colon - reason : strlen(reason));
	x = hash_search(r->all, &key, HASH_ENTER, &found);
	if (!found)
	{
		MemoryContext outer = MemoryContextSwitchTo(r->context);

		/* whole before anything can fail: it may outlive that */
		x->count = 0;
		x->seen_at = seen_at;
		x->id = x->sample = x->detail = (Datum) 0;
		x->id = id != NULL ? bytes(id, 32) : (Datum) 0;
		x->sample = sample != NULL ? bytes(sample, Min(sample_len, SAMPLE_MAX)) : (Datum) 0;
		if (colon != NULL)
		{
			for (colon++; *colon == ' '; colon++)
				;
			x->detail = clipped_text(colon, strlen(colon), DETAIL_MAX);
		}
		MemoryContextSwitchTo(outer);
	}
	x->count += Max(count, 1);
	x->seen_at = Max(x->seen_at, seen_at);
}

static int
by_key(const void *a, const void *b)
{
	const RejectKey *x = &(*(Reject *const *) a)->key;
	const RejectKey *y = &(*(Reject *const *) b)->key;

	if (x->relay_id != y->relay_id)
		return x->relay_id < y->relay_id ? -1 : 1;
	return x->slot != y->slot ? x->slot - y->slot : strcmp(x->reason, y->reason);
}

static void
write_one(const Reject *x)
{
	Datum		args[8];
	char		nulls[9] = "        ";

	args[0] = Int32GetDatum(x->key.relay_id);
	args[1] = CStringGetTextDatum(x->key.reason);
	args[2] = Int16GetDatum((int16) x->key.slot);
	args[3] = x->id;
	args[4] = x->sample;
	args[5] = x->detail;
	for (int i = 3; i <= 5; i++)
		nulls[i] = args[i] == (Datum) 0 ? 'n' : ' ';
	args[6] = Int64GetDatum(x->count);
	args[7] = Float8GetDatum((double) x->seen_at);
	archive_plan_run(BB_PLAN_REJECT, args, nulls);
}

void
archive_rejects_write(BbRejects *r)
{
	long		n = hash_get_num_entries(r->all);
	Reject	  **sorted;
	HASH_SEQ_STATUS seq;
	Reject	   *x;

	if (n == 0)
		return;
	SPI_connect();
	sorted = palloc(sizeof(*sorted) * n);
	n = 0;
	hash_seq_init(&seq, r->all);
	while ((x = hash_seq_search(&seq)) != NULL)
		sorted[n++] = x;
	qsort(sorted, n, sizeof(*sorted), by_key);
	for (long i = 0; i < n; i++)
		write_one(sorted[i]);
	SPI_finish();
	hash_destroy(r->all);
	r->all = NULL;
}

void
archive_count(const char *service, int worker, const char *name, int64 n)
{
	Datum		args[4];

	if (n == 0)
		return;
	SPI_connect();
	args[0] = CStringGetTextDatum(service);
	args[1] = Int32GetDatum(worker);
	args[2] = CStringGetTextDatum(name);
	args[3] = Int64GetDatum(n);
	archive_plan_run(BB_PLAN_COUNT, args, NULL);
	SPI_finish();
}
