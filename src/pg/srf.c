/*
 * srf.c
 *
 * See srf.h.  What PostgreSQL 15 has, for 14 too.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "pg/srf.h"
#include "utils/tuplestore.h"

void
bb_srf_begin(FunctionCallInfo fcinfo)
{
#if PG_VERSION_NUM >= 150000
	InitMaterializedSRF(fcinfo, 0);
#else
	ReturnSetInfo *rsi = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;
	TupleDesc	desc;

	if (rsi == NULL || !IsA(rsi, ReturnSetInfo) || !(rsi->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	old = MemoryContextSwitchTo(rsi->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rsi->returnMode = SFRM_Materialize;
	rsi->setResult = tuplestore_begin_heap(true, false, work_mem);
	rsi->setDesc = desc;
	MemoryContextSwitchTo(old);
#endif
}
