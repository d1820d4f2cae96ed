/*
 * fixed.h
 *
 * Cases that are always run: what the random ones found once, and what is
 * too rare to be found by chance.
 */
#ifndef TEST_PROPERTY_FIXED_H
#define TEST_PROPERTY_FIXED_H

#include "scenario.h"

/* Their seeds; FIXED_SEED + i replays number i alone. */
#define FIXED_SEED	(UINT64_C(1) << 62)

extern int	fixed_count(void);
extern void fixed_draw(Scenario *s, RelayStore *store, int n);

#endif
