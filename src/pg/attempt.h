/*
 * attempt.h
 *
 * Does something that may fail without losing the transaction.
 */
#ifndef BB_ATTEMPT_H
#define BB_ATTEMPT_H

#include "postgres.h"

/*
 * Runs func in a subtransaction, in the caller's memory context.  NULL; or
 * the error with which it ended, copied into that context: then all it wrote
 * is undone.  Whoever calls decides which errors are not for him, and throws
 * those again (ReThrowError).
 */
extern ErrorData *bb_attempt(void (*func) (void *), void *arg);

/* Was it told to stop?  That is nobody's fault. */
extern bool bb_stopped(const ErrorData *error);

#endif
