/*
 * archive_lookup.c
 *
 * Finds out which events the archive has.  Guarantees that "known" means all
 * 32 bytes of the id are equal; must survive ids made to collide in their
 * first 29 bits.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pg/archive.h"
#include "pg/archive_plan.h"
#include "pg/archive_row.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

static int
offer_cmp(const void *a, const void *b)
{
	const BbOffer *x = *(BbOffer *const *) a;
	const BbOffer *y = *(BbOffer *const *) b;

	return x->key == y->key ? 0 : x->key < y->key ? -1 : 1;
}

/* Index of the first probe whose key is not below. */
static int
first_at(const BbProbe *p, int n, int64 key)
{
	int			lo = 0;
	int			hi = n;

	while (lo < hi)
	{
		int			mid = lo + (hi - lo) / 2;

		if (p[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void
archive_probe(BbProbe *p, int n)
{
	Datum	   *keys = palloc(sizeof(Datum) * Max(n, 1));
	int			m = 0;
	Datum		args[3];

	for (int i = 0; i < n; i++)
	{
		p[i].same = p[i].other = false;
		if (m == 0 || DatumGetInt64(keys[m - 1]) != p[i].key)
			keys[m++] = Int64GetDatum(p[i].key);
	}
	if (m == 0)
		return;
	args[0] = archive_array(keys, NULL, m, INT8OID);
	args[1] = keys[0];
	args[2] = keys[m - 1];
	archive_plan_run(BB_PLAN_LOOKUP, args, NULL);
	for (uint64 r = 0; r < SPI_processed; r++)
	{
		bool		isnull;
		HeapTuple	t = SPI_tuptable->vals[r];
		int64		key = DatumGetInt64(SPI_getbinval(t, SPI_tuptable->tupdesc, 1, &isnull));
		bytea	   *id = DatumGetByteaPP(SPI_getbinval(t, SPI_tuptable->tupdesc, 2, &isnull));

		for (int i = first_at(p, n, key); i < n && p[i].key == key; i++)
		{
			if (memcmp(VARDATA_ANY(id), p[i].id, 32) == 0)
				p[i].same = true;
			else
				p[i].other = true;
		}
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * One query for o[0..n), sorted by key.  Those whose key holds another id
 * move to the next key and to the front; returns how many.
 */
static int
lookup_round(BbOffer **o, int n)
{
	BbProbe    *p = palloc(sizeof(*p) * n);
	int			m = 0;

	for (int i = 0; i < n; i++)
	{
		p[i].key = o[i]->key;
		p[i].id = o[i]->id;
	}
	archive_probe(p, n);
	for (int i = 0; i < n; i++)
	{
		if (p[i].same)
			o[i]->known = true;
		else if (p[i].other)
		{
			o[i]->key = nostr_key_next(o[i]->key);
			o[m++] = o[i];
		}
	}
	return m;
}

void
archive_lookup(BbOffer *o, int n)
{
	BbOffer   **w;
	int64	   *natural;
	int			left = n;

	if (n <= 0)
		return;
	SPI_connect();
	w = palloc(sizeof(*w) * n);
	natural = palloc(sizeof(int64) * n);
	for (int i = 0; i < n; i++)
	{
		o[i].known = o[i].observed = false;
		natural[i] = o[i].key;
		w[i] = &o[i];
	}
	while (left > 0)
	{
		CHECK_FOR_INTERRUPTS();
		qsort(w, left, sizeof(*w), offer_cmp);
		left = lookup_round(w, left);
	}
	for (int i = 0; i < n; i++)
		if (!o[i].known)
			o[i].key = natural[i];
	SPI_finish();
}
