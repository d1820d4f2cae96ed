/*
 * channel.h
 *
 * Frames over descriptor 3, both ways, on the loop.
 */
#ifndef NETD_CHANNEL_H
#define NETD_CHANNEL_H

#include <uv.h>

#include "../wire/messages.h"

#define CHANNEL_HIGH	(8 * 1024 * 1024)	/* relays are paused above */
#define CHANNEL_MAX		(256 * 1024 * 1024)	/* never reached: the child ends */

typedef struct ChannelCallbacks
{
	void		(*frame) (const WireFrame *f);
	void		(*ended) (const char *why);	/* NULL: end of file */
	void		(*level) (bool high);	/* crossed CHANNEL_HIGH, or half of it down */
} ChannelCallbacks;

extern bool channel_open(uv_loop_t *loop, int fd, const ChannelCallbacks *cb);
extern NostrBuf *channel_out(void);
extern void channel_flush(void);
extern void channel_log(uint8_t level, const char *text);
/* Writes what is queued, blocking for at most a second; for the end. */
extern void channel_drain(void);

#endif
