/*
 * lead_table.c
 *		Leads that are rows of a table of the user's.
 *
 * A funnel that is attached to such a table has a view "lead" in the place of
 * a table.  The view gives the columns the names that a funnel knows them by,
 * and it is the only thing that does: so it follows whatever is renamed, and a
 * dump brings it back.  Statements go through the view; triggers and
 * conditions take the rows of the table apart, by the same names.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "nodes/primnodes.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/lead_table.h"
#include "funnel/tables.h"
#include "result.h"

PG_FUNCTION_INFO_V1(_lead_columns);

/* what the key is called in the view */
#define KEY_COLUMN "lead_id"

pg_noreturn static void
refuse_view(const char *funnel)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("view \"%s.lead\" does not show a table of leads",
					funnel),
			 errdetail("It does not show all rows of one table."),
			 errhint("It must be as create_funnel() made it.")));
}

/*
 * Name the columns of the table: as the view does, else by their own name; one
 * that the view gives to another column cannot be named.
 */
static char **
name_columns(TupleDesc desc, const Query *query, int base)
{
	char	  **names = palloc0(desc->natts * sizeof(char *));
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		const TargetEntry *target = lfirst_node(TargetEntry, lc);
		const Var  *var = (const Var *) target->expr;

		if (!target->resjunk && IsA(var, Var) && var->varno == base &&
			var->varattno > 0)
			names[var->varattno - 1] = pstrdup(target->resname);
	}
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);
		bool		taken = attr->attisdropped;

		if (names[i] != NULL)
			continue;
		foreach(lc, query->targetList)
			taken |= strcmp(lfirst_node(TargetEntry, lc)->resname,
							NameStr(attr->attname)) == 0;
		names[i] = taken ? "" : pstrdup(NameStr(attr->attname));
	}
	return names;
}

/* The query of the view, which shows every row of a table and may be written */
static Query *
query_of_view(const char *funnel, Relation view, int *base)
{
	Query	   *query = get_view_query(view);

	if (view_query_is_auto_updatable(query, false) != NULL ||
		query->jointree->quals != NULL)
		refuse_view(funnel);
	*base = linitial_node(RangeTblRef, query->jointree->fromlist)->rtindex;
	return query;
}

/* The table that the view shows. */
Oid
lq_lead_table_of_view(const char *funnel, Oid view)
{
	Relation	rel = relation_open(view, AccessShareLock);
	int			base;
	Query	   *query = query_of_view(funnel, rel, &base);
	Oid			relid = rt_fetch(base, query->rtable)->relid;

	relation_close(rel, AccessShareLock);
	return relid;
}

/*
 * The table that the view shows; its columns' names go into the funnel.  The
 * lock on it stays: the names are counted by its columns.
 */
Oid
lq_lead_table_find(LqFunnel *funnel, Oid view)
{
	Relation	rel = relation_open(view, AccessShareLock);
	int			base;
	Query	   *query = query_of_view(funnel->name, rel, &base);
	Oid			relid = rt_fetch(base, query->rtable)->relid;
	Relation	table = table_open(relid, AccessShareLock);

	funnel->lead_view = view;
	funnel->n_lead_names = RelationGetDescr(table)->natts;
	funnel->lead_names = name_columns(RelationGetDescr(table), query, base);
	table_close(table, NoLock);
	relation_close(rel, AccessShareLock);
	return relid;
}

/* The lead's column of that name, or InvalidAttrNumber. */
AttrNumber
lq_lead_attno(const LqFunnel *funnel, const char *name)
{
	if (funnel->lead_names == NULL)
		return get_attnum(funnel->relid[LQ_TABLE_LEAD], name);
	for (int i = 0; i < funnel->n_lead_names; i++)
		if (strcmp(funnel->lead_names[i], name) == 0)
			return i + 1;
	return InvalidAttrNumber;
}

/* What the key is called where statements read the leads. */
const char *
lq_lead_key_column(const LqFunnel *funnel)
{
	return OidIsValid(funnel->lead_view) ? KEY_COLUMN : funnel->key_name;
}

/*
 * _lead_columns(funnel text) - set of (relation regclass, attnum smallint,
 *										name name)
 *
 * The columns of a funnel's lead table, by the names that it knows them by.
 * It reads catalogs only, so that a funnel which cannot be used can be
 * detached.
 */
Datum
_lead_columns(PG_FUNCTION_ARGS)
{
	LqResult	result;
	LqFunnel	funnel = {0};
	Oid			schema;
	Oid			relid;
	Relation	table;

	lq_result_begin(&result, fcinfo);
	funnel.name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	schema = get_namespace_oid(funnel.name, false);
	relid = get_relname_relid("lead", schema);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("schema \"%s\" is not a funnel", funnel.name)));
	if (get_rel_relkind(relid) == RELKIND_VIEW)
		relid = lq_lead_table_find(&funnel, relid);

	table = relation_open(relid, AccessShareLock);
	for (int i = 0; i < RelationGetDescr(table)->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(RelationGetDescr(table), i);
		const char *name = attr->attisdropped ? "" :
		funnel.lead_names != NULL ? funnel.lead_names[i] :
		NameStr(attr->attname);
		NameData	column;

		if (*name == '\0')
			continue;
		namestrcpy(&column, name);
		lq_result_add(&result, ObjectIdGetDatum(relid));
		lq_result_add(&result, Int16GetDatum(attr->attnum));
		lq_result_add(&result, NameGetDatum(&column));
		lq_result_end_row(&result);
	}
	relation_close(table, AccessShareLock);
	return (Datum) 0;
}
