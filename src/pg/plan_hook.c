/*
 * plan_hook.c
 *
 * What the planner sees of event.
 *
 * For the statements of query_drive.c: only the indexes that were chosen.  For
 * all others, what follows from their predicates (plan_clause.c).
 * Must survive archives without them: then the planner sees all.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "nodes/pathnodes.h"
#include "optimizer/plancat.h"
#include "pg/query.h"
#include "utils/lsyscache.h"

const BbPin *bb_plan_pin;

static get_relation_info_hook_type next_hook;

static bool
pinned(const BbPin *pin, const IndexOptInfo *index, Oid relid)
{
	static const BbPin key = {"key", "btree", false};
	char	   *name;

	if (pin->and_key && pinned(&key, index, relid))
		return true;
	if ((index->relam == GIN_AM_OID) != (strcmp(pin->am, "gin") == 0))
		return false;
	if (index->indpred != NIL)
		return false;
	if (index->indexkeys[0] != 0)
		name = get_attname(relid, index->indexkeys[0], true);
	else
	{
		Node	   *expr = linitial(index->indexprs);

		name = IsA(expr, FuncExpr) ? get_func_name(((FuncExpr *) expr)->funcid) : NULL;
	}
	return name != NULL && strcmp(name, pin->column) == 0;
}

static bool
is_event(Oid relid)
{
	char	   *name = get_rel_name(relid);

	return name != NULL && strcmp(name, "event") == 0 &&
		get_rel_namespace(relid) == get_namespace_oid("bigbrotr", true);
}

static void
hook(PlannerInfo *root, Oid relid, bool inhparent, RelOptInfo *rel)
{
	ListCell   *lc;
	List	   *found = NIL;

	if (next_hook != NULL)
		next_hook(root, relid, inhparent, rel);
	if (inhparent && bb_plan_pin == NULL && is_event(relid))
		bb_plan_clauses(root, relid, rel->relid);
	if (bb_plan_pin == NULL || inhparent)
		return;
	foreach(lc, rel->indexlist)
		if (pinned(bb_plan_pin, lfirst(lc), relid))
			found = lappend(found, lfirst(lc));
	if (found != NIL)
		rel->indexlist = found;
}

void
bb_plan_hook_install(void)
{
	next_hook = get_relation_info_hook;
	get_relation_info_hook = hook;
}
