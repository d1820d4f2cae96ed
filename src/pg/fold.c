/*
 * fold.c
 *
 * One step of keeping the analytics: takes the oldest rows of the queue and
 * counts them, in one transaction.
 *
 * Guarantees that everything in the queue is counted exactly once: rows leave
 * it in the transaction that counts them.  Must survive a crash anywhere,
 * events that are gone by now, and rows in any order of time.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "pg/fold.h"
#include "pg/refresh.h"

int64
fold_some(int64 *done, bool *more)
{
	FoldStep	s = {0};

	fold_take(&s);
	if (s.taken != 0)
	{
		Datum		args[1] = {Int64GetDatum(s.taken)};

		fold_apply(&s);
		fold_run(FOLD_POSITION, args);
	}
	*done += s.n;
	*more = s.more;
	return s.taken;
}

bool
fold_step(int64 *done)
{
	bool		more;

	SPI_connect();
	fold_begin();
	(void) fold_some(done, &more);
	fold_end();
	SPI_finish();
	return more;
}
