/*
 * archive_row.h
 *
 * Events and observations as rows.  Internal to src/pg/archive*.c and
 * event_sql.c.  SPI is connected, save where it says otherwise.
 */
#ifndef BB_ARCHIVE_ROW_H
#define BB_ARCHIVE_ROW_H

#include "pg/archive.h"

/* What event_flags returns: a NostrForm, and this: content is JSON-escaped,
 * because it holds U+0000.  Neither is stored; only one gives the id. */
#define BB_FLAG_CONTENT_JSON	4

typedef struct BbObservation
{
	int64		key;
	int32		relay_id;
	int64		seen_at;		/* unix seconds */
	int			at;				/* for the caller */
	bool		packed;			/* out: is in the compact tier */
	bool		fresh;			/* out: was not there */
} BbObservation;

/* bytea, text or tags of these bytes; palloc'ed. */
extern Datum archive_varlena(const void *data, size_t len);

/* As archive_insert.h says; SPI_tuptable has keys. */
extern ErrorData *archive_row_insert(const BbArchiveEvent **rows, const int64 *keys, int n, bool *all);

/* Is this event there, under this key? */
typedef struct BbProbe
{
	int64		key;
	const uint8 *id;
	bool		same;			/* out: the row with this key has the id */
	bool		other;			/* out: it has another one */
} BbProbe;

/* One query.  p is sorted by key. */
extern void archive_probe(BbProbe *p, int n);

/* Stores e[which[0..n)], which are distinct and in the order of their keys:
 * sets key and outcome (BB_NEW, BB_DUPLICATE, or BB_INVALID and the reason,
 * palloc'ed).  SPI is not connected. */
extern void archive_event_store(BbArchiveEvent *e, const int *which, int n);

/* Leaves the new ones of e[0..n) that other monitors wrote (NIP-66) to the
 * refresher.  SPI is not connected. */
extern void archive_peer_news(const BbArchiveEvent *e, int n);

/* Inserts what is not there, in the order of the keys; sorts o.  SPI is not
 * connected. */
extern void archive_observation_insert(BbObservation *o, int n);

/* The two directions of content with U+0000; palloc'ed.  unescape returns
 * NULL when the text is not what escape writes. */
extern text *archive_content_escape(const uint8 *s, size_t len);
extern uint8 *archive_content_unescape(const char *s, size_t len, size_t *outlen);

#endif
