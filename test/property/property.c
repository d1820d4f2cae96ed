/*
 * property.c
 *
 * delivered + reported gaps = ground truth, for random combinations of data
 * set, misbehaviour, filter, windows and limits; and for some that are fixed.
 *
 * BIGBROTR_PROPERTY_CASES   how many random ones (default 2000)
 * BIGBROTR_PROPERTY_SEED    of the first; case i has seed + i
 * BIGBROTR_PROPERTY_ONE     only the case of this seed, with all that is said
 *
 * A failing case prints its seed and its script: build/test/relay --script
 * replays the relay alone.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "case.h"
#include "fixed.h"
#include "setup.h"

#define FIRST_SEED		20000000
#define AT_ONCE			64
#define MAX_FAULTS		50
#define MAX_AGAIN		1000
#define STUCK_SECONDS	60
#define WATCH_LATE_NS	UINT64_C(5000000000)	/* it was us who stood still */

typedef struct Totals
{
	int			fixed;			/* still to run */
	uint64_t	next;
	uint64_t	end;
	int			running;
	int			passed;
	int			failed;
	unsigned long complete;		/* cases without a gap */
	unsigned long events;
	unsigned long reqs;
	double		worst;			/* requests per event and cap */
	uint64_t	worst_seed;
	uint64_t	watched_ns;		/* uv_hrtime */
	uint64_t	stood_ns;		/* when this machine last stood still; 0: never */
	uint64_t	again[MAX_AGAIN];	/* seeds: their timeouts were ours */
	int			nagain;
	int			repeated;
	Case	   *active[AT_ONCE];
	Net		   *net;
	bool		verbose;
} Totals;

static Totals totals;

static void fill(void);

static void
report(const Case *c)
{
	printf("FAILED seed %" PRIu64 ": %s\n", c->s.seed, c->fault);
	scenario_print(&c->s, stdout);
	printf("  replay with BIGBROTR_PROPERTY_ONE=%" PRIu64 "\n", c->s.seed);
}

/* Late by seconds: what ran meanwhile saw timeouts that no relay made. */
static void
watch(void)
{
	Totals	   *t = &totals;
	uint64_t	now = uv_hrtime();

	if (t->watched_ns != 0 && now - t->watched_ns > WATCH_LATE_NS)
		t->stood_ns = now;
	t->watched_ns = now;
}

static bool
repeat(const Case *c)
{
	Totals	   *t = &totals;

	watch();
	if (c->fault[0] == '\0' || t->stood_ns < c->start_ns || t->nagain == MAX_AGAIN)
		return false;
	t->again[t->nagain++] = c->s.seed;
	t->repeated++;
	return true;
}

static void
on_ended(Case *c)
{
	Totals	   *t = &totals;
	bool		gap = c->result.outcome != SYNC_OK;

	for (int i = 0; i < AT_ONCE; i++)
	{
		if (t->active[i] == c)
			t->active[i] = NULL;
	}
	for (int i = 0; i < c->said.n; i++)
		gap = gap || c->said.span[i].state != SYNC_COMPLETE;
	if (repeat(c))
	{
		case_free(c);
		t->running--;
		fill();
		return;
	}
	t->complete += !gap;
	t->events += (unsigned long) c->events;
	t->reqs += c->counters.reqs;
	if (c->fault[0] != '\0')
	{
		t->failed++;
		report(c);
	}
	else
		t->passed++;
	if (c->store.n > 0 && (double) c->counters.reqs / (double) c->store.n > t->worst && c->store.n > 50)
	{
		t->worst = (double) c->counters.reqs / (double) c->store.n;
		t->worst_seed = c->s.seed;
	}
	case_free(c);
	t->running--;
	fill();
}

static void
fill(void)
{
	Totals	   *t = &totals;

	for (int i = 0; i < AT_ONCE && t->failed < MAX_FAULTS; i++)
	{
		if (t->active[i] == NULL && (t->nagain > 0 || t->fixed > 0 || t->next < t->end))
		{
			uint64_t	seed = t->nagain > 0 ? t->again[--t->nagain] :
				t->fixed > 0 ? FIXED_SEED + (uint64_t) --t->fixed : t->next++;

			t->running++;
			t->active[i] = case_start(t->net, seed, t->verbose, on_ended, NULL);
		}
	}
}

static void
on_watch(uv_timer_t *w)
{
	Totals	   *t = &totals;

	(void) w;
	watch();
	for (int i = 0; i < AT_ONCE; i++)
	{
		Case	   *c = t->active[i];

		if (c != NULL && c->heard_ns < t->stood_ns)
			c->heard_ns = t->stood_ns;

		if (c != NULL && c->fault[0] == '\0' && case_stuck(c, STUCK_SECONDS))
		{
			report(c);
			printf("%d passed, %d failed\n", t->passed, t->failed + 1);
			exit(1);
		}
	}
}

static uint64_t
number(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);

	return v != NULL ? strtoull(v, NULL, 10) : otherwise;
}

int
main(void)
{
	uv_loop_t  *loop = uv_default_loop();
	uv_timer_t	watch;
	Totals	   *t = &totals;
	uint64_t	seed = number("BIGBROTR_PROPERTY_SEED", FIRST_SEED);
	uint64_t	one = number("BIGBROTR_PROPERTY_ONE", 0);
	uint64_t	count = number("BIGBROTR_PROPERTY_CASES", 2000);

	t->net = setup_net(loop, AT_ONCE * 2);
	t->next = one > 0 ? one : seed;
	t->end = one > 0 ? one + 1 : seed + count;
	t->verbose = one > 0;
	t->fixed = one > 0 ? 0 : fixed_count();
	printf("%d fixed cases, seeds %" PRIu64 " to %" PRIu64 "\n", t->fixed, t->next, t->end - 1);
	uv_timer_init(loop, &watch);
	uv_timer_start(&watch, on_watch, 1000, 1000);
	fill();
	while (t->running > 0)
		uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *) &watch, NULL);
	setup_close(t->net, loop);
	printf("%lu events delivered in %lu requests; %lu cases proved without a gap; most requests per event "
		   "%.2f (seed %" PRIu64 ")\n", t->events, t->reqs, t->complete, t->worst, t->worst_seed);
	if (t->repeated > 0)
		printf("%d cases were repeated: this machine stood still in the meantime\n", t->repeated);
	printf("%d passed, %d failed\n", t->passed, t->failed);
	return t->failed != 0;
}
