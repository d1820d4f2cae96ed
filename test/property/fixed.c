/*
 * fixed.c
 *
 * Each case as data: what the relay does, what it holds, what is asked.
 */
#include "fixed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END INT64_MAX

typedef struct Fixed
{
	const char *name;			/* what it is about */
	int			flags;
	const char *script;
	DataSpec	data;
	uint64_t	data_seed;
	const char *filter;
	uint32_t	slice_ms;
	SyncWindow	window[SCENARIO_MAX_WINDOWS];
} Fixed;

static const Fixed list[] = {
	{"other kinds fill the page, and the kinds asked for are not seen", 0,
		"{\"cap\":4,\"ignore_kinds\":true}", {DATA_SECONDS, 57, 5, 7, 3, 3, 0}, UINT64_C(0xf519f86ee238853e),
	"{\"kinds\":[3,6]}", 0, {{1699999994, 1700000015, SYNC_FETCH}, {0, 1699999991, SYNC_FETCH}}},
	{"other kinds fill it, and \"more\" always", 0,
		"{\"cap\":4,\"ignore_kinds\":true,\"hints\":\"more\"}", {DATA_SPREAD, 142, 5, 5, 20, 3, 0},
	UINT64_C(0x3fcd1e15e679c6d5), "{\"kinds\":[1,65000],\"#t\":[\"b\"]}", 0, {{1699999996, END, SYNC_FETCH}}},
	{"nothing but other kinds", 0,
		"{\"cap\":2,\"ignore_kinds\":true}", {DATA_SECONDS, 15, 1000, 7, 100000, 3, 0},
	UINT64_C(0xd5336963eefc08fc), "{\"kinds\":[1,65000],\"#t\":[\"b\"]}", 0, {{0, END, SYNC_FETCH}}},
	{"a page of events that break off", 0,
		"{\"cap\":2,\"malformed\":2}", {DATA_STEADY, 129, 1, 5, 20, 3, 0}, 7, "{}", 0, {{0, END, SYNC_FETCH}}},
	{"events that break off in a dense second", 0,
		"{\"cap\":26,\"malformed\":2}", {DATA_BURSTS, 152, 86400, 3, 100000, 3, 0}, UINT64_C(0x35e2aa2e7e48d9e),
	"{}", 0, {{1700039014, END, SYNC_FETCH}, {0, 1700025806, SYNC_FETCH}}},
	{"no order, and events that break off make sizes vary", 0,
		"{\"cap\":44,\"order\":\"shuffled\",\"malformed\":10}", {DATA_SPREAD, 685, 60, 4, 100000, 3, 0}, 11, "{}", 0,
	{{0, END, SYNC_FETCH}}},
	{"strays that fit the filter, but not the kinds of the proof", 0,
		"{\"cap\":9,\"outside\":3}", {DATA_STEADY, 141, 10000000, 6, 1, 3, 0}, UINT64_C(0xc6ef372fe94fb495),
	"{\"#t\":[\"a\",\"c\"]}", 0, {{1701000375, 1710000010, SYNC_FETCH}, {0, 1701000374, SYNC_FETCH}}},
	{"a stray after each event, ties in another order", 0,
		"{\"cap\":36,\"ties\":\"arrival\",\"outside\":1}", {DATA_BURSTS, 422, 1, 6, 20, 3, 0},
	UINT64_C(0x7c3c1188e50e9317), "{}", 0, {{1700000000, 1700000006, SYNC_FETCH}, {1699999991, 1699999999, SYNC_FETCH}}},
	{"no order, and pages of any size", 0,
		"{\"cap\":19,\"cap_min\":4,\"order\":\"shuffled\"}", {DATA_STEADY, 233, 1, 2, 100000, 3, 0},
	UINT64_C(0xfa8cfc37711c6280), "{}", 0, {{0, END, SYNC_FETCH}}},
	{"no order, and what is newer than until fills the page", 0,
		"{\"cap\":36,\"order\":\"shuffled\",\"ignore_until\":true}", {DATA_STEADY, 507, 5, 4, 100000, 3, 0},
	UINT64_C(0x8a8043bceabad9e6), "{}", 0, {{1700000004, END, SYNC_FETCH}, {0, 1700000002, SYNC_FETCH}}},
	{"one event is shown, and hidden ones fill all pages", 0,
		"{\"cap\":4,\"hidden_kinds\":[1],\"hidden_eat\":true}", {DATA_STEADY, 23, 1, 2, 1, 3, 0},
	UINT64_C(0xec48ca036b7072d3), "{}", 0, {{1699999997, END, SYNC_FETCH}}},
	{"oldest first, one event in each answer", 0,
		"{\"cap\":1,\"order\":\"oldest\"}", {DATA_SPREAD, 30, 5, 6, 1, 3, 0}, 12, "{}", 0, {{0, END, SYNC_FETCH}}},
	{"hidden ones fill each page of one, other kinds lie below", 0,
		"{\"cap\":1,\"hidden_kinds\":[1,4,0],\"hidden_eat\":true}", {DATA_SPREAD, 143, 10000000, 6, 20, 3, 0},
	UINT64_C(0x489e4c815d511588), "{}", 0, {{1703413724, END, SYNC_FETCH}}},
	{"what lies below the window is of a kind that the proof does not ask for", SCENARIO_HARMLESS,
		"{\"cap\":77,\"duplicates\":8}", {DATA_SPREAD, 8, 1, 7, 3, 3, 0}, UINT64_C(0xc2f590e5ebc311c),
		"{\"authors\":[\"0100000000000000000000000000000000000000000000000000000000000001\","
		"\"0200000000000000000000000000000000000000000000000000000000000001\"]}", 0,
	{{1700000001, END, SYNC_FETCH}, {1699999996, 1700000000, SYNC_FETCH}}},
	{"oldest first, and what is older than since fills the page", 0,
		"{\"cap\":194,\"order\":\"oldest\",\"ignore_since\":true}", {DATA_SPREAD, 1447, 60, 12, 20, 3, 0}, 13, "{}", 0,
	{{1700000047, END, SYNC_FETCH}, {0, 1700000019, SYNC_FETCH}}},
	{"until left out, and the only event is of that second and of a kind that may be hidden", 0,
		"{\"cap\":49,\"until_exclusive\":true}", {DATA_STEADY, 10, 5, 12, 1, 3, 0}, UINT64_C(0x736ae31d70a896ad), "{}", 0,
	{{1699999995, 1700000000, SYNC_FETCH}}},
	{"no order, until left out, and events in the last second of a window only", 0,
		"{\"cap\":195,\"order\":\"any\",\"until_exclusive\":true}", {DATA_STEADY, 60, 5, 11, 20, 3, 0}, 14, "{}", 0,
	{{1700000001, END, SYNC_FETCH}, {1699999993, 1700000000, SYNC_FETCH}}},
	{"slices shorter than a page, to the last second", SCENARIO_HARMLESS,
		"{\"cap\":20,\"delay_ms\":5}", {DATA_STEADY, 150, 1, 3, 20, 3, 0}, 3, "{}", 6, {{1700000000, 1700000200, SYNC_FETCH}}},
	{"slices, and dense seconds between what is paged", 0,
		"{\"cap\":20,\"delay_ms\":5}", {DATA_BURSTS, 600, 1000, 3, 20, 3, 0}, 5, "{}", 6, {{1700000000, END, SYNC_FETCH}}},
	{"authors without kinds: a dense second of kinds that nobody lists", 0,
		"{\"cap\":5}", {DATA_SECONDS, 120, 5, 40, 2, 3, 0}, 9,
		"{\"authors\":[\"0000000000000000000000000000000000000000000000000000000000000001\","
	"\"0100000000000000000000000000000000000000000000000000000000000001\"]}", 0, {{0, END, SYNC_FETCH}}},
	{"one event in each answer, and newer seconds that were asked for before", 0,
		"{\"cap\":1}", {DATA_DENSE, 92, 1, 1, 1, 3, 0}, UINT64_C(0x36fbefaa7344f008),
	"{\"kinds\":[1],\"#t\":[\"a\",\"b\",\"c\"]}", 0, {{0, 1700000000, SYNC_FETCH}}},
	{"one event in each answer, and nothing but one second that the filter lets through", 0,
		"{\"cap\":1}", {DATA_SECONDS, 57, 1, 8, 3, 3, 0}, UINT64_C(0xc6ef372fed7bb2b7),
	"{\"kinds\":[1,65000],\"#t\":[\"b\"]}", 0, {{1699999998, 1700000011, SYNC_FETCH}}},
};

int
fixed_count(void)
{
	return (int) (sizeof(list) / sizeof(list[0]));
}

void
fixed_draw(Scenario *s, RelayStore *store, int n)
{
	const Fixed *f = &list[n];
	const char *why = "";
	Random		r = {f->data_seed};

	memset(s, 0, sizeof(*s));
	s->seed = FIXED_SEED + (uint64_t) n;
	s->data = f->data;
	s->data_seed = f->data_seed;
	s->flags = f->flags;
	snprintf(s->names, sizeof(s->names), "%s", f->name);
	snprintf(s->filter, sizeof(s->filter), "%s", f->filter);
	s->page_limit = 500;
	s->timeout_ms = 30000;
	s->slice_ms = f->slice_ms;
	while (s->nwindows < SCENARIO_MAX_WINDOWS && f->window[s->nwindows].until > 0)
	{
		s->window[s->nwindows] = f->window[s->nwindows];
		s->nwindows++;
	}
	relay_plan_default(&s->plan);
	if (!relay_plan_parse(&s->plan, f->script, strlen(f->script), &why))
	{
		fprintf(stderr, "%s: %s\n", f->name, why);
		exit(1);
	}
	data_fill(store, &s->data, &r);
}
