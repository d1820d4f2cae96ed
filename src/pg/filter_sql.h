/*
 * filter_sql.h
 *
 * Filters to synchronize with: NIP-01 without since, until and limit, which
 * are the synchronizer's own.
 */
#ifndef BB_FILTER_SQL_H
#define BB_FILTER_SQL_H

#include "postgres.h"

/* The canonical text, palloc'ed; or NULL and *why ("name: text", palloc'ed). */
extern char *bb_filter_canonical(const char *text, size_t len, char **why);

#endif
