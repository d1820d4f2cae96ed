/*
 * fold_latest.c
 *
 * The newest event of everything that replaces (NIP-01): of the same second,
 * the one with the lowest id.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "nostr/kind.h"
#include "pg/archive_plan.h"
#include "pg/fold.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Added ones need an id: one that is gone again has none, and cannot be the
 * newest. */
bool
fold_in_latest(const FoldEntry *e)
{
	int32		kind = e->info->kind;

	if (e->sign > 0 && e->info->id == NULL)
		return false;
	return nostr_kind_is_replaceable(kind) || (nostr_kind_is_addressable(kind) && e->info->d != NULL);
}

bytea *
fold_latest_d(const FoldEntry *e)
{
	static union
	{
		bytea		b;
		int64		space;
	}			none;

	SET_VARSIZE(&none, VARHDRSZ);
	return nostr_kind_is_addressable(e->info->kind) ? e->info->d : &none.b;
}

static int
bytea_cmp(const bytea *x, const bytea *y)
{
	int			n = VARSIZE_ANY_EXHDR(x);
	int			m = VARSIZE_ANY_EXHDR(y);
	int			c = memcmp(VARDATA_ANY(x), VARDATA_ANY(y), Min(n, m));

	return c != 0 ? c : n - m;
}

/* Do they replace each other?  0: yes. */
static int
place_cmp(const FoldEntry *x, const FoldEntry *y)
{
	if (x->info->author != y->info->author)
		return x->info->author < y->info->author ? -1 : 1;
	if (x->info->kind != y->info->kind)
		return x->info->kind < y->info->kind ? -1 : 1;
	return bytea_cmp(fold_latest_d(x), fold_latest_d(y));
}

/* By what they replace; the newest first. */
static int
latest_cmp(const void *a, const void *b)
{
	const FoldEntry *x = *(const FoldEntry *const *) a;
	const FoldEntry *y = *(const FoldEntry *const *) b;
	int			c = place_cmp(x, y);

	if (c != 0)
		return c;
	if (x->info->created_at != y->info->created_at)
		return x->info->created_at > y->info->created_at ? -1 : 1;
	return bytea_cmp(x->info->id, y->info->id);
}

void
fold_latest(const FoldStep *s)
{
	static const Oid types[6] = {INT4OID, INT4OID, BYTEAOID, INT8OID, INT8OID, BYTEAOID};
	const FoldEntry **e = palloc_extended(sizeof(*e) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	Datum	   *d[6];
	Datum		args[6];
	int			n = 0;
	int			m = 0;

	for (int i = 0; i < s->n; i++)
		if (s->entries[i].relay_id == 0 && s->entries[i].sign > 0 && s->entries[i].info != NULL &&
			fold_in_latest(&s->entries[i]))
			e[n++] = &s->entries[i];
	qsort(e, n, sizeof(*e), latest_cmp);
	for (int k = 0; k < 6; k++)
		d[k] = palloc_extended(sizeof(Datum) * Max(n, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && place_cmp(e[i - 1], e[i]) == 0)
			continue;
		d[0][m] = Int32GetDatum(e[i]->info->author);
		d[1][m] = Int32GetDatum(e[i]->info->kind);
		d[2][m] = PointerGetDatum(fold_latest_d(e[i]));
		d[3][m] = Int64GetDatum(e[i]->key);
		d[4][m] = Int64GetDatum(e[i]->info->created_at);
		d[5][m++] = PointerGetDatum(e[i]->info->id);
	}
	for (int k = 0; k < 6; k++)
	{
		args[k] = archive_array(d[k], NULL, m, types[k]);
		pfree(d[k]);
	}
	pfree(e);
	CHECK_FOR_INTERRUPTS();
	if (m == 0)
		return;
	fold_run(FOLD_LATEST_NEWER, args);
	fold_run(FOLD_LATEST_FIRST, args);
}
