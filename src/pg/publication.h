/*
 * publication.h
 *
 * Events of ours on their way to the relays of bigbrotr.monitor_publish:
 * queued, sent with back-off, answered.  Inside a transaction of the caller,
 * SPI not connected.
 */
#ifndef BB_PUBLICATION_H
#define BB_PUBLICATION_H

#include "postgres.h"

#define BB_PUBLISH_BATCH	64		/* events of one job */

/* For every relay to publish to; takes the place of what waits in that slot
 * ("0", "30166:wss://..."). */
extern void publication_queue(const char *slot, const uint8 id[32], const uint8 *event, size_t len);

typedef struct BbPublication
{
	uint8		id[32];
	char	   *event;
} BbPublication;

/* The first relay with something due that is not among busy[]; its events
 * (palloc'ed), at most BB_PUBLISH_BATCH.  NULL: none; *wait_ms is lowered to
 * the time when one is. */
extern char *publication_due(char *const *busy, int nbusy, BbPublication *out, int *n, long *wait_ms);

/* outcome as PublishOutcome in src/crawl/publish.h: 0 taken, 1 refused, 2
 * unanswered (sent again later). */
extern void publication_answer(const char *target, const uint8 id[32], int outcome, const char *reason);

/* What waits in that slot and was not answered yet is not sent any more. */
extern void publication_withdraw(const char *slot);

/* Seconds since that slot was queued last; -1: never, or to another set of
 * relays. */
extern int64 publication_age(const char *slot);

/* Tags of kinds 10002 and 10166 from the settings, as JSON text. */
extern char *publication_relay_list_tags(void);
extern char *publication_announcement_tags(void);

#endif
