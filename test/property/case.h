/*
 * case.h
 *
 * Runs one scenario: a scripted relay and a Sync on the same loop, and looks
 * at every word the Sync says.
 *
 * The property: whatever the relay would serve and was neither delivered nor
 * (as the archive says) held before lies in a second whose last word is
 * "open", or (when the job did not end OK) in one without a word; no second is
 * ever called complete before all its events came, nor paged when the job
 * ends.  Jobs follow each other as the worker would start them (src/pg/
 * coverage.h) until nothing is left to ask for or nothing more is proved: a
 * harmless relay is proved to the bottom, whatever the slices, and what is
 * published there afterwards comes through the live tail.  Each job ends,
 * once, within a bounded number of requests.
 *
 * What no client can know, and the test therefore does not ask for: whether a
 * relay that returns fewer than 20 arbitrary events has an order (scenario.c),
 * whether "finish" and an EOSE before the events are lies (SCENARIO_LIES), the
 * lowest second of a window when all answers end in it (provable() in case.c).
 */
#ifndef TEST_PROPERTY_CASE_H
#define TEST_PROPERTY_CASE_H

#include "archive.h"
#include "scenario.h"
#include "spans.h"

#define CASE_MAX_ROUNDS		200		/* slices, and one for each event */
#define CASE_MAX_PAUSES		100
#define CASE_ABOVE_GAP		3		/* times that what is paged above a gap is asked for */
#define CASE_MAX_ABOVE_GAP	256
#define CASE_LIVE			3		/* events published during the tail */
#define CASE_TAIL_MS		20000	/* it is cancelled when they came */

typedef struct Truth			/* an event the relay would serve */
{
	const RelayItem *item;
	bool		held;			/* by the archive before */
	bool		delivered;
} Truth;

typedef struct Case
{
	Net		   *net;
	Scenario	s;
	RelayStore	store;
	Relay	   *relay;
	NostrRelayUrl url;
	Sync	   *sync;
	Archive		archive;
	Truth	   *truth;			/* newest first */
	long		ntruth;
	bool		named;			/* the filter names kinds and topics */
	Spans		said;
	SyncWindow	round_window[64];
	uint16_t	nround;
	int			rounds;
	bool		progressed;		/* in this round */
	bool		proved;			/* something, in this round */
	bool		confirming;		/* it asks only for what was paged */
	struct
	{
		int64_t		until;
		int			asked;
	}			above_gap[CASE_MAX_ABOVE_GAP];
	int			nabove_gap;
	bool		no_negentropy;	/* learned, as the worker would */
	int			events;			/* delivered, with repetitions */
	int			done;
	bool		passed;
	const RelayItem *live[CASE_LIVE];
	int			published;
	int			lived;			/* of them, delivered */
	int64_t		wall_start;		/* seconds since 1970 */
	uint64_t	start_ns;		/* uv_hrtime */
	uint64_t	heard_ns;		/* of it last, uv_hrtime */
	unsigned long long bytes;	/* on the wire by then */
	int			pauses;
	uv_timer_t	resume;			/* ends a pause */
	uv_timer_t	publish;
	int			closing;
	SyncResult	result;
	RelayCounters counters;
	bool		verbose;
	char		fault[400];		/* "" when the property holds */
	void		(*ended) (struct Case *c);
	void	   *user;
} Case;

/* ended() comes from the loop, exactly once; then case_free. */
extern Case *case_start(Net *net, uint64_t seed, bool verbose, void (*ended) (Case *c), void *user);
extern void case_fault(Case *c, const char *format,...) __attribute__((format(printf, 2, 3)));
extern long case_missing(const Case *c);	/* neither delivered nor held */
/* Nothing on the wire for so long, or more requests than a case may take? */
extern bool case_stuck(Case *c, unsigned seconds);
extern void case_free(Case *c);

#endif
