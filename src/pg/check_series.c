/*
 * check_series.c
 *
 * Packs and unpacks the checks of a relay.
 *
 * Must survive any bytea: a length that is not a multiple of the sample is an
 * error, an unknown class is "other".
 */
#include "postgres.h"

#include "fmgr.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "pg/archive.h"
#include "pg/check_series.h"
#include "pg/compat.h"
#include "pg/srf.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_check_unpack(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_check_unpack);
extern PGDLLEXPORT Datum bigbrotr_check_pack(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_check_pack);

#define UNPACKED_COLUMNS 16
#define FAILURE_SHIFT	 16
#define FAILURE_MASK	 0x3F

enum
{
	OPENED = 1, READ_ASKED = 2, READ_OK = 4, WRITE_ASKED = 8, WRITE_OK = 16, WRITE_LIVE = 32,
	WRITE_STORED = 64, CHALLENGED = 128, NIP11_ASKED = 256, NIP11_OK = 512
};

/* The numbers are on disk: add at the end, never move.  The names are those
 * of src/net/failure.c, which the server process does not see, and one of its
 * own (suspects.h). */
static const char *const failures[] = {
	"other", "timeout", "dns_nxdomain", "dns_failed", "address_refused", "network_disabled",
	"connect_refused", "connect_failed", "proxy_failed", "tls_certificate", "tls_failed",
	"http_status", "not_websocket", "protocol", "too_large", "disconnected", "rate", "not_nostr",
	"refused", "auth_required", "rate_limited", "resources", "cancelled",
	"process_lost"
};

static uint32
failure_number(const char *name)
{
	for (int i = 1; name != NULL && i < lengthof(failures); i++)
	{
		if (strcmp(failures[i], name) == 0)
			return i;
	}
	return 0;
}

static void
put16(uint8 *p, uint32 v)
{
	p[0] = v & 0xFF;
	p[1] = v >> 8 & 0xFF;
}

static uint32
get16(const uint8 *p)
{
	return p[0] | (uint32) p[1] << 8;
}

void
bb_sample_pack(const BbSample *s, uint8 out[BB_SAMPLE_SIZE])
{
	uint32		at = (uint32) Max(s->at - BB_SEEN_EPOCH, 0);
	uint32		flags = 0;

	flags |= s->opened ? OPENED : failure_number(s->failure) << FAILURE_SHIFT;
	flags |= (s->read_asked ? READ_ASKED : 0) | (s->read_ok ? READ_OK : 0);
	flags |= (s->write_asked ? WRITE_ASKED : 0) | (s->write_ok ? WRITE_OK : 0);
	flags |= (s->write_live ? WRITE_LIVE : 0) | (s->write_stored ? WRITE_STORED : 0);
	flags |= (s->challenged ? CHALLENGED : 0);
	flags |= (s->nip11_asked ? NIP11_ASKED : 0) | (s->nip11_ok ? NIP11_OK : 0);
	put16(out, at & 0xFFFF);
	put16(out + 2, at >> 16);
	put16(out + 4, flags & 0xFFFF);
	put16(out + 6, flags >> 16);
	for (int i = 0; i < BB_SAMPLE_TIMES; i++)
		put16(out + 8 + i * 2, Min(s->us[i] / 1000, 65535));
}

static void
unpack(const uint8 *p, Datum *values, bool *nulls)
{
	int64		at = (int64) (get16(p) | get16(p + 2) << 16) + BB_SEEN_EPOCH;
	uint32		flags = get16(p + 4) | get16(p + 6) << 16;
	uint32		failure = flags >> FAILURE_SHIFT & FAILURE_MASK;
	bool		opened = (flags & OPENED) != 0;

	memset(nulls, 0, sizeof(bool) * UNPACKED_COLUMNS);
	values[0] = TimestampTzGetDatum(time_t_to_timestamptz((pg_time_t) at));
	values[1] = BoolGetDatum(opened);
	nulls[2] = opened;
	if (!opened)
		values[2] = CStringGetTextDatum(failures[failure < lengthof(failures) ? failure : 0]);
	for (int i = 0; i < 4; i++)
	{
		values[3 + i] = Int32GetDatum((int32) get16(p + 8 + i * 2));
		nulls[3 + i] = !opened;
	}
	values[7] = BoolGetDatum((flags & READ_OK) != 0);
	nulls[7] = (flags & READ_ASKED) == 0;
	values[8] = Int32GetDatum((int32) get16(p + 16));
	nulls[8] = (flags & READ_OK) == 0;
	values[9] = BoolGetDatum((flags & WRITE_OK) != 0);
	nulls[9] = (flags & WRITE_ASKED) == 0;
	values[10] = Int32GetDatum((int32) get16(p + 18));
	nulls[10] = (flags & WRITE_OK) == 0;
	values[11] = BoolGetDatum((flags & WRITE_LIVE) != 0);
	values[12] = BoolGetDatum((flags & WRITE_STORED) != 0);
	nulls[11] = nulls[12] = (flags & WRITE_ASKED) == 0;
	values[13] = BoolGetDatum((flags & CHALLENGED) != 0);
	nulls[13] = !opened;
	values[14] = BoolGetDatum((flags & NIP11_OK) != 0);
	nulls[14] = (flags & NIP11_ASKED) == 0;
	values[15] = Int32GetDatum((int32) get16(p + 20));
	nulls[15] = (flags & NIP11_OK) == 0;
}

Datum
bigbrotr_check_unpack(PG_FUNCTION_ARGS)
{
	bytea	   *samples = PG_GETARG_BYTEA_PP(0);
	const uint8 *p = (const uint8 *) VARDATA_ANY(samples);
	int			len = VARSIZE_ANY_EXHDR(samples);
	ReturnSetInfo *rsi = (ReturnSetInfo *) fcinfo->resultinfo;

	bb_srf_begin(fcinfo);
	if (rsi->setDesc->natts != UNPACKED_COLUMNS)
		elog(ERROR, "check_unpack must return %d columns", UNPACKED_COLUMNS);
	if (len % BB_SAMPLE_SIZE != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("length of packed checks, %d bytes, is not a multiple of %d", len, BB_SAMPLE_SIZE)));
	for (; len > 0; len -= BB_SAMPLE_SIZE, p += BB_SAMPLE_SIZE)
	{
		Datum		values[UNPACKED_COLUMNS];
		bool		nulls[UNPACKED_COLUMNS];

		unpack(p, values, nulls);
		tuplestore_putvalues(rsi->setResult, rsi->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* A column of a row of type check_sample; false and 0 when it is NULL. */
static Datum
column(HeapTupleHeader row, const char *name, bool *isnull)
{
	Datum		d = GetAttributeByName(row, name, isnull);

	return *isnull ? (Datum) 0 : d;
}

static void
read_sample(HeapTupleHeader row, BbSample *s)
{
	static const char *const times[BB_SAMPLE_TIMES] = {
		"dns_ms", "tcp_ms", "tls_ms", "upgrade_ms", "read_ms", "write_ms", "nip11_ms"
	};
	bool		isnull;
	Datum		d;

	memset(s, 0, sizeof(*s));
	d = column(row, "checked_at", &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("checked_at of a check must not be null")));
	s->at = timestamptz_to_time_t(DatumGetTimestampTz(d));
	s->opened = DatumGetBool(column(row, "opened", &isnull));
	d = column(row, "failure", &isnull);
	s->failure = isnull ? NULL : TextDatumGetCString(d);
	s->read_ok = DatumGetBool(column(row, "read_ok", &isnull));
	s->read_asked = !isnull;
	s->write_ok = DatumGetBool(column(row, "write_ok", &isnull));
	s->write_asked = !isnull;
	s->write_live = DatumGetBool(column(row, "write_live", &isnull));
	s->write_stored = DatumGetBool(column(row, "write_stored", &isnull));
	s->challenged = DatumGetBool(column(row, "challenged", &isnull));
	s->nip11_ok = DatumGetBool(column(row, "nip11_ok", &isnull));
	s->nip11_asked = !isnull;
	for (int i = 0; i < BB_SAMPLE_TIMES; i++)
	{
		int32		ms = DatumGetInt32(column(row, times[i], &isnull));

		s->us[i] = (uint32) Max(0, Min(ms, 65535)) * 1000;
	}
}

Datum
bigbrotr_check_pack(PG_FUNCTION_ARGS)
{
	ArrayType  *a = PG_GETARG_ARRAYTYPE_P(0);
	bytea	   *out;
	Datum	   *d;
	bool	   *nulls;
	int			n;

	deconstruct_array(a, ARR_ELEMTYPE(a), -1, false, TYPALIGN_DOUBLE, &d, &nulls, &n);
	if (n > BB_SERIES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many checks for one row: %d, but the limit is %d", n, BB_SERIES_MAX)));
	out = palloc0(VARHDRSZ + n * BB_SAMPLE_SIZE);
	SET_VARSIZE(out, VARHDRSZ + n * BB_SAMPLE_SIZE);
	for (int i = 0; i < n; i++)
	{
		BbSample	s;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("checked_at of a check must not be null")));
		read_sample(DatumGetHeapTupleHeader(d[i]), &s);
		bb_sample_pack(&s, (uint8 *) VARDATA(out) + i * BB_SAMPLE_SIZE);
	}
	PG_RETURN_BYTEA_P(out);
}
