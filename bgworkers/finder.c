/*
 * finder.c
 *
 * Short-lived service: reads the lists of relays on the web that are due
 * (bigbrotr.source), one after the other, and exits.  Relays mentioned by
 * events come another way: see mention_store.h.
 *
 * bigbrotr-net fetches and parses; this process sees only JSON that
 * bigbrotr-net wrote itself.  The addresses of a list are written in short
 * transactions and its outcome, with the next time it is due, last: a list
 * whose addresses were not all written is read again.  A list that kills
 * bigbrotr-net is postponed like any other failure.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "nostr/mention.h"
#include "pg/archive.h"
#include "pg/attempt.h"
#include "pg/foreign_text.h"
#include "pg/guc.h"
#include "pg/mention_store.h"
#include "pg/netd.h"
#include "pg/shmem.h"
#include "pg/worker.h"

#define FINDER_BATCH		1000	/* addresses in one transaction */
#define FINDER_MAX_FOUND	500000	/* in one list */
#define FINDER_REDIRECTS	3
#define FINDER_START_MS		30000	/* for bigbrotr-net to become ready */
#define FINDER_GRACE_MS		10000	/* beyond the source's own timeout */

extern PGDLLEXPORT void bb_finder_main(Datum main_arg);

/* One list while it is read; in source_context. */
typedef struct Source
{
	char	   *url;
	char	   *path;
	int32		timeout_ms;
	int32		max_size;
	char	   *etag;
	char	   *last_modified;
	/* the answer */
	StringInfoData body;
	int			status;
	char	   *new_etag;
	char	   *new_modified;
	char	   *failure;		/* NULL: none */
	char	   *reason;
	bool		done;
	char	  **found;			/* canonical addresses */
	int			nfound;
	int			invalid;
	BbMentionCounts counts;
} Source;

static MemoryContext source_context;
static uint32 job = 0;

static void
fail(Source *s, const char *class, const char *reason)
{
	s->failure = MemoryContextStrdup(source_context, class);
	s->reason = MemoryContextStrdup(source_context, reason);
	s->done = true;
}

static char *
text_or_empty(HeapTuple t, TupleDesc d, int column)
{
	char	   *v = SPI_getvalue(t, d, column);

	return MemoryContextStrdup(source_context, v != NULL ? v : "");
}

/* The source that is due for the longest time, or NULL. */
static Source *
next_due(void)
{
	Source	   *s = NULL;

	bb_tx_begin("looking for lists");
	SPI_connect();
	SPI_execute("SELECT url, path::text, timeout_ms, max_size, "
				"CASE WHEN known_path = path::text THEN etag END, "
				"CASE WHEN known_path = path::text THEN last_modified END "
				"FROM bigbrotr.source WHERE enabled AND next_at <= pg_catalog.now() "
				"ORDER BY next_at LIMIT 1", true, 0);
	if (SPI_processed > 0)
	{
		HeapTuple	t = SPI_tuptable->vals[0];
		TupleDesc	d = SPI_tuptable->tupdesc;
		bool		isnull;

		MemoryContextReset(source_context);
		s = MemoryContextAllocZero(source_context, sizeof(*s));
		s->url = text_or_empty(t, d, 1);
		s->path = text_or_empty(t, d, 2);
		s->timeout_ms = DatumGetInt32(SPI_getbinval(t, d, 3, &isnull));
		s->max_size = DatumGetInt32(SPI_getbinval(t, d, 4, &isnull));
		s->etag = text_or_empty(t, d, 5);
		s->last_modified = text_or_empty(t, d, 6);
	}
	SPI_finish();
	bb_tx_end();
	if (s != NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(source_context);

		initStringInfo(&s->body);
		MemoryContextSwitchTo(old);
	}
	return s;
}

static void
ask(const Source *s)
{
	NostrBuf   *out = netd_out();
	size_t		mark = wire_begin(out, WIRE_GET, ++job);

	wire_put_str(out, s->url);
	wire_put_u32(out, (uint32) s->max_size);
	wire_put_u32(out, (uint32) s->timeout_ms);
	wire_put_u8(out, FINDER_REDIRECTS);
	wire_put_str(out, s->etag);
	wire_put_str(out, s->last_modified);
	wire_end(out, mark);
	netd_flush();
}

static char *
copy_text(const uint8 *p, size_t n)
{
	MemoryContext old = MemoryContextSwitchTo(source_context);
	char	   *t = bb_foreign_text(p, n);

	MemoryContextSwitchTo(old);
	return t;
}

/* false: malformed. */
static bool
take_frame(Source *s, const WireFrame *f)
{
	WireReader	r;
	size_t		n;
	size_t		k;
	const uint8 *p;
	const uint8 *q;
	uint8		outcome;

	if (f->job != job)
		return false;
	wire_reader(&r, f);
	switch (f->type)
	{
		case WIRE_BODY:
			p = wire_get_bytes(&r, WIRE_MAX_BODY, &n);
			if (!wire_done(&r) || (size_t) s->body.len + n > (size_t) s->max_size)
				return false;
			appendBinaryStringInfo(&s->body, (const char *) p, (int) n);
			return true;
		case WIRE_GOT:
			s->status = wire_get_u16(&r);
			p = wire_get_bytes(&r, WIRE_MAX_HEADER, &n);
			q = wire_get_bytes(&r, WIRE_MAX_HEADER, &k);
			if (!wire_done(&r))
				return false;
			s->new_etag = copy_text(p, n);
			s->new_modified = copy_text(q, k);
			return true;
		case WIRE_RESULT:
			outcome = wire_get_u8(&r);
			p = wire_get_bytes(&r, WIRE_MAX_TEXT, &n);
			q = wire_get_bytes(&r, WIRE_MAX_TEXT, &k);
			if (r.bad)
				return false;
			if (outcome != WIRE_OUTCOME_OK)
				fail(s, copy_text(p, n), copy_text(q, k));
			s->done = true;
			return true;
		default:
			return false;
	}
}

/* Waits for the answer. */
static void
receive(Source *s)
{
	TimestampTz start = GetCurrentTimestamp();

	while (!s->done)
	{
		WireFrame	f;

		bb_idle("reading a list");
		(void) netd_poll(1000);
		if (bb_interrupts())
			netd_reconfigure();
		while (!s->done && netd_next(&f))
		{
			if (!take_frame(s, &f))
			{
				netd_malformed("frame of the finder");
				fail(s, "resources", "bigbrotr-net made no sense");
			}
		}
		if (s->done)
			break;
		if (netd_lost())
			fail(s, "resources", "bigbrotr-net ended");
		else if (TimestampDifferenceExceeds(start, GetCurrentTimestamp(),
											s->timeout_ms + FINDER_GRACE_MS))
		{
			netd_malformed("bigbrotr-net did not answer in time");
			fail(s, "resources", "bigbrotr-net did not answer in time");
		}
	}
}

/* One value that the path gave. */
static void
take_value(Source *s, const char *value)
{
	NostrRelayUrl u;
	bool		special = bb_allow_networks != NULL && bb_allow_networks[0] != '\0';

	if (value == NULL || s->nfound >= FINDER_MAX_FOUND ||
		nostr_relay_url_parse(value, strlen(value), special, &u) != NOSTR_URL_OK)
		s->invalid++;
	else
		s->found[s->nfound++] = MemoryContextStrdup(source_context, u.url);
}

static void
run_path(void *arg)
{
	Source	   *s = arg;
	Oid			types[2] = {TEXTOID, TEXTOID};
	Datum		values[2];

	SPI_connect();
	values[0] = PointerGetDatum(cstring_to_text_with_len(s->body.data, s->body.len));
	values[1] = CStringGetTextDatum(s->path);
	SPI_execute_with_args("SELECT CASE pg_catalog.jsonb_typeof(v) WHEN 'string' THEN v #>> '{}' END "
						  "FROM pg_catalog.jsonb_path_query($1::jsonb, $2::jsonpath) AS v",
						  2, types, values, NULL, true, FINDER_MAX_FOUND + 1);
	s->found = MemoryContextAllocHuge(source_context, sizeof(char *) * Max(SPI_processed, 1));
	for (uint64 i = 0; i < SPI_processed; i++)
		take_value(s, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	SPI_finish();
}

/* Runs the path over the answer; an error of either is the list's. */
static void
extract(Source *s)
{
	ErrorData  *error;

	bb_tx_begin("reading a list");
	error = bb_attempt(run_path, s);
	if (error != NULL)
	{
		if (bb_stopped(error))
			ReThrowError(error);
		s->nfound = 0;
		fail(s, "path", error->message != NULL ? error->message : "the path fails");
	}
	bb_tx_end();
}

static void
write_addresses(Source *s)
{
	for (int i = 0; i < s->nfound; i += FINDER_BATCH)
	{
		BbMentionCounts c = {0};

		bb_tx_begin("writing candidates");
		for (int k = i; k < Min(i + FINDER_BATCH, s->nfound); k++)
			(void) mention_add(s->found[k], strlen(s->found[k]), NOSTR_VIA_SOURCE, NULL, &c);
		mention_flush(true, &c);
		archive_count("finder", 0, "candidates", c.candidates);
		archive_count("finder", 0, "mentions_refused", c.refused);
		bb_tx_end();
		mention_reset();
		s->counts.candidates += c.candidates;
		bb_interrupts();
	}
}

static void
write_outcome(Source *s)
{
	static const char *const sql =
		"UPDATE bigbrotr.source SET last_at = pg_catalog.now(), last_status = nullif($2, 0), "
		"failure = $3, reason = $4, "
		"failures = CASE WHEN $3 IS NULL THEN 0 ELSE failures + 1 END, "
		"last_ok_at = CASE WHEN $3 IS NULL THEN pg_catalog.now() ELSE last_ok_at END, "
		"next_at = pg_catalog.now() + CASE WHEN $3 IS NULL THEN every ELSE LEAST(every, "
		"'5 minutes'::interval * pg_catalog.power(2, LEAST(failures, 12))) END, "
		"found = CASE WHEN $5 THEN $6 ELSE found END, invalid = CASE WHEN $5 THEN $7 ELSE invalid END, "
		"candidates = CASE WHEN $5 THEN $8 ELSE candidates END, "
		"etag = CASE WHEN $5 THEN nullif($9, '') ELSE etag END, "
		"last_modified = CASE WHEN $5 THEN nullif($10, '') ELSE last_modified END, "
		"known_path = CASE WHEN $5 THEN $11 ELSE known_path END WHERE url = $1";
	Oid			types[11] = {TEXTOID, INT4OID, TEXTOID, TEXTOID, BOOLOID, INT4OID, INT4OID, INT4OID,
	TEXTOID, TEXTOID, TEXTOID};
	Datum		values[11];
	char		nulls[11];

	memset(nulls, ' ', sizeof(nulls));
	bb_tx_begin("writing the outcome of a list");
	values[0] = CStringGetTextDatum(s->url);
	values[1] = Int32GetDatum(s->status);
	values[2] = CStringGetTextDatum(s->failure != NULL ? s->failure : "");
	values[3] = CStringGetTextDatum(s->reason != NULL ? s->reason : "");
	if (s->failure == NULL)
		nulls[2] = nulls[3] = 'n';
	values[4] = BoolGetDatum(s->failure == NULL && s->status != 304);
	values[5] = Int32GetDatum(s->nfound);
	values[6] = Int32GetDatum(s->invalid);
	values[7] = Int32GetDatum((int32) s->counts.candidates);
	values[8] = CStringGetTextDatum(s->new_etag != NULL ? s->new_etag : "");
	values[9] = CStringGetTextDatum(s->new_modified != NULL ? s->new_modified : "");
	values[10] = CStringGetTextDatum(s->path);
	SPI_connect();
	SPI_execute_with_args(sql, 11, types, values, nulls, false, 0);
	SPI_finish();
	bb_tx_end();
}

static bool
wait_ready(void)
{
	TimestampTz start = GetCurrentTimestamp();

	while (!netd_ready())
	{
		bb_idle("starting bigbrotr-net");
		(void) netd_poll(1000);
		(void) netd_lost();
		bb_interrupts();
		if (TimestampDifferenceExceeds(start, GetCurrentTimestamp(), FINDER_START_MS))
			return false;
	}
	return true;
}

void
bb_finder_main(Datum main_arg)
{
	int			nworkers;
	int64		candidates = 0;
	Source	   *s;

	(void) bb_worker_init(BB_FINDER, main_arg, &nworkers);
	source_context = AllocSetContextCreate(TopMemoryContext, "bigbrotr list",
										   ALLOCSET_DEFAULT_SIZES);
	s = next_due();
	if (s == NULL)
		proc_exit(0);
	netd_start();
	for (; s != NULL; s = next_due())
	{
		if (!wait_ready())
			ereport(ERROR, (errmsg("could not start bigbrotr-net")));
		ask(s);
		receive(s);
		if (s->failure == NULL && s->status != 304)
			extract(s);
		if (s->failure == NULL)
			write_addresses(s);
		write_outcome(s);
		candidates += s->counts.candidates;
		ereport(s->failure != NULL ? WARNING : LOG,
				(errmsg("bigbrotr finder: \"%s\": %s", s->url,
						s->failure != NULL ? psprintf("%s: %s", s->failure, s->reason) :
						s->status == 304 ? "unchanged" :
						psprintf("%d addresses, %lld new", s->nfound, (long long) s->counts.candidates))));
	}
	if (candidates > 0)
		bb_run_request(MyDatabaseId, BB_VALIDATOR);
	proc_exit(0);
}
