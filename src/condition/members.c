/*
 * members.c
 *		Choosing among the functions and operators of the extension.
 *
 * They cannot be looked up by name in our schema: where that is "public", a
 * planted function with the very argument types of the call would beat ours.
 * So candidates are the members of the extension and nothing else; among them
 * the rules are those of the server.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_expr.h"
#include "parser/parse_func.h"
#include "parser/parse_oper.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "condition/allow.h"
#include "condition/members.h"
#include "condition/parse_state.h"

/*
 * Is it a type of ours, or a domain over one?
 */
bool
lq_is_our_type(Oid type)
{
	type = getBaseType(type);
	return type >= FirstNormalObjectId && lq_is_member(TypeRelationId, type);
}

/*
 * Might the name mean something of ours: unqualified, or in our schema?
 */
bool
lq_name_may_be_ours(LqParse *parse, List *name)
{
	if (list_length(name) == 1)
		return true;
	return list_length(name) == 2 &&
		strcmp(strVal(linitial(name)), parse->schema) == 0;
}

/*
 * Choosing among members
 */

static FuncCandidateList
new_candidate(FuncCandidateList next, Oid oid, int nargs)
{
	FuncCandidateList candidate;

	candidate = palloc0(offsetof(struct _FuncCandidateList, args) +
						nargs * sizeof(Oid));
	candidate->next = next;
	candidate->oid = oid;
	candidate->nominalnargs = nargs;
	candidate->nargs = nargs;
	return candidate;
}

/*
 * The best candidate for arguments of these types, as the server would
 * choose; NULL if none fits.
 */
static FuncCandidateList
choose(LqParse *parse, int nargs, Oid *argtypes, FuncCandidateList candidates,
	   List *name, int location)
{
	FuncCandidateList matching;
	int			n;

	for (matching = candidates; matching; matching = matching->next)
	{
		if (memcmp(argtypes, matching->args, nargs * sizeof(Oid)) == 0)
			return matching;
	}
	n = func_match_argtypes(nargs, argtypes, candidates, &matching);
	if (n > 1)
		matching = func_select_candidate(nargs, argtypes, matching);
	if (n > 0 && matching == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_FUNCTION),
				 errmsg("%s is not unique", NameListToString(name)),
				 errhint("Could not choose a best candidate. "
						 "You might need to add explicit type casts."),
				 parser_errposition(parse->pstate, location)));
	return n > 0 ? matching : NULL;
}

static Node *
coerce_argument(LqParse *parse, Node *node, Oid type)
{
	return coerce_type(parse->pstate, node, exprType(node), type, -1,
					   COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1);
}

static FuncCandidateList
operator_candidates(const char *name)
{
	Oid			schema = lq_extension_schema();
	FuncCandidateList candidates = NULL;
	CatCList   *list;

	list = SearchSysCacheList1(OPERNAMENSP, CStringGetDatum(name));
	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_operator form;

		form = (Form_pg_operator) GETSTRUCT(&list->members[i]->tuple);
		if (form->oprnamespace != schema || form->oprkind != 'b' ||
			!lq_is_member(OperatorRelationId, form->oid))
			continue;
		candidates = new_candidate(candidates, form->oid, 2);
		candidates->args[0] = form->oprleft;
		candidates->args[1] = form->oprright;
	}
	ReleaseCatCacheList(list);
	return candidates;
}

/*
 * The operator of ours for these operands; InvalidOid if there is none.
 */
static Oid
our_operator(LqParse *parse, List *name, Oid left, Oid right,
			 Oid *argtypes, int location)
{
	FuncCandidateList candidates;
	FuncCandidateList chosen;

	if (!lq_name_may_be_ours(parse, name))
		return InvalidOid;
	if (list_length(name) == 1 && !lq_is_our_type(left) && !lq_is_our_type(right))
		return InvalidOid;

	candidates = operator_candidates(strVal(llast(name)));
	if (candidates == NULL)
		return InvalidOid;

	/* a bare literal is first taken to be of the other side's type */
	argtypes[0] = left == UNKNOWNOID ? right : left;
	argtypes[1] = right == UNKNOWNOID ? left : right;
	for (chosen = candidates; chosen; chosen = chosen->next)
	{
		if (memcmp(argtypes, chosen->args, 2 * sizeof(Oid)) == 0)
			return chosen->oid;
	}
	argtypes[0] = left;
	argtypes[1] = right;
	chosen = choose(parse, 2, argtypes, candidates, name, location);
	if (chosen == NULL)
		return InvalidOid;
	memcpy(argtypes, chosen->args, 2 * sizeof(Oid));
	return chosen->oid;
}

/*
 * left OP right with an operator of ours; NULL if there is none for them.
 */
Node *
lq_operate(LqParse *parse, List *name, Node *left, Node *right, int location)
{
	Oid			argtypes[2];
	Oid			oprid;
	OpExpr	   *expr;

	oprid = our_operator(parse, name, exprType(left), exprType(right),
						 argtypes, location);
	if (!OidIsValid(oprid))
		return NULL;

	expr = makeNode(OpExpr);
	expr->opno = oprid;
	expr->opfuncid = get_opcode(oprid);
	expr->opresulttype = get_func_rettype(expr->opfuncid);
	expr->args = list_make2(coerce_argument(parse, left, argtypes[0]),
							coerce_argument(parse, right, argtypes[1]));
	expr->location = location;
	return (Node *) expr;
}

/*
 * The same, but it must exist: the server raises its error if not.
 */
Node *
lq_must_operate(LqParse *parse, const char *name, Node *left, Node *right,
				int location)
{
	List	   *names = list_make1(makeString(pstrdup(name)));
	Node	   *node;

	node = lq_operate(parse, names, left, right, location);
	if (node == NULL)
		node = (Node *) make_op(parse->pstate, names, left, right,
								parse->pstate->p_last_srf, location);
	return node;
}

/*
 * left OP ANY/ALL (array) with an operator of ours; NULL if there is none.
 */
Node *
lq_operate_array(LqParse *parse, A_Expr *a, Node *left, Node *right)
{
	Oid			element;
	Oid			array;
	Oid			argtypes[2];
	Oid			oprid;
	ScalarArrayOpExpr *expr;

	if (exprType(right) == UNKNOWNOID)
		element = UNKNOWNOID;
	else
		element = get_base_element_type(exprType(right));
	if (!OidIsValid(element))
		return NULL;
	oprid = our_operator(parse, a->name, exprType(left), element, argtypes,
						 a->location);
	if (!OidIsValid(oprid))
		return NULL;
	array = get_array_type(argtypes[1]);
	if (!OidIsValid(array) || get_op_rettype(oprid) != BOOLOID)
		return NULL;

	expr = makeNode(ScalarArrayOpExpr);
	expr->opno = oprid;
	expr->opfuncid = get_opcode(oprid);
	expr->useOr = (a->kind == AEXPR_OP_ANY);
	expr->args = list_make2(coerce_argument(parse, left, argtypes[0]),
							coerce_argument(parse, right, array));
	expr->location = a->location;
	return (Node *) expr;
}

/*
 * Functions
 */

/*
 * Members of that name that can be called with so many arguments.
 */
static FuncCandidateList
function_candidates(const char *name, int nargs, bool variadic_call)
{
	Oid			schema = lq_extension_schema();
	FuncCandidateList candidates = NULL;
	CatCList   *list;

	list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_proc form;
		int			n_fixed;
		bool		spread;

		form = (Form_pg_proc) GETSTRUCT(&list->members[i]->tuple);
		if (form->pronamespace != schema || form->prokind != PROKIND_FUNCTION ||
			!lq_is_member(ProcedureRelationId, form->oid))
			continue;

		/* VARIADIC parameters take the remaining arguments, one or more */
		spread = OidIsValid(form->provariadic) && !variadic_call;
		n_fixed = spread ? form->pronargs - 1 : form->pronargs;
		if (spread ? nargs <= n_fixed :
			nargs > n_fixed || nargs + form->pronargdefaults < n_fixed)
			continue;

		candidates = new_candidate(candidates, form->oid, nargs);
		for (int j = 0; j < nargs; j++)
			candidates->args[j] = j < n_fixed ?
				form->proargtypes.values[j] : form->provariadic;
		candidates->nvargs = spread ? nargs - n_fixed : 0;
		candidates->ndargs = spread ? 0 : n_fixed - nargs;
	}
	ReleaseCatCacheList(list);
	return candidates;
}

/*
 * Is there a member of that name, of that kind if given?
 */
bool
lq_is_our_function(const char *name, char kind)
{
	Oid			schema = lq_extension_schema();
	bool		found = false;
	CatCList   *list;

	list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
	for (int i = 0; i < list->n_members && !found; i++)
	{
		Form_pg_proc form;

		form = (Form_pg_proc) GETSTRUCT(&list->members[i]->tuple);
		found = form->pronamespace == schema &&
			(kind == '\0' || form->prokind == kind) &&
			lq_is_member(ProcedureRelationId, form->oid);
	}
	ReleaseCatCacheList(list);
	return found;
}

/*
 * The last n defaults of a function's parameters.
 */
static List *
function_defaults(Oid function, int n)
{
	HeapTuple	tuple;
	Datum		datum;
	bool		isnull;
	List	   *defaults;

	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	datum = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proargdefaults,
							&isnull);
	if (isnull)
		elog(ERROR, "function %u has no defaults", function);
	defaults = castNode(List, stringToNode(TextDatumGetCString(datum)));
	ReleaseSysCache(tuple);
	return list_copy_tail(defaults, list_length(defaults) - n);
}

Node *
lq_call_function(LqParse *parse, FuncCall *call)
{
	const char *name = strVal(llast(call->funcname));
	List	   *args = NIL;
	List	   *final = NIL;
	int			nargs = 0;
	Oid			argtypes[FUNC_MAX_ARGS];
	FuncCandidateList chosen;
	FuncExpr   *expr;
	ListCell   *lc;

	if (lq_is_our_function(name, PROKIND_AGGREGATE) ||
		call->agg_order || call->agg_filter || call->over ||
		call->agg_star || call->agg_distinct || call->agg_within_group)
		lq_refuse(parse, call->location,
				  "Aggregate and window functions are not allowed.", NULL);

	if (list_length(call->args) > FUNC_MAX_ARGS)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_ARGUMENTS),
				 errmsg("cannot pass more than %d arguments to a function",
						FUNC_MAX_ARGS),
				 parser_errposition(parse->pstate, call->location)));
	foreach(lc, call->args)
	{
		Node	   *arg = (Node *) lfirst(lc);

		if (IsA(arg, NamedArgExpr))
			lq_refuse(parse, exprLocation(arg),
					  "Named arguments are not allowed.",
					  "Give the arguments by position.");
		arg = transformExpr(parse->pstate, arg, parse->pstate->p_expr_kind);
		argtypes[nargs++] = exprType(arg);
		args = lappend(args, arg);
	}

	chosen = choose(parse, nargs, argtypes,
					function_candidates(name, nargs, call->func_variadic),
					call->funcname, call->location);
	if (chosen == NULL)
	{
		/* a function of the server, perhaps; else it raises the error */
		return ParseFuncOrColumn(parse->pstate, call->funcname, args,
								 parse->pstate->p_last_srf, call, false,
								 call->location);
	}

	foreach(lc, args)
	{
		int			i = foreach_current_index(lc);

		final = lappend(final, coerce_argument(parse, (Node *) lfirst(lc),
											   chosen->args[i]));
	}
	if (chosen->nvargs > 0)
	{
		ArrayExpr  *array = makeNode(ArrayExpr);

		array->elements = list_copy_tail(final, nargs - chosen->nvargs);
		array->element_typeid = chosen->args[nargs - 1];
		array->array_typeid = get_array_type(array->element_typeid);
		array->location = exprLocation((Node *) array->elements);
		final = lappend(list_truncate(final, nargs - chosen->nvargs), array);
	}
	else if (chosen->ndargs > 0)
	{
		List	   *defaults = function_defaults(chosen->oid, chosen->ndargs);

		/* what is wrong with one is wrong with the call */
		foreach(lc, defaults)
		{
			if (IsA(lfirst(lc), FuncExpr))
				lfirst_node(FuncExpr, lc)->location = call->location;
		}
		final = list_concat(final, defaults);
	}

	expr = makeNode(FuncExpr);
	expr->funcid = chosen->oid;
	expr->funcresulttype = get_func_rettype(chosen->oid);
	expr->funcretset = get_func_retset(chosen->oid);
	expr->funcvariadic = chosen->nvargs > 0 ||
		(call->func_variadic && OidIsValid(get_func_variadictype(chosen->oid)));
	expr->funcformat = COERCE_EXPLICIT_CALL;
	expr->args = final;
	expr->location = call->location;
	return (Node *) expr;
}
