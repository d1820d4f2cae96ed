/*
 * restoring.c
 *
 * See restoring.h.  The catalog tells, whichever program restores; only
 * before the first partition exists does the name of the program matter.
 */
#include "postgres.h"

#include "executor/spi.h"

#include "pg/restoring.h"

/* pg_restore makes partitions alone and attaches them. */
static const char partial_sql[] =
	"WITH part AS (SELECT c.oid FROM pg_catalog.pg_class AS c "
	"WHERE c.relnamespace = 'bigbrotr'::pg_catalog.regnamespace AND c.relkind = 'r' "
	"AND c.relname ~ '^(event|observation)_(old|future|[0-9]{4}(_[0-9]{2})?)$') "
	"SELECT CASE WHEN EXISTS (SELECT FROM part) THEN EXISTS (SELECT FROM part AS p WHERE NOT EXISTS "
	"(SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = p.oid AND i.indisprimary AND i.indisvalid)) "
	"ELSE EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a "
	"WHERE a.datname = pg_catalog.current_database() AND a.application_name = 'pg_restore') END";

bool
bb_restoring(void)
{
	bool		isnull;
	bool		result;

	SPI_connect();
	if (SPI_execute(partial_sql, true, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not look whether the archive is whole");
	result = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return result;
}
