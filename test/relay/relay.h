/*
 * relay.h
 *
 * A scripted relay inside a test program: any number on one libuv loop, all
 * on loopback.  The program build/test/relay is this with a command line.
 *
 * Everything happens on the loop's thread.  The plan is copied; the store is
 * the caller's and outlives the relay.
 */
#ifndef TEST_RELAY_RELAY_H
#define TEST_RELAY_RELAY_H

#include <uv.h>

#include "script.h"
#include "store.h"

typedef struct RelayCounters
{
	unsigned long connections;	/* accepted */
	unsigned long reqs;			/* REQ messages */
	unsigned long refused;		/* of them, by whatever rule */
	unsigned long events;		/* sent in answers */
	unsigned long pushed;		/* sent to live subscriptions */
	unsigned long writes;		/* EVENT messages */
	unsigned long published;	/* of them, how many were taken */
	unsigned long auths;		/* AUTH messages accepted */
	unsigned long neg_opens;
	unsigned long neg_msgs;
	unsigned long too_long;		/* messages beyond max_message */
	unsigned long pings;		/* answered */
	unsigned long documents;	/* NIP-11 requests */
	unsigned long long bytes_in;	/* of TCP, frames and handshakes included */
	unsigned long long bytes_out;
} RelayCounters;

typedef struct Relay Relay;

/* Listens on 127.0.0.1, or where the script says; port 0: the kernel chooses.  The port, or -1. */
extern int relay_start(uv_loop_t *loop, const RelayPlan *plan, RelayStore *store,
					   int port, Relay **relay);
/* Ends all connections.  stopped (may be NULL) comes from the loop when the
 * relay is gone; its counters with it. */
extern void relay_stop(Relay *r, void (*stopped) (void *user), void *user);
extern const RelayCounters *relay_counters(const Relay *r);
/* A new event: into the store, and to live subscriptions that want it.
 * false: invalid or known. */
extern bool relay_publish(Relay *r, const char *json, size_t len);
/* Whether the script spoils this event each time it is sent, so that no
 * client can have it: forged id, bad UTF-8, no JSON. */
extern bool relay_spoils(const RelayScript *s, const RelayItem *it);
extern bool relay_kind_in(const RelayKinds *k, int kind);

#endif
