/*
 * data.h
 *
 * Random data sets: what a relay holds.  Ids are right, signatures are noise
 * (whoever reads these does not check them), so that making them is cheap.
 */
#ifndef TEST_PROPERTY_DATA_H
#define TEST_PROPERTY_DATA_H

#include "../relay/store.h"
#include "../relay/random.h"

#define DATA_BASE	INT64_C(1700000000)

typedef enum DataShape
{
	DATA_SPREAD,				/* all over a span of time */
	DATA_STEADY,				/* one a second */
	DATA_SECONDS,				/* in very few seconds */
	DATA_BURSTS,				/* spread, with dense seconds */
	DATA_EXTREMES,				/* with the ends of time: 0, 1, the future, milliseconds */
	DATA_DENSE					/* bursts by one author and of one kind */
} DataShape;
#define DATA_SHAPES 6

typedef struct DataSpec
{
	DataShape	shape;
	int			events;
	int64_t		span;			/* seconds */
	int			kinds;			/* distinct ones */
	int			authors;
	int			topics;			/* values of the tag "t", of which each event has one */
	int			filler;			/* bytes of content more than need be */
} DataSpec;

extern const char *data_shape_name(DataShape s);
extern void data_random_spec(DataSpec *d, Random *r);
/* One event as JSON, valid until the next call. */
extern const NostrBuf *data_event(const DataSpec *d, int64_t created_at, Random *r);
extern void data_fill(RelayStore *store, const DataSpec *d, Random *r);
/* The nth kind, topic and author that data_fill uses. */
extern int	data_kind(int n);
extern const char *data_topic(int n);	/* valid until the next call */
extern void data_author(int n, uint8_t pubkey[32]);
/* Events in the densest second. */
extern long data_density(const RelayStore *store);

#endif
