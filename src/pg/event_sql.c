/*
 * event_sql.c
 *
 * event_verify, event_reject_reason, event_json, event_flags.
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
extern PGDLLEXPORT Datum bigbrotr_event_flags(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_event_flags);

static void
need_crypto(void)
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

	need_crypto();
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
			 errmsg("row is not a valid event: %s", what)));
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

/*
 * Which way of writing control characters, and whether content is escaped, is
 * not stored: it is what gives the id.
 */
static bool
find_form(NostrEvent *ev)
{
	uint8		id[32];

	for (int form = NOSTR_FORM_RAW; form <= NOSTR_FORM_ESCAPED_DEL; form++)
	{
		ev->form = (NostrForm) form;
		if (nostr_event_id(ev, ev->form, bb_scratch(1), id) && memcmp(id, ev->id, 32) == 0)
			return true;
	}
	return false;
}

/* The event of a row, its id compared.  Returns whether content is escaped;
 * *ev points into the row and to palloc'ed memory. */
static bool
event_of(HeapTupleHeader row, NostrEvent *ev)
{
	struct varlena *tags;
	text	   *content;

	memset(ev, 0, sizeof(*ev));
	get_bytes(row, "id", ev->id, sizeof(ev->id));
	get_bytes(row, "pubkey", ev->pubkey, sizeof(ev->pubkey));
	get_bytes(row, "sig", ev->sig, sizeof(ev->sig));
	ev->created_at = DatumGetInt64(get_value(row, "created_at"));
	ev->kind = DatumGetInt32(get_value(row, "kind"));
	tags = PG_DETOAST_DATUM_PACKED(get_value(row, "tags"));
	ev->tags = (const uint8_t *) VARDATA_ANY(tags);
	ev->tags_len = VARSIZE_ANY_EXHDR(tags);
	content = DatumGetTextPP(get_value(row, "content"));
	ev->content = (const uint8_t *) VARDATA_ANY(content);
	ev->content_len = VARSIZE_ANY_EXHDR(content);
	if (!nostr_tags_valid(ev->tags, ev->tags_len))
		corrupted("tags");
	if (find_form(ev))
		return false;
	ev->content = archive_content_unescape(VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content), &ev->content_len);
	if (ev->content == NULL || memchr(ev->content, 0, ev->content_len) == NULL || !find_form(ev))
		corrupted(nostr_reject_text(NOSTR_ID_MISMATCH));
	return true;
}

static bool
is_light(HeapTupleHeader row)
{
	bool		isnull;

	(void) GetAttributeByName(row, "sig", &isnull);
	return isnull;
}

Datum
bigbrotr_event_json(PG_FUNCTION_ARGS)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(0);
	NostrEvent	ev;
	NostrBuf   *out;

	need_crypto();
	if (is_light(row))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("event is stored without tags, content and signature"),
				 errhint("It was archived with bigbrotr.archive = light. Rows whose sig is not null are complete.")));
	(void) event_of(row, &ev);
	if (!nostr_event_verify(&ev))
		corrupted(nostr_reject_text(NOSTR_INVALID_SIGNATURE));
	out = bb_scratch(0);
	nostr_event_json(&ev, out);
	if (out->failed)
		corrupted("it is too large");
	PG_RETURN_TEXT_P(cstring_to_text_with_len((char *) out->data, out->len));
}

Datum
bigbrotr_event_flags(PG_FUNCTION_ARGS)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(0);
	NostrEvent	ev;
	bool		escaped;

	need_crypto();
	if (is_light(row))
		PG_RETURN_NULL();
	escaped = event_of(row, &ev);
	PG_RETURN_INT16((int16) (ev.form | (escaped ? BB_FLAG_CONTENT_JSON : 0)));
}
