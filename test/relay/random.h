/*
 * random.h
 *
 * Numbers that are the same everywhere for the same seed (splitmix64).
 */
#ifndef TEST_RELAY_RANDOM_H
#define TEST_RELAY_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Random
{
	uint64_t	state;
} Random;

static inline uint64_t
random_next(Random *r)
{
	uint64_t	z = (r->state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* Both included. */
static inline int64_t
random_between(Random *r, int64_t low, int64_t high)
{
	return low + (int64_t) (random_next(r) % (uint64_t) (high - low + 1));
}

static inline bool
random_one_in(Random *r, int n)
{
	return random_next(r) % (uint64_t) n == 0;
}

#endif
