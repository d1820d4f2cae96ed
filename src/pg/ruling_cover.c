/*
 * ruling_cover.c
 *
 * For which keys bigbrotr.ruling has every entry.
 *
 * A partition is covered while its trigger ruling_note is ENABLE ALWAYS.
 * Whoever sets that (bigbrotr.ruling_cover) first writes what is missing.
 * The trigger of a newly attached partition, or one that was switched off and
 * on, is not ALWAYS, so rows that it did not see are never overlooked.
 *
 * Guarantees an answer for the active snapshot: what it sees in a covered
 * partition it also sees in ruling.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "pg/ruling.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/lsyscache.h"

#define TRIGGER_NAME "ruling_note"

/* By the active snapshot: not by the catalog as it is now. */
static bool
covered(Relation pg_trigger, Oid partition)
{
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	t;
	bool		result = false;
	NameData	name;

	namestrcpy(&name, TRIGGER_NAME);
	ScanKeyInit(&key[0], Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(partition));
	ScanKeyInit(&key[1], Anum_pg_trigger_tgname, BTEqualStrategyNumber, F_NAMEEQ, NameGetDatum(&name));
	scan = systable_beginscan(pg_trigger, TriggerRelidNameIndexId, true, GetActiveSnapshot(), 2, key);
	while (HeapTupleIsValid(t = systable_getnext(scan)))
		result |= ((Form_pg_trigger) GETSTRUCT(t))->tgenabled == TRIGGER_FIRES_ALWAYS;
	systable_endscan(scan);
	return result;
}

/* A bound as a key; MINVALUE is 0, MAXVALUE the end. */
static int64
bound_key(PartitionBoundInfo b, int i)
{
	if (b->kind[i][0] == PARTITION_RANGE_DATUM_VALUE)
		return Max(DatumGetInt64(b->datums[i][0]), 0);
	return b->kind[i][0] == PARTITION_RANGE_DATUM_MINVALUE ? 0 : PG_INT64_MAX;
}

int
bb_ruling_uncovered(BbKeyRange **range)
{
	Relation	event = table_open(get_relname_relid("event", get_namespace_oid("bigbrotr", false)), AccessShareLock);
	Relation	pg_trigger = table_open(TriggerRelationId, AccessShareLock);
	PartitionDesc desc = event->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? RelationGetPartitionDesc(event, true) : NULL;
	PartitionBoundInfo b = desc != NULL && desc->nparts > 0 ? desc->boundinfo : NULL;
	int			ndatums = b != NULL && b->strategy == PARTITION_STRATEGY_RANGE ? b->ndatums : 0;
	int64		next = 0;		/* what is below is done */
	int			n = 0;

	*range = palloc(sizeof(BbKeyRange) * (ndatums + 1));
	/* indexes[i] is the partition between the bounds i - 1 and i */
	for (int i = 1; i < ndatums; i++)
	{
		int64		lo = bound_key(b, i - 1);

		if (b->indexes[i] < 0 || !covered(pg_trigger, desc->oids[b->indexes[i]]))
			continue;
		if (lo > next)
			(*range)[n++] = (BbKeyRange) {next, lo - 1};
		next = bound_key(b, i);
	}
	if (next < PG_INT64_MAX)
		(*range)[n++] = (BbKeyRange) {next, PG_INT64_MAX};
	table_close(pg_trigger, AccessShareLock);
	table_close(event, AccessShareLock);
	return n;
}
