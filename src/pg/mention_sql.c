/*
 * mention_sql.c
 *
 * via_names, sketch_merge and sketch_count.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nostr/mention.h"
#include "nostr/sketch.h"
#include "pg/archive_plan.h"
#include "pg/compat.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_via_names(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_via_names);
extern PGDLLEXPORT Datum bigbrotr_sketch_merge(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_sketch_merge);
extern PGDLLEXPORT Datum bigbrotr_sketch_count(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_sketch_count);

Datum
bigbrotr_via_names(PG_FUNCTION_ARGS)
{
	uint32		via = (uint32) PG_GETARG_INT32(0);
	Datum		names[NOSTR_VIA_COUNT];
	int			n = 0;

	for (int bit = 0; bit < NOSTR_VIA_COUNT; bit++)
		if (via & (1u << bit))
			names[n++] = CStringGetTextDatum(nostr_via_name(bit));
	PG_RETURN_DATUM(archive_array(names, NULL, n, TEXTOID));
}

static void
merge(NostrSketch *s, const bytea *b)
{
	if (!nostr_sketch_merge(s, (const uint8 *) VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid sketch of authors")));
}

Datum
bigbrotr_sketch_merge(PG_FUNCTION_ARGS)
{
	NostrSketch s = {0};

	merge(&s, PG_GETARG_BYTEA_PP(0));
	merge(&s, PG_GETARG_BYTEA_PP(1));
	PG_RETURN_BYTEA_P(cstring_to_text_with_len((char *) s.data, s.len));
}

Datum
bigbrotr_sketch_count(PG_FUNCTION_ARGS)
{
	NostrSketch s = {0};

	merge(&s, PG_GETARG_BYTEA_PP(0));
	PG_RETURN_INT32((int32) Min(nostr_sketch_count(&s), (uint32) PG_INT32_MAX));
}
