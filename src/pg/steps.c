/*
 * steps.c
 *
 * See steps.h.  An interruption loses the step that runs, and no other.
 */
#include "pg/compat.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"

#include "pg/steps.h"

void
bb_steps_begin(FunctionCallInfo fcinfo)
{
	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) || castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("procedure cannot run inside a transaction block"),
				 errhint("It commits after each step. CALL it outside of a transaction block.")));
	SPI_connect_ext(SPI_OPT_NONATOMIC);
}

static bool
step(const char *function, Oid type, Datum value)
{
	bool		isnull;
	bool		more;

	if (SPI_execute_with_args(psprintf("SELECT bigbrotr.%s($1)", function), 1, &type, &value, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run bigbrotr.%s", function);
	more = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return more;
}

void
bb_steps_run(const char *function, Oid type, Datum value)
{
	bool		more = true;

	while (more)
	{
		more = step(function, type, value);
		SPI_commit();
		CHECK_FOR_INTERRUPTS();
	}
	SPI_finish();
}
