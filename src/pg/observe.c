/*
 * observe.c
 *
 * observe: adds observations of archived events from SQL.
 */
#include "pg/compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"

#include "pg/archive.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_observe(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_observe);

#define OBSERVE_MAX 1000000

/* Elements without NULL; as many as *n, unless that is -1. */
static Datum *
elements(Datum array, Oid type, int len, bool byval, char align, int *n)
{
	ArrayType  *a = DatumGetArrayTypeP(array);
	Datum	   *d;
	int			m;

	if (array_contains_nulls(a))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("arrays must not contain nulls")));
	deconstruct_array(a, type, len, byval, align, &d, NULL, &m);
	if (*n >= 0 && m != *n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arrays must have the same length")));
	*n = m;
	return d;
}

Datum
bigbrotr_observe(PG_FUNCTION_ARGS)
{
	int			n = -1;
	Datum	   *created = elements(PG_GETARG_DATUM(0), INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &n);
	Datum	   *id = elements(PG_GETARG_DATUM(1), BYTEAOID, -1, false, TYPALIGN_INT, &n);
	Datum	   *relay = elements(PG_GETARG_DATUM(2), INT4OID, 4, true, TYPALIGN_INT, &n);
	Datum	   *seen = elements(PG_GETARG_DATUM(3), INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &n);
	BbOffer    *o;
	int64		fresh = 0;

	if (n > OBSERVE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many observations in one call: %d", n),
				 errhint("Pass at most %d observations per call.", OBSERVE_MAX)));
	o = palloc0(sizeof(*o) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		bytea	   *b = DatumGetByteaPP(id[i]);

		if (VARSIZE_ANY_EXHDR(b) != sizeof(o[i].id))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("event id must be 32 bytes long")));
		memcpy(o[i].id, VARDATA_ANY(b), sizeof(o[i].id));
		o[i].key = nostr_event_key(DatumGetInt64(created[i]), o[i].id);
		o[i].relay_id = DatumGetInt32(relay[i]);
		o[i].seen_at = DatumGetInt64(seen[i]);
	}
	archive_write(NULL, 0, o, n, archive_rejects());
	for (int i = 0; i < n; i++)
		fresh += o[i].observed;
	PG_RETURN_INT64(fresh);
}
