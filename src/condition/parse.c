/*
 * parse.c
 *		From the text of a condition to a checked expression, and back to its
 *		fully qualified text.
 *
 * Both forms, the one a person wrote and the one that is stored, go through
 * here and are checked alike: anybody who may edit the table may have edited
 * the stored form.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parser.h"
#include "rewrite/rewriteHandler.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "catalog.h"
#include "condition/allow.h"
#include "condition/names.h"
#include "condition/ours.h"
#include "condition/parse.h"
#include "condition/parse_state.h"
#include "condition/pseudo.h"
#include "condition/safe.h"
#include "condition/scope.h"
#include "stack.h"

/*
 * All settings that change what a text means or how an expression is written
 * down.  pg_temp last, for it would come first unless named.
 */
static const struct
{
	const char *name;
	const char *value;
}			fixed_settings[] =

{
	{"search_path", "pg_catalog, pg_temp"},
	{"TimeZone", "UTC"},
	{"timezone_abbreviations", "Default"},
	{"DateStyle", "ISO, MDY"},
	{"IntervalStyle", "postgres"},
	{"standard_conforming_strings", "on"},
	{"transform_null_equals", "off"},
	{"extra_float_digits", "1"},
	{"quote_all_identifiers", "off"},
	{"array_nulls", "on"},
	{"bytea_output", "hex"},
	{"lc_monetary", "C"},
	{"xmloption", "content"}
};

static int
fix_settings(void)
{
	int			level = NewGUCNestLevel();

	for (int i = 0; i < lengthof(fixed_settings); i++)
	{
		const char *name = fixed_settings[i].name;
		const char *value = fixed_settings[i].value;

		if (strcmp(GetConfigOption(name, false, false), value) != 0)
			(void) set_config_option(name, value,
									 PGC_USERSET, PGC_S_SESSION,
									 GUC_ACTION_SAVE, true, 0, false);
	}
	return level;
}

/*
 * The parser marks a place in the text it was given.  That is not the text
 * of the statement that the client sent: hand it on as an internal query.
 */
static void
error_callback(void *arg)
{
	LqParse    *parse = (LqParse *) arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		if (getinternalerrposition() == 0)
		{
			internalerrposition(position);
			internalerrquery(parse->text);
		}
	}
	if (parse->label)
		errcontext("condition of %s", parse->label);
}

void
lq_parse_begin(LqParse *parse, const char *text, const char *label,
			   LqConditionScope *scope)
{
	memset(parse, 0, sizeof(LqParse));
	parse->text = text;
	parse->label = label;
	parse->scope = scope;
	parse->schema = get_namespace_name(lq_extension_schema());
	parse->guc_level = fix_settings();

	parse->pstate = make_parsestate(NULL);
	parse->pstate->p_sourcetext = text;
	parse->pstate->p_ref_hook_state = parse;
	parse->pstate->p_paramref_hook = lq_ours_transform;
	lq_names_begin(parse);

	parse->callback.callback = error_callback;
	parse->callback.arg = parse;
	parse->callback.previous = error_context_stack;
	error_context_stack = &parse->callback;
}

/*
 * After an error there is nothing to do: the settings go with the
 * subtransaction, the callback with the stack.
 */
void
lq_parse_end(LqParse *parse)
{
	error_context_stack = parse->callback.previous;
	free_parsestate(parse->pstate);
	AtEOXact_GUC(true, parse->guc_level);
}

/*
 * The one expression that the text consists of.
 */
static Node *
raw_condition(LqParse *parse)
{
	ParseState *pstate = parse->pstate;
	const char *where = NULL;
	SelectStmt *select;
	ResTarget  *target;
	List	   *list;

	list = raw_parser(parse->text, RAW_PARSE_PLPGSQL_EXPR);
	if (list_length(list) != 1 ||
		!IsA(linitial_node(RawStmt, list)->stmt, SelectStmt))
		elog(ERROR, "unexpected result of parsing a condition");
	select = castNode(SelectStmt, linitial_node(RawStmt, list)->stmt);

	if (select->targetList == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a condition must be a boolean expression"),
				 errhint("Where there is no condition, write NULL.")));

	if (select->distinctClause)
		where = "DISTINCT";
	else if (select->intoClause)
		where = "INTO";
	else if (select->fromClause)
		where = "FROM";
	else if (select->whereClause)
		where = "WHERE";
	else if (select->groupClause)
		where = "GROUP BY";
	else if (select->havingClause)
		where = "HAVING";
	else if (select->windowClause)
		where = "WINDOW";
	else if (select->sortClause)
		where = "ORDER BY";
	else if (select->limitOffset || select->limitCount)
		where = "LIMIT";
	else if (select->lockingClause)
		where = "FOR UPDATE";
	else if (select->valuesLists)
		where = "VALUES";
	else if (select->withClause)
		where = "WITH";
	else if (select->op != SETOP_NONE)
		where = "UNION";
	if (where)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a condition must be a single boolean expression"),
				 errdetail("It has a clause %s.", where),
				 parser_errposition(pstate,
									exprLocation((Node *) select->targetList))));

	if (list_length(select->targetList) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a condition must be a single boolean expression"),
				 errhint("Combine conditions with AND."),
				 parser_errposition(pstate,
									exprLocation(lsecond(select->targetList)))));

	target = linitial_node(ResTarget, select->targetList);
	if (target->name || target->indirection)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a condition must be a single boolean expression"),
				 errdetail("It has a name, \"%s\".", target->name),
				 parser_errposition(pstate, target->location)));
	return target->val;
}

/*
 * The raw expression of a text that is known to be one, for a caller without
 * a parse of its own; NULL if it is none.
 */
Node *
lq_parse_raw(const char *text)
{
	List	   *list = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select;

	select = castNode(SelectStmt, linitial_node(RawStmt, list)->stmt);
	if (list_length(select->targetList) != 1)
		return NULL;
	return linitial_node(ResTarget, select->targetList)->val;
}

typedef bool (*IsFamily) (const char *name);

typedef struct Sought
{
	IsFamily	is_family;
	const char *name;
} Sought;

static bool
names_walker(Node *node, void *context)
{
	const Sought *sought = context;

	if (node == NULL)
		return false;
	if (IsA(node, ColumnRef))
	{
		List	   *fields = ((ColumnRef *) node)->fields;

		if (list_length(fields) != 2 || !IsA(lsecond(fields), String) ||
			strcmp(strVal(lsecond(fields)), sought->name) != 0)
			return false;
		return sought->is_family(strVal(linitial(fields)));
	}
	return raw_expression_tree_walker(node, names_walker, context);
}

static bool
names(const char *condition_sql, IsFamily is_family, const char *name)
{
	int			level = fix_settings();
	Sought		sought = {is_family, name};
	bool		result = names_walker(lq_parse_raw(condition_sql), &sought);

	AtEOXact_GUC(true, level);
	return result;
}

bool
lq_condition_text_names_rule(const char *condition_sql, const char *name)
{
	return names(condition_sql, lq_is_rule_family, name);
}

bool
lq_condition_text_names_list(const char *condition_sql, const char *name)
{
	return names(condition_sql, lq_is_list_family, name);
}

/*
 * An AND directly within an AND, as BETWEEN makes it, would be read back as
 * one: write it so from the start.
 */
static Node *
flatten_mutator(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	node = expression_tree_mutator(node, flatten_mutator, context);
	if (IsA(node, BoolExpr) && ((BoolExpr *) node)->boolop != NOT_EXPR)
	{
		BoolExpr   *expr = (BoolExpr *) node;
		List	   *args = NIL;
		ListCell   *lc;

		foreach(lc, expr->args)
		{
			BoolExpr   *arg = (BoolExpr *) lfirst(lc);

			if (IsA(arg, BoolExpr) && arg->boolop == expr->boolop)
				args = list_concat(args, arg->args);
			else
				args = lappend(args, arg);
		}
		expr->args = args;
	}
	return node;
}

/*
 * The analysed expression, checked.
 */
Node *
lq_parse_tree(LqParse *parse)
{
	Node	   *tree = raw_condition(parse);

	lq_ours_prepare(parse, tree);
	tree = transformExpr(parse->pstate, tree, EXPR_KIND_OTHER);
	tree = coerce_to_boolean(parse->pstate, tree, "condition");
	assign_expr_collations(parse->pstate, tree);
	lq_allow_check(parse, tree, -1);
	return flatten_mutator(tree, NULL);
}

/*
 * Generated columns
 *
 * A BEFORE trigger sees a row in which they are not computed yet; virtual ones
 * never are.  An activity's row comes from an AFTER trigger.
 */
static Node *
expand_mutator(Node *node, void *context)
{
	LqParse    *parse = (LqParse *) context;
	Relation	relation = parse->scope->relation;
	Var		   *var = (Var *) node;
	char		generated;
	Node	   *expr;

	if (node == NULL)
		return NULL;
	if (!IsA(node, Var))
		return expression_tree_mutator(node, expand_mutator, context);
	if (var->varno != LQ_SOURCE_ROW)
		return node;
	generated = TupleDescAttr(RelationGetDescr(relation),
							  var->varattno - 1)->attgenerated;
	if (generated == '\0' ||
		(generated == ATTRIBUTE_GENERATED_STORED &&
		 parse->scope->target == LQ_FOR_ACTIVITY))
		return node;

	expr = build_column_default(relation, var->varattno);
	if (expr == NULL)
		elog(ERROR, "no generation expression found for column number %d of table \"%s\"",
			 var->varattno, RelationGetRelationName(relation));
	lq_allow_check(parse, expr, var->location);
	return expr;
}

Node *
lq_parse_expand_generated(LqParse *parse, Node *tree)
{
	/* the columns in a generation expression are numbered like ours */
	StaticAssertStmt(LQ_SOURCE_ROW == 1, "the row is range table entry 1");

	return expand_mutator(tree, parse);
}

/*
 * The expression as text; not qualified, columns of the row and the score
 * stand alone, as a person would write them.
 */
char *
lq_parse_deparse(LqParse *parse, Node *tree, bool qualified)
{
	PlannedStmt *plan = makeNode(PlannedStmt);
	List	   *names = list_copy(parse->rtable_names);
	List	   *context;

	if (!qualified)
	{
		lfirst(list_nth_cell(names, LQ_SOURCE_ROW - 1)) = NULL;
		lfirst(list_nth_cell(names, LQ_SOURCE_NOW - 1)) = NULL;
	}
	plan->rtable = parse->rtable;
	context = deparse_context_for_plan_tree(plan, names);
	return deparse_expression(tree, context, true, false);
}

static char *
check(const char *condition, LqConditionScope *scope)
{
	LqParse		parse;
	Node	   *tree;
	char	   *qualified;
	char	   *again;

	lq_parse_begin(&parse, condition, NULL, scope);
	tree = lq_parse_tree(&parse);
	qualified = lq_parse_deparse(&parse, tree, true);

	/* errors that show when constants are folded belong to the writer */
	tree = lq_parse_expand_generated(&parse, tree);
	tree = (Node *) expression_planner((Expr *) tree);
	(void) lq_spared_up_to(tree);
	lq_parse_end(&parse);

	lq_parse_begin(&parse, qualified, NULL, scope);
	again = lq_parse_deparse(&parse, lq_parse_tree(&parse), true);
	lq_parse_end(&parse);
	if (strcmp(qualified, again) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("invalid condition"),
				 errdetail("It cannot be written down with all its names qualified: %s is read back as %s.",
						   qualified, again),
				 errhint("Add explicit type casts.")));
	return qualified;
}

/*
 * Check the text of a condition and return it with all names qualified;
 * raise if it is not one.  What is too deep for those who compile it later is
 * refused now.
 */
char *
lq_condition_check(const char *condition, LqConditionScope *scope)
{
	LqStack		stack;
	bool		portion = lq_stack_portion(&stack);
	char	   *result;

	PG_TRY();
	{
		result = check(condition, scope);
	}
	PG_FINALLY();
	{
		if (portion)
			lq_stack_give_back(&stack);
	}
	PG_END_TRY();
	return result;
}
