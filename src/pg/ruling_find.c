/*
 * ruling_find.c
 *
 * Looks codes up in bigbrotr.ruling: one index lookup each, newest entries
 * first.
 *
 * Uses the index directly: through SQL a lookup takes twice the time, and most
 * find nothing.  Returns what the active snapshot sees.  Like any index it
 * needs no privileges of its own.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/grow.h"
#include "pg/ruling.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define INDEX_NAME	"ruling_code_key_idx"

static Relation
open_index(Oid namespace)
{
	Oid			oid = get_relname_relid(INDEX_NAME, namespace);
	Relation	index = OidIsValid(oid) ? index_open(oid, AccessShareLock) : NULL;

	if (index == NULL || !index->rd_index->indisvalid)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("index bigbrotr.%s is missing or invalid", INDEX_NAME),
				 errhint("Create it again: CREATE INDEX %s ON bigbrotr.ruling (code, key).", INDEX_NAME)));
	return index;
}

int
bb_ruling_find(BbRulingAsk *ask, int64 n, int limit, Datum **key)
{
	Oid			namespace = get_namespace_oid("bigbrotr", false);
	Relation	ruling = table_open(get_relname_relid("ruling", namespace), AccessShareLock);
	Relation	index = open_index(namespace);
	TupleTableSlot *slot = table_slot_create(ruling, NULL);
	IndexScanDesc scan = bb_index_beginscan(ruling, index, GetActiveSnapshot(), 2);
	int			found = 0;
	int			cap = 0;

	*key = NULL;
	for (int64 i = 0; i < n; i++)
	{
		ScanKeyData where[2];

		CHECK_FOR_INTERRUPTS();
		ScanKeyInit(&where[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(ask[i].code));
		ScanKeyInit(&where[1], 2, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(ask[i].lo));
		index_rescan(scan, where, 2, NULL, 0);
		ask[i].found = 0;
		while ((limit == 0 || ask[i].found < limit) && index_getnext_slot(scan, BackwardScanDirection, slot))
		{
			bool		isnull;
			int64		k = DatumGetInt64(slot_getattr(slot, 2, &isnull));

			CHECK_FOR_INTERRUPTS();
			if (k == ask[i].own)
				continue;
			BB_GROW(*key, found, cap);
			(*key)[found++] = Int64GetDatum(k);
			ask[i].found++;
		}
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, AccessShareLock);
	table_close(ruling, AccessShareLock);
	return found;
}
