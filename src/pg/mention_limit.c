/*
 * mention_limit.c
 *
 * Limits how many addresses one host and one domain may have: otherwise a
 * host that answers at any path, or a domain with any name, could fill the
 * queue with a single relay.
 *
 * The limits count the rows of mention, so an operator who deletes rows makes
 * room.  Among the new addresses of a batch, those that more authors mention
 * come first.  Concurrent writers do not see each other: together they may
 * exceed a limit by what each brings.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "pg/archive_plan.h"
#include "pg/guc.h"
#include "pg/mention_write.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

typedef struct Room
{
	char		name[NOSTR_DOMAIN_MAX + 1];	/* hash key */
	int64		left;
	int64		refused;
	const char *sample;
} Room;

typedef struct Scope
{
	const char *name;
	const char *count_sql;
	SPIPlanPtr	count_plan;
	HTAB	   *rooms;
	int			n;
} Scope;

static Scope scopes[2] = {
	{"host", "SELECT (SELECT count(*) FROM (SELECT FROM bigbrotr.mention AS m WHERE m.host = u.name LIMIT $2) AS x) "
	"FROM pg_catalog.unnest($1) WITH ORDINALITY AS u (name, n) ORDER BY u.n", NULL, NULL, 0},
	{"domain", "SELECT (SELECT count(*) FROM (SELECT FROM bigbrotr.mention AS m WHERE m.domain = u.name LIMIT $2) AS x) "
	"FROM pg_catalog.unnest($1) WITH ORDINALITY AS u (name, n) ORDER BY u.n", NULL, NULL, 0},
};

static const char *
name_in(const BbMention *m, int scope)
{
	return scope == 0 ? m->host : m->domain;
}

/* Finds out how much room the hosts (or domains) of the new addresses have. */
static void
read_rooms(int scope, BbMention **m, int n, int limit)
{
	Scope	   *s = &scopes[scope];
	HASHCTL		ctl = {0};
	Room	  **all = palloc(sizeof(*all) * n);
	const char **names = palloc(sizeof(*names) * n);
	Oid			types[2] = {TEXTARRAYOID, INT8OID};
	Datum		values[2];

	ctl.keysize = sizeof(((Room *) 0)->name);
	ctl.entrysize = sizeof(Room);
	ctl.hcxt = CurrentMemoryContext;
	s->rooms = hash_create("bigbrotr limits", 256, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	s->n = 0;
	for (int i = 0; i < n; i++)
	{
		bool		found;
		Room	   *r = hash_search(s->rooms, name_in(m[i], scope), HASH_ENTER, &found);

		if (found)
			continue;
		r->refused = 0;
		r->sample = NULL;
		names[s->n] = r->name;
		all[s->n++] = r;
	}
	values[0] = mention_texts(names, s->n);
	values[1] = Int64GetDatum(limit);
	mention_run(&s->count_plan, s->count_sql, SPI_OK_SELECT, 2, types, values);
	for (int i = 0; i < s->n && i < (int) SPI_processed; i++)
	{
		bool		isnull;

		all[i]->left = limit - DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
														   SPI_tuptable->tupdesc, 1, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp((*(Room *const *) a)->name, (*(Room *const *) b)->name);
}

static void
write_refused(int scope)
{
	static SPIPlanPtr plan;
	static const char *const sql =
		"INSERT INTO bigbrotr.mention_refused AS r (scope, name, count, sample) "
		"SELECT $1, u.name, u.count, u.sample FROM unnest($2, $3, $4) AS u (name, count, sample) "
		"ON CONFLICT (scope, name) DO UPDATE SET count = r.count + excluded.count, "
		"last_refused_at = excluded.last_refused_at";
	Scope	   *s = &scopes[scope];
	Oid			types[4] = {TEXTOID, TEXTARRAYOID, INT8ARRAYOID, TEXTARRAYOID};
	Datum		values[4];
	Room	  **all = palloc(sizeof(*all) * s->n);
	const char **names = palloc(sizeof(*names) * s->n);
	const char **samples = palloc(sizeof(*samples) * s->n);
	Datum	   *counts = palloc(sizeof(Datum) * s->n);
	HASH_SEQ_STATUS seq;
	Room	   *r;
	int			n = 0;

	hash_seq_init(&seq, s->rooms);
	while ((r = hash_seq_search(&seq)) != NULL)
		if (r->refused > 0)
			all[n++] = r;
	if (n == 0)
		return;
	qsort(all, n, sizeof(*all), by_name);
	for (int i = 0; i < n; i++)
	{
		names[i] = all[i]->name;
		samples[i] = all[i]->sample;
		counts[i] = Int64GetDatum(all[i]->refused);
	}
	values[0] = CStringGetTextDatum(s->name);
	values[1] = mention_texts(names, n);
	values[2] = archive_array(counts, NULL, n, INT8OID);
	values[3] = mention_texts(samples, n);
	mention_run(&plan, sql, SPI_OK_INSERT, 4, types, values);
}

/* More authors first, then by address. */
static int
by_authors(const void *a, const void *b)
{
	const BbMention *x = *(BbMention *const *) a;
	const BbMention *y = *(BbMention *const *) b;
	uint32		n = nostr_sketch_count(&x->sketch);
	uint32		k = nostr_sketch_count(&y->sketch);

	return n != k ? (n > k ? -1 : 1) : strcmp(x->url, y->url);
}

void
mention_limit(BbMention **m, int n, BbMentionCounts *c)
{
	BbMention **order = palloc(sizeof(*order) * n);

	memcpy(order, m, sizeof(*order) * n);
	qsort(order, n, sizeof(*order), by_authors);
	read_rooms(0, m, n, bb_finder_max_per_host);
	read_rooms(1, m, n, bb_finder_max_per_domain);
	for (int i = 0; i < n; i++)
	{
		Room	   *room[2];
		Room	   *full = NULL;

		for (int s = 0; s < 2; s++)
		{
			room[s] = hash_search(scopes[s].rooms, name_in(order[i], s), HASH_FIND, NULL);
			if (full == NULL && room[s]->left <= 0)
				full = room[s];
		}
		if (full == NULL)
		{
			room[0]->left--;
			room[1]->left--;
			continue;
		}
		order[i]->refused = true;
		full->refused += order[i]->count;
		if (full->sample == NULL)
			full->sample = order[i]->url;
		c->refused += order[i]->count;
	}
	write_refused(0);
	write_refused(1);
	hash_destroy(scopes[0].rooms);
	hash_destroy(scopes[1].rooms);
}
