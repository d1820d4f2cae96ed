/*
 * refresher.c
 *
 * Short-lived service: brings the analytics up to date and maintains the
 * archive.
 *
 * Takes turns among the tasks of pg/refresh.h, one step of each at a time,
 * until none has more to do, so a long task does not hold up the others.
 * Each step is a transaction.  A task that fails is recorded and left until
 * the next run; the others go on.
 */
#include "pg/compat.h"

#include "access/xact.h"
#include "storage/ipc.h"

#include "pg/refresh.h"
#include "pg/worker.h"

extern PGDLLEXPORT void bb_refresher_main(Datum main_arg);

static MemoryContext context;

/* The transaction is over, whatever it was in; what went wrong is recorded. */
static void
record_failure(const BbTask *task)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	EmitErrorReport();
	FlushErrorState();
	AbortCurrentTransaction();
	MemoryContextSwitchTo(context);

	bb_tx_begin("recording a failed task");
	bb_task_failed(task, error->message ? error->message : "unknown error");
	bb_tx_end();
}

/* False: the task is done, or failed. */
static bool
step(const BbTask *task, bool first, bool *failed)
{
	volatile bool more = false;
	int64		done;

	PG_TRY();
	{
		bb_tx_begin(task->activity);
		more = bb_task_step(task, first, &done);
		bb_tx_end();
		if (task->after != NULL)
			task->after();
	}
	PG_CATCH();
	{
		record_failure(task);
		more = false;
		*failed = true;
	}
	PG_END_TRY();
	return more;
}

void
bb_refresher_main(Datum main_arg)
{
	bool	   *left;
	bool		any = bb_task_count > 0;
	bool		failed = false;

	(void) bb_worker_init(BB_REFRESHER, main_arg, NULL);

	context = AllocSetContextCreate(TopMemoryContext, "bigbrotr refresher", ALLOCSET_DEFAULT_SIZES);
	left = MemoryContextAllocZero(TopMemoryContext, sizeof(bool) * (bb_task_count + 1));
	for (bool first = true; any; first = false)
	{
		any = false;
		for (int i = 0; i < bb_task_count; i++)
		{
			if (!first && !left[i])
				continue;
			(void) bb_interrupts();
			MemoryContextSwitchTo(context);
			left[i] = step(&bb_tasks[i], first, &failed);
			any |= left[i];
			MemoryContextReset(context);
		}
	}
	/* without a message: each task's error is in bigbrotr.maintenance */
	proc_exit(failed ? 1 : 0);
}
