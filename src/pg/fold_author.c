/*
 * fold_author.c
 *
 * Numbers for the authors of a step, and the rows of new ones.
 *
 * A new author gets a number first and a row when the counts are known, so
 * that the row is written once.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/hsearch.h"

#include "pg/archive_plan.h"
#include "pg/fold.h"

typedef struct AuthorSlot
{
	uint8		pubkey[32];		/* the hash key */
	int32		id;
} AuthorSlot;

static Datum
pubkey_datum(const uint8 *pubkey)
{
	bytea	   *b = palloc(VARHDRSZ + 32);

	SET_VARSIZE(b, VARHDRSZ + 32);
	memcpy(VARDATA(b), pubkey, 32);
	return PointerGetDatum(b);
}

static int
slot_cmp(const void *a, const void *b)
{
	return memcmp((*(AuthorSlot *const *) a)->pubkey, (*(AuthorSlot *const *) b)->pubkey, 32);
}

/* Numbers for those that have none yet, in the order of their keys. */
static void
number_new(FoldStep *s, AuthorSlot **a, int n)
{
	Datum		args[1] = {Int32GetDatum(n)};

	if (n == 0)
		return;
	s->authors = palloc_extended(sizeof(FoldAuthor) * n, MCXT_ALLOC_HUGE);
	fold_run(FOLD_AUTHORS_NUMBER, args);
	for (int i = 0; i < n; i++)
	{
		a[i]->id = fold_int8(i, 1);
		s->authors[i].id = a[i]->id;
		memcpy(s->authors[i].pubkey, a[i]->pubkey, 32);
	}
	s->nauthors = n;
	SPI_freetuptable(SPI_tuptable);
}

static void
find(FoldStep *s, AuthorSlot **a, int n)
{
	Datum	   *pubkeys = palloc_extended(sizeof(Datum) * Max(n, 1), MCXT_ALLOC_HUGE);
	Datum		args[1];
	int			m = 0;

	if (n == 0)
		return;
	qsort(a, n, sizeof(*a), slot_cmp);
	for (int i = 0; i < n; i++)
		pubkeys[i] = pubkey_datum(a[i]->pubkey);
	args[0] = archive_array(pubkeys, NULL, n, BYTEAOID);
	fold_run(FOLD_AUTHORS, args);
	for (uint64 r = 0; r < SPI_processed; r++)
	{
		bool		isnull;

		a[fold_int8(r, 1) - 1]->id = DatumGetInt32(fold_value(r, 2, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < n; i++)
		if (a[i]->id == 0)
			a[m++] = a[i];
	number_new(s, a, m);
}

void
fold_authors(FoldStep *s)
{
	HASHCTL		ctl = {0};
	HTAB	   *h;
	AuthorSlot **slots = palloc_extended(sizeof(*slots) * Max(s->ninfos, 1), MCXT_ALLOC_HUGE);
	int			n = 0;

	ctl.keysize = 32;
	ctl.entrysize = sizeof(AuthorSlot);
	ctl.hcxt = CurrentMemoryContext;
	h = hash_create("authors of a step", 1024, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (int i = 0; i < s->ninfos; i++)
	{
		bool		found;
		AuthorSlot *a = hash_search(h, s->infos[i].pubkey, HASH_ENTER, &found);

		if (found)
			continue;
		a->id = 0;
		slots[n++] = a;
	}
	find(s, slots, n);
	for (int i = 0; i < s->ninfos; i++)
		s->infos[i].author = ((AuthorSlot *) hash_search(h, s->infos[i].pubkey, HASH_FIND, NULL))->id;
	hash_destroy(h);
	pfree(slots);
}

/* The numbers of new authors are above all others. */
static bool
is_new(const FoldStep *s, int64 id)
{
	return s->nauthors > 0 && id >= s->authors[0].id;
}

static void
insert_new(const FoldStep *s, const FoldSums *fresh)
{
	Datum	   *pubkeys = palloc_extended(sizeof(Datum) * fresh->n, MCXT_ALLOC_HUGE);
	Datum		args[7];

	for (int i = 0; i < fresh->n; i++)
		pubkeys[i] = pubkey_datum(s->authors[i].pubkey);
	args[0] = archive_array(pubkeys, NULL, fresh->n, BYTEAOID);
	args[1] = fold_column(fresh, SUM_A);
	args[2] = fold_column(fresh, SUM_N);
	args[3] = fold_column(fresh, SUM_X);
	args[4] = fold_column(fresh, SUM_Y);
	args[5] = fold_column(fresh, SUM_LO);
	args[6] = fold_column(fresh, SUM_HI);
	fold_run(FOLD_AUTHORS_NEW, args);
}

int64
fold_authors_add(const FoldStep *s, const FoldSums *sums)
{
	FoldSums	fresh = {0};
	FoldSums	old = {0};
	int64		turned = 0;

	/* also those of whom nothing but observations is counted */
	for (int i = 0; i < s->nauthors; i++)
		(void) fold_sum(&fresh, s->authors[i].id, 0, 0);
	for (int i = 0; i < sums->n; i++)
		*fold_sum(is_new(s, sums->v[i].a) ? &fresh : &old, sums->v[i].a, 0, 0) = sums->v[i];
	if (fresh.n > 0)
		insert_new(s, &fresh);
	fold_add(TALLY_AUTHOR, NULL, &old);
	for (int i = 0; i < fresh.n; i++)
		turned += fresh.v[i].n > 0;
	for (int i = 0; i < old.n; i++)
		turned += old.v[i].turn;
	fold_sums_free(&fresh);
	fold_sums_free(&old);
	return turned;
}
