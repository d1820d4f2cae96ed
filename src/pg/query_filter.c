/*
 * query_filter.c
 *
 * Reads the arguments of query and count.
 *
 * Guarantees that filters are freed with the memory context, however the
 * query ends; refuses whatever is not exactly a NIP-01 filter.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "pg/query.h"
#include "utils/builtins.h"
#include "access/xact.h"
#include "utils/timestamp.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

static void
free_filters(void *arg)
{
	BbQuery    *q = arg;

	for (int i = 0; i < q->n; i++)
		nostr_filter_free(&q->f[i]);
}

static void
read_filter(BbQuery *q, const JsonbValue *v)
{
	char	   *text;
	NostrFilterReject why;

	if (v->type != jbvBinary)
		text = pstrdup("0");	/* a scalar: not an object */
	else
		text = JsonbToCString(NULL, v->val.binary.data, v->val.binary.len);
	/* counted first: freed also when reading fails */
	why = nostr_filter_parse(text, strlen(text), &q->f[q->n++], NULL);
	if (why != NOSTR_FILTER_OK)
		ereport(ERROR,
				(errcode(why == NOSTR_FILTER_OUT_OF_MEMORY ? ERRCODE_OUT_OF_MEMORY : ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("filter %d is invalid: %s", q->n, nostr_filter_reject_text(why))));
	pfree(text);
}

/* What the filters want to be searched for. */
static void
read_words(BbQuery *q)
{
	BbSearch   *s = NULL;

	q->words = palloc0(sizeof(TSQuery) * Max(q->n, 1));
	for (int i = 0; i < q->n; i++)
	{
		if (q->f[i].search == NULL)
			continue;
		if (s == NULL)
			bb_search_read(s = palloc0(sizeof(*s)));
		q->words[i] = bb_search_words(s, q->f[i].search, q->f[i].search_len);
		if (q->words[i] != NULL)
			q->search = s;
	}
	if (q->search != NULL && s->indexed)
		bb_drive_config(s);
}

static bool
relay_mode(text *mode)
{
	char	   *s = text_to_cstring(mode);

	if (strcmp(s, "relay") == 0)
		return true;
	if (strcmp(s, "archive") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized query mode: \"%s\"", s),
				 errhint("Valid modes are \"archive\" (all events) and \"relay\" (events that a relay would serve now).")));
	return false;
}

BbQuery *
bb_query_read(Jsonb *filters, text *mode, int64 max_limit, text *relay_url)
{
	BbQuery    *q = palloc0(sizeof(*q));
	MemoryContextCallback *cb = palloc0(sizeof(*cb));
	bool		array = JB_ROOT_IS_ARRAY(filters) && !JB_ROOT_IS_SCALAR(filters);
	int			n = array ? JB_ROOT_COUNT(filters) : 1;

	q->relay = relay_mode(mode);
	if (q->relay)
		q->nuncovered = bb_ruling_uncovered(&q->uncovered);
	q->now = (GetCurrentTransactionStartTimestamp() / USECS_PER_SEC) +
		((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY);
	q->relay_url = relay_url != NULL ? text_to_cstring(relay_url) : NULL;
	if (max_limit < 0 || max_limit > BB_QUERY_MAX_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("limit of a filter must be between 0 and %d", BB_QUERY_MAX_LIMIT)));
	q->max_limit = max_limit;
	if (n > BB_QUERY_MAX_FILTERS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many filters: the limit is %d", BB_QUERY_MAX_FILTERS)));
	q->f = palloc0(sizeof(NostrFilter) * Max(n, 1));
	cb->func = free_filters;
	cb->arg = q;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, cb);
	if (array)
	{
		for (int i = 0; i < n; i++)
			read_filter(q, getIthJsonbValueFromContainer(&filters->root, i));
	}
	else
	{
		JsonbValue	v;

		memset(&v, 0, sizeof(v));
		v.type = JB_ROOT_IS_SCALAR(filters) ? jbvNull : jbvBinary;
		v.val.binary.data = &filters->root;
		v.val.binary.len = VARSIZE(filters) - VARHDRSZ;
		read_filter(q, &v);
	}
	read_words(q);
	return q;
}
