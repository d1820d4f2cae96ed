/*
 * event_code.c
 *
 * id_code, author_code, time_code, time_slot: nostr/tag_key.h for SQL, where
 * the indexes of event are made of them; key_first and key_last, which bound
 * the keys of a second.
 *
 * Must survive bytea of any length: they are called before the CHECKs.
 */
#include "postgres.h"

#include "fmgr.h"
#include "nostr/tag_key.h"
#include "pg/compat.h"
#include "pg/query.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_id_code(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_id_code);
extern PGDLLEXPORT Datum bigbrotr_author_code(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_author_code);
extern PGDLLEXPORT Datum bigbrotr_time_code(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_time_code);
extern PGDLLEXPORT Datum bigbrotr_time_slot(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_time_slot);
extern PGDLLEXPORT Datum bigbrotr_key_first(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_key_first);
extern PGDLLEXPORT Datum bigbrotr_key_last(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_key_last);

/* The 32 bytes, or zeros: what is not 32 bytes long is in no event. */
static const uint8 *
bytes32(bytea *b)
{
	static const uint8 none[32] = {0};

	return VARSIZE_ANY_EXHDR(b) == 32 ? (const uint8 *) VARDATA_ANY(b) : none;
}

Datum
bigbrotr_id_code(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(nostr_id_code(bytes32(PG_GETARG_BYTEA_PP(0))));
}

Datum
bigbrotr_author_code(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(nostr_author_code(bytes32(PG_GETARG_BYTEA_PP(0)), PG_GETARG_INT32(1)));
}

Datum
bigbrotr_time_code(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(nostr_time_code(PG_GETARG_INT64(0)));
}

Datum
bigbrotr_time_slot(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(nostr_time_slot(PG_GETARG_INT64(0)));
}

Datum
bigbrotr_key_first(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(bb_clamp_second(PG_GETARG_INT64(0)) << NOSTR_KEY_ID_BITS);
}

/* Where keys are taken, the next free one may be in the next second. */
Datum
bigbrotr_key_last(PG_FUNCTION_ARGS)
{
	int64		second = Min(bb_clamp_second(PG_GETARG_INT64(0)) + 1, NOSTR_KEY_MAX_TIME);

	PG_RETURN_INT64((second << NOSTR_KEY_ID_BITS) | ((INT64CONST(1) << NOSTR_KEY_ID_BITS) - 1));
}
