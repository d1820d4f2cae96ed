/*
 * tags_type.c
 *
 * The SQL type tags: the packed form of an event's tags (nostr/tags.h) as a
 * varlena.  Text is JSON.
 *
 * Guarantees that a value is always exactly one packed form: text and binary
 * input check it, so equality of bytes is equality of tags.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "nostr/tags.h"
#include "pg/archive_plan.h"
#include "pg/compat.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_tags_in(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tags_in);
extern PGDLLEXPORT Datum bigbrotr_tags_out(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tags_out);
extern PGDLLEXPORT Datum bigbrotr_tags_recv(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tags_recv);
extern PGDLLEXPORT Datum bigbrotr_tags_send(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tags_send);
extern PGDLLEXPORT Datum bigbrotr_tags_eq(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tags_eq);
extern PGDLLEXPORT Datum bigbrotr_tags_ne(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tags_ne);
extern PGDLLEXPORT Datum bigbrotr_tags_to_jsonb(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tags_to_jsonb);
extern PGDLLEXPORT Datum bigbrotr_jsonb_to_tags(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_jsonb_to_tags);
extern PGDLLEXPORT Datum bigbrotr_tag_count(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tag_count);
extern PGDLLEXPORT Datum bigbrotr_tag_values(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tag_values);
extern PGDLLEXPORT Datum bigbrotr_tag_first(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tag_first);

#define PACKED(v) ((const uint8_t *) VARDATA_ANY(v))

static struct varlena *
tags_parse(const char *json, size_t len)
{
	NostrBuf   *buf = bb_scratch(0);
	const char *reason = NULL;
	size_t		offset = 0;

	if (!nostr_tags_from_json(json, len, buf, &reason, &offset))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type tags"),
				 errdetail("At byte %zu: %s.", offset, reason ? reason : "not valid"),
				 errhint("Tags must be a JSON array of arrays of strings.")));
	return (struct varlena *) cstring_to_text_with_len((const char *) buf->data, buf->len);
}

static char *
tags_text(const struct varlena *v)
{
	NostrBuf   *buf = bb_scratch(0);

	nostr_tags_to_json(PACKED(v), VARSIZE_ANY_EXHDR(v), buf);
	if (buf->failed)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("tags are too large to be converted to text")));
	return pnstrdup((const char *) buf->data, buf->len);
}

Datum
bigbrotr_tags_in(PG_FUNCTION_ARGS)
{
	char	   *s = PG_GETARG_CSTRING(0);

	PG_RETURN_POINTER(tags_parse(s, strlen(s)));
}

Datum
bigbrotr_tags_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(tags_text(PG_GETARG_VARLENA_PP(0)));
}

Datum
bigbrotr_tags_recv(PG_FUNCTION_ARGS)
{
	StringInfo	msg = (StringInfo) PG_GETARG_POINTER(0);
	int			len = msg->len - msg->cursor;
	const char *data = pq_getmsgbytes(msg, len);

	if (!nostr_tags_valid((const uint8_t *) data, len))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary representation of type tags")));
	PG_RETURN_POINTER(cstring_to_text_with_len(data, len));
}

Datum
bigbrotr_tags_send(PG_FUNCTION_ARGS)
{
	struct varlena *v = PG_GETARG_VARLENA_PP(0);

	PG_RETURN_BYTEA_P((bytea *) cstring_to_text_with_len(VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v)));
}

static bool
tags_equal(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	struct varlena *b = PG_GETARG_VARLENA_PP(1);
	bool		same;

	same = VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return same;
}

Datum
bigbrotr_tags_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(tags_equal(fcinfo));
}

Datum
bigbrotr_tags_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!tags_equal(fcinfo));
}

/* Hex never holds the character U+0000. */
static bool
has_nul(const NostrTagElement *el)
{
	return !el->hex && el->len > 0 && memchr(el->data, 0, el->len) != NULL;
}

Datum
bigbrotr_tags_to_jsonb(PG_FUNCTION_ARGS)
{
	struct varlena *v = PG_GETARG_VARLENA_PP(0);
	NostrTagIter it;
	NostrTagElement el;

	nostr_tags_iter(&it, PACKED(v), VARSIZE_ANY_EXHDR(v));
	while (nostr_tags_next(&it) > 0)
		while (nostr_tags_next_element(&it, &el))
			if (has_nul(&el))
				ereport(ERROR,
						(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
						 errmsg("tags containing U+0000 cannot be converted to jsonb"),
						 errhint("Cast them to text, or use bigbrotr.tag_values().")));
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(tags_text(v))));
}

Datum
bigbrotr_jsonb_to_tags(PG_FUNCTION_ARGS)
{
	Jsonb	   *jb = PG_GETARG_JSONB_P(0);
	char	   *s = JsonbToCString(NULL, &jb->root, VARSIZE(jb));

	PG_RETURN_POINTER(tags_parse(s, strlen(s)));
}

Datum
bigbrotr_tag_count(PG_FUNCTION_ARGS)
{
	struct varlena *v = PG_GETARG_VARLENA_PP(0);
	NostrTagIter it;

	nostr_tags_iter(&it, PACKED(v), VARSIZE_ANY_EXHDR(v));
	PG_RETURN_INT32((int32) it.tags_left);
}

static char *
element_text(const NostrTagElement *el, size_t *len)
{
	char	   *s;

	*len = nostr_tag_element_text_len(el);
	s = palloc(*len + 1);
	nostr_tag_element_text(el, s);
	return s;
}

/* Next tag of that name that has a value: its first value in *el. */
static bool
next_value(NostrTagIter *it, text *name, NostrTagElement *el)
{
	size_t		want = VARSIZE_ANY_EXHDR(name);

	while (nostr_tags_next(it) > 0)
	{
		size_t		len;
		char	   *s;
		bool		same;

		if (!nostr_tags_next_element(it, el) || nostr_tag_element_text_len(el) != want)
			continue;
		s = element_text(el, &len);
		same = memcmp(s, VARDATA_ANY(name), want) == 0;
		pfree(s);
		if (same && nostr_tags_next_element(it, el))
			return true;
	}
	return false;
}

Datum
bigbrotr_tag_values(PG_FUNCTION_ARGS)
{
	struct varlena *v = PG_GETARG_VARLENA_PP(0);
	text	   *name = PG_GETARG_TEXT_PP(1);
	ArrayBuildState *result = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	NostrTagIter it;
	NostrTagElement el;

	nostr_tags_iter(&it, PACKED(v), VARSIZE_ANY_EXHDR(v));
	while (next_value(&it, name, &el))
	{
		bool		isnull = has_nul(&el);
		Datum		d = (Datum) 0;
		size_t		len;

		if (!isnull)
		{
			char	   *s = element_text(&el, &len);

			d = PointerGetDatum(cstring_to_text_with_len(s, len));
			pfree(s);
		}
		result = accumArrayResult(result, d, isnull, TEXTOID, CurrentMemoryContext);
	}
	PG_RETURN_DATUM(makeArrayResult(result, CurrentMemoryContext));
}

Datum
bigbrotr_tag_first(PG_FUNCTION_ARGS)
{
	struct varlena *v = PG_GETARG_VARLENA_PP(0);
	NostrTagIter it;
	NostrTagElement el;
	size_t		len;
	char	   *s;

	nostr_tags_iter(&it, PACKED(v), VARSIZE_ANY_EXHDR(v));
	if (!next_value(&it, PG_GETARG_TEXT_PP(1), &el) || has_nul(&el))
		PG_RETURN_NULL();
	s = element_text(&el, &len);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(s, len));
}
