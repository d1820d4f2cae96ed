/*
 * suspects.c
 *
 * See suspects.h.  What does not fit is not suspected: it is due again at
 * once, as after any loss.
 */
#include "postgres.h"

#include "pg/suspects.h"

typedef struct Suspects
{
	int			n;
	uint64		key[BB_SUSPECTS_MAX];
} Suspects;

static Suspects lists[2];
static Suspects *before = &lists[0];	/* of the last quick loss */
static Suspects *now = &lists[1];
static bool collecting;

void
suspects_begin(bool quick)
{
	collecting = quick;
	now->n = 0;
	if (!quick)
		before->n = 0;
}

bool
suspects_add(uint64 key)
{
	if (!collecting)
		return false;
	for (int i = 0; i < before->n; i++)
		if (before->key[i] == key)
			return true;
	if (now->n < BB_SUSPECTS_MAX)
		now->key[now->n++] = key;
	return false;
}

void
suspects_end(void)
{
	Suspects   *t = before;

	before = now;
	now = t;
}
