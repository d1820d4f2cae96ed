/*
 * spans.c
 *
 * Intervals of seconds, by brute force: few, and plainly right.
 */
#include "spans.h"

#include <stdlib.h>

static void
add(Spans *s, int64_t since, int64_t until, int state)
{
	if (since > until)
		return;
	if (s->n == s->room)
	{
		s->room = s->room > 0 ? s->room * 2 : 16;
		s->span = realloc(s->span, (size_t) s->room * sizeof(Span));
	}
	s->span[s->n++] = (Span) {since, until, state};
}

static int
by_since(const void *a, const void *b)
{
	const Span *x = a;
	const Span *y = b;

	return x->since < y->since ? -1 : x->since > y->since;
}

void
spans_say(Spans *s, int64_t since, int64_t until, int state)
{
	Spans		old = *s;

	*s = (Spans) {0};
	for (int i = 0; i < old.n; i++)
	{
		const Span *o = &old.span[i];

		if (o->until < since || o->since > until)
			add(s, o->since, o->until, o->state);
		else
		{
			if (o->since < since)
				add(s, o->since, since - 1, o->state);
			if (o->until > until)
				add(s, until + 1, o->until, o->state);
		}
	}
	add(s, since, until, state);
	qsort(s->span, (size_t) s->n, sizeof(Span), by_since);
	free(old.span);
}

int
spans_at(const Spans *s, int64_t second)
{
	for (int i = 0; i < s->n; i++)
	{
		if (s->span[i].since <= second && second <= s->span[i].until)
			return s->span[i].state;
	}
	return -1;
}

int
spans_hole(const Spans *s, int64_t since, int64_t until, int64_t *from, int64_t *to)
{
	for (int i = 0; i < s->n && since <= until; i++)
	{
		const Span *o = &s->span[i];

		if (o->until < since)
			continue;
		if (o->since > since)
		{
			*from = since;
			*to = o->since - 1 < until ? o->since - 1 : until;
			return 1;
		}
		if (o->until == INT64_MAX)
			return 0;
		since = o->until + 1;
	}
	*from = since;
	*to = until;
	return since <= until;
}

void
spans_free(Spans *s)
{
	free(s->span);
	*s = (Spans) {0};
}
