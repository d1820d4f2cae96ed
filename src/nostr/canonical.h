/*
 * canonical.h
 *
 * Finds the form in which an event's author hashed it.
 *
 * Internal to src/nostr.
 */
#ifndef NOSTR_CANONICAL_H
#define NOSTR_CANONICAL_H

#include "event.h"

/* Sets ev->form; NOSTR_OK, NOSTR_ID_MISMATCH or NOSTR_OUT_OF_MEMORY. */
extern NostrReject nostr_event_match_id(NostrEvent *ev, NostrBuf *scratch);

#endif
