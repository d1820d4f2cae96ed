/*
 * plan_clause.c
 *
 * Lets plain predicates on event use the indexes over codes: beside
 * "id = x" it puts "id_code(id) = id_code(x)", beside "pubkey = x" that
 * author_code(pubkey, kind) is one of the author's, or, with "kind = k", that
 * of this kind; beside bounds of key, with "kind = k", those of time_slot(key).
 *
 * Guarantees that a query finds the same rows: what is added follows from
 * what stands beside it, at the top level of a WHERE or of an ON of any join.
 * Must survive sessions without rights on the functions: nothing is added for
 * them.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/namespace.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "pg/compat.h"
#include "pg/query.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "nostr/tag_key.h"

typedef struct Adding
{
	int			varno;			/* of event in this query */
	AttrNumber	id;
	AttrNumber	pubkey;
	AttrNumber	kind;
	AttrNumber	key;
	Oid			id_code;		/* functions */
	Oid			author_code;
	Oid			time_slot;
} Adding;

static Oid
function_oid(const char *name, int nargs, const Oid *args)
{
	Oid			oid = LookupFuncName(list_make2(makeString("bigbrotr"), makeString(pstrdup(name))), nargs, args, true);

	return OidIsValid(oid) && bb_may_execute(oid) ? oid : InvalidOid;
}

/* The other side of "column = something", or another comparison, about this
 * relation; or NULL. */
static Node *
equal_to(const Adding *a, Node *clause, AttrNumber column, Oid function)
{
	OpExpr	   *op = (OpExpr *) clause;

	if (!IsA(clause, OpExpr) || list_length(op->args) != 2 || get_opcode(op->opno) != function)
		return NULL;
	for (int side = 0; side < 2; side++)
	{
		Var		   *v = list_nth(op->args, side);
		Node	   *other = list_nth(op->args, 1 - side);

#if PG_VERSION_NUM >= 160000
		if (IsA(v, Var) && !bms_is_empty(v->varnullingrels))
			continue;
#endif
		if (IsA(v, Var) && v->varno == a->varno && v->varattno == column && v->varlevelsup == 0 &&
			!contain_volatile_functions(other) && !contain_subplans(other))
			return other;
	}
	return NULL;
}

static Expr *
call(Oid function, List *args)
{
	return (Expr *) makeFuncExpr(function, INT4OID, args, InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

static Expr *
compare(int strategy, Expr *left, Expr *right)
{
	Oid			op = get_opfamily_member(INTEGER_BTREE_FAM_OID, INT4OID, INT4OID, strategy);
	Expr	   *e = make_opclause(op, BOOLOID, false, left, right, InvalidOid, InvalidOid);

	set_opfuncid((OpExpr *) e);
	return e;
}

static Expr *
column(const Adding *a, AttrNumber attno, Oid type)
{
	return (Expr *) makeVar(a->varno, attno, type, -1, InvalidOid, 0);
}

static Expr *
int4_const(int32 v)
{
	return (Expr *) makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(v), false, true);
}

/* The bound of time_slot(key) that follows from one of key, or NULL. */
static Expr *
slot_bound(const Adding *a, Node *clause)
{
	static const struct
	{
		Oid			function;
		int			strategy;
	}			op[] = {
		{F_INT8GE, BTGreaterEqualStrategyNumber}, {F_INT8GT, BTGreaterEqualStrategyNumber},
		{F_INT8LE, BTLessEqualStrategyNumber}, {F_INT8LT, BTLessEqualStrategyNumber}
	};

	for (int i = 0; i < lengthof(op); i++)
	{
		Node	   *other = equal_to(a, clause, a->key, op[i].function);
		bool		left;

		if (other == NULL)
			continue;
		left = linitial(((OpExpr *) clause)->args) != (void *) other;
		return compare(left ? op[i].strategy : BTMaxStrategyNumber + 1 - op[i].strategy,
					   call(a->time_slot, list_make1(column(a, a->key, INT8OID))),
					   call(a->time_slot, list_make1(copyObject(other))));
	}
	return NULL;
}

/* What follows from the clauses of one WHERE or ON. */
static List *
implied(const Adding *a, List *quals, PlannerInfo *root)
{
	List	   *more = NIL;
	Node	   *kind = NULL;
	ListCell   *lc;

	foreach(lc, quals)
		if (kind == NULL)
			kind = equal_to(a, lfirst(lc), a->kind, F_INT4EQ);
	foreach(lc, quals)
	{
		Node	   *id = equal_to(a, lfirst(lc), a->id, F_BYTEAEQ);
		Node	   *author = equal_to(a, lfirst(lc), a->pubkey, F_BYTEAEQ);
		Expr	   *slot = kind != NULL ? slot_bound(a, lfirst(lc)) : NULL;
		Expr	   *code;
		Expr	   *first;

		if (slot != NULL)
			more = lappend(more, slot);
		if (id != NULL)
			more = lappend(more, compare(BTEqualStrategyNumber,
										 call(a->id_code, list_make1(column(a, a->id, BYTEAOID))),
										 call(a->id_code, list_make1(copyObject(id)))));
		if (author == NULL)
			continue;
		code = call(a->author_code, list_make2(column(a, a->pubkey, BYTEAOID), column(a, a->kind, INT4OID)));
		first = call(a->author_code, list_make2(copyObject(author),
												kind != NULL ? copyObject(kind) : (Node *) int4_const(0)));
		if (kind != NULL)
			more = lappend(more, compare(BTEqualStrategyNumber, code, first));
		else
		{
			/* never beyond the largest int4: the first is a multiple of 64 */
			more = lappend(more, compare(BTGreaterEqualStrategyNumber, code, first));
			more = lappend(more, compare(BTLessEqualStrategyNumber, copyObject(code),
										 (Expr *) makeFuncExpr(F_INT4PL, INT4OID,
															   list_make2(copyObject(first), int4_const(NOSTR_KIND_CODES - 1)),
															   InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL)));
		}
	}
	/* constants are computed here: the planner has done that already */
	return (List *) eval_const_expressions(root, (Node *) more);
}

static void
walk(const Adding *a, Node *node, PlannerInfo *root)
{
	ListCell   *lc;

	if (node == NULL)
		return;
	if (IsA(node, FromExpr))
	{
		FromExpr   *f = (FromExpr *) node;

		foreach(lc, f->fromlist)
			walk(a, lfirst(lc), root);
		f->quals = (Node *) list_concat((List *) f->quals, implied(a, (List *) f->quals, root));
	}
	else if (IsA(node, JoinExpr))
	{
		JoinExpr   *j = (JoinExpr *) node;

		walk(a, j->larg, root);
		walk(a, j->rarg, root);
		j->quals = (Node *) list_concat((List *) j->quals, implied(a, (List *) j->quals, root));
	}
}

void
bb_plan_clauses(PlannerInfo *root, Oid relid, int varno)
{
	static const Oid one[] = {BYTEAOID};
	static const Oid two[] = {BYTEAOID, INT4OID};
	static const Oid key[] = {INT8OID};
	Adding		a = {.varno = varno};

	a.id = get_attnum(relid, "id");
	a.pubkey = get_attnum(relid, "pubkey");
	a.kind = get_attnum(relid, "kind");
	a.key = get_attnum(relid, "key");
	a.id_code = function_oid("id_code", 1, one);
	a.author_code = function_oid("author_code", 2, two);
	a.time_slot = function_oid("time_slot", 1, key);
	if (a.id == InvalidAttrNumber || a.pubkey == InvalidAttrNumber || a.kind == InvalidAttrNumber ||
		a.key == InvalidAttrNumber || !OidIsValid(a.id_code) || !OidIsValid(a.author_code) || !OidIsValid(a.time_slot))
		return;
	walk(&a, (Node *) root->parse->jointree, root);
}
