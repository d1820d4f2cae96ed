/*
 * relay_cover.c
 *
 *		relay_cover(since, until, max_relays, max_observations) SETOF record
 *
 * Which few relays hold most of the events created in that time, greedily:
 * each is the relay that adds most events to those chosen before (the usual
 * approximation of the smallest set cover; ties go to the lower relay.id).
 *
 * Memory is 4 bytes per observation and 5 per event; more than
 * max_observations is an error.  Can be canceled at any time.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/each_row.h"
#include "pg/grow.h"
#include "pg/srf.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

extern PGDLLEXPORT Datum bigbrotr_relay_cover(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_relay_cover);

#define MAX_RELAY	(16 * 1024 * 1024)	/* relay.id */
#define COVER_COLUMNS 4

typedef struct Cover
{
	int32	   *relays;			/* of all events, one event behind the other */
	int64		n;
	int64		room;
	int64		limit;
	int32	   *counts;			/* relays of each event */
	int64		nevents;
	int64		last;			/* key of the last event */
	int64		max_events;
	bool	   *covered;
	int64	   *left;			/* by relay: events of it that are not covered */
	int32		nrelays;		/* greatest relay.id + 1 */
} Cover;

static void
add(Cover *c, int64 key, int32 relay)
{
	if (c->n >= c->limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than " INT64_FORMAT " observations in this time range", c->limit),
				 errhint("Choose a shorter time range, or increase the argument max_observations; each observation takes 4 bytes of memory.")));
	if (relay < 0 || relay >= MAX_RELAY)
		return;
	if (c->nevents == 0 || key != c->last)
	{
		BB_GROW(c->counts, c->nevents, c->max_events);
		c->counts[c->nevents++] = 0;
		c->last = key;
	}
	BB_GROW(c->relays, c->n, c->room);
	c->relays[c->n++] = relay;
	c->counts[c->nevents - 1]++;
	c->nrelays = Max(c->nrelays, relay + 1);
}

static void
add_row(void *state, HeapTuple row, TupleDesc desc)
{
	bool		isnull;

	add(state, DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull)), DatumGetInt32(SPI_getbinval(row, desc, 2, &isnull)));
}

static void
read_observations(Cover *c, Datum since, Datum until)
{
	Oid			types[2] = {INT8OID, INT8OID};
	Datum		args[2] = {since, until};

	bb_each_row("SELECT o.key, o.relay_id FROM bigbrotr.observation_all AS o "
				"WHERE o.key >= $1 AND o.key < $2 ORDER BY o.key", 2, types, args, add_row, c);
}

/* Marks the events of that relay covered. */
static void
choose(Cover *c, int32 relay)
{
	int64		at = 0;

	for (int64 e = 0; e < c->nevents; at += c->counts[e++])
	{
		bool		has = false;

		if (e % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (c->covered[e])
			continue;
		for (int i = 0; i < c->counts[e] && !has; i++)
			has = c->relays[at + i] == relay;
		if (!has)
			continue;
		c->covered[e] = true;
		for (int i = 0; i < c->counts[e]; i++)
			c->left[c->relays[at + i]]--;
	}
}

Datum
bigbrotr_relay_cover(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsi = (ReturnSetInfo *) fcinfo->resultinfo;
	int32		max_relays = PG_GETARG_INT32(2);
	Cover		c = {0};
	int64		covered = 0;

	c.limit = PG_GETARG_INT64(3);
	if (max_relays < 1 || c.limit < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_relays and max_observations must be positive")));
	bb_srf_begin(fcinfo);
	read_observations(&c, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
	if (c.nevents == 0)
		PG_RETURN_NULL();
	c.covered = palloc_extended(c.nevents, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	c.left = palloc0(sizeof(int64) * c.nrelays);
	for (int64 i = 0; i < c.n; i++)
		c.left[c.relays[i]]++;
	for (int32 step = 1; step <= max_relays && covered < c.nevents; step++)
	{
		Datum		values[COVER_COLUMNS];
		bool		nulls[COVER_COLUMNS] = {false};
		int32		best = 0;

		for (int32 r = 1; r < c.nrelays; r++)
			if (c.left[r] > c.left[best])
				best = r;
		values[0] = Int32GetDatum(step);
		values[1] = Int32GetDatum(best);
		values[2] = Int64GetDatum(c.left[best]);
		covered += c.left[best];
		values[3] = Float8GetDatum((double) covered / c.nevents);
		tuplestore_putvalues(rsi->setResult, rsi->setDesc, values, nulls);
		choose(&c, best);
	}
	PG_RETURN_NULL();
}
