/*
 * sync_start.h
 *
 * Builds the SYNC frame of a relay: what it is asked for, and how.
 */
#ifndef BB_SYNC_START_H
#define BB_SYNC_START_H

#include "postgres.h"

#include "nostr/relay_url.h"

/* In a transaction with SPI connected.  false: no job was started; then the
 * relay has nothing to be asked for now and waits. */
extern bool sync_start_job(int32 relay_id, const char *url, NostrNetwork network,
						   bool priority);

#endif
