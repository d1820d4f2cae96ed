/*
 * relaycheck.h
 *
 * A scripted relay for a unit test, from its script to its end.
 */
#ifndef TEST_RELAYCHECK_H
#define TEST_RELAYCHECK_H

#include "../relay/relay.h"
#include "netcheck.h"

/* Starts a relay with that script (JSON); its address, valid until the next
 * call. */
static inline const NostrRelayUrl *
relaycheck_start(uv_loop_t *loop, const char *script, RelayStore *store, Relay **relay)
{
	RelayPlan	plan;
	const char *why = "";
	char		text[64];

	relay_plan_default(&plan);
	CHECK(relay_plan_parse(&plan, script, strlen(script), &why));
	snprintf(text, sizeof(text), "ws://127.0.0.1:%d", relay_start(loop, &plan, store, 0, relay));
	relay_plan_free(&plan);
	return netcheck_url(text);
}

static inline void
relaycheck_stop(uv_loop_t *loop, Relay *relay)
{
	bool		stopped = false;

	relay_stop(relay, netcheck_flag, &stopped);
	WAIT_FOR(loop, stopped);
}

#endif
