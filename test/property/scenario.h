/*
 * scenario.h
 *
 * One case, drawn from a seed: a data set, one to three misbehaviours of the
 * relay, and what is asked of it.
 */
#ifndef TEST_PROPERTY_SCENARIO_H
#define TEST_PROPERTY_SCENARIO_H

#include "../../src/crawl/sync.h"
#include "../relay/relay.h"
#include "data.h"

#define SCENARIO_MAX_WINDOWS	5

#define SCENARIO_HARMLESS	1	/* all windows must be proved nevertheless */
#define SCENARIO_SILENT		2	/* ends by timeouts: they are short */
#define SCENARIO_LIES		4	/* a proof that is a lie: nothing is claimed about completeness */
#define SCENARIO_EMPTY		8	/* nothing can be had at all */

typedef struct Scenario
{
	uint64_t	seed;
	DataSpec	data;
	uint64_t	data_seed;		/* of its random numbers */
	RelayPlan	plan;
	int			flags;
	char		names[200];		/* of the misbehaviours */
	char		filter[1024];
	SyncWindow	window[SCENARIO_MAX_WINDOWS];	/* newest first */
	uint16_t	nwindows;
	uint32_t	page_limit;
	uint32_t	slice_ms;
	uint32_t	timeout_ms;
	bool		may_auth;
	SyncSupport negentropy;		/* what is believed of it */
	int			held;			/* percent of the relay's events that the archive has */
	int			phantoms;		/* events it has and the relay has not */
	uint32_t	part;			/* of them told at a time */
	int			pause_every;	/* events; 0: never */
	int			cancel_after;	/* events; 0: never */
	bool		tail;			/* stays, and must bring what is published then */
} Scenario;

extern void scenario_draw(Scenario *s, RelayStore *store, uint64_t seed);
extern void scenario_print(const Scenario *s, FILE *f);
extern void scenario_free(Scenario *s);

#endif
