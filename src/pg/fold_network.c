/*
 * fold_network.c
 *
 * Which events, authors and kinds each network has.
 *
 * Nearly all events were seen on clearnet, so there the exceptions are kept
 * (tally_network_event): events less exceptions is the count.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "pg/archive_plan.h"
#include "pg/fold_network.h"
#include "pg/key_list.h"

#define CLEARNET 0

static int
network_number(FoldNetworks *n, const char *name)
{
	for (int i = 0; i < n->n; i++)
		if (strcmp(n->v[i].name, name) == 0)
			return i;
	n->v = n->v == NULL ? palloc(sizeof(FoldNetwork)) : repalloc(n->v, sizeof(FoldNetwork) * (n->n + 1));
	memset(&n->v[n->n], 0, sizeof(FoldNetwork));
	n->v[n->n].name = pstrdup(name);
	return n->n++;
}

static int
relay_cmp(const void *a, const void *b)
{
	const FoldRelay *x = a;
	const FoldRelay *y = b;

	return x->id == y->id ? 0 : x->id < y->id ? -1 : 1;
}

/* The number of its network; -1: there is no such relay. */
static int
network_of(const FoldNetworks *n, int32 relay_id)
{
	FoldRelay	wanted = {relay_id, 0};
	FoldRelay  *r = n->nrelays == 0 ? NULL
		: bsearch(&wanted, n->relays, n->nrelays, sizeof(FoldRelay), relay_cmp);

	return r == NULL ? -1 : r->network;
}

void
fold_networks_load(FoldNetworks *n, const FoldStep *s)
{
	FoldSums	relays = {0};
	Datum		args[1];

	(void) network_number(n, "clearnet");
	for (int i = 0; i < s->n; i++)
		if (s->entries[i].relay_id != 0)
			(void) fold_sum(&relays, s->entries[i].relay_id, 0, 0);
	if (relays.n == 0)
		return;
	args[0] = fold_column(&relays, SUM_A);
	fold_run(FOLD_RELAY_NETWORKS, args);
	n->relays = palloc(sizeof(FoldRelay) * Max(SPI_processed, 1));
	for (uint64 r = 0; r < SPI_processed; r++)
	{
		bool		isnull;

		n->relays[r].id = fold_int8(r, 1);
		n->relays[r].network = network_number(n, TextDatumGetCString(fold_value(r, 2, &isnull)));
	}
	n->nrelays = SPI_processed;
	SPI_freetuptable(SPI_tuptable);
	qsort(n->relays, n->nrelays, sizeof(FoldRelay), relay_cmp);
	fold_sums_free(&relays);
}

/* Of sums by (relay, something), those of a network by that. */
static void
add_turns(const FoldNetworks *n, int network, FoldTally tally, const FoldSums *of, int64 *turned)
{
	FoldSums	sums = {0};

	for (int i = 0; i < of->n; i++)
		if (of->v[i].turn != 0 && network_of(n, of->v[i].a) == network)
			fold_sum(&sums, of->v[i].b, 0, 0)->n += of->v[i].turn;
	fold_add(tally, n->v[network].name, &sums);
	for (int i = 0; i < sums.n; i++)
		*turned += sums.v[i].turn;
	fold_sums_free(&sums);
}

void
fold_networks_turn(FoldNetworks *n, const FoldSums *authors, const FoldSums *kinds)
{
	for (int i = 0; i < n->n; i++)
	{
		add_turns(n, i, TALLY_NETWORK_AUTHOR, authors, &n->v[i].authors);
		add_turns(n, i, TALLY_NETWORK_KIND, kinds, &n->v[i].kinds);
	}
}

/* Sorted keys of what is added, each once: of events (network -1), or of
 * what relays of a network have shown.  Those that a removal touches are
 * looked up again afterwards (fold_removed.c). */
static int
added_keys(const FoldNetworks *n, const FoldStep *s, int network, Datum *keys)
{
	int			m = 0;

	for (int i = 0; i < s->n; i++)
	{
		const FoldEntry *e = &s->entries[i];

		if (e->info == NULL || e->sign < 0 || e->touched)
			continue;
		if (network < 0 ? e->relay_id == 0 : e->relay_id != 0 && network_of(n, e->relay_id) == network)
			keys[m++] = Int64GetDatum(e->key);
	}
	return bb_keys_distinct(keys, m);
}

/* How many rows a statement over these keys writes. */
static int64
rows_of(FoldPlan plan, Datum *keys, int n, const char *network)
{
	Datum		args[2];

	if (n == 0)
		return 0;
	args[0] = archive_array(keys, NULL, n, INT8OID);
	if (network != NULL)
		args[1] = CStringGetTextDatum(network);
	fold_run(plan, args);
	pfree(DatumGetPointer(args[0]));
	return SPI_processed;
}

static void
count_clearnet(FoldNetworks *n, const FoldStep *s, Datum *keys, Datum *seen)
{
	int			m = added_keys(n, s, -1, keys);
	int			nseen = added_keys(n, s, CLEARNET, seen);
	int			unseen = 0;
	int64	   *events = &n->v[CLEARNET].events;

	*events += m + rows_of(FOLD_CLEARNET_SEEN, seen, nseen, NULL);
	for (int i = 0, j = 0; i < m; i++)
	{
		while (j < nseen && bb_key_cmp(&seen[j], &keys[i]) < 0)
			j++;
		if (j == nseen || seen[j] != keys[i])
			keys[unseen++] = keys[i];
	}
	*events -= rows_of(FOLD_CLEARNET_UNSEEN, keys, unseen, NULL);
}

void
fold_networks_count(FoldNetworks *n, const FoldStep *s)
{
	Datum	   *keys = palloc_extended(sizeof(Datum) * Max(s->n, 1), MCXT_ALLOC_HUGE);
	Datum	   *seen = palloc_extended(sizeof(Datum) * Max(s->n, 1), MCXT_ALLOC_HUGE);

	count_clearnet(n, s, keys, seen);
	for (int i = CLEARNET + 1; i < n->n; i++)
		n->v[i].events += rows_of(FOLD_NETWORK_SEEN, keys, added_keys(n, s, i, keys), n->v[i].name);
	pfree(keys);
	pfree(seen);
	for (int i = 0; i < n->n; i++)
	{
		const FoldNetwork *v = &n->v[i];
		Datum		args[4];

		if (v->events == 0 && v->authors == 0 && v->kinds == 0)
			continue;
		args[0] = CStringGetTextDatum(v->name);
		args[1] = Int64GetDatum(v->events);
		args[2] = Int64GetDatum(v->authors);
		args[3] = Int64GetDatum(v->kinds);
		fold_run(FOLD_NETWORK, args);
	}
}
