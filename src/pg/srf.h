/*
 * srf.h
 *
 * Set-returning functions.
 */
#ifndef BB_SRF_H
#define BB_SRF_H

#include "postgres.h"

#include "fmgr.h"

/* Makes rsi->setResult and rsi->setDesc; rows go in with tuplestore_putvalues. */
extern void bb_srf_begin(FunctionCallInfo fcinfo);

#endif
