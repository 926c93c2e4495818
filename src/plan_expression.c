/*
 * plan_expression.c
 *		An expression made ready to run, and what it depends on.
 *
 * The server's expression_planner_with_deps() is for expressions without
 * columns: since 19 it asks its range table, which it lacks, whether a column
 * that IS NULL can be null.  Here there is one, of relations that nothing is
 * known about: a row may come before its constraints are checked.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"

#include "plan_expression.h"

/* relations enough for the columns of an expression */
static List *
range_table(Expr *expr)
{
	int			n = bms_prev_member(pull_varnos(NULL, (Node *) expr), -1);
	List	   *table = NIL;

	while (list_length(table) < n)
	{
		RangeTblEntry *unknown = makeNode(RangeTblEntry);

		unknown->rtekind = RTE_RESULT;
		table = lappend(table, unknown);
	}
	return table;
}

Expr *
lq_plan_expression(Expr *expr, List **depends)
{
	PlannerGlobal glob = {.type = T_PlannerGlobal};
	Query		query = {.type = T_Query,.rtable = range_table(expr)};
	PlannerInfo root = {.type = T_PlannerInfo,.glob = &glob,.parse = &query};
	Node	   *planned = eval_const_expressions(&root, (Node *) expr);

	fix_opfuncids(planned);
	(void) extract_query_dependencies_walker(planned, &root);
	list_free_deep(query.rtable);
	*depends = glob.invalItems;
	return (Expr *) planned;
}
