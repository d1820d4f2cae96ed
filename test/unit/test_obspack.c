/*
 * test_obspack.c
 *
 * Packed observations: what is packed comes back, blocks are cut as
 * promised, hostile bytes are refused.
 */
#include <stdlib.h>

#include "obspack.h"
#include "check.h"

#define MAX 6000

static uint64_t state = 88172645463325252u;

static uint64_t
rnd(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

/* Reads a block; how many items, -1 when it is none. */
static int
unpack(const uint8_t *data, size_t len, int64_t first, int32_t relay, NostrObs *out)
{
	NostrObsReader r;
	int			n = 0;
	int			rc = -1;

	if (!nostr_obs_open(&r, data, len, first, relay))
		return -1;
	while (n < MAX && (rc = nostr_obs_next(&r, &out[n])) == 1)
		n++;
	return rc == 0 ? n : -1;
}

/* A random sorted list; by relay all of relay 7. */
static size_t
random_list(NostrObs *o, NostrObsForm form)
{
	size_t		n = 0;
	int64_t		key = rnd(2) ? (int64_t) rnd(1000) : (int64_t) rnd((uint64_t) 1 << 62);
	int			redundancy = 1 + (int) rnd(12);
	int			keys = 1 + (int) rnd(rnd(10) ? 50 : 400);
	int			gap = (int) rnd(40);

	for (int k = 0; k < keys; k++)
	{
		int			relays = form == NOSTR_OBS_BY_RELAY ? 1 : 1 + (int) rnd(redundancy);
		int32_t		relay = 0;

		for (int i = 0; i < relays; i++)
		{
			relay += 1 + (int32_t) rnd(rnd(20) ? 300 : 1 << 24);
			o[n].key = key;
			o[n].relay_id = form == NOSTR_OBS_BY_RELAY ? 7 : relay;
			o[n++].seen_at = rnd(30) ? (int32_t) (200000000 + rnd(5000)) : (int32_t) (uint32_t) rnd((uint64_t) 1 << 32);
		}
		key += 1 + (int64_t) rnd((uint64_t) 1 << gap);
	}
	return n;
}

static void
test_round_trip(void)
{
	static NostrObs o[MAX];
	static NostrObs back[MAX];
	static uint8_t buf[NOSTR_OBS_HEADER + MAX * NOSTR_OBS_ITEM_MAX];
	bool		good = true;
	bool		cuts = true;

	for (int round = 0; round < 4000; round++)
	{
		NostrObsForm form = round % 2 ? NOSTR_OBS_BY_EVENT : NOSTR_OBS_BY_RELAY;
		size_t		n = random_list(o, form);
		size_t		max = 20 + rnd(3000);
		size_t		len = nostr_obs_pack(o, n, form, buf);

		good &= unpack(buf, len, o[0].key, 7, back) == (int) n && memcmp(o, back, n * sizeof(*o)) == 0;
		for (size_t i = 0, take; i < n; i += take)
		{
			take = nostr_obs_cut(o + i, n - i, form, max);
			cuts &= take > 0 && take <= n - i;
			cuts &= i + take == n || o[i + take].key != o[i + take - 1].key;
			len = nostr_obs_pack(o + i, take, form, buf);
			cuts &= len <= max || o[i].key == o[i + take - 1].key;
			good &= unpack(buf, len, o[i].key, 7, back) == (int) take &&
				memcmp(o + i, back, take * sizeof(*o)) == 0;
		}
	}
	CHECK(good);
	CHECK(cuts);
}

/* The extremes that one item can need. */
static void
test_extremes(void)
{
	NostrObs	o[3] = {{0, INT32_MAX, INT32_MIN}, {INT64_MAX - 1, 1, INT32_MAX}, {INT64_MAX, INT32_MAX, INT32_MIN}};
	NostrObs	back[MAX];
	uint8_t		buf[NOSTR_OBS_HEADER + 3 * NOSTR_OBS_ITEM_MAX];
	size_t		len = nostr_obs_pack(o, 3, NOSTR_OBS_BY_EVENT, buf);

	CHECK(len <= sizeof(buf));
	CHECK(unpack(buf, len, 0, 0, back) == 3 && memcmp(o, back, sizeof(o)) == 0);
	/* the same deltas from a greater key leave the range */
	CHECK(unpack(buf, len, 1, 0, back) == -1);
	CHECK(unpack(buf, len, -1, 0, back) == -1);
	/* every prefix that ends within an item is refused */
	for (size_t i = 0; i < len; i++)
	{
		int			n = unpack(buf, i, 0, 0, back);

		CHECK(n == -1 || (n < 3 && nostr_obs_pack(back, n, NOSTR_OBS_BY_EVENT, buf) == i));
	}
}

static void
test_refused(void)
{
	static const struct
	{
		const char *what;
		uint8_t		bytes[14];
		size_t		len;
	}			bad[] = {
		{"nothing", {0}, 0},
		{"no item", {1}, 1},
		{"unknown form", {3, 0, 1, 1, 0}, 5},
		{"first key not 0", {1, 1, 1, 1, 0}, 5},
		{"the same key again", {1, 0, 1, 1, 0, 0, 1, 1, 0}, 9},
		{"no relay", {1, 0, 0}, 3},
		{"relay 0", {1, 0, 1, 0, 0}, 5},
		{"the same relay again", {1, 0, 2, 1, 0, 0, 0}, 7},
		{"fewer relays than said", {1, 0, 2, 1, 0}, 5},
		{"longer than needed", {1, 0x80, 0, 1, 1, 0}, 6},
		{"seen_at out of range", {2, 0, 0xff, 0xff, 0xff, 0xff, 0x1f}, 7},
		{"more than 64 bits", {2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0}, 14},
	};
	NostrObs	back[MAX];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		if (unpack(bad[i].bytes, bad[i].len, 5, 7, back) != -1)
			fprintf(stderr, "accepted: %s\n", bad[i].what);
		CHECK(unpack(bad[i].bytes, bad[i].len, 5, 7, back) == -1);
	}
}

static void
test_merge(void)
{
	NostrObs	a[] = {{1, 1, 10}, {1, 3, 10}, {5, 1, 10}};
	NostrObs	b[] = {{0, 9, 1}, {1, 1, 5}, {1, 2, 1}, {1, 3, 11}, {6, 1, 1}};
	NostrObs	out[8];
	NostrObs	expected[] = {{0, 9, 1}, {1, 1, 5}, {1, 2, 1}, {1, 3, 10}, {5, 1, 10}, {6, 1, 1}};

	CHECK(nostr_obs_merge(a, 3, b, 5, out) == 6 && memcmp(out, expected, sizeof(expected)) == 0);
	CHECK(nostr_obs_merge(b, 5, a, 3, out) == 6 && memcmp(out, expected, sizeof(expected)) == 0);
	CHECK(nostr_obs_merge(a, 0, b, 5, out) == 5 && memcmp(out, b, sizeof(b)) == 0);
}

int
main(void)
{
	test_round_trip();
	test_extremes();
	test_refused();
	test_merge();
	return check_done();
}
