/*
 * allow.c
 *		What a condition may consist of.
 *
 * An allow-list.  Conditions run with the rights of the funnel's owner, on
 * whatever row anybody writes, and compiled ones are kept; so each part must
 * be immutable, and code that the server or this extension brought along.
 */
#include "postgres.h"

#include <ctype.h>

#include "access/transam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "utils/fmgroids.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/typcache.h"

#include "catalog.h"
#include "compat.h"
#include "condition/allow.h"
#include "condition/parse_state.h"

typedef struct AllowContext
{
	LqParse    *parse;
	int			location;		/* of the column whose generation expression
								 * is being walked; -1: of the node itself */
	Node	   *node;			/* whose functions are being checked */
} AllowContext;

void
lq_refuse(LqParse *parse, int location, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("invalid condition"),
			 errdetail_internal("%s", detail),
			 hint ? errhint("%s", hint) : 0,
			 parser_errposition(parse->pstate, location)));
}

static void
refuse(AllowContext *cxt, Node *node, const char *detail, const char *hint)
{
	lq_refuse(cxt->parse,
			  cxt->location >= 0 ? cxt->location : exprLocation(node),
			  detail, hint);
}

/*
 * Was the object there from the start?
 */
static bool
is_builtin(Oid object)
{
	return object < FirstGenbkiObjectId;
}

/*
 * Types whose values need no code but the server's and ours.
 */
static bool
type_allowed(Oid type)
{
	Oid			element;

	type = getBaseType(type);
	if (is_builtin(type))
		return true;
	element = get_element_type(type);
	if (OidIsValid(element))
		return type_allowed(element);
	return get_typtype(type) == TYPTYPE_ENUM ||
		lq_is_member(TypeRelationId, type);
}

/*
 * Why a function may not be used, and what to do instead.
 */
static const char *
mutable_hint(Oid function, Node *node)
{
	/* of ours, only the clock is not immutable and can be meant here */
	if (!is_builtin(function))
		function = F_NOW;

	switch (function)
	{
		case F_NOW:
		case F_TRANSACTION_TIMESTAMP:
		case F_STATEMENT_TIMESTAMP:
		case F_CLOCK_TIMESTAMP:
		case F_TIMEOFDAY:
			return "For the age of something use idle_days, days_in_stage or the half-life of a rule; for its order compare it with last.<rule>.";
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMPTZ_MI_INTERVAL:
			return "Subtract the two instants instead: a - b > '30 days'.";
		default:
			break;
	}
	if (IsA(node, CoerceViaIO) ||
		(IsA(node, FuncExpr) &&
		 ((FuncExpr *) node)->funcformat != COERCE_EXPLICIT_CALL))
	{
		TYPCATEGORY category = TypeCategory(getBaseType(exprType(node)));

		if (category == TYPCATEGORY_DATETIME)
			return "Such a cast depends on the settings of the session. Keep the value in a column of that type, or compare it as text.";
		if (category == TYPCATEGORY_STRING && IsA(node, CoerceViaIO))
			return "Its text depends on the settings of the session. Compare the value itself.";
	}
	return NULL;
}

static bool
check_function(Oid function, void *context)
{
	AllowContext *cxt = (AllowContext *) context;

	if (!is_builtin(function) && !lq_is_member(ProcedureRelationId, function))
		refuse(cxt, cxt->node,
			   psprintf("Function %s is neither built in nor part of lead_qual.",
						format_procedure_qualified(function)),
			   NULL);
	if (func_volatile(function) != PROVOLATILE_IMMUTABLE)
		refuse(cxt, cxt->node,
			   psprintf("Function %s is %s: what it answers does not follow from its arguments alone.",
						format_procedure(function),
						func_volatile(function) == PROVOLATILE_STABLE ?
						"stable" : "volatile"),
			   mutable_hint(function, cxt->node));
	return false;
}

/*
 * What an array, a range or a multirange is made of; invalid of other types.
 */
static Oid
part_of(Oid type)
{
	Oid			part = get_element_type(type);

	if (!OidIsValid(part))
		part = get_range_subtype(type);
	if (!OidIsValid(part))
		part = get_multirange_range(type);
	return part;
}

/*
 * A date or time, or an array or a range of them?
 */
static bool
is_datetime(Oid type)
{
	Oid			part;

	type = getBaseType(type);
	if (TypeCategory(type) == TYPCATEGORY_DATETIME)
		return true;
	part = part_of(type);
	return OidIsValid(part) && is_datetime(part);
}

/*
 * Does a literal contain a word that means another instant each day?
 */
static const char *
special_word(const char *literal)
{
	static const char *const words[] = {
		"now", "today", "tomorrow", "yesterday"
	};

	while (*literal)
	{
		size_t		len = 0;

		while (isalpha((unsigned char) literal[len]))
			len++;
		for (int i = 0; len > 0 && i < lengthof(words); i++)
		{
			if (strlen(words[i]) == len &&
				pg_strncasecmp(literal, words[i], len) == 0)
				return words[i];
		}
		literal += Max(len, 1);
	}
	return NULL;
}

/*
 * The input function has already turned 'now' into an instant; look at what
 * stands in the text.
 */
static void
check_literal(AllowContext *cxt, Const *con)
{
	ListCell   *lc;

	if (con->constisnull || con->location < 0 || !is_datetime(con->consttype))
		return;
	foreach(lc, cxt->parse->strings)
	{
		A_Const    *raw = (A_Const *) lfirst(lc);
		const char *word;

		if (raw->location != con->location)
			continue;
		word = special_word(strVal(&raw->val));
		if (word)
			refuse(cxt, (Node *) con,
				   psprintf("\"%s\" would mean the day on which the rule was written, for ever.",
							word),
				   "For the age of something use idle_days, days_in_stage or the half-life of a rule; for a date write it out.");
	}
}

/*
 * Two collations that contradict each other are found by the server only when
 * a row is compared.
 */
static void
check_collation(AllowContext *cxt, Node *node)
{
	Oid			collation = exprInputCollation(node);
	List	   *args = NIL;
	ListCell   *lc;

	if (IsA(node, CollateExpr))
		collation = ((CollateExpr *) node)->collOid;
	if (OidIsValid(collation))
	{
		if (collation >= FirstNormalObjectId)
			refuse(cxt, node,
				   psprintf("Collation %s is not built in.",
							quote_identifier(get_collation_name(collation))),
				   "Add COLLATE with a built-in collation, such as COLLATE \"C\".");
		return;
	}

	if (IsA(node, OpExpr) || IsA(node, DistinctExpr) || IsA(node, NullIfExpr))
		args = ((OpExpr *) node)->args;
	else if (IsA(node, FuncExpr))
		args = ((FuncExpr *) node)->args;
	else if (IsA(node, ScalarArrayOpExpr))
		args = ((ScalarArrayOpExpr *) node)->args;
	else if (IsA(node, MinMaxExpr))
		args = ((MinMaxExpr *) node)->args;
	foreach(lc, args)
	{
		if (OidIsValid(exprCollation((Node *) lfirst(lc))))
			ereport(ERROR,
					(errcode(ERRCODE_INDETERMINATE_COLLATION),
					 errmsg("could not determine which collation to use in a condition"),
					 errhint("Use the COLLATE clause to set the collation explicitly."),
					 parser_errposition(cxt->parse->pstate,
										cxt->location >= 0 ? cxt->location :
										exprLocation(node))));
	}
}

/*
 * A column of any type may be cast explicitly, or tested for NULL: neither
 * runs code of its type.
 */
static bool
type_does_not_matter(Node *parent)
{
	if (IsA(parent, NullTest))
		return IsA(((NullTest *) parent)->arg, Var);
	if (IsA(parent, RelabelType))
		return ((RelabelType *) parent)->relabelformat == COERCE_EXPLICIT_CAST &&
			IsA(((RelabelType *) parent)->arg, Var);
	return false;
}

static bool
allow_walker(Node *node, void *context)
{
	AllowContext *cxt = (AllowContext *) context;

	if (node == NULL)
		return false;

	switch (nodeTag(node))
	{
		case T_List:
		case T_CaseWhen:
			return expression_tree_walker(node, allow_walker, context);

		case T_Const:
			check_literal(cxt, (Const *) node);
			break;

		case T_FuncExpr:
			if (((FuncExpr *) node)->funcretset)
				refuse(cxt, node, "Set-returning functions are not allowed.",
					   NULL);
			break;

		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			if (((OpExpr *) node)->opretset)
				refuse(cxt, node, "Set-returning functions are not allowed.",
					   NULL);
			break;

		case T_CoerceToDomain:
			if (lq_domain_has_constraints(((CoerceToDomain *) node)->resulttype))
				refuse(cxt, node,
					   psprintf("Domain %s has constraints.",
								format_type_be(((CoerceToDomain *) node)->resulttype)),
					   "Cast to its base type instead.");
			break;

		case T_Var:
		case T_ScalarArrayOpExpr:
		case T_BoolExpr:
		case T_CaseExpr:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_MinMaxExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_RelabelType:
		case T_CollateExpr:
		case T_CoerceViaIO:
		case T_ArrayCoerceExpr:
		case T_ArrayExpr:
		case T_SubscriptingRef:
			break;

		case T_Aggref:
		case T_GroupingFunc:
			refuse(cxt, node, "Aggregate functions are not allowed.", NULL);
			break;
		case T_WindowFunc:
			refuse(cxt, node, "Window functions are not allowed.", NULL);
			break;
		case T_SQLValueFunction:
			refuse(cxt, node,
				   TypeCategory(exprType(node)) == TYPCATEGORY_DATETIME ?
				   "The clock is not an argument of a condition." :
				   "What depends on the session is not allowed.",
				   TypeCategory(exprType(node)) == TYPCATEGORY_DATETIME ?
				   mutable_hint(F_NOW, node) : NULL);
			break;
		default:
			refuse(cxt, node,
				   "Only columns, constants, operators, functions, casts, arrays, subscripts, CASE, COALESCE, NULLIF, GREATEST, LEAST and tests with IS are allowed.",
				   NULL);
	}

	/* the innermost cause first */
	if (!type_does_not_matter(node))
		(void) expression_tree_walker(node, allow_walker, context);

	if (!type_allowed(exprType(node)))
		refuse(cxt, node,
			   psprintf("Type %s is neither built in nor part of lead_qual.",
						format_type_be(exprType(node))),
			   IsA(node, Var) ? "Cast it explicitly to a built-in type." :
			   NULL);
	cxt->node = node;
	(void) check_functions_in_node(node, check_function, context);
	check_collation(cxt, node);
	return false;
}

/*
 * Raise unless a value may be cast to the type.  Even reading a literal of an
 * array or a composite type runs the constraints of the domains in it.
 */
void
lq_allow_cast_to(LqParse *parse, Oid type, int location)
{
	Oid			element = get_element_type(getBaseType(type));

	if (!type_allowed(type))
		lq_refuse(parse, location,
				  psprintf("Type %s is neither built in nor part of lead_qual.",
						   format_type_be(type)),
				  NULL);
	if (OidIsValid(element))
		lq_allow_cast_to(parse, element, location);
	if (get_typtype(type) == TYPTYPE_DOMAIN && lq_domain_has_constraints(type))
		lq_refuse(parse, location,
				  psprintf("Domain %s has constraints.", format_type_be(type)),
				  "Cast to its base type instead.");
}

static bool is_checked(Oid type);

/*
 * Does it take code of the user's to make a value of the type of a literal?
 * The constraints of the domain itself are not meant: operators take its base
 * type.  Those of the domains in it are checked when it is read.
 */
static bool
reading_runs_code(Oid type)
{
	Oid			part;

	type = getBaseType(type);
	if (get_typtype(type) == TYPTYPE_COMPOSITE)
		return true;
	part = part_of(type);
	return OidIsValid(part) && is_checked(part);
}

static bool
is_checked(Oid type)
{
	if (get_typtype(type) == TYPTYPE_DOMAIN && lq_domain_has_constraints(type))
		return true;
	return reading_runs_code(type);
}

/*
 * Raise unless a column of the type may meet others in an expression: what is
 * compared with it would be made a value of its type at once, before anything
 * is known of the whole.  A cast or a test for NULL takes the column alone.
 */
void
lq_allow_column(LqParse *parse, Oid type, int location)
{
	if (list_member_int(parse->alone, location) || !reading_runs_code(type))
		return;
	lq_refuse(parse, location,
			  psprintf(type_allowed(type) ?
					   "To read a value of type %s runs code that is neither built in nor part of lead_qual." :
					   "Type %s is neither built in nor part of lead_qual.",
					   format_type_be(type)),
			  "Cast it explicitly to a built-in type.");
}

/*
 * Raise unless the analysed expression is allowed.  For an expression that
 * does not stand in the text, location is that of the column it stands for.
 */
void
lq_allow_check(LqParse *parse, Node *tree, int location)
{
	AllowContext cxt;

	cxt.parse = parse;
	cxt.location = location;
	cxt.node = NULL;
	(void) allow_walker(tree, &cxt);
}
