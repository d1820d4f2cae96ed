/*
 * publication.c
 *
 * See publication.h.  One row per relay and slot, so the queue never grows
 * beyond what there is to publish.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "nostr/relay_url.h"
#include "pg/foreign_text.h"
#include "pg/guc.h"
#include "pg/guc_monitor.h"
#include "pg/networks.h"
#include "pg/publication.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

static Datum
id_datum(const uint8 id[32])
{
	bytea	   *b = palloc(VARHDRSZ + 32);

	SET_VARSIZE(b, VARHDRSZ + 32);
	memcpy(VARDATA(b), id, 32);
	return PointerGetDatum(b);
}

/* The canonical form of the next address in the setting; NULL at its end. */
static char *
next_target(char **state, char *raw)
{
	char	   *word;

	while ((word = strtok_r(raw, ", \t\r\n", state)) != NULL)
	{
		NostrRelayUrl *url = palloc(sizeof(NostrRelayUrl));

		raw = NULL;
		if (nostr_relay_url_parse(word, strlen(word), true, url) == NOSTR_URL_OK)
			return pstrdup(url->url);
		pfree(url);
	}
	return NULL;
}

void
publication_queue(const char *slot, const uint8 id[32], const uint8 *event, size_t len)
{
	static const char *const sql =
		"INSERT INTO bigbrotr.publication AS p (target, slot, event_id, event) VALUES ($1, $2, $3, $4) "
		"ON CONFLICT (target, slot) DO UPDATE SET event_id = excluded.event_id, event = excluded.event, "
		"queued_at = now(), attempts = 0, outcome = NULL, reason = NULL, answered_at = NULL, "
		"next_attempt_at = greatest(now(), p.next_attempt_at)";
	Oid			types[4] = {TEXTOID, TEXTOID, BYTEAOID, TEXTOID};
	Datum		values[4];
	char	   *state = NULL;
	char	   *raw = pstrdup(bb_monitor_publish);
	char	   *target;

	values[1] = CStringGetTextDatum(slot);
	values[2] = id_datum(id);
	values[3] = CStringGetTextDatum(bb_foreign_text(event, len));
	SPI_connect();
	while ((target = next_target(&state, raw)) != NULL)
	{
		raw = NULL;
		values[0] = CStringGetTextDatum(target);
		SPI_execute_with_args(sql, 4, types, values, NULL, false, 0);
	}
	SPI_finish();
}

static bool
is_busy(const char *target, char *const *busy, int nbusy)
{
	for (int i = 0; i < nbusy; i++)
	{
		if (strcmp(busy[i], target) == 0)
			return true;
	}
	return false;
}

/* The events of that relay that are due, into the caller's memory. */
static int
read_due(const char *target, BbPublication *out, MemoryContext context)
{
	char	   *sql;
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(target)};

	sql = psprintf("SELECT p.event_id, p.event FROM bigbrotr.publication AS p WHERE p.target = $1 "
				   "AND p.next_attempt_at <= now() ORDER BY p.next_attempt_at LIMIT %d", BB_PUBLISH_BATCH);
	SPI_execute_with_args(sql, 1, types, values, NULL, true, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	t = SPI_tuptable->vals[i];
		bool		isnull;
		bytea	   *id = DatumGetByteaPP(SPI_getbinval(t, SPI_tuptable->tupdesc, 1, &isnull));

		memcpy(out[i].id, VARDATA_ANY(id), 32);
		out[i].event = MemoryContextStrdup(context, SPI_getvalue(t, SPI_tuptable->tupdesc, 2));
	}
	return (int) SPI_processed;
}

char *
publication_due(char *const *busy, int nbusy, BbPublication *out, int *n, long *wait_ms)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *found = NULL;
	SPITupleTable *rows;
	uint64		nrows;

	*n = 0;
	SPI_connect();
	SPI_execute("SELECT p.target, ceil(extract(epoch FROM min(p.next_attempt_at) - now()) * 1000)::bigint "
				"FROM bigbrotr.publication AS p WHERE p.next_attempt_at IS NOT NULL "
				"GROUP BY p.target ORDER BY 2", true, 0);
	rows = SPI_tuptable;
	nrows = SPI_processed;
	for (uint64 i = 0; i < nrows && found == NULL; i++)
	{
		bool		isnull;
		char	   *target = SPI_getvalue(rows->vals[i], rows->tupdesc, 1);
		int64		ms = DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull));

		if (is_busy(target, busy, nbusy))
			continue;
		if (ms > 0)
		{
			*wait_ms = Min(*wait_ms, Max((long) ms, 100));
			break;
		}
		found = MemoryContextStrdup(context, target);
		*n = read_due(found, out, context);
	}
	SPI_finish();
	return found;
}

void
publication_answer(const char *target, const uint8 id[32], int outcome, const char *reason)
{
	/* A relay that asks for patience, or does not answer, is asked again. */
	static const char *const sql =
		"UPDATE bigbrotr.publication AS p SET reason = $4, "
		"attempts = p.attempts + CASE WHEN a.again THEN 1 ELSE 0 END, "
		"outcome = CASE WHEN a.again THEN NULL WHEN $3 = 0 THEN 'taken' ELSE 'refused' END, "
		"answered_at = CASE WHEN $3 = 2 THEN p.answered_at ELSE now() END, "
		"next_attempt_at = CASE WHEN a.again THEN now() + (0.9 + random() * 0.2) * "
		"least(make_interval(days => 1), make_interval(mins => 1) * power(2.0, least(p.attempts, 12))) END "
		"FROM (SELECT $3 = 2 OR ($3 = 1 AND $4 LIKE '%rate-limited%') AS again) AS a "
		"WHERE p.target = $1 AND p.event_id = $2";
	Oid			types[4] = {TEXTOID, BYTEAOID, INT4OID, TEXTOID};
	char		nulls[5] = "    ";
	Datum		values[4];

	values[0] = CStringGetTextDatum(target);
	values[1] = id_datum(id);
	values[2] = Int32GetDatum(outcome);
	values[3] = CStringGetTextDatum(reason);
	if (outcome == 0 && reason[0] == '\0')
		nulls[3] = 'n';
	SPI_connect();
	SPI_execute_with_args(sql, 4, types, values, nulls, false, 0);
	SPI_finish();
}

/* The relays of the setting, each once, as text[]. */
static Datum
targets_datum(void)
{
	Datum	   *targets = palloc(sizeof(Datum) * (strlen(bb_monitor_publish) / 4 + 1));
	char	   *state = NULL;
	char	   *raw = pstrdup(bb_monitor_publish);
	char	   *target;
	int			n = 0;

	while ((target = next_target(&state, raw)) != NULL)
	{
		int			i = 0;

		raw = NULL;
		while (i < n && strcmp(TextDatumGetCString(targets[i]), target) != 0)
			i++;
		if (i == n)
			targets[n++] = CStringGetTextDatum(target);
	}
	return PointerGetDatum(construct_array(targets, n, TEXTOID, -1, false, TYPALIGN_INT));
}

void
publication_withdraw(const char *slot)
{
	Oid			types[2] = {TEXTOID, TEXTARRAYOID};
	Datum		values[2] = {CStringGetTextDatum(slot), targets_datum()};

	SPI_connect();
	SPI_execute_with_args("DELETE FROM bigbrotr.publication AS p WHERE p.slot = $1 AND p.target = ANY ($2) "
						  "AND p.outcome IS NULL", 2, types, values, NULL, false, 0);
	SPI_finish();
}

int64
publication_age(const char *slot)
{
	/* every relay of the setting must have it */
	static const char *const sql =
		"SELECT extract(epoch FROM now() - min(p.queued_at))::bigint FROM bigbrotr.publication AS p "
		"WHERE p.slot = $1 AND p.target = ANY ($2) HAVING count(*) = cardinality($2)";
	Oid			types[2] = {TEXTOID, TEXTARRAYOID};
	Datum		values[2] = {CStringGetTextDatum(slot), targets_datum()};
	int64		age = -1;

	SPI_connect();
	SPI_execute_with_args(sql, 2, types, values, NULL, true, 0);
	if (SPI_processed == 1)
	{
		bool		isnull;
		int64		found = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));

		if (!isnull)
			age = found;
	}
	SPI_finish();
	return age;
}

/* The text of the one value that a query gives, in the caller's memory. */
static char *
one_text(const char *sql, int n, Oid *types, Datum *values)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *text = NULL;

	SPI_connect();
	SPI_execute_with_args(sql, n, types, values, NULL, true, 0);
	if (SPI_processed == 1)
		text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	text = MemoryContextStrdup(context, text != NULL ? text : "[]");
	SPI_finish();
	return text;
}

char *
publication_relay_list_tags(void)
{
	Oid			types[1] = {TEXTARRAYOID};
	Datum		values[1] = {targets_datum()};

	return one_text("SELECT json_agg(json_build_array('r', t.u, 'write') ORDER BY t.n)::text "
					"FROM unnest($1) WITH ORDINALITY AS t(u, n)", 1, types, values);
}

/*
 * NIP-66: [timeout, milliseconds, check] as its text says, index 1 the time.
 * A check counts as conducted when we are set up for it.  n is our addition.
 */
char *
publication_announcement_tags(void)
{
	Oid			types[7] = {INT4OID, INT4OID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, BOOLOID};
	Datum		values[7];

	values[0] = Int32GetDatum(bb_monitor_interval);
	values[1] = Int32GetDatum(bb_network[NOSTR_CLEARNET].timeout);
	values[2] = CStringGetTextDatum(bb_monitor_checks);
	values[5] = BoolGetDatum(bb_monitor_write);
	values[6] = BoolGetDatum(bb_monitor_city_file[0] != '\0');

	values[3] = CStringGetTextDatum(bb_monitor_geohash);
	values[4] = CStringGetTextDatum(bb_enabled_networks());
	return one_text(
		"WITH names AS (SELECT 10 * n.ord + 2 * m.ord AS rank, m.c FROM regexp_split_to_table(btrim($3, ', '), '[,\\s]+') WITH ORDINALITY AS n(name, ord), "
		"unnest(CASE n.name WHEN 'nip66_rtt' THEN '{open,read,write}'::text[] WHEN 'nip11_info' THEN '{nip11}' "
		"ELSE ARRAY[substr(n.name, 7)] END) WITH ORDINALITY AS m(c, ord) "
		"WHERE (m.c <> 'write' OR $6) AND (m.c <> 'geo' OR $7)) "
		"SELECT json_agg(x.tag ORDER BY x.rank)::text FROM ("
		"SELECT 0 AS rank, json_build_array('frequency', $1::text) AS tag "
		"UNION ALL SELECT 1, json_build_array('g', $4) WHERE $4 <> '' "
		"UNION ALL SELECT 2, json_build_array('n', u) FROM unnest($5::text[]) AS u "
		"UNION ALL SELECT rank, json_build_array('timeout', $2::text, c) FROM names "
		"UNION ALL SELECT rank + 1, json_build_array('c', c) FROM names) AS x", 7, types, values);
}
