/*
 * event_check.h
 *
 * JSON text to verified event, for the functions that SQL calls.
 */
#ifndef BB_EVENT_CHECK_H
#define BB_EVENT_CHECK_H

#include "postgres.h"

#include "nostr/event.h"

/*
 * NULL when the text is a valid event, id and signature included; else
 * "name: text", palloc'ed.  *ev points into bb_scratch(0): valid until the
 * next call.
 */
extern char *bb_event_check(const char *json, size_t len, NostrEvent *ev);

#endif
