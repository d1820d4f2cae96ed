/*
 * spans.h
 *
 * What was said of which seconds; the last word counts.
 */
#ifndef TEST_PROPERTY_SPANS_H
#define TEST_PROPERTY_SPANS_H

#include <stdint.h>

typedef struct Span
{
	int64_t		since;
	int64_t		until;			/* inclusive */
	int			state;
} Span;

typedef struct Spans			/* zeroed is empty; sorted, disjoint */
{
	Span	   *span;
	int			n;
	int			room;
} Spans;

extern void spans_say(Spans *s, int64_t since, int64_t until, int state);
/* The state of a second, or -1. */
extern int	spans_at(const Spans *s, int64_t second);
/* The first piece of [since, until] that nothing was said of. 0: none. */
extern int	spans_hole(const Spans *s, int64_t since, int64_t until, int64_t *from, int64_t *to);
extern void spans_free(Spans *s);

#endif
