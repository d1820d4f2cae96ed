/*
 * nip19_sql.c
 *
 * npub, note, nip19_decode.  A secret key is refused: it must not end up in
 * a query log twice.
 */
#include "postgres.h"

#include "fmgr.h"
#include "nostr/nip19.h"
#include "pg/archive_plan.h"
#include "pg/compat.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_npub(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_npub);
extern PGDLLEXPORT Datum bigbrotr_note(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_note);
extern PGDLLEXPORT Datum bigbrotr_nip19_decode(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_nip19_decode);

static Datum
encode(NostrNip19Type type, bytea *data)
{
	NostrNip19	in;
	NostrBuf   *out = bb_scratch(0);
	const char *error;

	if (VARSIZE_ANY_EXHDR(data) != sizeof(in.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s needs 32 bytes, not %zu", nostr_nip19_type_name(type),
						(size_t) VARSIZE_ANY_EXHDR(data)),
				 errhint("Hexadecimal text becomes bytes with decode(..., 'hex').")));
	memset(&in, 0, sizeof(in));
	in.type = type;
	memcpy(in.data, VARDATA_ANY(data), sizeof(in.data));
	error = nostr_nip19_encode(&in, out);
	if (error != NULL)
		elog(ERROR, "could not encode %s: %s", nostr_nip19_type_name(type), error);
	return PointerGetDatum(cstring_to_text_with_len((char *) out->data, out->len));
}

Datum
bigbrotr_npub(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(encode(NOSTR_NIP19_NPUB, PG_GETARG_BYTEA_PP(0)));
}

Datum
bigbrotr_note(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(encode(NOSTR_NIP19_NOTE, PG_GETARG_BYTEA_PP(0)));
}

Datum
bigbrotr_nip19_decode(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);
	NostrNip19	n;
	const char *error;

	error = nostr_nip19_decode(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), bb_scratch(0), &n);
	if (error != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("not a NIP-19 name: %s", error)));
	if (n.type == NOSTR_NIP19_NSEC)
	{
		memset(&n, 0, sizeof(n));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("secret keys do not belong in the database"),
				 errhint("Treat this key as published: statements are logged.")));
	}
	PG_RETURN_BYTEA_P((bytea *) cstring_to_text_with_len(
		(const char *) (n.type == NOSTR_NIP19_NADDR ? n.author : n.data), 32));
}
