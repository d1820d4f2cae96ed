/*
 * packed_fdw.c
 *
 * Foreign table observation_packed: the compact tier as rows, planned like a
 * table with two indexes.
 *
 * Guarantees: the bounds that a scan uses are only ever wider than the query
 * asks for; the executor checks every condition again.  A scan with a relay
 * reads that relay's blocks in key order, one with a key reads the block of
 * that key, anything else reads all.
 */
#include "pg/compat.h"

#include "access/stratnum.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "foreign/fdwapi.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "pg/packed.h"

#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_packed_handler(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_packed_handler);

#define ATT_KEY		1
#define ATT_RELAY	2
#define ATT_SEEN	3
/* For the planner: measured (docs/archive.md), and guesses where nothing
 * better is known. */
#define ITEMS_PER_BLOCK	400
#define ITEMS_PER_PAGE	(4 * ITEMS_PER_BLOCK)
#define RELAYS			300
#define REDUNDANCY		5
#define RANGE_SHARE		0.1

/* How one bound of a scan is named in fdw_private, one per fdw_exprs. */
typedef enum Bound
{
	BOUND_RELAY, BOUND_KEY, BOUND_ABOVE, BOUND_FROM, BOUND_BELOW, BOUND_TO
} Bound;

/* What conditions say about a scan. */
typedef struct Bounds
{
	List	   *exprs;
	List	   *kinds;			/* of Bound, as integers */
	bool		relay;
	bool		key;
	bool		range;
} Bounds;

typedef struct PackedState
{
	BbPacked   *scan;
	List	   *exprs;			/* ExprState */
	List	   *kinds;
	bool		descending;
	bool		begun;
} PackedState;

/* var op expr, or expr op var; op as if the variable stood left. */
static bool
comparison(PlannerInfo *root, RelOptInfo *rel, Expr *clause, AttrNumber *att, Oid *func, Expr **other)
{
	OpExpr	   *op = (OpExpr *) clause;
	Node	   *left;
	Node	   *right;
	Oid			opno;

	if (!IsA(clause, OpExpr) || list_length(op->args) != 2)
		return false;
	left = linitial(op->args);
	right = lsecond(op->args);
	opno = op->opno;
	if (!IsA(left, Var) || ((Var *) left)->varno != (int) rel->relid)
	{
		Node	   *swap = left;

		left = right;
		right = swap;
		opno = get_commutator(opno);
	}
	if (!IsA(left, Var) || ((Var *) left)->varno != (int) rel->relid ||
		((Var *) left)->varlevelsup != 0 || !OidIsValid(opno) ||
		bms_is_member(rel->relid, pull_varnos(root, right)) || contain_volatile_functions(right))
		return false;
	*att = ((Var *) left)->varattno;
	*func = get_opcode(opno);
	*other = (Expr *) right;
	return true;
}

/* Does this condition bound the scan? */
static bool
bound_of(PlannerInfo *root, RelOptInfo *rel, Expr *clause, Bound *bound, Expr **value)
{
	static const struct
	{
		AttrNumber	att;
		Oid			func;
		Bound		bound;
		Oid			type;		/* of the value */
	}			known[] = {
		{ATT_RELAY, F_INT4EQ, BOUND_RELAY, INT4OID},
		{ATT_KEY, F_INT8EQ, BOUND_KEY, INT8OID}, {ATT_KEY, F_INT84EQ, BOUND_KEY, INT4OID},
		{ATT_KEY, F_INT8GT, BOUND_ABOVE, INT8OID}, {ATT_KEY, F_INT84GT, BOUND_ABOVE, INT4OID},
		{ATT_KEY, F_INT8GE, BOUND_FROM, INT8OID}, {ATT_KEY, F_INT84GE, BOUND_FROM, INT4OID},
		{ATT_KEY, F_INT8LT, BOUND_BELOW, INT8OID}, {ATT_KEY, F_INT84LT, BOUND_BELOW, INT4OID},
		{ATT_KEY, F_INT8LE, BOUND_TO, INT8OID}, {ATT_KEY, F_INT84LE, BOUND_TO, INT4OID}
	};
	AttrNumber	att;
	Oid			func;

	if (!comparison(root, rel, clause, &att, &func, value))
		return false;
	for (int i = 0; i < (int) lengthof(known); i++)
	{
		if (known[i].att == att && known[i].func == func &&
			exprType((Node *) *value) == known[i].type)
		{
			*bound = known[i].bound;
			/* the executor wants one type per column */
			if (att == ATT_KEY && known[i].type == INT4OID)
				*value = (Expr *) makeFuncExpr(F_INT8_INT4, INT8OID, list_make1(*value),
											   InvalidOid, InvalidOid, COERCE_IMPLICIT_CAST);
			return true;
		}
	}
	return false;
}

static Bounds
bounds_of(PlannerInfo *root, RelOptInfo *rel, List *infos)
{
	Bounds		b = {0};
	ListCell   *lc;

	foreach(lc, infos)
	{
		Expr	   *clause = IsA(lfirst(lc), RestrictInfo) ? ((RestrictInfo *) lfirst(lc))->clause
			: (Expr *) lfirst(lc);
		Bound		bound;
		Expr	   *value;

		if (!bound_of(root, rel, clause, &bound, &value))
			continue;
		b.exprs = lappend(b.exprs, value);
		b.kinds = lappend_int(b.kinds, bound);
		b.relay |= bound == BOUND_RELAY;
		b.key |= bound == BOUND_KEY;
		b.range |= bound > BOUND_KEY;
	}
	return b;
}

/* Rows, cost and items unpacked of a scan with these bounds. */
static void
estimate(RelOptInfo *rel, const Bounds *b, double *rows, Cost *total)
{
	double		items = rel->tuples * (b->range ? RANGE_SHARE : 1) / (b->relay ? RELAYS : 1);

	*rows = clamp_row_est(b->key ? (b->relay ? 1 : REDUNDANCY) : items);
	if (b->key)
		items = ITEMS_PER_BLOCK;
	*total = 2 * random_page_cost + items / ITEMS_PER_PAGE * seq_page_cost +
		items * cpu_operator_cost + *rows * cpu_tuple_cost;
}

static void
packed_rel_size(PlannerInfo *root, RelOptInfo *rel, Oid table)
{
	Bounds		b = bounds_of(root, rel, rel->baserestrictinfo);
	Cost		cost;

	rel->tuples = (double) packed_pages(NOSTR_OBS_BY_EVENT) * ITEMS_PER_PAGE;
	estimate(rel, &b, &rel->rows, &cost);
}

static void
add_one(PlannerInfo *root, RelOptInfo *rel, const Bounds *b, List *pathkeys, Relids outer, bool descending)
{
	double		rows;
	Cost		total;

	estimate(rel, b, &rows, &total);
	add_path(rel, (Path *)
			 create_foreignscan_path(root, rel, NULL, rows,
#if PG_VERSION_NUM >= 180000
									 0,
#endif
									 random_page_cost, total, pathkeys, outer, NULL,
#if PG_VERSION_NUM >= 170000
									 NIL,
#endif
									 list_make1_int(descending)));
}

/* The order of keys, as far as the query can use it. */
static List *
key_order(PlannerInfo *root, RelOptInfo *rel, bool descending)
{
	Var		   *v = makeVar(rel->relid, ATT_KEY, INT8OID, -1, InvalidOid, 0);
	Oid			op = get_opfamily_member(INTEGER_BTREE_FAM_OID, INT8OID, INT8OID,
										 descending ? BTGreaterStrategyNumber : BTLessStrategyNumber);
	List	   *keys = build_expression_pathkey(root, (Expr *) v,
#if PG_VERSION_NUM < 160000
												NULL,
#endif
												op, rel->relids, false);

	return truncate_useless_pathkeys(root, rel, keys);
}

static bool
is_column(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec, EquivalenceMember *em, void *arg)
{
	Var		   *v = (Var *) em->em_expr;

	return IsA(v, Var) && v->varno == (int) rel->relid && v->varattno == *(AttrNumber *) arg;
}

/* The other relations whose rows would bound a scan: sets of them, as
 * ParamPathInfo. */
static List *
parameters(PlannerInfo *root, RelOptInfo *rel)
{
	List	   *infos = list_copy(rel->joininfo);
	List	   *found = NIL;
	ListCell   *lc;

	for (AttrNumber att = ATT_KEY; rel->has_eclass_joins && att <= ATT_RELAY; att++)
		infos = list_concat(infos, generate_implied_equalities_for_column(root, rel, is_column, &att,
																		 rel->lateral_referencers));
	foreach(lc, infos)
	{
		RestrictInfo *ri = lfirst(lc);
		Bound		bound;
		Expr	   *value;
		Relids		outer;

		if (!join_clause_is_movable_to(ri, rel) || !bound_of(root, rel, ri->clause, &bound, &value))
			continue;
		outer = bms_del_member(bms_union(ri->clause_relids, rel->lateral_relids), rel->relid);
		if (!bms_is_empty(outer))
			found = list_append_unique_ptr(found, get_baserel_parampathinfo(root, rel, outer));
	}
	return found;
}

static void
packed_paths(PlannerInfo *root, RelOptInfo *rel, Oid table)
{
	Bounds		b = bounds_of(root, rel, rel->baserestrictinfo);
	List	   *down = key_order(root, rel, true);
	ListCell   *lc;

	add_one(root, rel, &b, key_order(root, rel, false), rel->lateral_relids, false);
	if (down != NIL)
		add_one(root, rel, &b, down, rel->lateral_relids, true);
	foreach(lc, parameters(root, rel))
	{
		ParamPathInfo *ppi = lfirst(lc);

		b = bounds_of(root, rel, list_concat(list_copy(rel->baserestrictinfo), ppi->ppi_clauses));
		add_one(root, rel, &b, NIL, ppi->ppi_req_outer, false);
	}
}

static ForeignScan *
packed_plan(PlannerInfo *root, RelOptInfo *rel, Oid table, ForeignPath *path, List *tlist,
			List *clauses, Plan *outer)
{
	Bounds		b = bounds_of(root, rel, clauses);

	return make_foreignscan(tlist, extract_actual_clauses(clauses, false), rel->relid, b.exprs,
							list_make2(b.kinds, path->fdw_private), NIL, NIL, outer);
}

static bool
has_relay(const List *kinds)
{
	return list_member_int(kinds, BOUND_RELAY);
}

/* A foreign table that somebody else made with this wrapper is not read as if
 * it were ours. */
static void
check_columns(TupleDesc d)
{
	static const Oid types[] = {INT8OID, INT4OID, INT4OID};
	bool		ours = d->natts == ATT_SEEN;

	for (int i = 0; ours && i < d->natts; i++)
		ours = TupleDescAttr(d, i)->atttypid == types[i];
	if (!ours)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("foreign tables of server bigbrotr_packed must have the columns key bigint, relay_id integer and seen_at integer"),
				 errhint("Use bigbrotr.observation_packed, which the extension provides.")));
}

static void
packed_begin_scan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	PackedState *s;

	check_columns(RelationGetDescr(node->ss.ss_currentRelation));
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	s = palloc0(sizeof(*s));
	s->kinds = linitial(plan->fdw_private);
	s->descending = linitial_int(lsecond(plan->fdw_private));
	s->exprs = ExecInitExprList(plan->fdw_exprs, &node->ss.ps);
	s->scan = packed_begin(has_relay(s->kinds) ? NOSTR_OBS_BY_RELAY : NOSTR_OBS_BY_EVENT,
						   node->ss.ps.state->es_snapshot);
	node->fdw_state = s;
}

/* The values of the bounds are known now. */
static void
seek(ForeignScanState *node, PackedState *s)
{
	int64		lo = 0;
	int64		hi = PG_INT64_MAX;
	int32		relay = 0;
	bool		none = false;
	ListCell   *lc;
	ListCell   *kc;

	forboth(lc, s->exprs, kc, s->kinds)
	{
		bool		isnull;
		Datum		d = ExecEvalExpr((ExprState *) lfirst(lc), node->ss.ps.ps_ExprContext, &isnull);
		Bound		bound = lfirst_int(kc);
		int64		v = isnull || bound == BOUND_RELAY ? 0 : DatumGetInt64(d);

		none |= isnull;
		if (isnull)
			continue;
		if (bound == BOUND_RELAY)
		{
			/* two relays at once, or what is no relay: nothing */
			none |= DatumGetInt32(d) <= 0 || (relay != 0 && relay != DatumGetInt32(d));
			relay = DatumGetInt32(d);
			continue;
		}
		none |= (bound == BOUND_ABOVE && v == PG_INT64_MAX) || (bound == BOUND_BELOW && v == PG_INT64_MIN);
		if (none)
			break;
		if (bound == BOUND_KEY || bound == BOUND_FROM || bound == BOUND_ABOVE)
			lo = Max(lo, v + (bound == BOUND_ABOVE));
		if (bound == BOUND_KEY || bound == BOUND_TO || bound == BOUND_BELOW)
			hi = Min(hi, v - (bound == BOUND_BELOW));
	}
	packed_seek(s->scan, relay, none ? 1 : lo, none ? 0 : hi, s->descending);
	s->begun = true;
}

static TupleTableSlot *
packed_iterate(ForeignScanState *node)
{
	PackedState *s = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	NostrObs	o;

	if (!s->begun)
		seek(node, s);
	ExecClearTuple(slot);
	if (!packed_next(s->scan, &o))
		return slot;
	slot->tts_values[ATT_KEY - 1] = Int64GetDatum(o.key);
	slot->tts_values[ATT_RELAY - 1] = Int32GetDatum(o.relay_id);
	slot->tts_values[ATT_SEEN - 1] = Int32GetDatum(o.seen_at);
	memset(slot->tts_isnull, 0, sizeof(bool) * ATT_SEEN);
	return ExecStoreVirtualTuple(slot);
}

static void
packed_rescan(ForeignScanState *node)
{
	((PackedState *) node->fdw_state)->begun = false;
}

static void
packed_end_scan(ForeignScanState *node)
{
	PackedState *s = node->fdw_state;

	if (s != NULL)
		packed_end(s->scan);
}

static void
packed_explain(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	List	   *kinds = linitial(plan->fdw_private);
	StringInfoData by;

	initStringInfo(&by);
	appendStringInfo(&by, "%s_pkey", packed_table(has_relay(kinds) ? NOSTR_OBS_BY_RELAY : NOSTR_OBS_BY_EVENT));
	if (kinds == NIL)
		appendStringInfoString(&by, ", all");
	if (list_member_int(kinds, BOUND_KEY))
		appendStringInfoString(&by, ", one key");
	else if (kinds != NIL && list_length(kinds) > (has_relay(kinds) ? 1 : 0))
		appendStringInfoString(&by, ", a range of keys");
	if (linitial_int(lsecond(plan->fdw_private)))
		appendStringInfoString(&by, ", backward");
	ExplainPropertyText("Packed Index", by.data, es);
}

static bool
packed_parallel_safe(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte)
{
	return true;
}

Datum
bigbrotr_packed_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *f = makeNode(FdwRoutine);

	f->GetForeignRelSize = packed_rel_size;
	f->GetForeignPaths = packed_paths;
	f->GetForeignPlan = packed_plan;
	f->BeginForeignScan = packed_begin_scan;
	f->IterateForeignScan = packed_iterate;
	f->ReScanForeignScan = packed_rescan;
	f->EndForeignScan = packed_end_scan;
	f->ExplainForeignScan = packed_explain;
	f->IsForeignScanParallelSafe = packed_parallel_safe;
	PG_RETURN_POINTER(f);
}
