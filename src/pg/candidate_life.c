/*
 * candidate_life.c
 *
 * See candidate_life.h.
 *
 * Guarantees: a candidate is never in both tables; one that never answers is
 * tried a dozen times in about a month, then no more until it is mentioned
 * again; an alias has the host, the port and the document of its relay.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "pg/candidate_life.h"
#include "pg/relay_life.h"

#define PARKED_AFTER	12

bool
candidate_read_identity(const WireFrame *f, CandidateIdentity *out)
{
	WireReader	r;
	const uint8_t *digest;

	wire_reader(&r, f);
	digest = wire_get_fixed(&r, 32);
	if (digest == NULL)
		return false;
	memcpy(out->digest, digest, 32);
	out->found = true;
	out->named = wire_get_u8(&r) != 0;
	out->max_limit = wire_get_u32(&r);
	out->default_limit = wire_get_u32(&r);
	out->max_subid_length = wire_get_u32(&r);
	out->max_message_length = wire_get_u32(&r);
	out->max_subscriptions = wire_get_u32(&r);
	return wire_done(&r);
}

static void
add_limit(StringInfo s, const char *name, uint32 value)
{
	if (value > 0)
		appendStringInfo(s, "%s\"%s\":%u", s->len > 1 ? "," : "", name, value);
}

static char *
limits_json(const CandidateIdentity *i)
{
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfoChar(&s, '{');
	add_limit(&s, "max_limit", i->max_limit);
	add_limit(&s, "default_limit", i->default_limit);
	add_limit(&s, "max_subid_length", i->max_subid_length);
	add_limit(&s, "max_message_length", i->max_message_length);
	add_limit(&s, "max_subscriptions", i->max_subscriptions);
	appendStringInfoChar(&s, '}');
	return s.data;
}

void
candidate_promote(const char *url, const CandidateIdentity *identity)
{
	/* scheme, host and port are the text up to the third slash */
	static const char *const sql =
		"WITH gone AS (DELETE FROM bigbrotr.candidate WHERE url = $1 "
		"RETURNING url, network, discovered_at) "
		"INSERT INTO bigbrotr.relay (url, network, discovered_at, promoted_at, last_ok_at, "
		"identity, identity_at, limits, alias_of) "
		"SELECT g.url, g.network, g.discovered_at, pg_catalog.now(), pg_catalog.now(), "
		"$2, CASE WHEN $2 IS NOT NULL THEN pg_catalog.now() END, $3::jsonb, "
		"CASE WHEN $4 THEN (SELECT r.id FROM bigbrotr.relay AS r WHERE r.identity = $2 "
		"AND substring(r.url from '^[^/]*//[^/]*') = substring(g.url from '^[^/]*//[^/]*') "
		"AND r.alias_of IS NULL AND r.state IN ('live', 'degraded') ORDER BY r.id LIMIT 1) END "
		"FROM gone AS g ON CONFLICT (url) DO NOTHING";
	Oid			types[4] = {TEXTOID, BYTEAOID, TEXTOID, BOOLOID};
	Datum		values[4];
	char		nulls[5] = "    ";

	values[0] = CStringGetTextDatum(url);
	values[1] = PointerGetDatum(cstring_to_text_with_len((const char *) identity->digest, 32));
	values[2] = CStringGetTextDatum(limits_json(identity));
	values[3] = BoolGetDatum(identity->found && identity->named);
	if (!identity->found)
		nulls[1] = nulls[2] = 'n';
	SPI_execute_with_args(sql, 4, types, values, nulls, false, 0);
}

/*
 * First retry after 10 minutes; after an hour when the answer was definite;
 * doubling each time up to two weeks, with a tenth of jitter.  A failure of
 * ours costs no attempt.
 */
void
candidate_postpone(const char *url, const char *class, const char *reason)
{
	static const char *const sql =
		"UPDATE bigbrotr.candidate AS c SET attempts = c.attempts + $4, "
		"last_attempt_at = pg_catalog.now(), failure = $2, reason = $3, "
		"failure_counts = CASE WHEN c.failure_counts ? $2 OR "
		"(SELECT count(*) FROM pg_catalog.jsonb_object_keys(c.failure_counts)) < 64 "
		"THEN pg_catalog.jsonb_set(c.failure_counts, ARRAY[$2], "
		"pg_catalog.to_jsonb(coalesce((c.failure_counts ->> $2)::bigint, 0) + 1)) "
		"ELSE c.failure_counts END, "
		"next_attempt_at = CASE WHEN c.attempts + $4 >= $6 THEN 'infinity'::timestamptz "
		"ELSE pg_catalog.now() + (0.9 + pg_catalog.random() * 0.2) * "
		"least('14 days'::interval, pg_catalog.make_interval(secs => $5 * pg_catalog.power(2, least(c.attempts, 20)))) END "
		"WHERE c.url = $1";
	Oid			types[6] = {TEXTOID, TEXTOID, TEXTOID, INT4OID, FLOAT8OID, INT4OID};
	Datum		values[6];

	values[0] = CStringGetTextDatum(url);
	values[1] = CStringGetTextDatum(failure_class(class));
	values[2] = CStringGetTextDatum(reason);
	values[3] = Int32GetDatum(failure_is_ours(class) ? 0 : 1);
	values[4] = Float8GetDatum(failure_is_definite(class) ? 3600 : 600);
	values[5] = Int32GetDatum(PARKED_AFTER);
	SPI_execute_with_args(sql, 6, types, values, NULL, false, 0);
}
