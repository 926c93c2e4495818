/*
 * names.c
 *		Columns and pseudo-columns in the text of a condition.
 *
 * Each family of names is a range table entry with a list of columns, so that
 * the server's deparser writes them back.  No entry is ever read: compiling
 * replaces what does not come from the row (see eval.c).
 */
#include "postgres.h"

#include "catalog/heap.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "condition/allow.h"
#include "condition/names.h"
#include "condition/parse_state.h"
#include "condition/pseudo.h"
#include "condition/scope.h"
#include "condition/source.h"

/* names to offer in a hint, at most */
#define MAX_OFFERED		12

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

/*
 * The column as an expression, or NULL if the source has none of that name.
 */
static Node *
find_column(LqParse *parse, LqSource source, const char *name, int location)
{
	const LqConditionScope *scope = parse->scope;
	int			n = lq_source_n_columns(scope, source);

	for (int i = 0; i < n; i++)
	{
		Var		   *var;

		if (*name == '\0' ||
			strcmp(lq_source_column_name(scope, source, i), name) != 0)
			continue;

		if (i >= PG_INT16_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many names for a condition")));
		var = lq_source_var(scope, source, i);
		var->location = location;
		lq_allow_column(parse, var->vartype, location);
		return (Node *) var;
	}
	return NULL;
}

/*
 * The list, which has no values any more: it is one like the others.
 */
static Node *
empty_list(LqParse *parse, const char *name, int location)
{
	LqConditionScope *scope = parse->scope;
	RangeTblEntry *rte = list_nth(parse->rtable, LQ_SOURCE_LIST - 1);
	LqNamedList *lists = palloc((scope->n_lists + 1) * sizeof(LqNamedList));

	for (int i = 0; i < scope->n_lists; i++)
		lists[i] = scope->lists[i];
	lists[scope->n_lists].name = pstrdup(name);
	lists[scope->n_lists].values = NULL;
	scope->lists = lists;
	scope->n_lists++;
	rte->eref->colnames = lappend(rte->eref->colnames,
								  makeString(pstrdup(name)));
	return find_column(parse, LQ_SOURCE_LIST, name, location);
}

/*
 * A hint for a name that the source does not have: the one that is nearest in
 * spelling, or else all there are if they are few.
 */
static const char *
offer(const LqConditionScope *scope, LqSource source, const char *name)
{
	int			n = lq_source_n_columns(scope, source);
	int			len = strlen(name);
	int			best = Max(1, len / 3) + 1;
	const char *nearest = NULL;
	int			n_named = 0;
	StringInfoData all;

	initStringInfo(&all);
	for (int i = 0; i < n; i++)
	{
		const char *known = lq_source_column_name(scope, source, i);
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
						lq_source_name(scope, source), nearest);
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

	switch (lq_families[source].columns)
	{
		case LQ_COLUMNS_LISTS:
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("list \"%s\" does not exist", name),
					 hint ? errhint("%s", hint) : 0,
					 parser_errposition(parse->pstate, location)));
			break;
		case LQ_COLUMNS_RULES:
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("rule \"%s\" does not exist in this definition",
							name),
					 hint ? errhint("%s", hint) : 0,
					 parser_errposition(parse->pstate, location)));
			break;
		case LQ_COLUMNS_OF_TABLE:
		case LQ_COLUMNS_NAMED:
		case LQ_COLUMNS_FRAMEWORKS:
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column %s.%s does not exist",
							lq_source_name(scope, source),
							quote_identifier(name)),
					 hint ? errhint("%s", hint) : 0,
					 parser_errposition(parse->pstate, location)));
	}
}

static void
not_available(LqParse *parse, LqSource source, const char *name, int location)
{
	LqConditionFor target = parse->scope->target;
	bool		of_transition = lq_families[source].targets ==
	(1 << LQ_FOR_TRANSITION);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("\"%s\" is not available in the condition of %s",
					name, target_name(target)),
			 !of_transition ? 0 :
			 lq_families[source].columns == LQ_COLUMNS_FRAMEWORKS ?
			 errdetail("Only the condition of a transition knows the answers of the account.") :
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
	LqSource	family = 0;
	LqSource	elsewhere = 0;
	Node	   *node;

	if (IsA(llast(cref->fields), A_Star))
		lq_refuse(parse, location, "A whole row is not allowed.",
				  "Name the column that is meant.");
	name = strVal(llast(cref->fields));

	if (list_length(cref->fields) == 1)
	{
		if (lq_source_available(scope, LQ_SOURCE_NOW) &&
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
			not_available(parse, LQ_SOURCE_NOW, name, location);
		for (int source = 1; source <= LQ_N_SOURCES; source++)
		{
			if (strcmp(lq_source_name(scope, source), name) == 0)
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
						 lq_source_name(scope, LQ_SOURCE_ROW)),
				 parser_errposition(pstate, location)));

	qualifier = strVal(linitial(cref->fields));
	for (int source = 1; source <= LQ_N_SOURCES; source++)
	{
		if (strcmp(lq_source_name(scope, source), qualifier) != 0)
			continue;
		node = find_column(parse, source, name, location);
		family = source;
		if (node && lq_source_available(scope, source))
			return node;
		if (node)
			elsewhere = source;
	}

	if (elsewhere != 0 && lq_source_available(scope, family))
		not_available(parse, elsewhere, psprintf("%s.%s", qualifier, name),
					  location);
	if (family != 0)
	{
		if (!lq_source_available(scope, family))
			not_available(parse, family, qualifier, location);
		if (family == LQ_SOURCE_ROW && SystemAttributeByName(name) != NULL)
			lq_refuse(parse, location, "System columns are not allowed.",
					  NULL);
		if (family == LQ_SOURCE_LIST && scope->list_was(scope->list_arg, name))
			return empty_list(parse, name, location);
		unknown_name(parse, family, name, location);
	}

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("there is no \"%s\" in the condition of %s",
					qualifier, target_name(scope->target)),
			 errhint("The columns of the row are \"%s.<column>\".",
					 lq_source_name(scope, LQ_SOURCE_ROW)),
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

		if (lq_source_available(scope, source))
			n = lq_source_n_columns(scope, source);
		for (int i = 0; i < n; i++)
			names = lappend(names,
							makeString(pstrdup(lq_source_column_name(scope, source,
																	 i))));

		rte->rtekind = RTE_NAMEDTUPLESTORE;
		rte->eref = makeAlias(lq_source_name(scope, source), names);
		parse->rtable = lappend(parse->rtable, rte);
		parse->rtable_names = lappend(parse->rtable_names,
									  pstrdup(lq_source_name(scope, source)));
	}
	parse->pstate->p_pre_columnref_hook = resolve_column;
}
