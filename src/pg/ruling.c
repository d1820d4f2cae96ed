/*
 * ruling.c
 *
 * Maintains bigbrotr.ruling for events that say something about others: the
 * trigger function, and ruling_codes.
 *
 * Guarantees that whoever may insert an event also inserts its entries, in
 * the same transaction; other kinds cost only the WHEN clause of the trigger.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "nostr/ruling.h"
#include "pg/archive_plan.h"
#include "pg/compat.h"
#include "pg/grow.h"
#include "pg/key_list.h"
#include "pg/ruling.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_ruling_note(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_ruling_note);
extern PGDLLEXPORT Datum bigbrotr_ruling_codes(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_ruling_codes);

#define HELD_KEEP	16384		/* entries for which memory is kept */

typedef struct Entry
{
	int64		code;
	int64		key;
}			Entry;

/* What a batch brings, until it ends. */
static struct
{
	bool		on;
	Entry	   *e;
	int			n;
	int			cap;
}			held;

/* Codes of what an event says, each once; how many. */
static int
codes_of(int32 kind, const uint8 *pubkey, const uint8 *tags, size_t len, Datum **code)
{
	NostrRulingIter it;
	NostrRuling r;
	int			cap = 8;
	int			n = 0;

	*code = palloc(sizeof(Datum) * cap);
	nostr_rulings(&it, kind, pubkey, tags, len);
	while (nostr_ruling_next(&it, &r))
	{
		BB_GROW(*code, n, cap);
		(*code)[n++] = Int64GetDatum(nostr_ruling_code(pubkey, &r));
	}
	return bb_keys_distinct(*code, n);
}

/* Of values as event has them.  What is no pubkey says nothing. */
static int
codes_of_row(int32 kind, bytea *pubkey, Datum tags, Datum **code)
{
	struct varlena *t;

	if (VARSIZE_ANY_EXHDR(pubkey) != 32)
		return 0;
	/* tags of a replaceable kind may be long, and say nothing here */
	if (nostr_kind_is_replaceable(kind))
		return codes_of(kind, (const uint8 *) VARDATA_ANY(pubkey), (const uint8 *) "", 0, code);
	t = PG_DETOAST_DATUM_PACKED(tags);
	return codes_of(kind, (const uint8 *) VARDATA_ANY(pubkey), (const uint8 *) VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), code);
}

static int
entry_cmp(const void *a, const void *b)
{
	const Entry *x = a;
	const Entry *y = b;

	return x->code < y->code ? -1 : x->code > y->code;
}

/*
 * Not by SQL: who may write an event needs no right on this table, and an
 * entry takes a fraction of the time.
 */
static void
write_entries(Entry *e, int n)
{
	Relation	rel = table_open(get_relname_relid("ruling", get_namespace_oid("bigbrotr", false)), RowExclusiveLock);
	CatalogIndexState indexes = CatalogOpenIndexes(rel);

	qsort(e, n, sizeof(Entry), entry_cmp);
	for (int i = 0; i < n; i++)
	{
		Datum		values[2] = {Int64GetDatum(e[i].code), Int64GetDatum(e[i].key)};
		bool		nulls[2] = {false, false};
		HeapTuple	t = heap_form_tuple(RelationGetDescr(rel), values, nulls);

		CatalogTupleInsertWithInfo(rel, t, indexes);
		heap_freetuple(t);
	}
	CatalogCloseIndexes(indexes);
	table_close(rel, NoLock);
}

/* To where this transaction keeps them: false, they are to be written now. */
static bool
hold(const Datum *code, int n, int64 key)
{
	MemoryContext old;

	if (!held.on)
		return false;
	old = MemoryContextSwitchTo(TopMemoryContext);
	for (int i = 0; i < n; i++)
	{
		BB_GROW(held.e, held.n, held.cap);
		held.e[held.n++] = (Entry) {DatumGetInt64(code[i]), key};
	}
	MemoryContextSwitchTo(old);
	return true;
}

void
bb_ruling_batch(void (*func) (void *), void *arg)
{
	held.n = 0;
	held.on = true;
	PG_TRY();
	{
		func(arg);
	}
	PG_FINALLY();
	{
		held.on = false;
	}
	PG_END_TRY();
	if (held.n > 0)
		write_entries(held.e, held.n);
	if (held.cap > HELD_KEEP)
	{
		pfree(held.e);
		held.e = NULL;
		held.cap = 0;
	}
}

static Datum
column(const TriggerData *t, HeapTuple row, const char *name, bool *isnull)
{
	return SPI_getbinval(row, t->tg_relation->rd_att, SPI_fnumber(t->tg_relation->rd_att, name), isnull);
}

Datum
bigbrotr_ruling_note(PG_FUNCTION_ARGS)
{
	const TriggerData *t = (const TriggerData *) fcinfo->context;
	HeapTuple	row;
	Datum	   *code;
	bool		isnull;
	int32		kind;
	int64		key;
	Datum		pubkey;
	Datum		tags;
	int			n;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(t->tg_event) || !TRIGGER_FIRED_AFTER(t->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(t->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("ruling_note must be fired AFTER INSERT OR UPDATE FOR EACH ROW")));
	row = TRIGGER_FIRED_BY_UPDATE(t->tg_event) ? t->tg_newtuple : t->tg_trigtuple;
	kind = DatumGetInt32(column(t, row, "kind", &isnull));
	pubkey = column(t, row, "pubkey", &isnull);
	tags = column(t, row, "tags", &isnull);
	n = isnull ? 0 : codes_of_row(kind, DatumGetByteaPP(pubkey), tags, &code);
	key = DatumGetInt64(column(t, row, "key", &isnull));
	if (n > 0 && !hold(code, n, key))
	{
		Entry	   *e = palloc(sizeof(Entry) * n);

		for (int i = 0; i < n; i++)
			e[i] = (Entry) {DatumGetInt64(code[i]), key};
		write_entries(e, n);
	}
	return PointerGetDatum(NULL);
}

Datum
bigbrotr_ruling_codes(PG_FUNCTION_ARGS)
{
	Datum	   *code = NULL;
	int			n = 0;

	if (nostr_kind_rules(PG_GETARG_INT32(0)))
		n = codes_of_row(PG_GETARG_INT32(0), PG_GETARG_BYTEA_PP(1), PG_GETARG_DATUM(2), &code);
	PG_RETURN_DATUM(archive_array(code, NULL, n, INT8OID));
}
