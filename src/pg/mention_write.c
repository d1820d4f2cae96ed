/*
 * mention_write.c
 *
 * Writes mentions: which are known, which exceed a limit, then mention,
 * candidate and relay (those parked until somebody mentions them).
 *
 * All in the order of the addresses.  A candidate or relay that another
 * transaction is changing is skipped: its turn comes with a later mention,
 * and nobody waits.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nostr/mention.h"
#include "pg/archive_plan.h"
#include "pg/guc.h"
#include "pg/mention_write.h"
#include "utils/builtins.h"

void
mention_run(SPIPlanPtr *plan, const char *sql, int expect, int nargs, Oid *types, Datum *values)
{
	int			rc;

	if (*plan == NULL)
	{
		SPIPlanPtr	p = SPI_prepare(sql, nargs, types);

		if (p == NULL)
			elog(ERROR, "could not prepare a statement on mentions: %s",
				 SPI_result_code_string(SPI_result));
		SPI_keepplan(p);
		*plan = p;
	}
	rc = SPI_execute_plan(*plan, values, NULL, false, 0);
	if (rc != expect)
		elog(ERROR, "statement on mentions: %s", SPI_result_code_string(rc));
}

Datum
mention_texts(const char **s, int n)
{
	Datum	   *d = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		d[i] = CStringGetTextDatum(s[i]);
	return archive_array(d, NULL, n, TEXTOID);
}

static Datum
urls_of(BbMention **m, int n)
{
	const char **s = palloc(sizeof(*s) * Max(n, 1));

	for (int i = 0; i < n; i++)
		s[i] = m[i]->url;
	return mention_texts(s, n);
}

/* A statement whose one argument is the addresses. */
static void
run_on_urls(SPIPlanPtr *plan, const char *sql, int expect, BbMention **m, int n)
{
	Oid			types[1] = {TEXTARRAYOID};
	Datum		values[1] = {urls_of(m, n)};

	mention_run(plan, sql, expect, 1, types, values);
}

static Datum
authors_of(BbMention **m, int n)
{
	Datum	   *d = palloc(sizeof(Datum) * n);

	for (int i = 0; i < n; i++)
		d[i] = Int32GetDatum(m[i]->authors);
	return archive_array(d, NULL, n, INT4OID);
}

static void
read_states(BbMention **m, int n)
{
	static SPIPlanPtr plan;
	static const char *const sql =
		"SELECT m.url IS NOT NULL, r.url IS NOT NULL, c.url IS NOT NULL "
		"FROM pg_catalog.unnest($1) WITH ORDINALITY AS u (url, n) "
		"LEFT JOIN bigbrotr.mention AS m ON m.url = u.url "
		"LEFT JOIN bigbrotr.relay AS r ON r.url = u.url "
		"LEFT JOIN bigbrotr.candidate AS c ON c.url = u.url ORDER BY u.n";

	run_on_urls(&plan, sql, SPI_OK_SELECT, m, n);
	if (SPI_processed != (uint64) n)
		elog(ERROR, "mentions: " UINT64_FORMAT " states of %d addresses", SPI_processed, n);
	for (int i = 0; i < n; i++)
	{
		HeapTuple	t = SPI_tuptable->vals[i];
		TupleDesc	d = SPI_tuptable->tupdesc;
		bool		isnull;

		m[i]->known = DatumGetBool(SPI_getbinval(t, d, 1, &isnull));
		m[i]->relay = DatumGetBool(SPI_getbinval(t, d, 2, &isnull));
		m[i]->candidate = DatumGetBool(SPI_getbinval(t, d, 3, &isnull));
		m[i]->refused = false;
	}
	SPI_freetuptable(SPI_tuptable);
}

static void
take_apart(BbMention *m)
{
	NostrRelayUrl u;
	char		domain[NOSTR_DOMAIN_MAX + 1];

	/* it is canonical: whatever the settings, it was accepted once */
	if (nostr_relay_url_parse(m->url, m->len, true, &u) != NOSTR_URL_OK)
		elog(ERROR, "not the address of a relay: \"%s\"", m->url);
	m->network = u.network;
	m->host = pstrdup(u.host);
	nostr_domain(&u, domain);
	m->domain = pstrdup(domain);
}

/* Adds to the rows of mention; learns how many authors there are now. */
static void
write_mentions(BbMention **m, int n)
{
	static SPIPlanPtr plan;
	static const char *const sql =
		"INSERT INTO bigbrotr.mention AS m (url, host, domain, via, mentions, author_sketch, authors) "
		"SELECT u.url, u.host, u.domain, u.via, u.mentions, u.sketch, bigbrotr.sketch_count(u.sketch) "
		"FROM unnest($1, $2, $3, $4, $5, $6) AS u (url, host, domain, via, mentions, sketch) "
		"ON CONFLICT (url) DO UPDATE SET via = m.via | excluded.via, "
		"mentions = m.mentions + excluded.mentions, "
		"author_sketch = bigbrotr.sketch_merge(m.author_sketch, excluded.author_sketch), "
		"authors = bigbrotr.sketch_count(bigbrotr.sketch_merge(m.author_sketch, excluded.author_sketch)), "
		"last_seen_at = excluded.last_seen_at RETURNING m.url, m.authors";
	Oid			types[6] = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID, INT8ARRAYOID, BYTEAARRAYOID};
	Datum		values[6];
	const char **host = palloc(sizeof(*host) * n);
	const char **domain = palloc(sizeof(*domain) * n);
	Datum	   *via = palloc(sizeof(Datum) * n);
	Datum	   *count = palloc(sizeof(Datum) * n);
	Datum	   *sketch = palloc(sizeof(Datum) * n);
	int			at = 0;

	for (int i = 0; i < n; i++)
	{
		host[i] = m[i]->host;
		domain[i] = m[i]->domain;
		via[i] = Int32GetDatum((int32) m[i]->via);
		count[i] = Int64GetDatum(m[i]->count);
		sketch[i] = PointerGetDatum(cstring_to_text_with_len((char *) m[i]->sketch.data,
															 m[i]->sketch.len));
	}
	values[0] = urls_of(m, n);
	values[1] = mention_texts(host, n);
	values[2] = mention_texts(domain, n);
	values[3] = archive_array(via, NULL, n, INT4OID);
	values[4] = archive_array(count, NULL, n, INT8OID);
	values[5] = archive_array(sketch, NULL, n, BYTEAOID);
	mention_run(&plan, sql, SPI_OK_INSERT_RETURNING, 6, types, values);
	/* RETURNING keeps the order of the input, but nobody promises it */
	for (uint64 r = 0; r < SPI_processed; r++)
	{
		bool		isnull;
		char	   *url = SPI_getvalue(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 1);
		int32		authors = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[r],
														  SPI_tuptable->tupdesc, 2, &isnull));

		if (at >= n || strcmp(m[at]->url, url) != 0)
			for (at = 0; at < n && strcmp(m[at]->url, url) != 0; at++)
				;
		if (at < n)
			m[at++]->authors = authors;
	}
	SPI_freetuptable(SPI_tuptable);
}

static int64
add_candidates(BbMention **m, int n)
{
	static SPIPlanPtr plan;
	static const char *const sql =
		"INSERT INTO bigbrotr.candidate (url, network, source, authors, discovered_at) "
		"SELECT u.url, u.network, u.source, u.authors, pg_catalog.floor(extract(epoch FROM pg_catalog.now()))::bigint "
		"FROM unnest($1, $2, $3, $4) AS u (url, network, source, authors) "
		"ON CONFLICT DO NOTHING";
	Oid			types[4] = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID};
	Datum		values[4];
	const char **network = palloc(sizeof(*network) * n);
	const char **source = palloc(sizeof(*source) * n);

	for (int i = 0; i < n; i++)
	{
		network[i] = nostr_network_name(m[i]->network);
		source[i] = m[i]->via & NOSTR_VIA_SOURCE ? "source" : "event";
	}
	values[0] = urls_of(m, n);
	values[1] = mention_texts(network, n);
	values[2] = mention_texts(source, n);
	values[3] = authors_of(m, n);
	mention_run(&plan, sql, SPI_OK_INSERT, 4, types, values);
	return (int64) SPI_processed;
}

/*
 * Candidates that gained authors, and those given up that are mentioned again
 * a week or more after their last try.
 */
static void
update_candidates(BbMention **m, int n)
{
	static SPIPlanPtr plan;
	static const char *const sql =
		"UPDATE bigbrotr.candidate AS c SET authors = greatest(c.authors, k.authors), "
		"next_attempt_at = CASE WHEN k.revived THEN pg_catalog.now() ELSE c.next_attempt_at END "
		"FROM (SELECT x.url, u.authors, x.next_attempt_at = 'infinity' AND "
		"x.last_attempt_at < pg_catalog.now() - '7 days'::interval AS revived "
		"FROM unnest($1, $2) AS u (url, authors) "
		"JOIN bigbrotr.candidate AS x ON x.url = u.url "
		"WHERE u.authors > x.authors + x.authors / 8 OR (x.next_attempt_at = 'infinity' AND "
		"x.last_attempt_at < pg_catalog.now() - '7 days'::interval) "
		"ORDER BY x.url COLLATE \"C\" FOR NO KEY UPDATE OF x SKIP LOCKED) AS k WHERE c.url = k.url";
	Oid			types[2] = {TEXTARRAYOID, INT4ARRAYOID};
	Datum		values[2];

	values[0] = urls_of(m, n);
	values[1] = authors_of(m, n);
	mention_run(&plan, sql, SPI_OK_UPDATE, 2, types, values);
}

/* Relays given up that are mentioned again a week or more later. */
static void
revive_relays(BbMention **m, int n)
{
	static SPIPlanPtr plan;
	static const char *const sql =
		"UPDATE bigbrotr.relay AS r SET next_sync_at = pg_catalog.now() "
		"FROM (SELECT x.id FROM bigbrotr.relay AS x WHERE x.url = ANY ($1) "
		"AND x.state = 'parked' AND x.next_sync_at = 'infinity' "
		"AND x.last_failed_at < pg_catalog.now() - '7 days'::interval "
		"ORDER BY x.id FOR NO KEY UPDATE SKIP LOCKED) AS k WHERE r.id = k.id";

	run_on_urls(&plan, sql, SPI_OK_UPDATE, m, n);
}

void
mention_write(BbMention **m, int n, BbMentionCounts *c)
{
	BbMention **some = palloc(sizeof(*some) * n);
	int			k = 0;

	read_states(m, n);
	for (int i = 0; i < n; i++)
	{
		take_apart(m[i]);
		if (!m[i]->known && !m[i]->relay && !m[i]->candidate)
			some[k++] = m[i];
	}
	if (k > 0)
		mention_limit(some, k, c);
	for (int i = k = 0; i < n; i++)
		if (!m[i]->refused)
			some[k++] = m[i];
	if (k == 0)
		return;
	write_mentions(some, k);
	for (int i = k = 0; i < n; i++)
		if (!m[i]->refused && !m[i]->relay && !m[i]->candidate)
			some[k++] = m[i];
	if (k > 0)
		c->candidates += add_candidates(some, k);
	for (int i = k = 0; i < n; i++)
		if (m[i]->candidate)
			some[k++] = m[i];
	if (k > 0)
		update_candidates(some, k);
	for (int i = k = 0; i < n; i++)
		if (m[i]->relay)
			some[k++] = m[i];
	if (k > 0)
		revive_relays(some, k);
}
