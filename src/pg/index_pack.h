/*
 * index_pack.h
 *
 * Rebuilds the btrees of closed months of event (table index_pack).
 */
#ifndef BB_INDEX_PACK_H
#define BB_INDEX_PACK_H

#include "postgres.h"

/* Task of the refresher (refresh.h): chooses a month. */
extern bool index_pack_step(int64 *done);

/* Builds its indexes, in transactions of its own. */
extern void index_pack_after(void);

#endif
