/*
 * relay_sql.h
 *
 * Addresses of relays, for the functions that SQL calls.
 */
#ifndef BB_RELAY_SQL_H
#define BB_RELAY_SQL_H

#include "postgres.h"

#include "nostr/relay_url.h"

/* The address, palloc'ed, or NULL and *why. */
extern NostrRelayUrl *bb_relay_parse(text *url, NostrUrlReject *why);

#endif
