/*
 * filter_sql.c
 *
 * filter_normalize and filter_reject_reason.
 *
 * Must survive: any text; nothing is left behind when memory ends.
 */
#include "postgres.h"

#include "fmgr.h"
#include "nostr/filter.h"
#include "pg/compat.h"
#include "utils/builtins.h"
#include "wire/messages.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_filter_normalize(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_filter_normalize);
extern PGDLLEXPORT Datum bigbrotr_filter_reject_reason(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_filter_reject_reason);

/* Why relays cannot be synchronized with a filter that is well formed. */
static const char *
unfit(const NostrFilter *f)
{
	if (f->since != INT64_MIN || f->until != INT64_MAX || f->limit >= 0)
		return "has_bounds: since, until and limit are the synchronizer's own";
	if (f->search != NULL)
		return "has_search: what a search finds is up to each relay, nothing could be proved";
	if (nostr_filter_never(f))
		return "never: one of its lists is empty, no event can match it";
	return NULL;
}

/* The canonical text, palloc'ed; or NULL and *why ("name: text", palloc'ed). */
static char *
filter_canonical(const char *text, size_t len, char **why)
{
	NostrFilter f;
	NostrBuf	json;
	NostrFilterReject reject = nostr_filter_parse(text, len, &f, NULL);
	const char *bad = reject == NOSTR_FILTER_OK ? unfit(&f) : NULL;
	char		canonical[WIRE_MAX_FILTER];
	bool		fits = false;

	nostr_buf_init(&json, sizeof(canonical));
	if (reject == NOSTR_FILTER_OK && bad == NULL)
	{
		nostr_filter_json(&f, &json);
		nostr_buf_append_byte(&json, 0);
		fits = !json.failed;
		if (fits)
			memcpy(canonical, json.data, json.len);
	}
	nostr_buf_free(&json);
	nostr_filter_free(&f);
	/* from here on an error leaves nothing behind */
	if (fits)
		return pstrdup(canonical);
	if (reject != NOSTR_FILTER_OK)
		*why = psprintf("%s: %s", nostr_filter_reject_name(reject),
						nostr_filter_reject_text(reject));
	else
		*why = pstrdup(bad != NULL ? bad : "too_large: its canonical text is too long");
	return NULL;
}

Datum
bigbrotr_filter_normalize(PG_FUNCTION_ARGS)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	char	   *why;
	char	   *canonical = filter_canonical(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), &why);

	if (canonical == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(canonical));
}

Datum
bigbrotr_filter_reject_reason(PG_FUNCTION_ARGS)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	char	   *why;

	if (filter_canonical(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), &why) != NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(why));
}
