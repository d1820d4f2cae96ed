/*
 * check_store.h
 *
 * Stores what a check found.  Inside a transaction of the caller, SPI not
 * connected.
 */
#ifndef BB_CHECK_STORE_H
#define BB_CHECK_STORE_H

#include "postgres.h"

#include "pg/check_series.h"

typedef struct BbDocument
{
	int32		relay_id;
	const char *type;
	int64		at;				/* unix seconds of the check */
	const uint8 *id;			/* 32 bytes each */
	const uint8 *stable;
	const uint8 *json;			/* canonical */
	size_t		len;
	const uint8 *raw;			/* len 0: none */
	size_t		raw_len;
} BbDocument;

/* An unchanged document only confirms the one that is there.  One that the
 * database refuses is counted, and logged with its reason. */
extern void check_store_document(const BbDocument *d);

typedef struct BbCheckReasons
{
	const char *open;			/* NULL: it went well */
	const char *read;
	const char *write;
} BbCheckReasons;

/* The sample, and when the relay is due again. */
extern void check_store_sample(int32 relay_id, const BbSample *s, const BbCheckReasons *why);

#endif
