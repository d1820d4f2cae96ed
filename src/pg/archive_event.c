/*
 * archive_event.c
 *
 * Stores distinct events, in the order of their keys.
 *
 * Guarantees: an event is stored once whatever the number of writers; two
 * events are the same only when all 32 bytes of the id are.  Must survive
 * rows that the server refuses, and ids made to collide in their first 29
 * bits.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pg/archive.h"
#include "pg/archive_plan.h"
#include "pg/archive_row.h"
#include "utils/memutils.h"

/* More ids than this on neighbouring keys are an attack or a bug. */
#define MAX_PROBES 4096

/* One distinct event of a batch on its way into the table. */
typedef struct Pending
{
	int64		key;
	int			first;			/* index in e */
	bool		done;
} Pending;

static int
pending_cmp(const void *a, const void *b)
{
	const Pending *x = a;
	const Pending *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->first - y->first;
}

/*
 * Inserts rows w[0..n) in a subtransaction; w[i]->done tells which went in.
 * Returns the error when the server refused one of them.
 */
static ErrorData *
insert_attempt(BbArchiveEvent *e, Pending **w, int n)
{
	const BbArchiveEvent **rows = palloc(sizeof(*rows) * n);
	int64	   *keys = palloc(sizeof(int64) * n);
	bool		all;
	ErrorData  *error;
	int			j = 0;

	for (int i = 0; i < n; i++)
	{
		rows[i] = &e[w[i]->first];
		keys[i] = w[i]->key;
	}
	error = archive_row_insert(rows, keys, n, &all);
	if (error != NULL)
		return error;
	if (all)
	{
		for (int i = 0; i < n; i++)
			w[i]->done = true;
		return NULL;
	}
	/* RETURNING keeps the order of the input, but nobody promises it */
	for (uint64 r = 0; r < SPI_processed; r++)
	{
		bool		isnull;
		int64		key = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[r],
													  SPI_tuptable->tupdesc, 1, &isnull));

		if (j >= n || w[j]->key != key)
			for (j = 0; j < n && w[j]->key != key; j++)
				;
		if (j < n)
			w[j++]->done = true;
	}
	SPI_freetuptable(SPI_tuptable);
	return NULL;
}

/* Inserts, halving until the row that the server refuses stands alone. */
static void
insert_bisect(BbArchiveEvent *e, Pending **w, int n)
{
	ErrorData  *error = insert_attempt(e, w, n);
	BbArchiveEvent *bad;

	if (error == NULL)
		return;
	if (n > 1)
	{
		FreeErrorData(error);
		insert_bisect(e, w, n / 2);
		insert_bisect(e, w + n / 2, n - n / 2);
		return;
	}
	bad = &e[w[0]->first];
	bad->outcome = BB_INVALID;
	bad->reason = psprintf("database_%s: %s", unpack_sql_state(error->sqlerrcode),
						   error->message ? error->message : "");
	w[0]->done = true;
	FreeErrorData(error);
}

/*
 * Which of the rows not inserted are there already?  The same id: known.
 * Another id: the next key is tried.
 */
static void
resolve_conflicts(BbArchiveEvent *e, Pending *p, int n)
{
	BbProbe    *probe = palloc(sizeof(*probe) * n);
	Pending   **of = palloc(sizeof(*of) * n);
	int			m = 0;

	for (int i = 0; i < n; i++)
	{
		if (p[i].done)
			continue;
		probe[m].key = p[i].key;
		probe[m].id = e[p[i].first].ev.id;
		of[m++] = &p[i];
	}
	archive_probe(probe, m);
	for (int i = 0; i < m; i++)
	{
		if (probe[i].same)
		{
			of[i]->done = true;
			e[of[i]->first].outcome = BB_DUPLICATE;
		}
		else if (probe[i].other)
			of[i]->key = nostr_key_next(of[i]->key);
	}
}

static void
store(BbArchiveEvent *e, Pending *p, int n)
{
	Pending   **w = palloc(sizeof(*w) * n);
	int			left = n;

	for (int round = 0; left > 0; round++)
	{
		int			m = 0;

		if (round > MAX_PROBES)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not find a free key for an event in %d attempts", MAX_PROBES),
					 errhint("Use isolation level READ COMMITTED.")));
		CHECK_FOR_INTERRUPTS();
		qsort(p, n, sizeof(*p), pending_cmp);
		/* one row per key: another id on the same key waits for the next round */
		for (int i = 0; i < n; i++)
			if (!p[i].done && (m == 0 || w[m - 1]->key != p[i].key))
				w[m++] = &p[i];
		insert_bisect(e, w, m);
		for (int i = 0; i < m; i++)
			if (w[i]->done && e[w[i]->first].outcome == BB_PENDING)
				e[w[i]->first].outcome = BB_NEW;
		resolve_conflicts(e, p, n);
		left = 0;
		for (int i = 0; i < n; i++)
			left += !p[i].done;
	}
	for (int i = 0; i < n; i++)
		e[p[i].first].key = p[i].key;
}

void
archive_event_store(BbArchiveEvent *e, const int *which, int n)
{
	MemoryContext caller = CurrentMemoryContext;
	Pending    *p;

	SPI_connect();
	p = palloc(sizeof(*p) * n);
	for (int i = 0; i < n; i++)
	{
		p[i].key = e[which[i]].key;
		p[i].first = which[i];
		p[i].done = false;
	}
	store(e, p, n);
	for (int i = 0; i < n; i++)
		if (e[which[i]].reason != NULL)
			e[which[i]].reason = MemoryContextStrdup(caller, e[which[i]].reason);
	SPI_finish();
}
