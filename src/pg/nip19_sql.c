/*
 * nip19_sql.c
 *
 * npub, note, nip19_decode, nip19_hex.  Secret keys are refused: they must
 * not get into a query log twice.
 */
#include "postgres.h"

#include "fmgr.h"
#include "nostr/hex.h"
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
extern PGDLLEXPORT Datum bigbrotr_npub_hex(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_npub_hex);
extern PGDLLEXPORT Datum bigbrotr_note_hex(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_note_hex);
extern PGDLLEXPORT Datum bigbrotr_nip19_decode(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_nip19_decode);
extern PGDLLEXPORT Datum bigbrotr_nip19_hex(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_nip19_hex);

static Datum
encode(NostrNip19Type type, const uint8 data[32])
{
	NostrNip19	in;
	NostrBuf   *out = bb_scratch(0);
	const char *error;

	memset(&in, 0, sizeof(in));
	in.type = type;
	memcpy(in.data, data, sizeof(in.data));
	error = nostr_nip19_encode(&in, out);
	if (error != NULL)
		elog(ERROR, "could not encode %s: %s", nostr_nip19_type_name(type), error);
	return PointerGetDatum(cstring_to_text_with_len((char *) out->data, out->len));
}

static Datum
encode_bytes(NostrNip19Type type, bytea *data)
{
	if (VARSIZE_ANY_EXHDR(data) != 32)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s requires 32 bytes, not %zu", nostr_nip19_type_name(type),
						(size_t) VARSIZE_ANY_EXHDR(data))));
	return encode(type, (const uint8 *) VARDATA_ANY(data));
}

/* Also as psql shows a bytea: an untyped literal comes here. */
static Datum
encode_hex(NostrNip19Type type, text *hex)
{
	const char *s = VARDATA_ANY(hex);
	size_t		len = VARSIZE_ANY_EXHDR(hex);
	uint8		data[32];

	if (len >= 2 && s[0] == '\\' && s[1] == 'x')
	{
		s += 2;
		len -= 2;
	}
	if (!nostr_hex_decode(s, len, data, sizeof(data)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s requires 64 lower-case hexadecimal digits", nostr_nip19_type_name(type)),
				 errhint("Use bigbrotr.nip19_hex() to convert a NIP-19 name.")));
	return encode(type, data);
}

Datum
bigbrotr_npub(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(encode_bytes(NOSTR_NIP19_NPUB, PG_GETARG_BYTEA_PP(0)));
}

Datum
bigbrotr_note(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(encode_bytes(NOSTR_NIP19_NOTE, PG_GETARG_BYTEA_PP(0)));
}

Datum
bigbrotr_npub_hex(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(encode_hex(NOSTR_NIP19_NPUB, PG_GETARG_TEXT_PP(0)));
}

Datum
bigbrotr_note_hex(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(encode_hex(NOSTR_NIP19_NOTE, PG_GETARG_TEXT_PP(0)));
}

/* The id or key that a name stands for. */
static void
decode(text *name, uint8 data[32])
{
	NostrNip19	n;
	const char *error;

	error = nostr_nip19_decode(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), bb_scratch(0), &n);
	if (error != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid NIP-19 name: %s", error)));
	if (n.type == NOSTR_NIP19_NSEC)
	{
		memset(&n, 0, sizeof(n));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("secret keys are not accepted"),
				 errhint("Consider this key compromised: statements are logged.")));
	}
	memcpy(data, n.type == NOSTR_NIP19_NADDR ? n.author : n.data, 32);
}

Datum
bigbrotr_nip19_decode(PG_FUNCTION_ARGS)
{
	uint8		data[32];

	decode(PG_GETARG_TEXT_PP(0), data);
	PG_RETURN_BYTEA_P((bytea *) cstring_to_text_with_len((char *) data, 32));
}

Datum
bigbrotr_nip19_hex(PG_FUNCTION_ARGS)
{
	uint8		data[32];
	char		hex[64];

	decode(PG_GETARG_TEXT_PP(0), data);
	nostr_hex_encode(data, 32, hex);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(hex, 64));
}
