/*
 * partitions.h
 *
 * Creates partitions of event and observation in advance.
 */
#ifndef BB_PARTITIONS_H
#define BB_PARTITIONS_H

#include "postgres.h"

#include "datatype/timestamp.h"

/*
 * Outside a transaction.  When to come again: tomorrow, or in a few minutes
 * when somebody was in the way (which is logged).  Raises an error when there
 * are no partitions at all and none could be made.
 */
extern TimestampTz bb_partitions_ensure(void);

#endif
