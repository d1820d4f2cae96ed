/*
 * search.c
 *
 * Full text search in contents, with PostgreSQL's own facilities.
 *
 * Guarantees that no content makes an insert fail: what exceeds
 * BB_SEARCH_MAX_BYTES is not indexed and words longer than BB_SEARCH_MAX_WORD
 * are cut, so neither the limit of a tsvector (1 MB) nor that of a word (2
 * kB) is ever reached.  Must survive any content.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "nostr/kind.h"
#include "pg/compat.h"
#include "pg/search.h"
#include "pg/steps.h"
#include "tsearch/ts_cache.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/regproc.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_search_vector(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_search_vector);
extern PGDLLEXPORT Datum bigbrotr_search_enable(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_search_enable);

static bool
is_space(uint8 c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_letter(uint8 c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The start of a content, with white space at least where it has to be. */
static text *
bounded(text *content)
{
	const char *s = VARDATA_ANY(content);
	int			len = VARSIZE_ANY_EXHDR(content);
	text	   *t;
	char	   *dst;
	int			word = 0;

	if (len > BB_SEARCH_MAX_BYTES)
		len = pg_mbcliplen(s, len, BB_SEARCH_MAX_BYTES);
	t = palloc(VARHDRSZ + len + len / (BB_SEARCH_MAX_WORD - MAX_MULTIBYTE_CHAR_LEN) + 1);
	dst = VARDATA(t);
	for (int i = 0; i < len;)
	{
		int			n = Min(pg_mblen(s + i), len - i);

		word = is_space(s[i]) ? 0 : word + n;
		if (word > BB_SEARCH_MAX_WORD)
		{
			*dst++ = ' ';
			word = n;
		}
		memcpy(dst, s + i, n);
		dst += n;
		i += n;
	}
	SET_VARSIZE(t, dst - (char *) t);
	return t;
}

/* What of an event can be found; false: nothing. */
static bool
vector(Oid config, int32 kind, text *content, Datum *result)
{
	if (nostr_kind_encrypted(kind))
		return false;
	*result = DirectFunctionCall2(to_tsvector_byid, ObjectIdGetDatum(config), PointerGetDatum(bounded(content)));
	return true;
}

Datum
bigbrotr_search_vector(PG_FUNCTION_ARGS)
{
	Datum		v;

	if (!vector(PG_GETARG_OID(0), PG_GETARG_INT32(1), PG_GETARG_TEXT_PP(2), &v))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(v);
}

Datum
bigbrotr_search_enable(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("text search configuration must not be null")));
	bb_steps_begin(fcinfo);
	bb_steps_run("search_enable_step", REGCONFIGOID, PG_GETARG_DATUM(0));
	PG_RETURN_VOID();
}

void
bb_search_read(BbSearch *s)
{
	bool		isnull;

	if (SPI_execute("SELECT i.config, i.ready FROM bigbrotr.search_index AS i", true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read how contents are searched");
	s->indexed = SPI_processed > 0 && DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	s->config_name = SPI_processed > 0 ? SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) :
		pstrdup("pg_catalog.simple");
	SPI_freetuptable(SPI_tuptable);
#if PG_VERSION_NUM >= 160000
	s->config = get_ts_config_oid(stringToQualifiedNameList(s->config_name, NULL), false);
#else
	s->config = get_ts_config_oid(stringToQualifiedNameList(s->config_name), false);
#endif
	s->compared = 0;
}

/* A word with a colon in it that has something on both sides: not so an
 * address (https://...) or a time of day. */
static bool
is_extension(const uint8 *s, size_t len)
{
	size_t		i = 0;

	if (len == 0 || !is_letter(s[0]))
		return false;
	while (i < len && (is_letter(s[i]) || (s[i] >= '0' && s[i] <= '9') || s[i] == '_' || s[i] == '-'))
		i++;
	return i + 1 < len && s[i] == ':' && s[i + 1] != '/';
}

TSQuery
bb_search_words(const BbSearch *s, const uint8 *search, size_t len)
{
	text	   *t = palloc(VARHDRSZ + len + 1);
	char	   *dst = VARDATA(t);
	bool		quoted = false;
	bool		any = false;

	for (size_t i = 0; i < len;)
	{
		size_t		n = 0;

		if (is_space(search[i]))
		{
			i++;
			continue;
		}
		while (i + n < len && !is_space(search[i + n]))
			n++;
		if (quoted || !is_extension(search + i, n))
		{
			memcpy(dst, search + i, n);
			dst += n;
			*dst++ = ' ';
			any = true;
			for (size_t k = 0; k < n; k++)
				quoted ^= search[i + k] == '"';
		}
		i += n;
	}
	SET_VARSIZE(t, dst - (char *) t);
	if (!any)
		return NULL;
	return DatumGetTSQuery(DirectFunctionCall2(websearch_to_tsquery_byid, ObjectIdGetDatum(s->config), PointerGetDatum(t)));
}

bool
bb_search_match(BbSearch *s, TSQuery words, int32 kind, Datum content, bool isnull)
{
	Datum		v;

	if (!s->indexed && s->compared++ >= BB_SEARCH_MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("search without an index exceeded the limit of %d events", BB_SEARCH_MAX_ROWS),
				 errhint("Create the index with CALL bigbrotr.search_enable(), or narrow the filter by ids, authors, kinds, tags or since.")));
	return !isnull && vector(s->config, kind, DatumGetTextPP(content), &v) &&
		DatumGetBool(DirectFunctionCall2(ts_match_vq, v, TSQueryGetDatum(words)));
}
