/*
 * shape.c
 *		Proves that the tables of a funnel have the columns that the code reads.
 *
 * The tables are the user's, who may alter them, and anybody may put together
 * tables of these names.  The code takes values apart by their types, so a
 * column of another type, or a NULL where it expects none, would have it read
 * memory at an address of the user's choice.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "compat.h"
#include "funnel/funnel.h"
#include "funnel/statement.h"

/*
 * Columns of a table, each with its type (the codes of statement.c) and !
 * where it must be NOT NULL.  Keys of leads are checked by themselves.
 */
static const struct
{
	LqTable		table;
	const char *columns;
}			shapes[] =

{
	{LQ_TABLE_ACTIVITY, "occurred_at z!, kind t!, source t, campaign t,"
	" recorded_at z!"},
	{LQ_TABLE_ANSWER, "framework t!, element t!, level l!"},
	{LQ_TABLE_BASELINE, "scorecard c!"},
	{LQ_TABLE_DEAL, "deal_id I!, status t, amount n, home_amount n, reason t"},
	{LQ_TABLE_DEAL_CONTACT, "deal_id I!"},
	{LQ_TABLE_DEFINITION, "definition t!, version i, max_fit n,"
	" max_engagement n, floor n"},
	{LQ_TABLE_ELEMENT, "framework t!, element t!"},
	{LQ_TABLE_KIND, "kind t!, party t, touch B"},
	{LQ_TABLE_LIST, "list t!, value t!"},
	{LQ_TABLE_REASON, "reason t!, applies_to t!"},
	{LQ_TABLE_RULE, "rule_id I!, definition t!, name t!, axis t!, kind t,"
		" condition t, condition_sql t, points n!, half_life v, max_points n,"
	" max_hits i, per v, enabled B!, description t"},
	{LQ_TABLE_SETTING, "time_zone t!, lead_table r, lead_key a!"},
	{LQ_TABLE_STAGE, "stage t!, position i!, milestone t!, sla v, notify B!"},
	{LQ_TABLE_TRANSITION, "transition_id I!, definition t!, from_stage t,"
		" to_stage t!, automatic B!, after v, condition t, condition_sql t,"
	" needs_reason B!, exception B!, description t, reason t"},
};

static const char *const lead_shape =
"stage t!, stage_entered_at z, cycle i!, cycle_started_at z, accepted_by t,"
" accepted_at z, due_at z, review_at z, scorecard c, deals_open i!,"
" deals_won i!, deals_lost i!, won_amount n!, answers j!, bant b!, meddic m!,"
" resume_at z, reason t, note t, source t, campaign t, owner t, account_id I";

static void
check_column(const LqFunnel *funnel, LqTable table, const char *name,
			 Oid type, bool not_null)
{
	Oid			relid = funnel->relid[table];
	AttrNumber	attno = table == LQ_TABLE_LEAD ? lq_lead_attno(funnel, name) :
	get_attnum(relid, name);
	HeapTuple	tuple = attno == InvalidAttrNumber ? NULL :
	SearchSysCacheAttNum(relid, attno);
	Form_pg_attribute attr;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						name, get_rel_name(relid)),
				 errhint("The columns that create_funnel() made must keep their names.")));
	attr = (Form_pg_attribute) GETSTRUCT(tuple);
	/* a domain, or varchar for text, will do */
	if (!IsBinaryCoercible(getBaseType(attr->atttypid), getBaseType(type)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of relation \"%s\" is of type %s, not %s",
						name, get_rel_name(relid),
						format_type_be(attr->atttypid), format_type_be(type)),
				 errhint("The columns that create_funnel() made must keep their types.")));
	if (not_null && !attr->attnotnull)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of relation \"%s\" is not NOT NULL",
						name, get_rel_name(relid)),
				 errhint("The columns that create_funnel() made must keep their constraints.")));
	ReleaseSysCache(tuple);
}

static void
check_columns(const LqFunnel *funnel, LqTable table, const char *shape)
{
	char	   *columns = pstrdup(shape);
	char	   *rest = NULL;

	for (char *column = strtok_r(columns, ",", &rest);
		 column != NULL; column = strtok_r(NULL, ",", &rest))
	{
		char	   *name = column + strspn(column, " ");
		char	   *code = strchr(name, ' ');

		*code++ = '\0';
		check_column(funnel, table, name, lq_type_of_code(funnel, code[0]),
					 code[1] == '!');
	}
	pfree(columns);
}

/*
 * Raise unless the funnel's tables have the columns they were created with.
 */
void
lq_shape_check(const LqFunnel *funnel)
{
	for (int i = 0; i < lengthof(shapes); i++)
		check_columns(funnel, shapes[i].table, shapes[i].columns);
}

/*
 * The same for the leads, and for the columns that hold the key of one, once
 * it is known which table they are in and what the key is.
 */
void
lq_shape_check_leads(const LqFunnel *funnel)
{
	static const LqTable tables[] = {
		LQ_TABLE_ACTIVITY, LQ_TABLE_ANSWER, LQ_TABLE_BASELINE,
		LQ_TABLE_DEAL_CONTACT,
	};

	check_columns(funnel, LQ_TABLE_LEAD, lead_shape);
	check_column(funnel, LQ_TABLE_LEAD, lq_lead_key_column(funnel),
				 funnel->key_type, true);
	for (int i = 0; i < lengthof(tables); i++)
		check_column(funnel, tables[i], "lead_id", funnel->key_type, true);
}
