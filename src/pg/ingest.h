/*
 * ingest.h
 *
 * Events as JSON text into the archive, from SQL and from files: checked one
 * by one, then written together.
 *
 * Inside a transaction of the caller; with one ingest_write in it, it is never
 * the victim of a deadlock (archive.h).  Until it commits, others wait for the
 * events it has stored, and for nothing else.
 */
#ifndef BB_INGEST_H
#define BB_INGEST_H

#include "postgres.h"

#include "pg/archive.h"
#include "pg/ingest_late.h"

/* The relay's number; its row is made when there is none.  An error when it is
 * no address. */
extern int32 ingest_relay(text *url);

/* Checks the text into *e, which is ready to be written; a refused one is
 * remembered in rejects and gets its reason.  Copies go to the current memory
 * context. */
extern void ingest_check(const char *json, size_t len, int32 relay_id, int64 seen_at,
						 BbArchiveEvent *e, BbRejects *rejects);

/* Is it an event?  Nothing is remembered. */
extern bool ingest_valid(const char *json, size_t len);

/* Writes them; what they mention and the counters of "ingest" when the
 * transaction commits.  rejects: ingest_late_rejects(). */
extern void ingest_write(BbArchiveEvent *e, int n, int32 relay_id, BbRejects *rejects, BbIngestTotals *totals);

#endif
