/*
 * event_sql.c
 *
 * event_verify, event_reject_reason, event_json.
 *
 * Guarantees that event_json never gives out what is not a valid event: the
 * row is rebuilt, its id recomputed and its signature verified.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "fmgr.h"
#include "nostr/crypto.h"
#include "nostr/tags.h"
#include "pg/archive_plan.h"
#include "pg/archive_row.h"
#include "pg/compat.h"
#include "pg/event_check.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_event_verify(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_event_verify);
extern PGDLLEXPORT Datum bigbrotr_event_reject_reason(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_event_reject_reason);
extern PGDLLEXPORT Datum bigbrotr_event_json(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_event_json);

void
bb_crypto_need(void)
{
	if (!nostr_crypto_init())
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not initialize libsecp256k1")));
}

char *
bb_event_check(const char *json, size_t len, NostrEvent *ev)
{
	NostrReject r;
	size_t		offset = 0;

	bb_crypto_need();
	r = nostr_event_parse(json, len, bb_scratch(0), ev, &offset);
	if (r == NOSTR_OUT_OF_MEMORY)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	if (r == NOSTR_OK && !nostr_event_verify(ev))
		r = NOSTR_INVALID_SIGNATURE;
	if (r == NOSTR_OK)
		return NULL;
	return psprintf("%s: %s", nostr_reject_name(r), nostr_reject_text(r));
}

Datum
bigbrotr_event_verify(PG_FUNCTION_ARGS)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	NostrEvent	ev;

	PG_RETURN_BOOL(bb_event_check(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), &ev) == NULL);
}

Datum
bigbrotr_event_reject_reason(PG_FUNCTION_ARGS)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	NostrEvent	ev;
	char	   *reason = bb_event_check(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), &ev);

	if (reason == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(reason));
}

static void
corrupted(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("this row is not a valid event: %s", what)));
}

/* Exactly len bytes of a bytea column. */
static void
get_bytes(HeapTupleHeader row, const char *column, uint8 *dst, size_t len)
{
	bool		isnull;
	Datum		d = GetAttributeByName(row, column, &isnull);
	bytea	   *b;

	if (isnull)
		corrupted(column);
	b = DatumGetByteaPP(d);
	if (VARSIZE_ANY_EXHDR(b) != len)
		corrupted(column);
	memcpy(dst, VARDATA_ANY(b), len);
}

static Datum
get_value(HeapTupleHeader row, const char *column)
{
	bool		isnull;
	Datum		d = GetAttributeByName(row, column, &isnull);

	if (isnull)
		corrupted(column);
	return d;
}

Datum
bigbrotr_event_json(PG_FUNCTION_ARGS)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(0);
	NostrEvent	ev;
	NostrBuf   *out;
	struct varlena *tags;
	text	   *content;
	bool		isnull;
	int16		flags;
	uint8		id[32];

	bb_crypto_need();
	memset(&ev, 0, sizeof(ev));
	(void) GetAttributeByName(row, "sig", &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this event was archived light: without tags, content and signature"),
				 errhint("With bigbrotr.archive = full new events are kept whole; rows with a sig are.")));
	get_bytes(row, "id", ev.id, sizeof(ev.id));
	get_bytes(row, "pubkey", ev.pubkey, sizeof(ev.pubkey));
	get_bytes(row, "sig", ev.sig, sizeof(ev.sig));
	ev.created_at = DatumGetInt64(get_value(row, "created_at"));
	ev.kind = DatumGetInt32(get_value(row, "kind"));
	flags = DatumGetInt16(get_value(row, "flags"));
	ev.form = (NostrForm) (flags & BB_FLAG_FORM);
	tags = PG_DETOAST_DATUM_PACKED(get_value(row, "tags"));
	ev.tags = (const uint8_t *) VARDATA_ANY(tags);
	ev.tags_len = VARSIZE_ANY_EXHDR(tags);
	content = DatumGetTextPP(get_value(row, "content"));
	ev.content = (const uint8_t *) VARDATA_ANY(content);
	ev.content_len = VARSIZE_ANY_EXHDR(content);
	if (flags & BB_FLAG_CONTENT_JSON)
	{
		ev.content = archive_content_unescape(VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content),
											  &ev.content_len);
		if (ev.content == NULL)
			corrupted("content is not JSON-escaped");
	}
	if (ev.form > NOSTR_FORM_ESCAPED_DEL)
		corrupted("flags");
	if (!nostr_tags_valid(ev.tags, ev.tags_len))
		corrupted("tags");
	if (!nostr_event_id(&ev, ev.form, bb_scratch(1), id) || memcmp(id, ev.id, 32) != 0)
		corrupted(nostr_reject_text(NOSTR_ID_MISMATCH));
	if (!nostr_event_verify(&ev))
		corrupted(nostr_reject_text(NOSTR_INVALID_SIGNATURE));
	out = bb_scratch(0);
	nostr_event_json(&ev, out);
	if (out->failed)
		corrupted("it is too large");
	PG_RETURN_TEXT_P(cstring_to_text_with_len((char *) out->data, out->len));
}
