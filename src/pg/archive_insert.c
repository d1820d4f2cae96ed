/*
 * archive_insert.c
 *
 * See archive_insert.h.
 *
 * ON CONFLICT searches every unique index before each row and marks the row
 * until it is sure of it: a quarter of the cost of an observation.  Usually
 * there is no conflict, so the rows are first inserted without it.  If that
 * fails, the time was wasted and dead rows remain; so it is tried again only
 * after some inserts without a conflict, more after each failure.
 */
#include "postgres.h"

#include "pg/archive_insert.h"
#include "pg/archive_plan.h"
#include "pg/attempt.h"
#include "pg/ruling.h"

#define MAX_PATIENCE	255

static struct
{
	int			patience;		/* inserts to be seen without a conflict */
	int			left;			/* of them */
}			hope[BB_INSERT_OBSERVATION + 1];

/* Errors that are the row's own fault; all others end the transaction. */
static bool
is_data_error(int sqlerrcode)
{
	int			class = ERRCODE_TO_CATEGORY(sqlerrcode);

	return class == ERRCODE_DATA_EXCEPTION ||
		class == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ||
		class == ERRCODE_PROGRAM_LIMIT_EXCEEDED ||
		class == ERRCODE_WITH_CHECK_OPTION_VIOLATION ||
		class == ERRCODE_PLPGSQL_ERROR;
}

typedef struct Insert
{
	BbPlan		plan;
	Datum	   *args;
} Insert;

static void
run(void *arg)
{
	const Insert *i = arg;

	archive_plan_run(i->plan, i->args, NULL);
}

static void
insert(void *arg)
{
	const Insert *i = arg;

	if (i->plan == BB_PLAN_INSERT_EVENT || i->plan == BB_PLAN_INSERT_EVENT_ALL)
		bb_ruling_batch(run, arg);
	else
		run(arg);
}

static ErrorData *
attempt(BbPlan plan, Datum *args)
{
	Insert		i = {plan, args};
	ErrorData  *error = bb_attempt(insert, &i);

	if (error != NULL && !is_data_error(error->sqlerrcode))
		ReThrowError(error);
	return error;
}

ErrorData *
archive_insert(BbInsert what, Datum *args, int n, bool *all)
{
	bool		event = what == BB_INSERT_EVENT;
	ErrorData  *error;

	*all = false;
	if (hope[what].left == 0)
	{
		error = attempt(event ? BB_PLAN_INSERT_EVENT_ALL : BB_PLAN_INSERT_OBSERVATION_ALL, args);
		if (error == NULL)
		{
			hope[what].patience /= 2;
			*all = true;
			return NULL;
		}
		if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION)
			return error;
		FreeErrorData(error);
		hope[what].patience = Min(2 * hope[what].patience + 1, MAX_PATIENCE);
		hope[what].left = hope[what].patience;
	}
	error = attempt(event ? BB_PLAN_INSERT_EVENT : BB_PLAN_INSERT_OBSERVATION, args);
	if (error == NULL)
		hope[what].left = SPI_processed == (uint64) n ? hope[what].left - 1 : hope[what].patience;
	return error;
}
