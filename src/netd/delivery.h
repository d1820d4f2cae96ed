/*
 * delivery.h
 *
 * The path of a sync job's events to the worker: offered, answered, verified,
 * sent, in the order in which they arrived, with what vouches for them
 * (WINDOW, RESULT) queued behind.
 */
#ifndef NETD_DELIVERY_H
#define NETD_DELIVERY_H

#include "../crawl/sync.h"
#include "../wire/messages.h"

#include <uv.h>

#define DELIVERY_OFFER_PAIRS	WIRE_MAX_EVENTS	/* not above WIRE_MAX_OFFER */
#define DELIVERY_OFFER_BYTES	(4 * 1024 * 1024)
#define DELIVERY_OFFER_MS		50
#define DELIVERY_MAX_PENDING	(16 * 1024 * 1024)

typedef struct Delivery Delivery;

typedef struct DeliverySink
{
	NostrBuf   *(*out) (void *user);	/* frames are appended here */
	void		(*flush) (void *user);	/* and this is called after them */
	void		(*pause) (void *user, bool paused);	/* stop or go on reading */
	void		(*gone) (void *user);	/* RESULT is out: free it, later */
} DeliverySink;

extern Delivery *delivery_new(uv_loop_t *loop, uint32_t job, const DeliverySink *sink, void *user);
extern void delivery_free(Delivery *d);
extern void delivery_event(Delivery *d, const NostrEvent *ev);
extern void delivery_rejected(Delivery *d, const char *reason, const uint8_t id[32],
							  const char *sample, size_t len);
extern void delivery_page_end(Delivery *d);
extern void delivery_window(Delivery *d, const SyncNews *w);
extern void delivery_passed(Delivery *d, const SyncResult *r);	/* the tail begins */
extern void delivery_result(Delivery *d, const SyncResult *r);	/* the last frame */
/* false: no such offer is open, or the bitmap does not fit it */
extern bool delivery_answer(Delivery *d, uint32_t seq, uint32_t n,
							const uint8_t *bitmap, size_t len);

#endif
