/*
 * signcheck.h
 *
 * A signed event without tags and content.
 */
#ifndef TEST_SIGNCHECK_H
#define TEST_SIGNCHECK_H

#include "../../src/nostr/event.h"
#include "../../src/nostr/sign.h"
#include "../../src/nostr/tags.h"
#include "check.h"

/* The event as JSON in json, which the caller has made; its id. */
static inline void
signcheck_event(int kind, int64_t created_at, const uint8_t seckey[32], NostrBuf *json, uint8_t id[32])
{
	NostrEvent	ev = {.kind = kind,.created_at = created_at,.content = (const uint8_t *) ""};
	NostrBuf	tags;

	nostr_buf_init(&tags, 100);
	nostr_tags_begin(&tags, 0);
	ev.tags = tags.data;
	ev.tags_len = tags.len;
	CHECK(nostr_event_sign(&ev, seckey));
	nostr_event_json(&ev, json);
	memcpy(id, ev.id, 32);
	nostr_buf_free(&tags);
}

#endif
