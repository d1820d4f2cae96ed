/*
 * key_list.h
 *
 * Lists of event.key and other bigint, as Datum: what arrays for SQL are made from.
 */
#ifndef BB_KEY_LIST_H
#define BB_KEY_LIST_H

#include "postgres.h"

/* For qsort and bsearch. */
extern int	bb_key_cmp(const void *a, const void *b);

/* Sorts them in place and leaves each once; how many are left. */
extern int	bb_keys_distinct(Datum *keys, int n);

#endif
