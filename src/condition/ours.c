/*
 * ours.c
 *		Brings functions, operators and types of the extension into the
 *		analysis of a condition.
 *
 * A condition is analysed with pg_catalog alone on the search path, so that
 * no function or operator that somebody planted can take part.  What is ours
 * cannot be found that way; members.c finds it.
 *
 * The argument types are known only in the midst of analysis.  Before it,
 * each call that may be ours is set aside and a parameter put in its place;
 * when the parser comes upon the parameter it calls lq_ours_transform().
 */
#include "postgres.h"

#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_expr.h"
#include "parser/parse_type.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "condition/allow.h"
#include "condition/members.h"
#include "condition/ours.h"
#include "condition/parse_state.h"

/* an expression set aside */
typedef struct Delayed
{
	Node	   *raw;
	Node	   *done;			/* once analysed */
} Delayed;

/*
 * Keep an expression for lq_ours_transform() and turn the node itself into a
 * reference to it: its parent need not be known, and no node that can stand
 * here is smaller.
 */
static Delayed *
delay(LqParse *parse, Node *node, Size size, int location)
{
	Delayed    *delayed = palloc0(sizeof(Delayed));
	ParamRef   *ref = (ParamRef *) node;

	Assert(size >= sizeof(ParamRef));
	delayed->raw = palloc(size);
	memcpy(delayed->raw, node, size);
	parse->delayed = lappend(parse->delayed, delayed);

	memset(node, 0, size);
	ref->type = T_ParamRef;
	ref->number = list_length(parse->delayed);
	ref->location = location;
	return delayed;
}

/*
 * A raw node that stands for an expression which is analysed already.
 */
static Node *
analysed(LqParse *parse, Node *node)
{
	Delayed    *delayed = palloc0(sizeof(Delayed));
	ParamRef   *ref = makeNode(ParamRef);

	delayed->done = node;
	parse->delayed = lappend(parse->delayed, delayed);
	ref->number = list_length(parse->delayed);
	ref->location = exprLocation(node);
	return (Node *) ref;
}

static bool
is_row(Node *node)
{
	return node != NULL && IsA(node, RowExpr);
}

static void
note_alone(LqParse *parse, Node *node)
{
	if (IsA(node, ColumnRef))
		parse->alone = lappend_int(parse->alone,
								   ((ColumnRef *) node)->location);
}

/*
 * Write type names out, note the string literals and the columns that stand
 * alone, set calls aside.
 */
static bool
prepare_walker(Node *node, void *context)
{
	LqParse    *parse = (LqParse *) context;

	if (node == NULL)
		return false;

	switch (nodeTag(node))
	{
		case T_SubLink:
			lq_refuse(parse, ((SubLink *) node)->location,
					  "Subqueries are not allowed.",
					  "For membership in a set of values keep a list: country = ANY (list.target_countries).");
			break;

		case T_ParamRef:
			lq_refuse(parse, ((ParamRef *) node)->location,
					  "Parameters are not allowed.", NULL);
			break;

		case T_A_Const:
			if (!((A_Const *) node)->isnull &&
				IsA(&((A_Const *) node)->val, String))
				parse->strings = lappend(parse->strings, node);
			return false;

		case T_TypeCast:
			note_alone(parse, ((TypeCast *) node)->arg);
			break;

		case T_NullTest:
			note_alone(parse, (Node *) ((NullTest *) node)->arg);
			break;

		case T_TypeName:
			{
				TypeName   *type = (TypeName *) node;
				char	   *name;
				Oid			oid;
				Type		found;

				if (list_length(type->names) == 1)
				{
					name = strVal(linitial(type->names));
					oid = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
										  CStringGetDatum(name),
										  ObjectIdGetDatum(lq_extension_schema()));
					if (OidIsValid(oid) && lq_is_member(TypeRelationId, oid) &&
						!SearchSysCacheExists2(TYPENAMENSP,
											   CStringGetDatum(name),
											   ObjectIdGetDatum(PG_CATALOG_NAMESPACE)))
						type->names = list_make2(makeString(parse->schema),
												 linitial(type->names));
				}

				/* before the input function gets to see a literal */
				found = LookupTypeName(parse->pstate, type, NULL, true);
				if (found != NULL)
				{
					lq_allow_cast_to(parse, typeTypeId(found),
									 type->location);
					ReleaseSysCache(found);
				}
				break;
			}

		case T_A_Expr:
			{
				A_Expr	   *a = (A_Expr *) node;

				switch (a->kind)
				{
					case AEXPR_OP:
					case AEXPR_OP_ANY:
					case AEXPR_OP_ALL:
					case AEXPR_DISTINCT:
					case AEXPR_NOT_DISTINCT:
					case AEXPR_NULLIF:
					case AEXPR_IN:
					case AEXPR_BETWEEN:
					case AEXPR_NOT_BETWEEN:
					case AEXPR_BETWEEN_SYM:
					case AEXPR_NOT_BETWEEN_SYM:
						if (a->lexpr != NULL && !is_row(a->lexpr) &&
							!is_row(a->rexpr) && lq_name_may_be_ours(parse,
																	 a->name))
							node = delay(parse, node, sizeof(A_Expr),
										 a->location)->raw;
						break;
					default:
						break;
				}
				break;
			}

		case T_FuncCall:
			{
				FuncCall   *call = (FuncCall *) node;

				if (lq_name_may_be_ours(parse, call->funcname) &&
					lq_is_our_function(strVal(llast(call->funcname)), '\0'))
					node = delay(parse, node, sizeof(FuncCall),
								 call->location)->raw;
				break;
			}

		default:
			break;
	}
	return raw_expression_tree_walker(node, prepare_walker, context);
}

void
lq_ours_prepare(LqParse *parse, Node *raw)
{
	(void) prepare_walker(raw, parse);
}

static Node *
transform(LqParse *parse, Node *raw)
{
	return transformExpr(parse->pstate, raw, parse->pstate->p_expr_kind);
}

/*
 * An expression that was set aside for its operator.
 */
static Node *
transform_operator(LqParse *parse, A_Expr *a)
{
	Node	   *left = transform(parse, a->lexpr);
	Node	   *right;
	Node	   *node = NULL;
	A_Expr	   *plain;

	switch (a->kind)
	{
		case AEXPR_OP:
		case AEXPR_OP_ANY:
		case AEXPR_OP_ALL:
			right = transform(parse, a->rexpr);
			if (a->kind == AEXPR_OP)
				node = lq_operate(parse, a->name, left, right, a->location);
			else
				node = lq_operate_array(parse, a, left, right);
			if (node)
				return node;
			break;

		case AEXPR_DISTINCT:
		case AEXPR_NOT_DISTINCT:
		case AEXPR_NULLIF:
			right = transform(parse, a->rexpr);
			if (lq_is_our_type(exprType(left)) || lq_is_our_type(exprType(right)))
				lq_refuse(parse, a->location,
						  psprintf("%s cannot be written with the schema of its operator, which type %s needs.",
								   a->kind == AEXPR_NULLIF ? "NULLIF" :
								   "IS DISTINCT FROM",
								   format_type_be(exprType(lq_is_our_type(exprType(left)) ?
														   left : right))),
						  "Say it with =, <> and IS NULL.");
			break;

		case AEXPR_IN:
			if (lq_is_our_type(exprType(left)))
			{
				List	   *tests = NIL;
				ListCell   *lc;

				foreach(lc, castNode(List, a->rexpr))
				{
					right = transform(parse, (Node *) lfirst(lc));
					tests = lappend(tests, lq_must_operate(parse, "=",
														   copyObject(left),
														   right, a->location));
				}
				if (list_length(tests) == 1)
					node = linitial(tests);
				else
					node = (Node *) makeBoolExpr(OR_EXPR, tests, a->location);
				if (strcmp(strVal(llast(a->name)), "<>") == 0)
					node = (Node *) makeBoolExpr(NOT_EXPR, list_make1(node),
												 a->location);
				return node;
			}
			right = a->rexpr;
			if (strcmp(strVal(llast(a->name)), "<>") == 0)
			{
				/* one expression, as a person wrote it, and not a chain */
				plain = makeNode(A_Expr);
				*plain = *a;
				plain->name = list_make1(makeString("="));
				plain->lexpr = analysed(parse, left);
				node = transform(parse, (Node *) plain);
				return (Node *) makeBoolExpr(NOT_EXPR, list_make1(node),
											 a->location);
			}
			break;

		default:				/* BETWEEN and its variants */
			if (lq_is_our_type(exprType(left)))
			{
				List	   *bounds = castNode(List, a->rexpr);
				Node	   *low = transform(parse, linitial(bounds));
				Node	   *high = transform(parse, lsecond(bounds));
				List	   *ways = NIL;

				for (int way = 0; way < 2; way++)
				{
					Node	   *ge;
					Node	   *le;

					ge = lq_must_operate(parse, ">=", copyObject(left),
										 copyObject(way == 0 ? low : high),
										 a->location);
					le = lq_must_operate(parse, "<=", copyObject(left),
										 copyObject(way == 0 ? high : low),
										 a->location);
					ways = lappend(ways,
								   makeBoolExpr(AND_EXPR, list_make2(ge, le),
												a->location));
					if (a->kind == AEXPR_BETWEEN ||
						a->kind == AEXPR_NOT_BETWEEN)
						break;
				}
				if (list_length(ways) == 1)
					node = linitial(ways);
				else
					node = (Node *) makeBoolExpr(OR_EXPR, ways, a->location);
				if (a->kind == AEXPR_NOT_BETWEEN ||
					a->kind == AEXPR_NOT_BETWEEN_SYM)
					node = (Node *) makeBoolExpr(NOT_EXPR, list_make1(node),
												 a->location);
				return node;
			}
			right = a->rexpr;
			break;
	}

	/* not ours: let the server do it, without analysing operands twice */
	plain = makeNode(A_Expr);
	*plain = *a;
	plain->lexpr = analysed(parse, left);
	plain->rexpr = IsA(right, List) ? right : analysed(parse, right);
	return transform(parse, (Node *) plain);
}

/*
 * The parser came upon one of our parameters.
 */
Node *
lq_ours_transform(ParseState *pstate, ParamRef *ref)
{
	LqParse    *parse = (LqParse *) pstate->p_ref_hook_state;
	Delayed    *delayed;

	if (ref->number < 1 || ref->number > list_length(parse->delayed))
		return NULL;
	delayed = list_nth(parse->delayed, ref->number - 1);
	if (delayed->done == NULL)
	{
		if (IsA(delayed->raw, FuncCall))
			delayed->done = lq_call_function(parse, (FuncCall *) delayed->raw);
		else
			delayed->done = transform_operator(parse,
											   (A_Expr *) delayed->raw);
		return delayed->done;
	}

	/* the parser may copy a raw node, but expressions are never shared */
	return copyObject(delayed->done);
}
