/*
 * pagerank.c
 *
 *		pagerank(damping, iterations, tolerance, max_edges) SETOF record
 *
 * PageRank of the follow graph: the newest kind 3 event of each author, with
 * an edge to each key in a p tag (NIP-02).  Duplicate edges count once, edges
 * to oneself not at all; an author who follows nobody shares with all
 * equally.
 *
 * Memory is 4 bytes per edge and about 150 per key; more than max_edges is an
 * error.  Must survive tags of any form, and being canceled at any time.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nostr/tags.h"
#include "pg/compat.h"
#include "pg/each_row.h"
#include "pg/grow.h"
#include "pg/srf.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/tuplestore.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_pagerank(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_pagerank);

#define CHECK_EVERY		65536	/* edges or rows between two looks for interrupts */

typedef struct NodeSlot
{
	uint8		pubkey[32];		/* the hash key */
	int32		node;
} NodeSlot;

typedef struct Graph
{
	HTAB	   *slots;
	NodeSlot  **nodes;
	int64		nnodes;
	int64		max_nodes;
	int32	   *targets;		/* of all authors, one behind the other */
	int64		nedges;
	int64		room;
	int32	   *authors;		/* node of each author with targets */
	int64	   *ends;			/* where its targets end */
	int64		nauthors;
	int64		max_authors;
	int64		max_ends;
	int64		limit;			/* edges */
} Graph;

static int32
node_of(Graph *g, const void *pubkey)
{
	bool		found;
	NodeSlot   *s = hash_search(g->slots, pubkey, HASH_ENTER, &found);

	if (!found)
	{
		if (g->nnodes >= PG_INT32_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("follow graph has too many public keys")));
		BB_GROW(g->nodes, g->nnodes, g->max_nodes);
		s->node = (int32) g->nnodes;
		g->nodes[g->nnodes++] = s;
	}
	return s->node;
}

static int
int32_cmp(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return x < y ? -1 : x > y;
}

static void
add_edge(Graph *g, int32 target)
{
	if (g->nedges >= g->limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("follow graph has more than " INT64_FORMAT " edges", g->limit),
				 errhint("Increase the argument max_edges; each edge takes 4 bytes of memory.")));
	BB_GROW(g->targets, g->nedges, g->room);
	g->targets[g->nedges++] = target;
}

/* The contact list of one author. */
static void
add_list(Graph *g, const bytea *pubkey, const struct varlena *tags)
{
	int32		author = node_of(g, VARDATA_ANY(pubkey));
	int64		start = g->nedges;
	int64		n = start;
	NostrTagIter it;
	NostrTagElement el;

	nostr_tags_iter(&it, (const uint8_t *) VARDATA_ANY(tags), VARSIZE_ANY_EXHDR(tags));
	while (nostr_tags_next(&it) > 0)
	{
		int32		target;

		if (!nostr_tags_next_element(&it, &el) || el.hex || el.len != 1 || el.data[0] != 'p' ||
			!nostr_tags_next_element(&it, &el) || !el.hex || el.len != 32)
			continue;
		target = node_of(g, el.data);
		if (target != author)
			add_edge(g, target);
	}
	if (g->nedges == start)
		return;
	qsort(g->targets + start, g->nedges - start, sizeof(int32), int32_cmp);
	for (int64 i = start; i < g->nedges; i++)
		if (n == start || g->targets[n - 1] != g->targets[i])
			g->targets[n++] = g->targets[i];
	g->nedges = n;
	BB_GROW(g->authors, g->nauthors, g->max_authors);
	BB_GROW(g->ends, g->nauthors, g->max_ends);
	g->authors[g->nauthors] = author;
	g->ends[g->nauthors++] = n;
}

static void
add_row(void *state, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		pubkey = SPI_getbinval(row, desc, 1, &isnull);
	Datum		tags = SPI_getbinval(row, desc, 2, &isnull);
	bytea	   *key = DatumGetByteaPP(pubkey);
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(tags);

	add_list(state, key, packed);
	if ((Pointer) packed != DatumGetPointer(tags))
		pfree(packed);
	if ((Pointer) key != DatumGetPointer(pubkey))
		pfree(key);
}

static void
read_graph(Graph *g)
{
	bb_each_row("SELECT e.pubkey, e.tags FROM bigbrotr.tally_latest AS t "
				"JOIN bigbrotr.event AS e ON e.key = t.key "
				"WHERE t.kind = 3 AND e.tags IS NOT NULL", 0, NULL, NULL, add_row, g);
}

/* One round; how much the ranks moved in sum. */
static double
iterate(const Graph *g, double damping, const double *rank, double *next)
{
	double		spread = 1;		/* rank of those who follow nobody */
	double		moved = 0;
	double		base;
	int64		start = 0;
	int64		countdown = CHECK_EVERY;

	for (int64 a = 0; a < g->nauthors; a++)
		spread -= rank[g->authors[a]];
	base = (1 - damping + damping * Max(spread, 0)) / g->nnodes;
	for (int64 i = 0; i < g->nnodes; i++)
		next[i] = base;
	for (int64 a = 0; a < g->nauthors; a++)
	{
		double		share = damping * rank[g->authors[a]] / (g->ends[a] - start);

		for (int64 i = start; i < g->ends[a]; i++)
			next[g->targets[i]] += share;
		countdown -= g->ends[a] - start;
		start = g->ends[a];
		if (countdown <= 0)
		{
			CHECK_FOR_INTERRUPTS();
			countdown = CHECK_EVERY;
		}
	}
	for (int64 i = 0; i < g->nnodes; i++)
		moved += fabs(next[i] - rank[i]);
	return moved;
}

static void
emit(const Graph *g, const double *rank, ReturnSetInfo *rsi)
{
	int32	   *follows = palloc_extended(sizeof(int32) * g->nnodes, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int32	   *followers = palloc_extended(sizeof(int32) * g->nnodes, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int64		start = 0;
	bytea	   *pubkey = palloc(VARHDRSZ + 32);

	SET_VARSIZE(pubkey, VARHDRSZ + 32);
	for (int64 i = 0; i < g->nedges; i++)
		followers[g->targets[i]]++;
	for (int64 a = 0; a < g->nauthors; a++)
	{
		follows[g->authors[a]] = (int32) (g->ends[a] - start);
		start = g->ends[a];
	}
	for (int64 i = 0; i < g->nnodes; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {false};

		if (i % CHECK_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		memcpy(VARDATA(pubkey), g->nodes[i]->pubkey, 32);
		values[0] = PointerGetDatum(pubkey);
		values[1] = Float8GetDatum(rank[i]);
		values[2] = Int32GetDatum(follows[i]);
		values[3] = Int32GetDatum(followers[i]);
		tuplestore_putvalues(rsi->setResult, rsi->setDesc, values, nulls);
	}
}

Datum
bigbrotr_pagerank(PG_FUNCTION_ARGS)
{
	double		damping = PG_GETARG_FLOAT8(0);
	int32		iterations = PG_GETARG_INT32(1);
	double		tolerance = PG_GETARG_FLOAT8(2);
	HASHCTL		ctl = {0};
	Graph		g = {0};
	double	   *rank;
	double	   *next;

	g.limit = PG_GETARG_INT64(3);
	if (!(damping >= 0 && damping <= 1) || iterations < 1 || iterations > 10000 ||
		!(tolerance >= 0) || g.limit < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("damping must be between 0 and 1, iterations between 1 and 10000, tolerance not negative, and max_edges positive")));
	bb_srf_begin(fcinfo);
	ctl.keysize = 32;
	ctl.entrysize = sizeof(NodeSlot);
	ctl.hcxt = CurrentMemoryContext;
	g.slots = hash_create("follow graph", 65536, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	read_graph(&g);
	if (g.nnodes == 0)
		PG_RETURN_NULL();
	rank = palloc_extended(sizeof(double) * g.nnodes, MCXT_ALLOC_HUGE);
	next = palloc_extended(sizeof(double) * g.nnodes, MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < g.nnodes; i++)
		rank[i] = 1.0 / g.nnodes;
	for (int i = 0; i < iterations; i++)
	{
		double		moved = iterate(&g, damping, rank, next);
		double	   *swap = rank;

		CHECK_FOR_INTERRUPTS();
		rank = next;
		next = swap;
		if (moved <= tolerance)
			break;
	}
	emit(&g, rank, (ReturnSetInfo *) fcinfo->resultinfo);
	PG_RETURN_NULL();
}
