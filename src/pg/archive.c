/*
 * archive.c
 *
 * Writes events and observations.
 *
 * Guarantees: an event is stored once whatever the number of writers; two
 * events are the same only when all 32 bytes of the id are; keys are written
 * in ascending order, so that writers never deadlock.  Must survive rows that
 * the server refuses, in-batch duplicates, and ids made to collide in their
 * first 29 bits.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
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
	int			first;			/* index of the first copy in the batch */
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

/* First pending with that key, or NULL; p is sorted. */
static Pending *
pending_find(Pending *p, int n, int64 key)
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
	return lo < n && p[lo].key == key ? &p[lo] : NULL;
}

/* Errors that are the row's own fault; all others end the transaction. */
static bool
is_data_error(int sqlerrcode)
{
	int			class = ERRCODE_TO_CATEGORY(sqlerrcode);

	return class == ERRCODE_DATA_EXCEPTION ||
		class == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ||
		class == ERRCODE_PROGRAM_LIMIT_EXCEEDED ||
		class == ERRCODE_WITH_CHECK_OPTION_VIOLATION ||
		class == ERRCODE_PLPGSQL_ERROR;
}

/*
 * Inserts rows w[0..n) in a subtransaction; w[i]->done tells which went in.
 * Returns the error when the server refused one of them.
 */
static ErrorData *
insert_attempt(BbArchiveEvent *e, Pending **w, int n)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		const BbArchiveEvent **rows = palloc(sizeof(*rows) * n);
		int64	   *keys = palloc(sizeof(int64) * n);
		int			j = 0;

		for (int i = 0; i < n; i++)
		{
			rows[i] = &e[w[i]->first];
			keys[i] = w[i]->key;
		}
		archive_row_insert(rows, keys, n);
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
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
		if (!is_data_error(error->sqlerrcode))
			ReThrowError(error);
	}
	PG_END_TRY();
	return error;
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
	Datum	   *keys = palloc(sizeof(Datum) * n);
	bool	   *seen = palloc0(sizeof(bool) * n);
	int			m = 0;
	Datum		args[3];

	for (int i = 0; i < n; i++)
		if (!p[i].done && (m == 0 || DatumGetInt64(keys[m - 1]) != p[i].key))
			keys[m++] = Int64GetDatum(p[i].key);
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
		Pending    *q = pending_find(p, n, key);

		for (; q != NULL && q < p + n && q->key == key; q++)
		{
			if (q->done)
				continue;
			seen[q - p] = true;
			if (memcmp(VARDATA_ANY(id), e[q->first].ev.id, 32) == 0)
			{
				q->done = true;
				e[q->first].outcome = BB_DUPLICATE;
			}
		}
	}
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < n; i++)
		if (!p[i].done && seen[i])
			p[i].key++;
}

/* Stores the distinct events; sets key and outcome of the first copies. */
static void
write_events(BbArchiveEvent *e, Pending *p, int n)
{
	Pending   **w = palloc(sizeof(*w) * n);
	int			left = n;

	for (int round = 0; left > 0; round++)
	{
		int			m = 0;

		if (round > MAX_PROBES)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("no free key for an event after %d probes", MAX_PROBES),
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

typedef struct Sorted
{
	const BbArchiveEvent *ev;
	int			at;
} Sorted;

static int
by_id(const void *a, const void *b)
{
	const Sorted *x = a;
	const Sorted *y = b;
	int			c = memcmp(x->ev->ev.id, y->ev->ev.id, 32);

	return c != 0 ? c : x->at - y->at;
}

/* Copies of one event in the batch share its key and get its outcome. */
static void
write_observations(BbArchiveEvent *e, int n, const int *first)
{
	BbObservation *o = palloc(sizeof(*o) * n);
	int			m = 0;

	for (int i = 0; i < n; i++)
	{
		const BbArchiveEvent *f = &e[first[i]];

		if (first[i] != i)
		{
			e[i].key = f->key;
			e[i].outcome = f->outcome == BB_INVALID ? BB_INVALID : BB_DUPLICATE;
			e[i].reason = f->reason;
		}
		if (e[i].outcome == BB_INVALID || e[i].relay_id == 0)
			continue;
		o[m].key = e[i].key;
		o[m].relay_id = e[i].relay_id;
		o[m].seen_at = e[i].seen_at;
		o[m].fresh = false;
		o[m++].at = i;
	}
	archive_observation_insert(o, m);
	for (int i = 0; i < m; i++)
		if (o[i].fresh && e[o[i].at].outcome == BB_DUPLICATE)
			e[o[i].at].outcome = BB_OBSERVED;
}

void
archive_write(BbArchiveEvent *e, int n)
{
	MemoryContext caller = CurrentMemoryContext;
	Sorted	   *s;
	Pending    *p;
	int		   *first;
	int			distinct = 0;

	if (n <= 0)
		return;
	SPI_connect();
	archive_partitions();
	s = palloc(sizeof(*s) * n);
	p = palloc(sizeof(*p) * n);
	first = palloc(sizeof(*first) * n);
	for (int i = 0; i < n; i++)
	{
		e[i].outcome = BB_PENDING;
		e[i].reason = NULL;
		s[i].ev = &e[i];
		s[i].at = i;
	}
	qsort(s, n, sizeof(*s), by_id);
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && memcmp(s[i - 1].ev->ev.id, s[i].ev->ev.id, 32) == 0)
		{
			first[s[i].at] = first[s[i - 1].at];
			continue;
		}
		first[s[i].at] = s[i].at;
		p[distinct].key = s[i].ev->key;
		p[distinct].first = s[i].at;
		p[distinct++].done = false;
	}
	write_events(e, p, distinct);
	write_observations(e, n, first);
	for (int i = 0; i < n; i++)
		if (e[i].reason != NULL)
			e[i].reason = MemoryContextStrdup(caller, e[i].reason);
	SPI_finish();
	for (int i = 0; i < n; i++)
		if (e[i].outcome == BB_INVALID)
			archive_reject(e[i].relay_id, e[i].reason, e[i].ev.id,
						   e[i].ev.content, e[i].ev.content_len, 1, e[i].seen_at);
}
