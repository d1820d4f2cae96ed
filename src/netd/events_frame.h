/*
 * events_frame.h
 *
 * Writes EVENTS frames: verified records, followed by the relays that they
 * mention.  One frame becomes several when the mentions grow large, so that
 * none is left out.
 */
#ifndef NETD_EVENTS_FRAME_H
#define NETD_EVENTS_FRAME_H

#include "../net/net.h"
#include "../wire/messages.h"

typedef struct EventsFrame
{
	NostrBuf   *out;
	uint32_t	job;
	int64_t		seen_at;
	size_t		mark;
	size_t		count_at;		/* where the number of events is written at the end */
	uint16_t	n;				/* 0: no frame is open */
	uint16_t	mentions;
	uint16_t	over;			/* events that mention more than is listed */
} EventsFrame;

/* The settings decide which addresses are mentions at all. */
extern void events_frame_open(const Net *net);
extern void events_frame_start(EventsFrame *f, NostrBuf *out, uint32_t job, int64_t seen_at);
/* One record as wire_put_event wrote it. */
extern void events_frame_add(EventsFrame *f, const uint8_t *record, size_t len);
extern void events_frame_end(EventsFrame *f);

#endif
