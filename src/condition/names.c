/*
 * names.c
 *		Columns and pseudo-columns of a condition.
 *
 * Each family of names is a range table entry with a list of columns, so that
 * the server's deparser writes them back.  No entry is ever read: compiling
 * replaces what does not come from the row (see eval.c).
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/heap.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/varlena.h"

#include "condition/internal.h"

/* names to offer in a hint, at most */
#define MAX_OFFERED		12

typedef struct NowColumn
{
	const char *name;
	LqPseudoKind kind;
	Oid			type;
} NowColumn;

static const NowColumn now_columns[] = {
	{"score", LQ_PSEUDO_SCORE, NUMERICOID},
	{"fit", LQ_PSEUDO_FIT, NUMERICOID},
	{"engagement", LQ_PSEUDO_ENGAGEMENT, NUMERICOID},
	{"last_activity", LQ_PSEUDO_LAST_ACTIVITY, TIMESTAMPTZOID},
	{"idle_days", LQ_PSEUDO_IDLE_DAYS, NUMERICOID},
	{"days_in_stage", LQ_PSEUDO_DAYS_IN_STAGE, NUMERICOID}
};

static const char *
source_name(const LqConditionScope *scope, LqSource source)
{
	switch (source)
	{
		case LQ_SOURCE_ROW:
			return scope->target == LQ_FOR_ACTIVITY ? "activity" : "lead";
		case LQ_SOURCE_LIST:
			return "list";
		case LQ_SOURCE_HITS:
			return "hits";
		case LQ_SOURCE_POINTS:
			return "points";
		case LQ_SOURCE_LAST:
			return "last";
		case LQ_SOURCE_ACCOUNT:
			return "account";
		case LQ_SOURCE_KIND:
			return "kind";
		case LQ_SOURCE_NOW:
			return "now";
	}
	pg_unreachable();
}

static const char *
target_name(LqConditionFor target)
{
	switch (target)
	{
		case LQ_FOR_FIT:
			return "a fit rule";
		case LQ_FOR_ACTIVITY:
			return "an engagement rule";
		case LQ_FOR_TRANSITION:
			return "a transition";
	}
	pg_unreachable();
}

static bool
source_available(const LqConditionScope *scope, LqSource source)
{
	switch (source)
	{
		case LQ_SOURCE_ROW:
		case LQ_SOURCE_LIST:
			return true;
		case LQ_SOURCE_ACCOUNT:
			return scope->target != LQ_FOR_ACTIVITY;
		case LQ_SOURCE_KIND:
			return scope->target == LQ_FOR_ACTIVITY;
		case LQ_SOURCE_HITS:
		case LQ_SOURCE_POINTS:
		case LQ_SOURCE_LAST:
		case LQ_SOURCE_NOW:
			return scope->target == LQ_FOR_TRANSITION;
	}
	pg_unreachable();
}

static TupleDesc
source_desc(const LqConditionScope *scope, LqSource source)
{
	switch (source)
	{
		case LQ_SOURCE_ROW:
			return RelationGetDescr(scope->relation);
		case LQ_SOURCE_ACCOUNT:
			return scope->account_desc;
		case LQ_SOURCE_KIND:
			return scope->kind_desc;
		default:
			return NULL;
	}
}

static int
source_n_columns(const LqConditionScope *scope, LqSource source)
{
	TupleDesc	desc = source_desc(scope, source);

	switch (source)
	{
		case LQ_SOURCE_LIST:
			return scope->n_lists;
		case LQ_SOURCE_HITS:
		case LQ_SOURCE_POINTS:
		case LQ_SOURCE_LAST:
			return scope->n_rules;
		case LQ_SOURCE_NOW:
			return lengthof(now_columns);
		default:
			return desc == NULL ? 0 : desc->natts;
	}
}

/*
 * Name of a column, counted from 0; an empty one stands for a dropped column.
 */
static const char *
column_name(const LqConditionScope *scope, LqSource source, int i)
{
	switch (source)
	{
		case LQ_SOURCE_LIST:
			return scope->lists[i].name;
		case LQ_SOURCE_HITS:
		case LQ_SOURCE_POINTS:
		case LQ_SOURCE_LAST:
			return scope->rules[i].name;
		case LQ_SOURCE_NOW:
			return now_columns[i].name;
		default:
			{
				Form_pg_attribute att;

				if (source == LQ_SOURCE_ROW && scope->column_names != NULL)
					return scope->column_names[i];
				att = TupleDescAttr(source_desc(scope, source), i);
				return att->attisdropped ? "" : NameStr(att->attname);
			}
	}
}

/*
 * The column as an expression, or NULL if the source has none of that name.
 */
static Node *
find_column(LqParse *parse, LqSource source, const char *name, int location)
{
	const LqConditionScope *scope = parse->scope;
	int			n = source_n_columns(scope, source);

	for (int i = 0; i < n; i++)
	{
		Oid			type;
		int32		typmod = -1;
		Oid			collation = InvalidOid;
		Var		   *var;

		if (*name == '\0' || strcmp(column_name(scope, source, i), name) != 0)
			continue;

		if (i >= PG_INT16_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many names for a condition")));
		switch (source)
		{
			case LQ_SOURCE_LIST:
				type = TEXTARRAYOID;
				collation = DEFAULT_COLLATION_OID;
				break;
			case LQ_SOURCE_HITS:
				type = INT8OID;
				break;
			case LQ_SOURCE_POINTS:
				type = NUMERICOID;
				break;
			case LQ_SOURCE_LAST:
				type = TIMESTAMPTZOID;
				break;
			case LQ_SOURCE_NOW:
				type = now_columns[i].type;
				break;
			default:
				{
					Form_pg_attribute att;

					att = TupleDescAttr(source_desc(scope, source), i);
					type = att->atttypid;
					typmod = att->atttypmod;
					collation = att->attcollation;
					break;
				}
		}

		var = makeVar(source, i + 1, type, typmod, collation, 0);
		var->location = location;
		lq_allow_column(parse, type, location);
		return (Node *) var;
	}
	return NULL;
}

/*
 * What a Var that does not come from the row or from a list stands for.
 */
void
lq_names_pseudo(const LqConditionScope *scope, const Var *var,
				LqPseudo *pseudo)
{
	memset(pseudo, 0, sizeof(LqPseudo));
	pseudo->type = var->vartype;
	pseudo->typmod = var->vartypmod;
	pseudo->typlen = get_typlen(var->vartype);
	pseudo->collation = var->varcollid;
	switch ((LqSource) var->varno)
	{
		case LQ_SOURCE_HITS:
			pseudo->kind = LQ_PSEUDO_HITS;
			pseudo->rule_id = scope->rules[var->varattno - 1].rule_id;
			break;
		case LQ_SOURCE_POINTS:
			pseudo->kind = LQ_PSEUDO_POINTS;
			pseudo->rule_id = scope->rules[var->varattno - 1].rule_id;
			break;
		case LQ_SOURCE_LAST:
			pseudo->kind = LQ_PSEUDO_LAST;
			pseudo->rule_id = scope->rules[var->varattno - 1].rule_id;
			break;
		case LQ_SOURCE_ACCOUNT:
			pseudo->kind = LQ_PSEUDO_ACCOUNT;
			pseudo->attno = var->varattno;
			break;
		case LQ_SOURCE_KIND:
			pseudo->kind = LQ_PSEUDO_KIND;
			pseudo->attno = var->varattno;
			break;
		case LQ_SOURCE_NOW:
			pseudo->kind = now_columns[var->varattno - 1].kind;
			break;
		default:
			elog(ERROR, "unexpected source of a pseudo-column: %d",
				 (int) var->varno);
	}
}

/*
 * A hint for a name that the source does not have: the one that is nearest in
 * spelling, or else all there are if they are few.
 */
static const char *
offer(const LqConditionScope *scope, LqSource source, const char *name)
{
	int			n = source_n_columns(scope, source);
	int			len = strlen(name);
	int			best = Max(1, len / 3) + 1;
	const char *nearest = NULL;
	int			n_named = 0;
	StringInfoData all;

	initStringInfo(&all);
	for (int i = 0; i < n; i++)
	{
		const char *known = column_name(scope, source, i);
		int			distance;

		if (*known == '\0')
			continue;
		if (n_named++ < MAX_OFFERED)
			appendStringInfo(&all, "%s%s", n_named == 1 ? "" : ", ",
							 quote_identifier(known));
		distance = varstr_levenshtein_less_equal(name, len,
												 known, strlen(known),
												 1, 1, 1, best, true);
		if (distance < best)
		{
			best = distance;
			nearest = known;
		}
	}

	if (nearest)
		return psprintf("Perhaps you meant \"%s.%s\".",
						source_name(scope, source), nearest);
	if (n_named == 0)
		return source == LQ_SOURCE_LIST ?
			"This funnel has no lists yet: insert the values into its table \"list\" first." :
			"There are none yet.";
	if (n_named <= MAX_OFFERED)
		return psprintf("There are: %s.", all.data);
	return NULL;
}

static void
unknown_name(LqParse *parse, LqSource source, const char *name, int location)
{
	const LqConditionScope *scope = parse->scope;
	const char *hint = offer(scope, source, name);

	switch (source)
	{
		case LQ_SOURCE_LIST:
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("list \"%s\" does not exist", name),
					 hint ? errhint("%s", hint) : 0,
					 parser_errposition(parse->pstate, location)));
			break;
		case LQ_SOURCE_HITS:
		case LQ_SOURCE_POINTS:
		case LQ_SOURCE_LAST:
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("rule \"%s\" does not exist in this definition",
							name),
					 hint ? errhint("%s", hint) : 0,
					 parser_errposition(parse->pstate, location)));
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column %s.%s does not exist",
							source_name(scope, source),
							quote_identifier(name)),
					 hint ? errhint("%s", hint) : 0,
					 parser_errposition(parse->pstate, location)));
	}
}

static void
not_available(LqParse *parse, const char *name, int location)
{
	LqConditionFor target = parse->scope->target;

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("\"%s\" is not available in the condition of %s",
					name, target_name(target)),
			 target == LQ_FOR_TRANSITION ? 0 :
			 strcmp(name, "kind") == 0 || strcmp(name, "account") == 0 ? 0 :
			 errdetail("Only the condition of a transition knows the score."),
			 parser_errposition(parse->pstate, location)));
}

/*
 * Resolve a column reference; the parser calls this for every one.
 */
static Node *
resolve_column(ParseState *pstate, ColumnRef *cref)
{
	LqParse    *parse = (LqParse *) pstate->p_ref_hook_state;
	const LqConditionScope *scope = parse->scope;
	int			location = cref->location;
	const char *name;
	const char *qualifier;
	Node	   *node;

	if (IsA(llast(cref->fields), A_Star))
		lq_refuse(parse, location, "A whole row is not allowed.",
				  "Name the column that is meant.");
	name = strVal(llast(cref->fields));

	if (list_length(cref->fields) == 1)
	{
		if (source_available(scope, LQ_SOURCE_NOW) &&
			(node = find_column(parse, LQ_SOURCE_NOW, name,
								location)) != NULL)
			return node;
		node = find_column(parse, LQ_SOURCE_ROW, name, location);
		if (node)
			return node;
		if (SystemAttributeByName(name) != NULL)
			lq_refuse(parse, location, "System columns are not allowed.",
					  NULL);
		if (find_column(parse, LQ_SOURCE_NOW, name, location) != NULL)
			not_available(parse, name, location);
		for (int source = 1; source <= LQ_N_SOURCES; source++)
		{
			if (strcmp(source_name(scope, source), name) == 0)
				lq_refuse(parse, location, "A whole row is not allowed.",
						  "Name the column that is meant.");
		}
		unknown_name(parse, LQ_SOURCE_ROW, name, location);
	}

	if (list_length(cref->fields) > 2)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("improper qualified name in a condition: %s",
						NameListToString(cref->fields)),
				 errhint("The columns of the row are \"%s.<column>\".",
						 source_name(scope, LQ_SOURCE_ROW)),
				 parser_errposition(pstate, location)));

	qualifier = strVal(linitial(cref->fields));
	for (int source = 1; source <= LQ_N_SOURCES; source++)
	{
		if (strcmp(source_name(scope, source), qualifier) != 0)
			continue;
		if (!source_available(scope, source))
			not_available(parse, qualifier, location);
		node = find_column(parse, source, name, location);
		if (node)
			return node;
		if (source == LQ_SOURCE_ROW && SystemAttributeByName(name) != NULL)
			lq_refuse(parse, location, "System columns are not allowed.",
					  NULL);
		if (source == LQ_SOURCE_LIST && scope->lists_empty)
			return (Node *) makeConst(TEXTARRAYOID, -1, DEFAULT_COLLATION_OID,
									  -1,
									  PointerGetDatum(construct_empty_array(TEXTOID)),
									  false, false);
		unknown_name(parse, source, name, location);
	}

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("there is no \"%s\" in the condition of %s",
					qualifier, target_name(scope->target)),
			 errhint("The columns of the row are \"%s.<column>\".",
					 source_name(scope, LQ_SOURCE_ROW)),
			 parser_errposition(pstate, location)));
}

/*
 * Set up the range table, and have the parser ask us about names.
 */
void
lq_names_begin(LqParse *parse)
{
	const LqConditionScope *scope = parse->scope;

	parse->rtable = NIL;
	parse->rtable_names = NIL;
	for (int source = 1; source <= LQ_N_SOURCES; source++)
	{
		RangeTblEntry *rte = makeNode(RangeTblEntry);
		int			n = 0;
		List	   *names = NIL;

		if (source_available(scope, source))
			n = source_n_columns(scope, source);
		for (int i = 0; i < n; i++)
			names = lappend(names,
							makeString(pstrdup(column_name(scope, source,
														   i))));

		rte->rtekind = RTE_NAMEDTUPLESTORE;
		rte->eref = makeAlias(source_name(scope, source), names);
		parse->rtable = lappend(parse->rtable, rte);
		parse->rtable_names = lappend(parse->rtable_names,
									  pstrdup(source_name(scope, source)));
	}
	parse->pstate->p_pre_columnref_hook = resolve_column;
}
