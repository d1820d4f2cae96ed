/*
 * refresh.h
 *
 * What the refresher does: an ordered list of maintenance tasks, each done in
 * bounded steps.
 *
 * To add a task: write a step function, declare it here and put it into the
 * list in refresh.c.
 */
#ifndef BB_REFRESH_H
#define BB_REFRESH_H

#include "postgres.h"

typedef struct BbTask
{
	const char *name;			/* key of bigbrotr.maintenance; [a-z_] */
	const char *activity;		/* for pg_stat_activity */

	/*
	 * One bounded piece of work (aim: below a second) in the transaction of
	 * the caller, SPI not connected.  Only one process at a time is in a step
	 * of a task.  *done: what it handled, in units of its own.  True: call it
	 * again, there is more.  An ERROR undoes the step, is recorded, and ends
	 * the task for this run; the other tasks go on.
	 */
	bool		(*step) (int64 *done);

	/*
	 * NULL, or called when the transaction of the step has committed, outside
	 * of one: for what cannot be in one with others.
	 */
	void		(*after) (void);
} BbTask;

/* refresh_peer.c: reports of other monitors */
extern bool refresh_peers(int64 *done);
/* fold.c: what was archived is counted */
#define BB_TASK_ANALYTICS "analytics"
extern bool fold_step(int64 *done);

/* refresh_orphan.c: what belongs to nothing any more */
extern bool refresh_orphans(int64 *done);

extern const BbTask bb_tasks[];
extern const int bb_task_count;

/* Runs one step under the lock of its task and records it in
 * bigbrotr.maintenance, in the transaction of the caller; first: the step is
 * the first of a run.  True: there is more. */
extern bool bb_task_step(const BbTask *task, bool first, int64 *done);

/* In a transaction of its own: records why a step failed. */
extern void bb_task_failed(const BbTask *task, const char *error);

#endif
