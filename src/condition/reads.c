/*
 * reads.c
 *		What a condition reads, and who may be told of it.
 *
 * The message of an error quotes the value that it stumbled over.  It is seen
 * by whoever wrote the row or fired the trigger, who need not be allowed to
 * read what the condition reads.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "condition/reads.h"
#include "condition/scope.h"
#include "condition/source.h"

typedef struct ReadsContext
{
	const LqConditionScope *scope;
	List	   *reads;			/* of LqReads */
} ReadsContext;

/*
 * Note a column; 0 stands for the whole table.
 */
static void
note(ReadsContext *cxt, Oid relid, AttrNumber column)
{
	LqReads    *reads = NULL;
	ListCell   *lc;

	foreach(lc, cxt->reads)
		if (((LqReads *) lfirst(lc))->relid == relid)
		reads = lfirst(lc);
	if (reads == NULL)
	{
		reads = palloc0(sizeof(LqReads));
		reads->relid = relid;
		cxt->reads = lappend(cxt->reads, reads);
	}
	reads->columns = bms_add_member(reads->columns, column);
}

static bool
reads_walker(Node *node, void *context)
{
	ReadsContext *cxt = (ReadsContext *) context;
	Var		   *var = (Var *) node;
	Oid			relid;
	AttrNumber	column;

	if (node == NULL)
		return false;
	if (!IsA(node, Var))
		return expression_tree_walker(node, reads_walker, context);
	relid = lq_source_reads(cxt->scope, var, &column);
	note(cxt, relid, column);
	return false;
}

/*
 * What an analysed expression reads, a list of LqReads, with what was found
 * already.
 */
List *
lq_reads(const LqConditionScope *scope, Node *tree, List *reads)
{
	ReadsContext cxt = {scope, reads};

	(void) reads_walker(tree, &cxt);
	return cxt.reads;
}

/*
 * May the client read all of the table, in every row?
 */
bool
lq_may_read_table(Oid relid)
{
	Oid			role = GetOuterUserId();

	return pg_class_aclcheck(relid, role, ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relid, role, true) != RLS_ENABLED;
}

static bool
may_read_columns(Oid relid, Bitmapset *columns)
{
	Oid			role = GetOuterUserId();
	int			column = -1;

	while ((column = bms_next_member(columns, column)) >= 0)
		if (column == 0 ||
			pg_attribute_aclcheck(relid, column, role,
								  ACL_SELECT) != ACLCHECK_OK)
			return false;
	return check_enable_rls(relid, role, true) != RLS_ENABLED;
}

/*
 * May the client read all that was noted?
 */
bool
lq_may_read(const List *reads)
{
	ListCell   *lc;

	foreach(lc, reads)
	{
		const LqReads *read = (const LqReads *) lfirst(lc);

		if (!lq_may_read_table(read->relid) &&
			!may_read_columns(read->relid, read->columns))
			return false;
	}
	return true;
}
