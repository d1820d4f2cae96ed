/*
 * fold_apply.c
 *
 * Counts the entries of a step into the tallies.
 *
 * Counters are changed by what came less what went, summed up in memory
 * first; what appears or vanishes in a finer tally changes the numbers of
 * different authors and kinds in a coarser one.  What cannot be subtracted is
 * done afterwards (fold_removed.c).
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "pg/archive_plan.h"
#include "pg/fold.h"
#include "pg/fold_network.h"
#include "pg/tally_day.h"

/* Seconds of a row of tally_time. */
#define SLOT_SECONDS 600

static void
count(FoldSum *v, const FoldEntry *e)
{
	v->n += e->sign;
	if (e->sign < 0)
		return;
	v->lo = Min(v->lo, e->info->created_at);
	v->hi = Max(v->hi, e->info->created_at);
}

/* Into by_author go the days of each. */
static void
count_days(const FoldStep *s, FoldSums *by_author)
{
	FoldSums	days = {0};
	FoldSums	authors = {0};
	FoldSums	kinds = {0};
	FoldSums	slots = {0};

	for (int i = 0; i < s->n; i++)
	{
		const FoldEntry *e = &s->entries[i];
		int32		day;

		if (e->info == NULL || e->relay_id != 0)
			continue;
		day = tally_day(e->info->created_at);
		count(fold_sum(&authors, day, e->info->author, 0), e);
		count(fold_sum(&kinds, day, e->info->kind, 0), e);
		count(fold_sum(&slots, e->info->created_at / SLOT_SECONDS, 0, 0), e);
	}
	fold_add(TALLY_TIME, NULL, &slots);
	fold_add(TALLY_DAY_AUTHOR, NULL, &authors);
	fold_add(TALLY_DAY_KIND, NULL, &kinds);
	for (int i = 0; i < authors.n; i++)
	{
		fold_sum_up(&days, authors.v[i].a, 0, 0, &authors.v[i])->x += authors.v[i].turn;
		fold_sum(by_author, authors.v[i].b, 0, 0)->y += authors.v[i].turn;
	}
	for (int i = 0; i < kinds.n; i++)
		fold_sum(&days, kinds.v[i].a, 0, 0)->y += kinds.v[i].turn;
	fold_add(TALLY_DAY, NULL, &days);
	fold_sums_free(&days);
	fold_sums_free(&authors);
	fold_sums_free(&kinds);
	fold_sums_free(&slots);
}

static void
count_total(const FoldSums *kinds, int64 authors)
{
	FoldSums	all = {0};
	FoldSum    *total = fold_sum(&all, 0, 0, 0);
	Datum		args[4];

	for (int i = 0; i < kinds->n; i++)
		(void) fold_sum_up(&all, 0, 0, 0, &kinds->v[i]);
	args[0] = Int64GetDatum(total->n);
	args[1] = Int64GetDatum(authors);
	args[2] = fold_column(&all, SUM_LO);
	args[3] = fold_column(&all, SUM_HI);
	fold_run(FOLD_TOTAL, args);
	fold_sums_free(&all);
}

static void
count_events(const FoldStep *s)
{
	FoldSums	both = {0};
	FoldSums	authors = {0};
	FoldSums	kinds = {0};
	int64		turned;

	for (int i = 0; i < s->n; i++)
		if (s->entries[i].info != NULL && s->entries[i].relay_id == 0)
			count(fold_sum(&both, s->entries[i].info->author, s->entries[i].info->kind, 0), &s->entries[i]);
	fold_add(TALLY_AUTHOR_KIND, NULL, &both);
	for (int i = 0; i < both.n; i++)
	{
		const FoldSum *v = &both.v[i];

		fold_sum_up(&authors, v->a, 0, 0, v)->x += v->turn;
		fold_sum_up(&kinds, v->b, 0, 0, v)->x += v->turn;
	}
	count_days(s, &authors);
	turned = fold_authors_add(s, &authors);
	fold_add(TALLY_KIND, NULL, &kinds);
	if (kinds.n > 0)
		count_total(&kinds, turned);
	fold_sums_free(&both);
	fold_sums_free(&authors);
	fold_sums_free(&kinds);
}

/* What appeared or vanished of (relay, author, kind), per relay and author:
 * turn says whether the author did. */
static void
turn_relay_authors(const FoldSums *fine, FoldSums *out)
{
	Datum		args[2];

	for (int i = 0; i < fine->n; i++)
		if (fine->v[i].turn != 0)
			fold_sum(out, fine->v[i].a, fine->v[i].b, 0)->x += fine->v[i].turn;
	if (out->n == 0)
		return;
	args[0] = fold_column(out, SUM_A);
	args[1] = fold_column(out, SUM_B);
	fold_run(FOLD_RELAY_AUTHOR_KINDS, args);
	for (uint64 r = 0; r < SPI_processed; r++)
	{
		FoldSum    *v = &out->v[fold_int8(r, 1) - 1];
		int64		now = fold_int8(r, 2);

		v->turn = (now > 0) - (now - v->x > 0);
	}
	SPI_freetuptable(SPI_tuptable);
}

static void
count_observations(const FoldStep *s, FoldNetworks *networks)
{
	FoldSums	fine = {0};
	FoldSums	authors = {0};
	FoldSums	kinds = {0};
	FoldSums	relays = {0};

	for (int i = 0; i < s->n; i++)
	{
		const FoldEntry *e = &s->entries[i];

		if (e->info != NULL && e->relay_id != 0)
			count(fold_sum(&fine, e->relay_id, e->info->author, e->info->kind), e);
	}
	if (fine.n == 0)
		return;
	fold_add(TALLY_RELAY_AUTHOR, NULL, &fine);
	turn_relay_authors(&fine, &authors);
	for (int i = 0; i < fine.n; i++)
		fold_sum_up(&kinds, fine.v[i].a, fine.v[i].c, 0, &fine.v[i])->x += fine.v[i].turn;
	fold_add(TALLY_RELAY_KIND, NULL, &kinds);
	for (int i = 0; i < kinds.n; i++)
		fold_sum_up(&relays, kinds.v[i].a, 0, 0, &kinds.v[i])->y += kinds.v[i].turn;
	for (int i = 0; i < authors.n; i++)
		fold_sum(&relays, authors.v[i].a, 0, 0)->x += authors.v[i].turn;
	fold_add(TALLY_RELAY, NULL, &relays);
	fold_networks_turn(networks, &authors, &kinds);
	fold_sums_free(&fine);
	fold_sums_free(&authors);
	fold_sums_free(&kinds);
	fold_sums_free(&relays);
}

void
fold_apply(FoldStep *s)
{
	FoldNetworks networks = {0};

	fold_touch(s);
	fold_networks_load(&networks, s);
	count_events(s);
	count_observations(s, &networks);
	fold_networks_count(&networks, s);
	fold_latest(s);
	if (s->removals)
		fold_removed(s);
}
