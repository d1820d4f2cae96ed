/*
 * archive_delta.c
 *
 * Appends what a transaction added to bigbrotr.ingest_delta.
 *
 * Guarantees that rows and delta commit together, or neither does.  Writers
 * never wait for each other here: the table is only appended to.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "pg/archive_delta.h"
#include "pg/archive_plan.h"

void
archive_delta_init(BbDelta *d, int max_keys, int max_seen)
{
	d->keys = palloc_extended(sizeof(int64) * Max(max_keys, 1), MCXT_ALLOC_HUGE);
	d->seen_keys = palloc_extended(sizeof(int64) * Max(max_seen, 1), MCXT_ALLOC_HUGE);
	d->seen_relays = palloc_extended(sizeof(int32) * Max(max_seen, 1), MCXT_ALLOC_HUGE);
	d->nkeys = d->nseen = 0;
}

static Datum
int8s(const int64 *v, int n)
{
	Datum	   *d = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		d[i] = Int64GetDatum(v[i]);
	return archive_array(d, NULL, n, INT8OID);
}

static Datum
int4s(const int32 *v, int n)
{
	Datum	   *d = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		d[i] = Int32GetDatum(v[i]);
	return archive_array(d, NULL, n, INT4OID);
}

void
archive_delta_write(BbDelta *d)
{
	SPI_connect();
	for (int i = 0; i < Max(d->nkeys, d->nseen); i += BB_DELTA_ENTRIES)
	{
		int			k = Min(i, d->nkeys);
		int			s = Min(i, d->nseen);
		Datum		args[3];

		args[0] = int8s(d->keys + k, Min(BB_DELTA_ENTRIES, d->nkeys - k));
		args[1] = int8s(d->seen_keys + s, Min(BB_DELTA_ENTRIES, d->nseen - s));
		args[2] = int4s(d->seen_relays + s, Min(BB_DELTA_ENTRIES, d->nseen - s));
		archive_plan_run(BB_PLAN_INSERT_DELTA, args, NULL);
	}
	SPI_finish();
	pfree(d->keys);
	pfree(d->seen_keys);
	pfree(d->seen_relays);
}
