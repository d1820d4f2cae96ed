/*
 * query_drive.c
 *
 * The statements that go through event along one index each.
 *
 * Guarantees that the index is the one that was chosen here, whatever the
 * planner's statistics say: it plans without parameter values, once, and sees
 * no other index (plan_hook.c).  Partitions outside of the bounds are pruned
 * when the statement starts.  Read-only: sees what the calling query sees.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "jit/jit.h"
#include "optimizer/cost.h"
#include "pg/archive_plan.h"
#include "pg/query.h"
#include "utils/builtins.h"

#include "nostr/tag_key.h"

#define MAX_ARGS 6

typedef struct Way
{
	const char *sql;
	BbPin		pin;
	Oid			a;				/* InvalidOid: none */
	Oid			b;
	bool		ordered;
	int			grain;			/* 1: bounds of time_code are $3 and $4; else of time_slot */
} Way;

#define COLUMNS "SELECT e.key, e.created_at, e.kind, e.id, e.pubkey, e.tags, e.content FROM "
#define BOUNDS	"e.key OPERATOR(pg_catalog.>=) $1 AND e.key OPERATOR(pg_catalog.<=) $2"
#define EVENT	COLUMNS "bigbrotr.event AS e WHERE " BOUNDS
#define CODES	" AND bigbrotr.time_code(e.key) OPERATOR(pg_catalog.>=) $3" \
	" AND bigbrotr.time_code(e.key) OPERATOR(pg_catalog.<=) $4"
#define SLOTS	" AND bigbrotr.time_slot(e.key) OPERATOR(pg_catalog.>=) $3" \
	" AND bigbrotr.time_slot(e.key) OPERATOR(pg_catalog.<=) $4"
#define AUTHOR	"bigbrotr.author_code(e.pubkey, e.kind)"

static const Way ways[BB_DRIVE_N] = {
	[BB_DRIVE_KEY] = {EVENT " ORDER BY e.key DESC", {"key", "btree", false}, .ordered = true},
	[BB_DRIVE_KIND] = {EVENT SLOTS " AND e.kind OPERATOR(pg_catalog.=) $5 ORDER BY bigbrotr.time_slot(e.key) DESC",
	{"kind", "btree", false}, INT4OID, .ordered = true, .grain = NOSTR_SLOT_SECONDS},
	[BB_DRIVE_KINDS] = {EVENT SLOTS " AND e.kind OPERATOR(pg_catalog.=) ANY ($5)", {"kind", "btree", false}, INT4ARRAYOID,
	.grain = NOSTR_SLOT_SECONDS},
	[BB_DRIVE_AUTHOR] = {EVENT CODES " AND " AUTHOR " OPERATOR(pg_catalog.=) $5 ORDER BY bigbrotr.time_code(e.key) DESC",
	{"author_code", "btree", false}, INT4OID, .ordered = true, .grain = 1},
	[BB_DRIVE_CODES] = {EVENT CODES " AND " AUTHOR " OPERATOR(pg_catalog.=) ANY ($5)",
	{"author_code", "btree", false}, INT4ARRAYOID, .grain = 1},
	/* OFFSET 0 keeps the subquery one: an index scan for each code */
	[BB_DRIVE_AUTHORS] = {"SELECT x.* FROM pg_catalog.unnest($5) AS a (code), LATERAL (" EVENT CODES
		" AND " AUTHOR " OPERATOR(pg_catalog.>=) a.code AND " AUTHOR
	" OPERATOR(pg_catalog.<=) (a.code OPERATOR(pg_catalog.+) 63) OFFSET 0) AS x", {"author_code", "btree", false}, INT4ARRAYOID, .grain = 1},
	[BB_DRIVE_TAG] = {EVENT " AND e.tags OPERATOR(bigbrotr.&&) $3", {"tags", "gin", false}, TEXTARRAYOID},
	[BB_DRIVE_TAGS] = {EVENT " AND e.tags OPERATOR(bigbrotr.&&) $3 AND e.tags OPERATOR(bigbrotr.&&) $4",
	{"tags", "gin", false}, TEXTARRAYOID, TEXTARRAYOID},
	/* the planner expects few rows of either condition, so it intersects them */
	[BB_DRIVE_TAG_NEAR] = {EVENT " AND e.tags OPERATOR(bigbrotr.&&) $3", {"tags", "gin", true}, TEXTARRAYOID},
	[BB_DRIVE_TAGS_NEAR] = {EVENT " AND e.tags OPERATOR(bigbrotr.&&) $3 AND e.tags OPERATOR(bigbrotr.&&) $4",
	{"tags", "gin", true}, TEXTARRAYOID, TEXTARRAYOID},
	/* %s: an index is found by the constant in it */
	[BB_DRIVE_SEARCH] = {EVENT " AND bigbrotr.search_vector(%s::pg_catalog.regconfig, e.kind, e.content) OPERATOR(pg_catalog.@@) $3",
	{"search_vector", "gin", false}, TSQUERYOID},
	[BB_DRIVE_ID] = {EVENT " AND bigbrotr.id_code(e.id) OPERATOR(pg_catalog.=) ANY ($3)", {"id_code", "btree", false}, INT4ARRAYOID},
	[BB_DRIVE_KEYS] = {EVENT " AND e.key OPERATOR(pg_catalog.=) ANY ($3)", {"key", "btree", false}, INT8ARRAYOID},
	[BB_DRIVE_ROWS] = {"SELECT e.* FROM bigbrotr.event AS e WHERE " BOUNDS " AND e.key OPERATOR(pg_catalog.=) ANY ($3)",
	{"key", "btree", false}, INT8ARRAYOID},
};

StaticAssertDecl(NOSTR_KIND_CODES == 64, "the range of BB_DRIVE_AUTHORS");

static SPIPlanPtr plans[BB_DRIVE_N];
static Oid	plans_tags_type;	/* the plans were made with this one */
static char plans_config[2 * NAMEDATALEN * 2 + 8];	/* BB_DRIVE_SEARCH, too; as a literal */

bool
bb_drive_ordered(BbDrive way)
{
	return ways[way].ordered;
}

int
bb_drive_grain(BbDrive way)
{
	return ways[way].grain;
}

static void
forget(BbDrive way)
{
	if (plans[way] != NULL)
		SPI_freeplan(plans[way]);
	plans[way] = NULL;
}

void
bb_drive_config(const BbSearch *s)
{
	char	   *literal = quote_literal_cstr(s->config_name);

	if (strcmp(literal, plans_config) == 0)
		return;
	forget(BB_DRIVE_SEARCH);
	if (strlcpy(plans_config, literal, sizeof(plans_config)) >= sizeof(plans_config))
		elog(ERROR, "name of a configuration too long: %s", literal);
}

static pg_noinline SPIPlanPtr
way_plan(BbDrive way)
{
	const Way  *w = &ways[way];
	Oid			args[MAX_ARGS];
	int			n = 0;
	Oid			type = archive_tags_type();
	SPIPlanPtr	p;

	/* dropped and created again in this session */
	if (type != plans_tags_type)
	{
		for (int i = 0; i < BB_DRIVE_N; i++)
			forget(i);
		plans_tags_type = type;
	}
	if (plans[way] != NULL)
		return plans[way];
	args[n++] = INT8OID;
	args[n++] = INT8OID;
	if (w->grain > 0)
	{
		args[n++] = INT4OID;
		args[n++] = INT4OID;
	}
	if (OidIsValid(w->a))
		args[n++] = w->a;
	if (OidIsValid(w->b))
		args[n++] = w->b;
	p = SPI_prepare_cursor(way == BB_DRIVE_SEARCH ? psprintf(w->sql, plans_config) : w->sql, n, args, CURSOR_OPT_GENERIC_PLAN);
	if (p == NULL)
		elog(ERROR, "could not prepare query statement %d: %s", way,
			 SPI_result_code_string(SPI_result));
	SPI_keepplan(p);
	plans[way] = p;
	return p;
}

static pg_noinline ParamListInfo
way_params(const Way *w, int64 lo, int64 hi, Datum a, Datum b)
{
	ParamListInfo params = makeParamList(2 + (w->grain > 0 ? 2 : 0) + OidIsValid(w->a) + OidIsValid(w->b));
	Datum		values[MAX_ARGS];
	Oid			types[MAX_ARGS];
	int			n = 0;
	int64		first = lo << NOSTR_KEY_ID_BITS;
	int64		last = (hi << NOSTR_KEY_ID_BITS) | ((INT64CONST(1) << NOSTR_KEY_ID_BITS) - 1);

	types[n] = INT8OID;
	values[n++] = Int64GetDatum(first);
	types[n] = INT8OID;
	values[n++] = Int64GetDatum(last);
	if (w->grain > 0)
	{
		types[n] = INT4OID;
		values[n++] = Int32GetDatum(w->grain == 1 ? nostr_time_code(first) : nostr_time_slot(first));
		types[n] = INT4OID;
		values[n++] = Int32GetDatum(w->grain == 1 ? nostr_time_code(last) : nostr_time_slot(last));
	}
	if (OidIsValid(w->a))
	{
		types[n] = w->a;
		values[n++] = a;
	}
	if (OidIsValid(w->b))
	{
		types[n] = w->b;
		values[n++] = b;
	}
	for (int i = 0; i < n; i++)
	{
		params->params[i].value = values[i];
		params->params[i].isnull = false;
		params->params[i].pflags = PARAM_FLAG_CONST;
		params->params[i].ptype = types[i];
	}
	return params;
}

static int
int32_cmp(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return x < y ? -1 : x > y;
}

Datum
bb_code_array(int32 *v, int n)
{
	Datum	   *d = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * Max(n, 1));
	int			kept = 0;

	qsort(v, n, sizeof(int32), int32_cmp);
	for (int i = 0; i < n; i++)
		if (kept == 0 || v[i] != DatumGetInt32(d[kept - 1]))
			d[kept++] = Int32GetDatum(v[i]);
	return archive_array(d, NULL, kept, INT4OID);
}

void
bb_drive(BbDrive way, int64 lo, int64 hi, Datum a, Datum b, DestReceiver *dest)
{
	const Way  *w = &ways[way];
	SPIPlanPtr	plan = way_plan(way);
	SPIExecuteOptions options = {0};
	bool		seqscan = enable_seqscan;
	bool		bitmapscan = enable_bitmapscan;
	bool		sort = enable_sort;
	bool		jit = jit_enabled;
	int			rc = 0;

	options.params = way_params(w, lo, hi, a, b);
	options.read_only = true;
	options.dest = dest;
	PG_TRY();
	{
		/* for the planner, which works inside of this call when it has to */
		bb_plan_pin = &w->pin;
		enable_seqscan = jit_enabled = false;
		enable_bitmapscan = !w->ordered;
		enable_sort = !w->ordered;
		rc = SPI_execute_plan_extended(plan, &options);
	}
	PG_FINALLY();
	{
		bb_plan_pin = NULL;
		enable_seqscan = seqscan;
		enable_bitmapscan = bitmapscan;
		enable_sort = sort;
		jit_enabled = jit;
	}
	PG_END_TRY();
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "query statement %d: %s", way, SPI_result_code_string(rc));
}
