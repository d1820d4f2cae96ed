/*
 * synccheck.h
 *
 * Callbacks of a synchronization that a test does not look at.
 */
#ifndef TEST_SYNCCHECK_H
#define TEST_SYNCCHECK_H

#include "../../src/crawl/sync.h"
#include "check.h"

static inline void
synccheck_rejected(void *user, const char *reason, const uint8_t id[32], const char *sample, size_t len)
{
	(void) user, (void) id, (void) sample, (void) len;
	fprintf(stderr, "rejected: %s\n", reason);
	CHECK(!"an event was rejected");
}

static inline void
synccheck_page_end(void *user)
{
	(void) user;
}

#endif
