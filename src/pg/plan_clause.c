/*
 * plan_clause.c
 *
 * Lets plain predicates on event use the indexes over codes: beside
 * "id = x" it puts "id_code(id) = id_code(x)", beside "pubkey = x" that
 * author_code(pubkey, kind) is one of the author's, or, with "kind = k", that
 * of this kind; beside bounds of created_at those of key; beside bounds of
 * key, with "kind = k", those of time_slot(key), and for an author those of
 * time_code(key).
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
	AttrNumber	created_at;
	Oid			id_code;		/* functions */
	Oid			author_code;
	Oid			time_slot;
	Oid			time_code;
	Oid			key_first;
	Oid			key_last;
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

/* A comparison of a bigint column with something, the column on the left. */
typedef struct Bound
{
	int			strategy;		/* of btree; 0: none */
	Expr	   *value;
} Bound;

static Bound
bound_of(const Adding *a, Node *clause, AttrNumber column)
{
	static const struct
	{
		Oid			function[3];	/* int8 with int8, with int4; int4 with int8 */
		int			strategy;
	}			op[] = {
		{{F_INT8LT, F_INT84LT, F_INT48LT}, BTLessStrategyNumber},
		{{F_INT8LE, F_INT84LE, F_INT48LE}, BTLessEqualStrategyNumber},
		{{F_INT8EQ, F_INT84EQ, F_INT48EQ}, BTEqualStrategyNumber},
		{{F_INT8GE, F_INT84GE, F_INT48GE}, BTGreaterEqualStrategyNumber},
		{{F_INT8GT, F_INT84GT, F_INT48GT}, BTGreaterStrategyNumber}
	};

	for (int i = 0; i < lengthof(op) * 3; i++)
	{
		Node	   *other = equal_to(a, clause, column, op[i / 3].function[i % 3]);
		int			strategy = op[i / 3].strategy;

		if (other == NULL)
			continue;
		if (linitial(((OpExpr *) clause)->args) == (void *) other)
			strategy = BTMaxStrategyNumber + 1 - strategy;
		other = copyObject(other);
		if (i % 3 > 0)
			other = (Node *) makeFuncExpr(F_INT8_INT4, INT8OID, list_make1(other), InvalidOid, InvalidOid, COERCE_IMPLICIT_CAST);
		return (Bound) {strategy, (Expr *) other};
	}
	return (Bound) {0, NULL};
}

/* Adds what a bound of key, inclusive or not, says about the indexes that have
 * a code of the time beside the kind or the author. */
static List *
add_codes(const Adding *a, List *more, Bound b, bool kind, bool author)
{
	int			strategy = b.strategy;

	/* different keys may share a code */
	if (strategy == BTLessStrategyNumber)
		strategy = BTLessEqualStrategyNumber;
	if (strategy == BTGreaterStrategyNumber)
		strategy = BTGreaterEqualStrategyNumber;
	if (kind)
		more = lappend(more, compare(strategy, call(a->time_slot, list_make1(column(a, a->key, INT8OID))),
									 call(a->time_slot, list_make1(copyObject(b.value)))));
	if (kind && author)
		more = lappend(more, compare(strategy, call(a->time_code, list_make1(column(a, a->key, INT8OID))),
									 call(a->time_code, list_make1(copyObject(b.value)))));
	return more;
}

/* Adds the bound of key that follows from one of created_at. */
static List *
add_key(const Adding *a, List *more, bool upper, Expr *value, bool kind, bool author)
{
	Bound		b = {upper ? BTLessEqualStrategyNumber : BTGreaterEqualStrategyNumber, NULL};
	Oid			op = get_opfamily_member(INTEGER_BTREE_FAM_OID, INT8OID, INT8OID, b.strategy);
	Expr	   *e;

	b.value = (Expr *) makeFuncExpr(upper ? a->key_last : a->key_first, INT8OID, list_make1(copyObject(value)),
									InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
	e = make_opclause(op, BOOLOID, false, column(a, a->key, INT8OID), b.value, InvalidOid, InvalidOid);
	set_opfuncid((OpExpr *) e);
	return add_codes(a, lappend(more, e), b, kind, author);
}

static List *
add_time(const Adding *a, List *more, Node *clause, bool kind, bool author)
{
	Bound		key = bound_of(a, clause, a->key);
	Bound		at = bound_of(a, clause, a->created_at);

	if (key.strategy != 0)
		more = add_codes(a, more, key, kind, author);
	if (at.strategy >= BTEqualStrategyNumber)
		more = add_key(a, more, false, at.value, kind, author);
	if (at.strategy != 0 && at.strategy <= BTEqualStrategyNumber)
		more = add_key(a, more, true, at.value, kind, author);
	return more;
}

/* What follows from the clauses of one WHERE or ON. */
static List *
implied(const Adding *a, List *quals, PlannerInfo *root)
{
	List	   *more = NIL;
	Node	   *kind = NULL;
	bool		by_author = false;
	ListCell   *lc;

	foreach(lc, quals)
	{
		if (kind == NULL)
			kind = equal_to(a, lfirst(lc), a->kind, F_INT4EQ);
		by_author |= equal_to(a, lfirst(lc), a->pubkey, F_BYTEAEQ) != NULL;
	}
	foreach(lc, quals)
	{
		Node	   *id = equal_to(a, lfirst(lc), a->id, F_BYTEAEQ);
		Node	   *author = equal_to(a, lfirst(lc), a->pubkey, F_BYTEAEQ);
		Expr	   *code;
		Expr	   *first;

		more = add_time(a, more, lfirst(lc), kind != NULL, by_author);
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
	static const Oid time[] = {INT8OID};
	Adding		a = {.varno = varno};

	a.id = get_attnum(relid, "id");
	a.pubkey = get_attnum(relid, "pubkey");
	a.kind = get_attnum(relid, "kind");
	a.key = get_attnum(relid, "key");
	a.created_at = get_attnum(relid, "created_at");
	a.id_code = function_oid("id_code", 1, one);
	a.author_code = function_oid("author_code", 2, two);
	a.time_slot = function_oid("time_slot", 1, time);
	a.time_code = function_oid("time_code", 1, time);
	a.key_first = function_oid("key_first", 1, time);
	a.key_last = function_oid("key_last", 1, time);
	if (a.id == InvalidAttrNumber || a.pubkey == InvalidAttrNumber || a.kind == InvalidAttrNumber ||
		a.key == InvalidAttrNumber || a.created_at == InvalidAttrNumber || !OidIsValid(a.id_code) ||
		!OidIsValid(a.author_code) || !OidIsValid(a.time_slot) || !OidIsValid(a.time_code) ||
		!OidIsValid(a.key_first) || !OidIsValid(a.key_last))
		return;
	walk(&a, (Node *) root->parse->jointree, root);
}
