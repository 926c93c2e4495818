/*
 * source.c
 *		The columns that each family of names has in a scope.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "condition/pseudo.h"
#include "condition/scope.h"
#include "condition/source.h"

const char *
lq_source_name(const LqConditionScope *scope, LqSource source)
{
	if (source == LQ_SOURCE_ROW && scope->target == LQ_FOR_ACTIVITY)
		return "activity";
	return lq_families[source].name;
}

bool
lq_source_available(const LqConditionScope *scope, LqSource source)
{
	return (lq_families[source].targets & (1 << scope->target)) != 0;
}

static TupleDesc
table_desc(const LqConditionScope *scope, LqSource source)
{
	return source == LQ_SOURCE_ROW ? RelationGetDescr(scope->relation) :
		scope->table_desc[source];
}

/*
 * The pseudo-column that a column of the source is, counted from 0; NULL if
 * the source has fewer.
 */
static const LqPseudoColumn *
described(LqSource source, int i)
{
	for (int kind = 0; kind < LQ_N_PSEUDOS; kind++)
	{
		const LqPseudoColumn *column = &lq_pseudo_columns[kind];

		/* one stands for all columns of the others */
		if (column->source == source &&
			(lq_families[source].columns != LQ_COLUMNS_NAMED || i-- == 0))
			return column;
	}
	return NULL;
}

int
lq_source_n_columns(const LqConditionScope *scope, LqSource source)
{
	TupleDesc	desc;
	int			n = 0;

	switch (lq_families[source].columns)
	{
		case LQ_COLUMNS_OF_TABLE:
			desc = table_desc(scope, source);
			return desc == NULL ? 0 : desc->natts;
		case LQ_COLUMNS_LISTS:
			return scope->n_lists;
		case LQ_COLUMNS_RULES:
			return scope->n_rules;
		case LQ_COLUMNS_FRAMEWORKS:
			return scope->n_frameworks;
		case LQ_COLUMNS_NAMED:
			while (described(source, n) != NULL)
				n++;
			return n;
	}
	pg_unreachable();
}

/*
 * Name of a column, counted from 0; an empty one stands for a dropped column.
 */
const char *
lq_source_column_name(const LqConditionScope *scope, LqSource source, int i)
{
	Form_pg_attribute att;

	switch (lq_families[source].columns)
	{
		case LQ_COLUMNS_OF_TABLE:
			if (source == LQ_SOURCE_ROW && scope->column_names != NULL)
				return scope->column_names[i];
			att = TupleDescAttr(table_desc(scope, source), i);
			return att->attisdropped ? "" : NameStr(att->attname);
		case LQ_COLUMNS_LISTS:
			return scope->lists[i].name;
		case LQ_COLUMNS_RULES:
			return scope->rules[i].name;
		case LQ_COLUMNS_FRAMEWORKS:
			return scope->frameworks[i].name;
		case LQ_COLUMNS_NAMED:
			return described(source, i)->name;
	}
	pg_unreachable();
}

/*
 * The column, counted from 0, as an expression.
 */
Var *
lq_source_var(const LqConditionScope *scope, LqSource source, int i)
{
	Form_pg_attribute att;
	Oid			type;

	if (lq_families[source].columns == LQ_COLUMNS_OF_TABLE)
	{
		att = TupleDescAttr(table_desc(scope, source), i);
		return makeVar(source, i + 1, att->atttypid, att->atttypmod,
					   att->attcollation, 0);
	}
	type = lq_families[source].columns == LQ_COLUMNS_FRAMEWORKS ?
		scope->frameworks[i].type : described(source, i)->type;
	return makeVar(source, i + 1, type, -1, get_typcollation(type), 0);
}

/*
 * What such an expression stands for, if not for a column of the row.
 */
void
lq_source_pseudo(const LqConditionScope *scope, const Var *var,
				 LqPseudo *pseudo)
{
	LqColumns	columns = lq_families[var->varno].columns;

	memset(pseudo, 0, sizeof(LqPseudo));
	pseudo->kind = described(var->varno, var->varattno - 1) - lq_pseudo_columns;
	pseudo->type = var->vartype;
	pseudo->typlen = get_typlen(var->vartype);
	if (columns == LQ_COLUMNS_RULES)
		pseudo->rule_id = scope->rules[var->varattno - 1].rule_id;
	else if (columns == LQ_COLUMNS_OF_TABLE ||
			 columns == LQ_COLUMNS_FRAMEWORKS)
		pseudo->attno = var->varattno;
}

/*
 * The table that it is read from, and the column; 0 stands for all.
 */
Oid
lq_source_reads(const LqConditionScope *scope, const Var *var,
				AttrNumber *column)
{
	*column = 0;
	switch (lq_families[var->varno].columns)
	{
		case LQ_COLUMNS_OF_TABLE:
			*column = var->varattno;
			break;
		case LQ_COLUMNS_LISTS:
			break;
		case LQ_COLUMNS_RULES:
		case LQ_COLUMNS_NAMED:
		case LQ_COLUMNS_FRAMEWORKS:
			/* made of all that is known of the lead, or of several */
			return RelationGetRelid(scope->relation);
	}
	return var->varno == LQ_SOURCE_ROW ? RelationGetRelid(scope->relation) :
		scope->table[var->varno];
}
