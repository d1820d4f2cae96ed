/*
 * restoring.h
 *
 * Is the archive of this database being restored?
 */
#ifndef BB_RESTORING_H
#define BB_RESTORING_H

#include "postgres.h"

/*
 * While a pg_restore is connected to a database whose archive has no
 * partitions yet; or while a partition is without its key, which comes at the
 * end of a restore: rows written before that could be there twice.  In a
 * transaction, SPI not connected; the extension is there.
 */
extern bool bb_restoring(void);

#endif
