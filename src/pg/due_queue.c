/*
 * due_queue.c
 *
 * See due_queue.h.
 *
 * Guarantees that no network starves: when connections of all together are
 * what is scarce, the networks take turns.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/due_queue.h"
#include "pg/guc.h"

#define SHORTEST_WAIT	100		/* ms */

typedef struct DuePart DuePart;

void
due_forget(DueQueue *q)
{
	for (int i = 0; i < NOSTR_NETWORK_COUNT; i++)
	{
		q->part[i].first = q->part[i].n = 0;
		q->part[i].more = bb_network[i].enabled;
	}
}

bool
due_possible(const DueQueue *q)
{
	for (int i = 0; i < NOSTR_NETWORK_COUNT; i++)
		if ((q->part[i].first < q->part[i].n || q->part[i].more) && q->room(i) > 0)
			return true;
	return false;
}

/* Those in flight are still due in the table: that many more are read. */
static void
read_part(DueQueue *q, NostrNetwork network, long *wait_ms)
{
	DuePart    *p = &q->part[network];
	int64		limit = q->running(network) + DUE_READ;
	Oid			types[2] = {TEXTOID, INT8OID};
	Datum		values[2] = {CStringGetTextDatum(nostr_network_name(network)), Int64GetDatum(limit)};

	if (p->cxt == NULL)
		p->cxt = AllocSetContextCreate(TopMemoryContext, "bigbrotr due", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(p->cxt);
	p->first = p->n = 0;
	/* not read-only: it sees what this transaction has changed */
	SPI_execute_with_args(q->sql, 2, types, values, NULL, false, 0);
	p->more = SPI_processed == (uint64) limit;
	for (uint64 i = 0; i < SPI_processed && p->n < DUE_READ; i++)
	{
		HeapTuple	t = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		DueEntry   *e = &p->entry[p->n];
		bool		isnull;
		int64		ms = DatumGetInt64(SPI_getbinval(t, desc, 3, &isnull));

		if (ms > 0)
		{
			*wait_ms = Min(*wait_ms, Max(ms, SHORTEST_WAIT));
			p->more = false;
			break;
		}
		e->id = DatumGetInt32(SPI_getbinval(t, desc, 1, &isnull));
		e->network = network;
		e->url = SPI_getvalue(t, desc, 2);
		if (q->runs(e))
			continue;
		e->url = MemoryContextStrdup(p->cxt, e->url);
		p->n++;
	}
	SPI_freetuptable(SPI_tuptable);
}

const DueEntry *
due_next(DueQueue *q, long *wait_ms)
{
	for (int i = 0; i < NOSTR_NETWORK_COUNT; i++)
	{
		NostrNetwork network = (q->turn + i) % NOSTR_NETWORK_COUNT;
		DuePart    *p = &q->part[network];

		if (q->room(network) <= 0)
			continue;
		if (p->first == p->n && p->more)
			read_part(q, network, wait_ms);
		/* what was read before may run by now */
		while (p->first < p->n && q->runs(&p->entry[p->first]))
			p->first++;
		if (p->first == p->n)
			continue;
		q->turn = (network + 1) % NOSTR_NETWORK_COUNT;
		return &p->entry[p->first++];
	}
	return NULL;
}
