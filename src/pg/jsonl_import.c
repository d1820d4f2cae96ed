/*
 * jsonl_import.c
 *
 * Reads events from a file, one JSON object per line (as strfry exports
 * them).
 *
 * Guarantees: a step reads about a megabyte and whole lines; every line is
 * stored, known, or counted as refused with its reason; a line longer than an
 * event may be costs no more memory than that.  Lines are read in this
 * process by the parser of src/nostr, which is fuzzed; nothing is stored
 * before its id and signature were verified.
 */
#include "pg/compat.h"

#include <sys/stat.h>
#include <unistd.h>

#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/ingest.h"
#include "pg/transfer.h"

extern PGDLLEXPORT Datum bigbrotr_import_step(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_import_step);

#define CHUNK		(1024 * 1024)
#define MAX_LINE	NOSTR_EVENT_MAX_SIZE
#define MAX_LINES	8192		/* of a step */

typedef struct Reader
{
	BbTransfer	t;
	int			fd;
	int64		at;				/* in the file, of buf */
	char	   *buf;
	size_t		cap;
	size_t		len;			/* bytes in it */
	bool		end;			/* they reach the end of the file */
} Reader;

static void
fill(Reader *r)
{
	r->len = 0;
	while (r->len < r->cap)
	{
		ssize_t		n = pread(r->fd, r->buf + r->len, r->cap - r->len, r->at + r->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m", r->t.source)));
		/* it may have become shorter than it was */
		if (n == 0)
			r->t.size = r->at + (int64) r->len;
		if (n == 0)
			break;
		r->len += n;
	}
	r->end = r->at + (int64) r->len >= r->t.size;
}

/* To the byte behind the next line feed at or behind r->at, or the end. */
static void
skip_line(Reader *r)
{
	for (;;)
	{
		char	   *feed;

		CHECK_FOR_INTERRUPTS();
		fill(r);
		feed = memchr(r->buf, '\n', r->len);
		r->at += feed != NULL ? feed - r->buf + 1 : r->len;
		if (feed != NULL || r->end)
			return;
	}
}

static void
open_source(Reader *r)
{
	struct stat st;

	r->fd = OpenTransientFile(r->t.source, O_RDONLY | O_NONBLOCK | PG_BINARY);
	if (r->fd < 0 || fstat(r->fd, &st) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", r->t.source)));
	if (!S_ISREG(st.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a regular file", r->t.source),
				 errhint("An import continues where it stopped, so it must be able to seek.")));
	r->t.size = st.st_size;
	if (r->t.position > r->t.size)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("file \"%s\" is shorter than what was read from it", r->t.source),
				 errhint("If it is a different file now, call import_jsonl with restart => true.")));
}

/* Whole lines into buf: at least one, unless the file ends.  What is too long
 * to be an event is refused unread. */
static void
read_lines(Reader *r, BbRejects *rejects, int32 relay_id, int64 now)
{
	r->at = r->t.position;
	r->cap = CHUNK;
	r->buf = palloc_extended(r->cap, MCXT_ALLOC_HUGE);
	for (;;)
	{
		fill(r);
		while (r->len > 0 && !r->end && r->buf[r->len - 1] != '\n')
			r->len--;
		if (r->len > 0 || r->end)
			return;
		if (r->cap < MAX_LINE)
		{
			r->cap *= 4;
			r->buf = repalloc_huge(r->buf, r->cap);
			continue;
		}
		fill(r);
		archive_reject(rejects, relay_id, "too_large: a line longer than an event may be", NULL, (uint8 *) r->buf, r->len, 1, now);
		r->t.invalid++;
		skip_line(r);
		r->t.position = r->at;
	}
}

/* Checks the lines; their number.  A last one that has no end and is no event
 * is left for the next call: the file may grow. */
static int
check_lines(Reader *r, BbArchiveEvent *e, BbRejects *rejects, int32 relay_id, int64 now)
{
	const char *p = r->buf;
	const char *end = r->buf + r->len;
	int			n = 0;

	while (p < end && n < MAX_LINES)
	{
		const char *feed = memchr(p, '\n', end - p);
		size_t		len = (feed != NULL ? feed : end) - p;

		CHECK_FOR_INTERRUPTS();
		while (len > 0 && (p[len - 1] == '\r' || p[len - 1] == ' ' || p[len - 1] == '\t'))
			len--;
		if (len > 0)
		{
			if (feed == NULL && !ingest_valid(p, len))
				break;
			ingest_check(p, len, relay_id, now, &e[n++], rejects);
		}
		p = feed != NULL ? feed + 1 : end;
	}
	r->t.position = r->at + (p - r->buf);
	return n;
}

Datum
bigbrotr_import_step(PG_FUNCTION_ARGS)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "bigbrotr import", ALLOCSET_DEFAULT_SIZES);
	MemoryContext outer;
	Reader		r = {0};
	BbRejects  *rejects;
	BbArchiveEvent *e;
	BbIngestTotals totals = {0};
	int64		now = (int64) time(NULL);
	int64		before;
	int32		relay_id;
	int			n;
	bool		more;

	transfer_need_role(false);
	SPI_connect();
	transfer_read(&r.t, PG_GETARG_INT32(0), "import");
	outer = MemoryContextSwitchTo(context);
	before = r.t.position;
	relay_id = r.t.relay_url[0] == '\0' ? 0 : ingest_relay(cstring_to_text(r.t.relay_url));
	open_source(&r);
	rejects = ingest_late_rejects();
	e = palloc(sizeof(*e) * MAX_LINES);
	read_lines(&r, rejects, relay_id, now);
	n = check_lines(&r, e, rejects, relay_id, now);
	CloseTransientFile(r.fd);
	ingest_write(e, n, relay_id, rejects, &totals);
	MemoryContextSwitchTo(outer);

	r.t.events = totals.events;
	r.t.observations = totals.observations;
	r.t.known = totals.known;
	r.t.invalid += totals.invalid;
	more = r.t.position < r.t.size && r.t.position > before;
	transfer_write(&r.t, !more);
	SPI_finish();
	MemoryContextDelete(context);
	PG_RETURN_BOOL(more);
}
