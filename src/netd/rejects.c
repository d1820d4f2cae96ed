/*
 * rejects.c
 *
 * Guarantees: bounded by MAX_REJECTS samples of WIRE_MAX_SAMPLE bytes, and
 * every refused event is counted in one of them.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rejects.h"

void
rejects_put(NostrBuf *out, const char *reason, const uint8_t id[32], uint64_t count,
		   const uint8_t *sample, size_t len)
{
	wire_put_str(out, reason);
	wire_put_fixed(out, id, 32);
	wire_put_u64(out, count);
	wire_put_bytes(out, sample, len < WIRE_MAX_SAMPLE ? len : WIRE_MAX_SAMPLE);
}

void
rejects_free(Rejects *l)
{
	for (int i = 0; i < l->n; i++)
		free(l->reject[i].sample);
	l->n = 0;
}

void
rejects_take(Rejects *l, NostrBuf *out, uint32_t job)
{
	size_t		mark = wire_begin(out, WIRE_REJECTED, job);

	wire_put_u64(out, (uint64_t) time(NULL));
	wire_put_u16(out, (uint16_t) l->n);
	for (int i = 0; i < l->n; i++)
		rejects_put(out, l->reject[i].reason, l->reject[i].id, l->reject[i].count,
					l->reject[i].sample, l->reject[i].len);
	wire_end(out, mark);
	rejects_free(l);
}

void
rejects_add(Rejects *l, const char *reason, const uint8_t id[32],
			const char *sample, size_t len)
{
	Reject	   *r = NULL;

	if (l->n >= MAX_SINGLE_REJECTS)
		for (int i = 0; i < l->n && r == NULL; i++)
			if (strcmp(l->reject[i].reason, reason) == 0)
				r = &l->reject[i];
	if (r == NULL && l->n == MAX_REJECTS)
		r = &l->reject[MAX_REJECTS - 1];
	if (r != NULL)
	{
		r->count++;
		return;
	}
	r = &l->reject[l->n++];
	memset(r, 0, sizeof(*r));
	strncpy(r->reason, reason, sizeof(r->reason) - 1);
	memcpy(r->id, id, 32);
	r->count = 1;
	r->len = len < WIRE_MAX_SAMPLE ? len : WIRE_MAX_SAMPLE;
	r->sample = malloc(r->len + 1);
	if (r->sample == NULL)
		r->len = 0;
	else if (r->len > 0)
		memcpy(r->sample, sample, r->len);
}
