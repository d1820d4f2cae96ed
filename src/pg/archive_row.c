/*
 * archive_row.c
 *
 * Turns events and observations into arrays for the insert plans.
 *
 * Guarantees that every event has a row that gives back the same bytes, also
 * one with U+0000 in its content, which text cannot hold.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pg/archive_insert.h"
#include "pg/archive_plan.h"
#include "pg/archive_row.h"
#include "pg/compact.h"
#include "pg/guc.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Observations in one statement: bounds what their arrays take. */
#define OBSERVATIONS_AT_ONCE 8192

Datum
archive_varlena(const void *data, size_t len)
{
	struct varlena *v = palloc(VARHDRSZ + len);

	SET_VARSIZE(v, VARHDRSZ + len);
	if (len > 0)
		memcpy(VARDATA(v), data, len);
	return PointerGetDatum(v);
}

text *
archive_content_escape(const uint8 *s, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t		n = 0;
	text	   *t;
	char	   *p;

	for (size_t i = 0; i < len; i++)
		n += s[i] < 0x20 ? 6 : (s[i] == '"' || s[i] == '\\') ? 2 : 1;
	t = palloc(VARHDRSZ + n);
	SET_VARSIZE(t, VARHDRSZ + n);
	p = VARDATA(t);
	for (size_t i = 0; i < len; i++)
	{
		if (s[i] < 0x20)
		{
			memcpy(p, "\\u00", 4);
			p[4] = hex[s[i] >> 4];
			p[5] = hex[s[i] & 15];
			p += 6;
			continue;
		}
		if (s[i] == '"' || s[i] == '\\')
			*p++ = '\\';
		*p++ = (char) s[i];
	}
	return t;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint8 *
archive_content_unescape(const char *s, size_t len, size_t *outlen)
{
	uint8	   *out = palloc(len + 1);
	size_t		n = 0;

	for (size_t i = 0; i < len; i++)
	{
		if (s[i] != '\\')
		{
			out[n++] = (uint8) s[i];
			continue;
		}
		if (++i >= len)
			return NULL;
		if (s[i] == '"' || s[i] == '\\')
			out[n++] = (uint8) s[i];
		else if (len - i >= 5 && memcmp(s + i, "u00", 3) == 0 &&
				 hex_digit(s[i + 3]) >= 0 && hex_digit(s[i + 4]) >= 0)
		{
			out[n++] = (uint8) (hex_digit(s[i + 3]) << 4 | hex_digit(s[i + 4]));
			i += 4;
		}
		else
			return NULL;
	}
	*outlen = n;
	return out;
}

ErrorData *
archive_row_insert(const BbArchiveEvent **rows, const int64 *keys, int n, bool *all)
{
	static const Oid type[] = {INT8OID, INT8OID, INT4OID, BYTEAOID,
	BYTEAOID, BYTEAOID, InvalidOid, TEXTOID};
	Datum	   *col[8];
	bool	   *light;
	Datum		args[8];
	Oid			tags_type = archive_tags_type();

	for (int c = 0; c < 8; c++)
		col[c] = palloc(sizeof(Datum) * n);
	light = palloc0(sizeof(bool) * n);
	for (int i = 0; i < n; i++)
	{
		const NostrEvent *ev = &rows[i]->ev;

		light[i] = bb_archive == 1;
		if (!light[i] && ev->content_len > 0 && memchr(ev->content, 0, ev->content_len) != NULL)
			col[7][i] = PointerGetDatum(archive_content_escape(ev->content, ev->content_len));
		else if (!light[i])
			col[7][i] = archive_varlena(ev->content, ev->content_len);
		col[0][i] = Int64GetDatum(keys[i]);
		col[1][i] = Int64GetDatum(ev->created_at);
		col[2][i] = Int32GetDatum(ev->kind);
		col[3][i] = archive_varlena(ev->id, 32);
		col[4][i] = archive_varlena(ev->pubkey, 32);
		col[5][i] = light[i] ? (Datum) 0 : archive_varlena(ev->sig, 64);
		col[6][i] = light[i] ? (Datum) 0 : archive_varlena(ev->tags, ev->tags_len);
		if (light[i])
			col[7][i] = (Datum) 0;
	}
	for (int c = 0; c < 8; c++)
		args[c] = archive_array(col[c], c >= 5 && bb_archive == 1 ? light : NULL, n,
								c == 6 ? tags_type : type[c]);
	return archive_insert(BB_INSERT_EVENT, args, n, all);
}

static int
observation_cmp(const void *a, const void *b)
{
	const BbObservation *x = a;
	const BbObservation *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->relay_id != y->relay_id)
		return x->relay_id < y->relay_id ? -1 : 1;
	return x->at - y->at;
}

static int32
seen_at_stored(int64 seen_at)
{
	if (seen_at >= BB_SEEN_EPOCH + PG_INT32_MAX)
		return PG_INT32_MAX;
	if (seen_at <= BB_SEEN_EPOCH + PG_INT32_MIN)
		return PG_INT32_MIN;
	return (int32) (seen_at - BB_SEEN_EPOCH);
}

/* Index of the first copy of an observation. */
static int
first_copy(const BbObservation *o, int n, int64 key, int32 relay_id)
{
	BbObservation probe = {.key = key,.relay_id = relay_id,.at = -1};
	int			lo = 0;
	int			hi = n;

	while (lo < hi)
	{
		int			mid = lo + (hi - lo) / 2;

		if (observation_cmp(&o[mid], &probe) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Is o[i] to be inserted?  Neither what is packed nor a copy. */
static bool
counts(const BbObservation *o, int i)
{
	return !o[i].packed &&
		(i == 0 || o[i].key != o[i - 1].key || o[i].relay_id != o[i - 1].relay_id);
}

/* Rows of one statement: o[0..n) is sorted. */
static void
insert_some(BbObservation *o, int n)
{
	Datum	   *col[3];
	Datum		args[3];
	ErrorData  *error;
	bool		all;
	int			m = 0;

	SPI_connect();
	for (int c = 0; c < 3; c++)
		col[c] = palloc(sizeof(Datum) * n);
	for (int i = 0; i < n; i++)
	{
		o[i].fresh = counts(o, i);
		if (!o[i].fresh)
			continue;
		col[0][m] = Int64GetDatum(o[i].key);
		col[1][m] = Int32GetDatum(o[i].relay_id);
		col[2][m++] = Int32GetDatum(seen_at_stored(o[i].seen_at));
	}
	if (m == 0)
	{
		SPI_finish();
		return;
	}
	args[0] = archive_array(col[0], NULL, m, INT8OID);
	args[1] = archive_array(col[1], NULL, m, INT4OID);
	args[2] = archive_array(col[2], NULL, m, INT4OID);
	error = archive_insert(BB_INSERT_OBSERVATION, args, m, &all);
	if (error != NULL)
		ReThrowError(error);
	for (int i = 0; !all && i < n; i++)
		o[i].fresh = false;
	for (uint64 r = 0; !all && r < SPI_processed; r++)
	{
		HeapTuple	t = SPI_tuptable->vals[r];
		TupleDesc	d = SPI_tuptable->tupdesc;
		bool		isnull;
		int			at = first_copy(o, n, DatumGetInt64(SPI_getbinval(t, d, 1, &isnull)),
									DatumGetInt32(SPI_getbinval(t, d, 2, &isnull)));

		if (at < n)
			o[at].fresh = true;
	}
	SPI_finish();
}

void
archive_observation_insert(BbObservation *o, int n)
{
	qsort(o, n, sizeof(*o), observation_cmp);
	compact_mark(o, n);
	for (int i = 0; i < n; i += OBSERVATIONS_AT_ONCE)
	{
		CHECK_FOR_INTERRUPTS();
		insert_some(o + i, Min(OBSERVATIONS_AT_ONCE, n - i));
	}
}
