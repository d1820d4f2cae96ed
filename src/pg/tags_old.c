/*
 * tags_old.c
 *
 * What the analytics and the relations of the Python system want of tags:
 *
 *   d_tag(tags) text         value of the first d tag, '' without one (nostr_tags_identifier)
 *   d_digest(tags) bytea     the same as a key of bounded size
 *   tagvalues(tags) text[]   'e:...', 'p:...' of every tag with a short name
 *
 * Must survive values with U+0000 and of any length.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nostr/crypto.h"
#include "nostr/ruling.h"
#include "pg/compat.h"
#include "utils/array.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_d_tag(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_d_tag);
extern PGDLLEXPORT Datum bigbrotr_d_digest(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_d_digest);
extern PGDLLEXPORT Datum bigbrotr_tagvalues(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tagvalues);

#define PACKED(v) ((const uint8_t *) VARDATA_ANY(v))

static text *
element_text(const char *prefix, size_t prefix_len, const NostrTagElement *el)
{
	size_t		len = nostr_tag_element_text_len(el);
	text	   *t = palloc(VARHDRSZ + prefix_len + len);

	SET_VARSIZE(t, VARHDRSZ + prefix_len + len);
	memcpy(VARDATA(t), prefix, prefix_len);
	nostr_tag_element_text(el, VARDATA(t) + prefix_len);
	return t;
}

/* The identifier, as text that may hold U+0000. */
static text *
d_value(struct varlena *v)
{
	NostrTagElement el = nostr_tags_identifier(PACKED(v), VARSIZE_ANY_EXHDR(v));

	return element_text("", 0, &el);
}

static bool
has_nul(const text *t)
{
	return VARSIZE_ANY_EXHDR(t) > 0 && memchr(VARDATA_ANY(t), 0, VARSIZE_ANY_EXHDR(t)) != NULL;
}

Datum
bigbrotr_d_tag(PG_FUNCTION_ARGS)
{
	text	   *t = d_value(PG_GETARG_VARLENA_PP(0));

	if (has_nul(t))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(t);
}

Datum
bigbrotr_d_digest(PG_FUNCTION_ARGS)
{
	text	   *t = d_value(PG_GETARG_VARLENA_PP(0));
	bytea	   *b;

	if (VARSIZE_ANY_EXHDR(t) == 0)
		PG_RETURN_BYTEA_P((bytea *) t);
	b = palloc(VARHDRSZ + 32);
	SET_VARSIZE(b, VARHDRSZ + 32);
	nostr_sha256(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), (uint8_t *) VARDATA(b));
	PG_RETURN_BYTEA_P(b);
}

/* Length of the first character of UTF-8. */
static size_t
first_char(const uint8_t *s)
{
	return s[0] < 0x80 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
}

Datum
bigbrotr_tagvalues(PG_FUNCTION_ARGS)
{
	struct varlena *v = PG_GETARG_VARLENA_PP(0);
	ArrayBuildState *result = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	NostrTagIter it;
	NostrTagElement el;

	nostr_tags_iter(&it, PACKED(v), VARSIZE_ANY_EXHDR(v));
	while (nostr_tags_next(&it) > 0)
	{
		char		prefix[5];
		size_t		n;
		text	   *t;

		if (!nostr_tags_next_element(&it, &el) || el.hex || el.len == 0 ||
			el.len > 4 || el.data[0] == 0 || first_char(el.data) != el.len)
			continue;
		memcpy(prefix, el.data, el.len);
		n = el.len;
		prefix[n++] = ':';
		if (!nostr_tags_next_element(&it, &el))
			continue;
		t = element_text(prefix, n, &el);
		result = accumArrayResult(result, PointerGetDatum(t), has_nul(t), TEXTOID,
								  CurrentMemoryContext);
	}
	PG_RETURN_DATUM(makeArrayResult(result, CurrentMemoryContext));
}
