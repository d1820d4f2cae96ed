/*
 * fold_take.c
 *
 * Takes rows from the queue and finds out which events they speak of.
 *
 * What was added is looked up in the archive.  When it was removed again in
 * the meantime, the row that removed it says what it was; such a row always
 * comes later in the queue.  An observation whose event nobody knows (the
 * event went while a transaction that knew it was still under way) is put
 * aside, and counted should the event return.  Such an observation may be
 * removed too, by a row that knows no more: both find the same event, or none.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/hsearch.h"

#include "nostr/kind.h"
#include "pg/archive_plan.h"
#include "pg/fold.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

typedef struct AuthorSlot
{
	uint8		pubkey[32];		/* the hash key */
	int32		id;
} AuthorSlot;

static Datum
value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

static int64
int8_value(uint64 row, int column)
{
	bool		isnull;

	return DatumGetInt64(value(row, column, &isnull));
}

static bytea *
bytea_copy(Datum d)
{
	return DatumGetByteaPCopy(d);
}

static void *
grow(void *p, int n, int *max, Size size)
{
	if (n < *max)
		return p;
	*max = Max(1024, *max * 2);
	return p == NULL ? palloc_extended(size * *max, MCXT_ALLOC_HUGE)
		: repalloc_huge(p, size * *max);
}

static FoldEntry *
add_entry(FoldStep *s, int64 key, int64 row, int32 relay_id, int32 sign)
{
	FoldEntry  *e;

	s->entries = grow(s->entries, s->n, &s->max, sizeof(FoldEntry));
	e = &s->entries[s->n++];
	e->key = key;
	e->row = row;
	e->relay_id = relay_id;
	e->sign = sign;
	e->info = NULL;
	return e;
}

static FoldInfo *
add_info(FoldStep *s, int64 key, int64 until, bool gone, Datum pubkey, int32 kind, int64 created_at)
{
	FoldInfo   *i;

	s->infos = grow(s->infos, s->ninfos, &s->max_infos, sizeof(FoldInfo));
	i = &s->infos[s->ninfos++];
	memset(i, 0, sizeof(*i));
	i->key = key;
	i->until = until;
	i->gone = gone;
	i->pubkey = bytea_copy(pubkey);
	i->kind = kind;
	i->created_at = created_at;
	return i;
}

static int
info_cmp(const void *a, const void *b)
{
	const FoldInfo *x = a;
	const FoldInfo *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->until == y->until ? 0 : x->until < y->until ? -1 : 1;
}

/* What the event of that key was at that row: as the row itself says, or as
 * the first that took it away afterwards, or as it is now. */
static FoldInfo *
find_info(const FoldStep *s, int64 key, int64 row)
{
	int			lo = 0;
	int			hi = s->ninfos;

	while (lo < hi)
	{
		int			mid = lo + (hi - lo) / 2;
		FoldInfo   *i = &s->infos[mid];

		if (i->key < key || (i->key == key && i->until < row))
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < s->ninfos && s->infos[lo].key == key; lo++)
		if (s->infos[lo].until == row || s->infos[lo].gone || s->infos[lo].until == FOLD_NOW)
			return &s->infos[lo];
	return NULL;
}

/* Elements of an array column of the queue; NULL counts as empty. */
static int
elements(uint64 row, int column, Oid type, Datum **d, bool **nulls)
{
	bool		isnull;
	Datum		v = value(row, column, &isnull);
	int			n = 0;

	*d = NULL;
	if (nulls)
		*nulls = NULL;
	if (isnull)
		return 0;
	switch (type)
	{
		case INT8OID:
			deconstruct_array(DatumGetArrayTypeP(v), INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, d, nulls, &n);
			break;
		case INT4OID:
			deconstruct_array(DatumGetArrayTypeP(v), INT4OID, 4, true, TYPALIGN_INT, d, nulls, &n);
			break;
		case BOOLOID:
			deconstruct_array(DatumGetArrayTypeP(v), BOOLOID, 1, true, TYPALIGN_CHAR, d, nulls, &n);
			break;
		default:
			deconstruct_array(DatumGetArrayTypeP(v), BYTEAOID, -1, false, TYPALIGN_INT, d, nulls, &n);
	}
	return n;
}

/* Columns of FOLD_TAKE: id, removed, keys, seen_keys, seen_relays, gone,
 * pubkeys, kinds, created_ats, ds. */
static void
unpack_row(FoldStep *s, uint64 r)
{
	bool		isnull;
	int64		row = int8_value(r, 1);
	bool		removed = DatumGetBool(value(r, 2, &isnull));
	int32		sign = removed ? -1 : 1;
	Datum	   *keys,
			   *seen,
			   *relays,
			   *gone,
			   *pubkeys,
			   *kinds,
			   *times,
			   *ds;
	bool	   *no_d;
	int			n = elements(r, 3, INT8OID, &keys, NULL);
	int			m = elements(r, 4, INT8OID, &seen, NULL);

	if (elements(r, 5, INT4OID, &relays, NULL) != m)
		elog(ERROR, "row " INT64_FORMAT " of ingest_delta is damaged", row);
	if (removed &&
		(elements(r, 6, BOOLOID, &gone, NULL) != n ||
		 elements(r, 7, BYTEAOID, &pubkeys, NULL) != n ||
		 elements(r, 8, INT4OID, &kinds, NULL) != n ||
		 elements(r, 9, INT8OID, &times, NULL) != n ||
		 elements(r, 10, BYTEAOID, &ds, &no_d) != n))
		elog(ERROR, "row " INT64_FORMAT " of ingest_delta is damaged", row);
	s->removals |= removed;
	for (int i = 0; i < n; i++)
	{
		int64		key = DatumGetInt64(keys[i]);

		if (removed)
		{
			FoldInfo   *info = add_info(s, key, row, DatumGetBool(gone[i]), pubkeys[i],
										DatumGetInt32(kinds[i]), DatumGetInt64(times[i]));

			info->d = no_d != NULL && no_d[i] ? NULL : bytea_copy(ds[i]);
		}
		if (!removed || DatumGetBool(gone[i]))
			add_entry(s, key, row, 0, sign);
	}
	for (int i = 0; i < m; i++)
		add_entry(s, DatumGetInt64(seen[i]), row, DatumGetInt32(relays[i]), sign);
}

static int
int8_cmp(const void *a, const void *b)
{
	int64		x = DatumGetInt64(*(const Datum *) a);
	int64		y = DatumGetInt64(*(const Datum *) b);

	return x < y ? -1 : x > y;
}

/* Sorts keys and drops what is double. */
static int
sort_keys(Datum *keys, int n)
{
	int			m = 0;

	qsort(keys, n, sizeof(Datum), int8_cmp);
	for (int i = 0; i < n; i++)
		if (m == 0 || DatumGetInt64(keys[m - 1]) != DatumGetInt64(keys[i]))
			keys[m++] = keys[i];
	return m;
}

/* What later rows of the queue have removed, of these keys. */
static void
removed_later(FoldStep *s, Datum *keys, int n)
{
	Datum		args[2];
	bool		isnull;

	args[0] = Int64GetDatum(s->taken);
	args[1] = archive_array(keys, NULL, n, INT8OID);
	fold_run(FOLD_REMOVALS_LEFT, args);
	for (uint64 r = 0; r < SPI_processed; r++)
		add_info(s, int8_value(r, 2), int8_value(r, 1), true, value(r, 3, &isnull),
				 DatumGetInt32(value(r, 4, &isnull)), int8_value(r, 5));
	SPI_freetuptable(SPI_tuptable);
}

/* keys are sorted: a slice of them lies in few partitions. */
static void
look_up(FoldStep *s, FoldPlan plan, Datum *keys, int n)
{
	for (int i = 0; i < n; i += FOLD_LOOKUP)
	{
		int			m = Min(FOLD_LOOKUP, n - i);
		Datum		args[3];
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		args[0] = archive_array(keys + i, NULL, m, INT8OID);
		args[1] = keys[i];
		args[2] = keys[i + m - 1];
		fold_run(plan, args);
		for (uint64 r = 0; r < SPI_processed; r++)
		{
			int64		key = int8_value(r, 1);

			if (plan == FOLD_LOOKUP_EVENTS)
				add_info(s, key, FOLD_NOW, false, value(r, 2, &isnull),
						 DatumGetInt32(value(r, 3, &isnull)), int8_value(r, 4));
			else
			{
				FoldInfo   *info = find_info(s, key, FOLD_NOW);
				Datum		d = value(r, 3, &isnull);

				if (info == NULL)
					continue;
				info->d = isnull ? NULL : bytea_copy(d);
				info->id = bytea_copy(value(r, 2, &isnull));
			}
		}
		SPI_freetuptable(SPI_tuptable);
	}
}

/* Numbers for all authors; new ones get one. */
static void
number_authors(FoldStep *s)
{
	HASHCTL		ctl = {0};
	HTAB	   *h;
	Datum	   *keys = palloc_extended(sizeof(Datum) * Max(s->ninfos, 1), MCXT_ALLOC_HUGE);
	Datum		args[1];
	int			n = 0;
	bool		found;

	ctl.keysize = 32;
	ctl.entrysize = sizeof(AuthorSlot);
	ctl.hcxt = CurrentMemoryContext;
	h = hash_create("authors of a step", 1024, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (int i = 0; i < s->ninfos; i++)
	{
		(void) hash_search(h, VARDATA_ANY(s->infos[i].pubkey), HASH_ENTER, &found);
		if (!found)
			keys[n++] = PointerGetDatum(s->infos[i].pubkey);
	}
	if (n > 0)
	{
		args[0] = archive_array(keys, NULL, n, BYTEAOID);
		fold_run(FOLD_AUTHORS, args);
		for (uint64 r = 0; r < SPI_processed; r++)
		{
			bool		isnull;
			bytea	   *pubkey = DatumGetByteaPP(value(r, 2, &isnull));
			AuthorSlot *a = hash_search(h, VARDATA_ANY(pubkey), HASH_FIND, NULL);

			if (a != NULL)
				a->id = DatumGetInt32(value(r, 1, &isnull));
		}
		SPI_freetuptable(SPI_tuptable);
	}
	for (int i = 0; i < s->ninfos; i++)
	{
		AuthorSlot *a = hash_search(h, VARDATA_ANY(s->infos[i].pubkey), HASH_FIND, NULL);

		s->infos[i].author = a->id;
	}
	hash_destroy(h);
	pfree(keys);
}

static int
lost_cmp(const void *a, const void *b)
{
	const FoldEntry *x = *(FoldEntry *const *) a;
	const FoldEntry *y = *(FoldEntry *const *) b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->relay_id != y->relay_id)
		return x->relay_id < y->relay_id ? -1 : 1;
	return x->row == y->row ? 0 : x->row < y->row ? -1 : 1;
}

/* Events that came (back): what was put aside of them counts. */
static void
adopt(FoldStep *s)
{
	Datum	   *keys = palloc_extended(sizeof(Datum) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	Datum		args[1];
	int			n = 0;

	for (int i = 0; i < s->n; i++)
		if (s->entries[i].relay_id == 0 && s->entries[i].sign > 0 && s->entries[i].info != NULL)
			keys[n++] = Int64GetDatum(s->entries[i].key);
	if (n > 0)
	{
		args[0] = archive_array(keys, NULL, n, INT8OID);
		fold_run(FOLD_ORPHANS_ADOPT, args);
		for (uint64 r = 0; r < SPI_processed; r++)
		{
			bool		isnull;
			int64		key = int8_value(r, 1);
			FoldInfo   *info = find_info(s, key, 0);

			if (info != NULL)
				add_entry(s, key, 0, DatumGetInt32(value(r, 2, &isnull)), 1)->info = info;
		}
		SPI_freetuptable(SPI_tuptable);
	}
	pfree(keys);
}

/*
 * Observations without an event: put aside, or forgotten.  After adopt():
 * that nobody knows the event says that it does not come back in this step,
 * though it may have come and gone before the observation.
 */
static void
put_aside(FoldStep *s)
{
	Datum	   *keys = palloc_extended(sizeof(Datum) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	Datum	   *relays = palloc_extended(sizeof(Datum) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	FoldEntry **lost = palloc_extended(sizeof(FoldEntry *) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	Datum		args[2];
	int			nlost = 0;

	for (int i = 0; i < s->n; i++)
		if (s->entries[i].info == NULL && s->entries[i].relay_id != 0)
			lost[nlost++] = &s->entries[i];
	qsort(lost, nlost, sizeof(FoldEntry *), lost_cmp);
	for (int sign = -1; sign <= 1; sign += 2)
	{
		int			n = 0;

		/* what came last of one observation is what holds */
		for (int i = 0; i < nlost; i++)
		{
			if (lost[i]->sign != sign ||
				(i + 1 < nlost && lost[i + 1]->key == lost[i]->key &&
				 lost[i + 1]->relay_id == lost[i]->relay_id))
				continue;
			keys[n] = Int64GetDatum(lost[i]->key);
			relays[n++] = Int32GetDatum(lost[i]->relay_id);
		}
		if (n == 0)
			continue;
		args[0] = archive_array(keys, NULL, n, INT8OID);
		args[1] = archive_array(relays, NULL, n, INT4OID);
		fold_run(sign > 0 ? FOLD_ORPHANS_ADD : FOLD_ORPHANS_DROP, args);
	}
	pfree(lost);
	pfree(keys);
	pfree(relays);
}

/* Which rows; false: none. */
static bool
peek(FoldStep *s)
{
	Datum		args[1] = {Int64GetDatum(FOLD_ROWS + 1)};
	int64		sum = 0;
	uint64		r;

	fold_run(FOLD_PEEK, args);
	for (r = 0; r < SPI_processed && r < FOLD_ROWS && (r == 0 || sum < FOLD_KEYS); r++)
	{
		s->taken = int8_value(r, 1);
		sum += int8_value(r, 2);
	}
	s->more = r < SPI_processed;
	SPI_freetuptable(SPI_tuptable);
	return s->taken != 0;
}

void
fold_take(FoldStep *s)
{
	Datum		args[1];
	Datum	   *keys;
	int			n = 0;

	if (!peek(s))
		return;
	args[0] = Int64GetDatum(s->taken);
	fold_run(FOLD_TAKE, args);
	for (uint64 r = 0; r < SPI_processed; r++)
		unpack_row(s, r);
	SPI_freetuptable(SPI_tuptable);

	keys = palloc_extended(sizeof(Datum) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < s->n; i++)
		if (s->entries[i].sign > 0 || s->entries[i].relay_id != 0)
			keys[n++] = Int64GetDatum(s->entries[i].key);
	n = sort_keys(keys, n);
	if (n > 0)
		removed_later(s, keys, n);
	look_up(s, FOLD_LOOKUP_EVENTS, keys, n);
	if (s->ninfos > 0)
		qsort(s->infos, s->ninfos, sizeof(FoldInfo), info_cmp);
	number_authors(s);

	n = 0;
	for (int i = 0; i < s->n; i++)
	{
		FoldEntry  *e = &s->entries[i];

		e->info = find_info(s, e->key, e->row);
		if (e->sign > 0 && e->relay_id == 0 && e->info != NULL && e->info->until == FOLD_NOW &&
			(nostr_kind_is_replaceable(e->info->kind) || nostr_kind_is_addressable(e->info->kind)))
			keys[n++] = Int64GetDatum(e->key);
	}
	n = sort_keys(keys, n);
	look_up(s, FOLD_LOOKUP_WINNERS, keys, n);
	pfree(keys);
	adopt(s);
	put_aside(s);
}
