/*
 * jsonl_export.c
 *
 * Writes events into a file, one JSON object per line, in the order of their
 * keys.
 *
 * Guarantees: an interrupted export continues with the event after the last
 * one recorded; what a lost step wrote is cut off first.  The first step only
 * records that the file is ours, so that it can be interrupted, too.  Every
 * event is verified again as it is written.
 */
#include "pg/compat.h"

#include <sys/stat.h>
#include <unistd.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"

#include "pg/transfer.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_export_step(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_export_step);

#define STEP_BYTES			(4 * 1024 * 1024)	/* a step ends behind so many */
#define EVENTS_PER_FETCH	20		/* each of at most NOSTR_EVENT_MAX_SIZE bytes */

static void
file_error(const char *what, const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not %s file \"%s\": %m", what, path)));
}

static void
write_all(int fd, const char *p, size_t len, const char *path)
{
	while (len > 0)
	{
		ssize_t		n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			file_error("write", path);
		p += n;
		len -= n;
	}
}

static int
open_target(const BbTransfer *t)
{
	struct stat st;
	int			fd = OpenTransientFile(t->source, O_WRONLY | O_CREAT | O_NONBLOCK | PG_BINARY);

	if (fd < 0 || fstat(fd, &st) != 0)
		file_error("open", t->source);
	if (!S_ISREG(st.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a regular file", t->source)));
	if (st.st_size < t->position)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("file \"%s\" is shorter than what was written to it", t->source),
				 errhint("To start over, call export_jsonl with restart => true.")));
	if (!t->begun && st.st_size > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_FILE),
				 errmsg("file \"%s\" already exists and is not empty", t->source),
				 errhint("Remove the file first.")));
	if (ftruncate(fd, t->position) != 0 || lseek(fd, t->position, SEEK_SET) < 0)
		file_error("truncate", t->source);
	return fd;
}

/* The events behind t->key, until enough is written or there are no more. */
static bool
write_events(BbTransfer *t, int fd)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(t->key)};
	int64		until = t->position + STEP_BYTES;
	Portal		cursor = SPI_cursor_open_with_args(NULL, "SELECT e.key, bigbrotr.event_json(e) FROM bigbrotr.event AS e "
												   "WHERE e.key > $1 AND e.sig IS NOT NULL ORDER BY e.key",
												   1, types, values, NULL, true, CURSOR_OPT_NO_SCROLL | CURSOR_OPT_FAST_PLAN);
	bool		more = true;

	while (more && t->position < until)
	{
		SPI_cursor_fetch(cursor, true, EVENTS_PER_FETCH);
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			HeapTuple	row = SPI_tuptable->vals[i];
			bool		isnull;
			text	   *json = DatumGetTextPP(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));

			write_all(fd, VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json), t->source);
			write_all(fd, "\n", 1, t->source);
			t->key = DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
			t->position += VARSIZE_ANY_EXHDR(json) + 1;
			t->events++;
		}
		more = SPI_processed == EVENTS_PER_FETCH;
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_cursor_close(cursor);
	return more;
}

Datum
bigbrotr_export_step(PG_FUNCTION_ARGS)
{
	BbTransfer	t;
	int			fd;
	bool		more;

	transfer_need_role(true);
	SPI_connect();
	transfer_read(&t, PG_GETARG_INT32(0), "export");
	fd = open_target(&t);
	more = !t.begun || write_events(&t, fd);
	if (pg_fsync(fd) != 0)
		file_error("flush", t.source);
	CloseTransientFile(fd);
	t.size = t.position;
	transfer_write(&t, !more);
	SPI_finish();
	PG_RETURN_BOOL(more);
}
