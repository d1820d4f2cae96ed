/*
 * rejects.h
 *
 * Collects refused events until they are reported: the first few
 * individually, with a sample; after that, similar ones are only counted.
 */
#ifndef NETD_REJECTS_H
#define NETD_REJECTS_H

#include "../wire/messages.h"

#define MAX_SINGLE_REJECTS	16
#define MAX_REJECTS			64

typedef struct Reject
{
	char		reason[48];
	uint8_t		id[32];
	uint64_t	count;
	uint8_t    *sample;
	size_t		len;
} Reject;

typedef struct Rejects
{
	Reject		reject[MAX_REJECTS];
	int			n;
} Rejects;

extern void rejects_add(Rejects *l, const char *reason, const uint8_t id[32],
						const char *sample, size_t len);
/* Writes one REJECTED frame and empties the list. */
extern void rejects_take(Rejects *l, NostrBuf *out, uint32_t job);
extern void rejects_free(Rejects *l);
/* One record of a REJECTED frame. */
extern void rejects_put(NostrBuf *out, const char *reason, const uint8_t id[32], uint64_t count,
						const uint8_t *sample, size_t len);

#endif
