/*
 * check_store.c
 *
 * See check_store.h.  Must survive a document that jsonb refuses: it is
 * written in a subtransaction, and a failure costs that document alone.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/archive.h"
#include "pg/attempt.h"
#include "pg/check_store.h"
#include "pg/foreign_text.h"
#include "pg/guc_monitor.h"

static Datum
bytea_datum(const uint8 *data, size_t len)
{
	bytea	   *b = palloc(VARHDRSZ + len);

	SET_VARSIZE(b, VARHDRSZ + len);
	memcpy(VARDATA(b), data, len);
	return PointerGetDatum(b);
}

static void
write_document(void *arg)
{
	const BbDocument *d = arg;
	static const char *const sql =
		"WITH last AS (SELECT x.generated_at, x.stable FROM bigbrotr.relay_document AS x "
		"WHERE x.relay_id = $1 AND x.type = $2 ORDER BY x.generated_at DESC LIMIT 1), "
		"same AS (UPDATE bigbrotr.relay_document AS u SET confirmed_at = $3, checks = u.checks + 1 FROM last "
		"WHERE u.relay_id = $1 AND u.type = $2 AND u.generated_at = last.generated_at AND last.stable = $5 "
		"RETURNING 1), "
		"content AS (INSERT INTO bigbrotr.document (id, type, data, raw) SELECT $4, $2, $6::jsonb, $7 "
		"WHERE NOT EXISTS (SELECT FROM same) ON CONFLICT DO NOTHING) "
		"INSERT INTO bigbrotr.relay_document (relay_id, type, generated_at, confirmed_at, document_id, stable) "
		"SELECT $1, $2, $3, $3, $4, $5 WHERE NOT EXISTS (SELECT FROM same) ON CONFLICT DO NOTHING";
	Oid			types[7] = {INT4OID, TEXTOID, INT8OID, BYTEAOID, BYTEAOID, TEXTOID, BYTEAOID};
	char		nulls[8] = "       ";
	Datum		values[7];

	values[0] = Int32GetDatum(d->relay_id);
	values[1] = CStringGetTextDatum(d->type);
	values[2] = Int64GetDatum(d->at);
	values[3] = bytea_datum(d->id, 32);
	values[4] = bytea_datum(d->stable, 32);
	values[5] = CStringGetTextDatum(bb_foreign_text(d->json, d->len));
	if (d->raw_len > 0)
		values[6] = bytea_datum(d->raw, d->raw_len);
	else
		nulls[6] = 'n';
	SPI_connect();
	SPI_execute_with_args(sql, 7, types, values, nulls, false, 0);
	SPI_finish();
}

void
check_store_document(const BbDocument *d)
{
	ErrorData  *e = bb_attempt(write_document, (void *) d);

	if (e == NULL)
		return;
	if (bb_stopped(e))
		ReThrowError(e);
	ereport(LOG,
			(errmsg("could not store document of type %s: %s", d->type, e->message)));
	archive_count("monitor", 0, "documents_refused", 1);
	FreeErrorData(e);
}

static void
append_sample(int32 relay_id, const BbSample *s)
{
	char	   *sql;
	Oid			types[3] = {INT4OID, INT4OID, BYTEAOID};
	Datum		values[3];
	uint8		packed[BB_SAMPLE_SIZE];

	sql = psprintf("WITH last AS (SELECT x.first_at FROM bigbrotr.check_series AS x WHERE x.relay_id = $1 "
				   "ORDER BY x.first_at DESC LIMIT 1), "
				   "grown AS (UPDATE bigbrotr.check_series AS u SET samples = u.samples || $3 FROM last "
				   "WHERE u.relay_id = $1 AND u.first_at = last.first_at AND octet_length(u.samples) < %d RETURNING 1) "
				   "INSERT INTO bigbrotr.check_series AS n (relay_id, first_at, samples) SELECT $1, $2, $3 "
				   "WHERE NOT EXISTS (SELECT FROM grown) "
				   "ON CONFLICT (relay_id, first_at) DO UPDATE SET samples = n.samples || excluded.samples",
				   BB_SERIES_MAX * BB_SAMPLE_SIZE);
	bb_sample_pack(s, packed);
	values[0] = Int32GetDatum(relay_id);
	values[1] = Int32GetDatum((int32) (s->at - BB_SEEN_EPOCH));
	values[2] = bytea_datum(packed, BB_SAMPLE_SIZE);
	SPI_execute_with_args(sql, 3, types, values, NULL, false, 0);
}

static Datum
text_or_null(const char *s, char *null)
{
	if (s != NULL)
		return CStringGetTextDatum(s);
	*null = 'n';
	return (Datum) 0;
}

/*
 * When it is due again.  One that opens: after the interval, sooner while it
 * is new or comes and goes.  One that does not: twice soon, when trying again
 * can help at all, then ever later, up to a week.
 */
static void
update_relay(int32 relay_id, const BbSample *s, const BbCheckReasons *why)
{
	static const char *const sql =
		"INSERT INTO bigbrotr.relay_monitor AS m (relay_id, next_check_at, checked_at, opened, streak, "
		"changed_at, checks, failures, failure, open_reason, read_reason, write_reason) "
		"VALUES ($1, now() + make_interval(secs => $3 / 8.0), now(), $2, 1, now(), 1, (NOT $2)::int, $4, $5, $6, $7) "
		"ON CONFLICT (relay_id) DO UPDATE SET checked_at = now(), opened = $2, "
		"streak = CASE WHEN m.opened = $2 THEN m.streak + 1 ELSE 1 END, "
		"changed_at = CASE WHEN m.opened = $2 THEN m.changed_at ELSE now() END, "
		"checks = m.checks + 1, failures = m.failures + (NOT $2)::int, "
		"failure = coalesce($4, m.failure), open_reason = $5, read_reason = $6, write_reason = $7, "
		"next_check_at = now() + make_interval(secs => (0.95 + random() * 0.1) * CASE "
		"WHEN $2 AND m.opened = $2 AND m.streak >= 3 THEN $3 "
		"WHEN $2 THEN $3 / 4.0 "
		"WHEN (m.opened IS DISTINCT FROM $2 OR m.streak < 2) AND $4 = ANY ('{timeout,dns_failed,connect_failed,"
		"connect_refused,disconnected,tls_failed,proxy_failed,resources,cancelled}'::text[]) THEN $3 / 8.0 "
		"ELSE least($3 * power(2.0, least(m.streak, 12)), greatest($3, 604800)) END)";
	Oid			types[7] = {INT4OID, BOOLOID, FLOAT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	char		nulls[8] = "       ";
	Datum		values[7];

	values[0] = Int32GetDatum(relay_id);
	values[1] = BoolGetDatum(s->opened);
	values[2] = Float8GetDatum((double) bb_monitor_interval);
	values[3] = text_or_null(s->opened ? NULL : s->failure, &nulls[3]);
	values[4] = text_or_null(why->open, &nulls[4]);
	values[5] = text_or_null(why->read, &nulls[5]);
	values[6] = text_or_null(why->write, &nulls[6]);
	SPI_execute_with_args(sql, 7, types, values, nulls, false, 0);
}

void
check_store_sample(int32 relay_id, const BbSample *s, const BbCheckReasons *why)
{
	SPI_connect();
	append_sample(relay_id, s);
	update_relay(relay_id, s, why);
	SPI_finish();
}
