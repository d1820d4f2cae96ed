/*
 * tags_gin.c
 *
 * Single-letter tags by their value: operators && and @> of the type tags,
 * and their GIN operator class.
 *
 * Guarantees that no tag is too long to be indexed: the keys are codes of
 * four bytes (nostr/tag_key.h), and what they find is compared again.
 */
#include "postgres.h"

#include "access/gin.h"
#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nostr/filter.h"
#include "nostr/tag_key.h"
#include "pg/compat.h"
#include "utils/array.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#define STRATEGY_ANY	1
#define STRATEGY_ALL	2

extern PGDLLEXPORT Datum bigbrotr_tags_any(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tags_any);
extern PGDLLEXPORT Datum bigbrotr_tags_all(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tags_all);
extern PGDLLEXPORT Datum bigbrotr_tags_gin_values(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tags_gin_values);
extern PGDLLEXPORT Datum bigbrotr_tags_gin_query(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tags_gin_query);
extern PGDLLEXPORT Datum bigbrotr_tags_gin_match(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tags_gin_match);

/* One element 'x:value' of the right operand. */
typedef struct Wanted
{
	uint8		letter;
	NostrFilterValue value;
} Wanted;

typedef struct WantedList
{
	int			n;
	Wanted	   *w;				/* sorted, each once */
} WantedList;

static int
wanted_cmp(const void *a, const void *b)
{
	const Wanted *x = a;
	const Wanted *y = b;

	if (x->letter != y->letter)
		return x->letter < y->letter ? -1 : 1;
	return nostr_filter_value_cmp(&x->value, &y->value);
}

static void
wanted_read(ArrayType *array, WantedList *list)
{
	Datum	   *d;
	bool	   *nulls;
	int			n;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &d, &nulls, &n);
	if (n > NOSTR_FILTER_MAX_VALUES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many tags to search for: the limit is %d", NOSTR_FILTER_MAX_VALUES)));
	list->w = palloc(sizeof(Wanted) * Max(n, 1));
	list->n = 0;
	for (int i = 0; i < n; i++)
	{
		text	   *t = nulls[i] ? NULL : DatumGetTextPP(d[i]);
		const uint8 *s = t != NULL ? (const uint8 *) VARDATA_ANY(t) : NULL;
		size_t		len = t != NULL ? VARSIZE_ANY_EXHDR(t) : 0;
		NostrTagElement el;

		if (len < 2 || s[1] != ':' || nostr_filter_letter(s[0]) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("tag to search for must consist of a letter, a colon and a value"),
					 errhint("For example ARRAY['t:nostr', 't:bitcoin'].")));
		el = nostr_tag_element_of(s + 2, len - 2, palloc(len));
		list->w[list->n].letter = s[0];
		list->w[list->n++].value = (NostrFilterValue) {el.data, el.len, el.hex};
	}
	if (list->n > 1)
	{
		int			kept = 0;

		qsort(list->w, list->n, sizeof(Wanted), wanted_cmp);
		for (int i = 1; i < list->n; i++)
			if (wanted_cmp(&list->w[kept], &list->w[i]) != 0)
				list->w[++kept] = list->w[i];
		list->n = kept + 1;
	}
}

/* The right operand, read once when it is the same for all rows. */
static WantedList *
wanted_arg(FunctionCallInfo fcinfo)
{
	WantedList *list = fcinfo->flinfo->fn_extra;
	MemoryContext old;

	if (list != NULL)
		return list;
	if (!get_fn_expr_arg_stable(fcinfo->flinfo, 1))
	{
		list = palloc(sizeof(*list));
		wanted_read(PG_GETARG_ARRAYTYPE_P(1), list);
		return list;
	}
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	list = palloc(sizeof(*list));
	wanted_read(PG_GETARG_ARRAYTYPE_P_COPY(1), list);
	MemoryContextSwitchTo(old);
	fcinfo->flinfo->fn_extra = list;
	return list;
}

/* How many of the list are there; stops at "enough". */
static int
wanted_found(const struct varlena *tags, const WantedList *list, int enough)
{
	bool	   *seen = enough > 1 ? palloc0(list->n) : NULL;
	int			found = 0;
	NostrTagIter it;
	NostrTagElement el;
	Wanted		w;

	nostr_tags_iter(&it, (const uint8_t *) VARDATA_ANY(tags), VARSIZE_ANY_EXHDR(tags));
	while (found < enough && nostr_tags_next_letter(&it, &w.letter, &el))
	{
		Wanted	   *hit;

		w.value = (NostrFilterValue) {el.data, el.len, el.hex};
		hit = bsearch(&w, list->w, list->n, sizeof(Wanted), wanted_cmp);
		if (hit == NULL || (seen != NULL && seen[hit - list->w]))
			continue;
		found++;
		if (seen != NULL)
			seen[hit - list->w] = true;
	}
	if (seen != NULL)
		pfree(seen);
	return found;
}

Datum
bigbrotr_tags_any(PG_FUNCTION_ARGS)
{
	WantedList *list = wanted_arg(fcinfo);
	struct varlena *tags = PG_GETARG_VARLENA_PP(0);
	bool		found = list->n > 0 && wanted_found(tags, list, 1) == 1;

	PG_FREE_IF_COPY(tags, 0);
	PG_RETURN_BOOL(found);
}

Datum
bigbrotr_tags_all(PG_FUNCTION_ARGS)
{
	WantedList *list = wanted_arg(fcinfo);
	struct varlena *tags = PG_GETARG_VARLENA_PP(0);
	bool		found = wanted_found(tags, list, list->n) == list->n;

	PG_FREE_IF_COPY(tags, 0);
	PG_RETURN_BOOL(found);
}

Datum
bigbrotr_tags_gin_values(PG_FUNCTION_ARGS)
{
	struct varlena *tags = PG_GETARG_VARLENA_PP(0);
	int32	   *nkeys = (int32 *) PG_GETARG_POINTER(1);
	NostrTagIter it;
	NostrTagElement el;
	uint8		letter;
	Datum	   *keys;

	nostr_tags_iter(&it, (const uint8_t *) VARDATA_ANY(tags), VARSIZE_ANY_EXHDR(tags));
	keys = palloc(sizeof(Datum) * Max(it.tags_left, 1));
	*nkeys = 0;
	while (nostr_tags_next_letter(&it, &letter, &el))
		keys[(*nkeys)++] = Int32GetDatum(nostr_tag_code(letter, &el));
	PG_RETURN_POINTER(keys);
}

Datum
bigbrotr_tags_gin_query(PG_FUNCTION_ARGS)
{
	int32	   *nkeys = (int32 *) PG_GETARG_POINTER(1);
	StrategyNumber strategy = PG_GETARG_UINT16(2);
	int32	   *mode = (int32 *) PG_GETARG_POINTER(6);
	WantedList	list;
	Datum	   *keys;

	wanted_read(PG_GETARG_ARRAYTYPE_P(0), &list);
	keys = palloc(sizeof(Datum) * Max(list.n, 1));
	for (int i = 0; i < list.n; i++)
	{
		NostrTagElement el = {list.w[i].value.data, list.w[i].value.len, list.w[i].value.hex};

		keys[i] = Int32GetDatum(nostr_tag_code(list.w[i].letter, &el));
	}
	*nkeys = list.n;
	if (list.n == 0 && strategy == STRATEGY_ALL)
		*mode = GIN_SEARCH_MODE_ALL;
	PG_RETURN_POINTER(keys);
}

/* Ternary; a code says never more than "maybe". */
Datum
bigbrotr_tags_gin_match(PG_FUNCTION_ARGS)
{
	GinTernaryValue *check = (GinTernaryValue *) PG_GETARG_POINTER(0);
	StrategyNumber strategy = PG_GETARG_UINT16(1);
	int32		nkeys = PG_GETARG_INT32(3);
	bool		all = true;
	bool		any = false;

	for (int i = 0; i < nkeys; i++)
	{
		all &= check[i] != GIN_FALSE;
		any |= check[i] != GIN_FALSE;
	}
	PG_RETURN_GIN_TERNARY_VALUE((strategy == STRATEGY_ALL ? all : any) ? GIN_MAYBE : GIN_FALSE);
}
