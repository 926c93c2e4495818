/*
 * pseudo.c
 *		The names that a condition knows, each described once.
 *
 * A new pseudo-column is a kind in pseudo.h, a row here and a row in
 * lead/pseudo.c; the table in doc/conditions.md is compared with the rows here.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "compat.h"
#include "condition/pseudo.h"
#include "result.h"

PG_FUNCTION_INFO_V1(_pseudo_columns);

#define IN_FIT			(1 << LQ_FOR_FIT)
#define IN_ACTIVITY		(1 << LQ_FOR_ACTIVITY)
#define IN_TRANSITION	(1 << LQ_FOR_TRANSITION)

const char *const lq_target_names[LQ_N_TARGETS] = {
	[LQ_FOR_FIT] = "fit",
	[LQ_FOR_ACTIVITY] = "activity",
	[LQ_FOR_TRANSITION] = "transition"
};

/* *INDENT-OFF* */
const LqFamily lq_families[LQ_N_SOURCES + 1] =
{
	/* the row of an engagement rule is called "activity" */
	[LQ_SOURCE_ROW] = {"lead", LQ_COLUMNS_OF_TABLE,
	IN_FIT | IN_ACTIVITY | IN_TRANSITION},
	[LQ_SOURCE_LIST] = {"list", LQ_COLUMNS_LISTS,
	IN_FIT | IN_ACTIVITY | IN_TRANSITION},
	[LQ_SOURCE_HITS] = {"hits", LQ_COLUMNS_RULES, IN_TRANSITION},
	[LQ_SOURCE_POINTS] = {"points", LQ_COLUMNS_RULES, IN_TRANSITION},
	[LQ_SOURCE_LAST] = {"last", LQ_COLUMNS_RULES, IN_TRANSITION},
	[LQ_SOURCE_TOGETHER] = {"account", LQ_COLUMNS_FRAMEWORKS, IN_TRANSITION},
	[LQ_SOURCE_ACCOUNT] = {"account", LQ_COLUMNS_OF_TABLE,
	IN_FIT | IN_TRANSITION},
	[LQ_SOURCE_KIND] = {"kind", LQ_COLUMNS_OF_TABLE, IN_ACTIVITY},
	[LQ_SOURCE_NOW] = {"now", LQ_COLUMNS_NAMED, IN_TRANSITION},
};

const LqPseudoColumn lq_pseudo_columns[LQ_N_PSEUDOS] =
{
	[LQ_PSEUDO_SCORE] =
	{"score", LQ_SOURCE_NOW, NUMERICOID, LQ_MEASURES_POINTS},
	[LQ_PSEUDO_FIT] =
	{"fit", LQ_SOURCE_NOW, NUMERICOID, LQ_MEASURES_POINTS},
	[LQ_PSEUDO_ENGAGEMENT] =
	{"engagement", LQ_SOURCE_NOW, NUMERICOID, LQ_MEASURES_POINTS},
	[LQ_PSEUDO_HITS] =
	{NULL, LQ_SOURCE_HITS, INT8OID, LQ_MEASURES_NOTHING},
	[LQ_PSEUDO_POINTS] =
	{NULL, LQ_SOURCE_POINTS, NUMERICOID, LQ_MEASURES_POINTS},
	[LQ_PSEUDO_LAST] =
	{NULL, LQ_SOURCE_LAST, TIMESTAMPTZOID, LQ_MEASURES_NOTHING},
	[LQ_PSEUDO_LAST_ACTIVITY] =
	{"last_activity", LQ_SOURCE_NOW, TIMESTAMPTZOID, LQ_MEASURES_NOTHING},
	[LQ_PSEUDO_IDLE_DAYS] =
	{"idle_days", LQ_SOURCE_NOW, NUMERICOID, LQ_MEASURES_DAYS},
	[LQ_PSEUDO_DAYS_IN_STAGE] =
	{"days_in_stage", LQ_SOURCE_NOW, NUMERICOID, LQ_MEASURES_DAYS},
	[LQ_PSEUDO_LIST] =
	{NULL, LQ_SOURCE_LIST, TEXTARRAYOID, LQ_MEASURES_NOTHING},
	[LQ_PSEUDO_TOGETHER] =
	{NULL, LQ_SOURCE_TOGETHER, InvalidOid, LQ_MEASURES_OTHERS},
	[LQ_PSEUDO_ACCOUNT] =
	{NULL, LQ_SOURCE_ACCOUNT, InvalidOid, LQ_MEASURES_NOTHING},
	[LQ_PSEUDO_KIND] =
	{NULL, LQ_SOURCE_KIND, InvalidOid, LQ_MEASURES_NOTHING},
};

/* *INDENT-ON* */

bool
lq_is_list_family(const char *name)
{
	return strcmp(name, lq_families[LQ_SOURCE_LIST].name) == 0;
}

/*
 * Are the columns of that family rules?
 */
bool
lq_is_rule_family(const char *name)
{
	for (int source = 1; source <= LQ_N_SOURCES; source++)
		if (lq_families[source].columns == LQ_COLUMNS_RULES &&
			strcmp(lq_families[source].name, name) == 0)
			return true;
	return false;
}

static const char *
name_of(const LqPseudoColumn *described, const char *column)
{
	return described->name != NULL ? described->name :
		psprintf("%s.%s", lq_families[described->source].name, column);
}

/*
 * As a person writes it; the column is that of the rule or the table.
 */
const char *
lq_pseudo_name(const LqPseudo *pseudo, const char *column)
{
	return name_of(&lq_pseudo_columns[pseudo->kind], column);
}

LqMeasure
lq_pseudo_measure(const LqPseudo *pseudo)
{
	return lq_pseudo_columns[pseudo->kind].measure;
}

/*
 * _pseudo_columns() - setof (name, targets): what is described above
 */
Datum
_pseudo_columns(PG_FUNCTION_ARGS)
{
	static const char *const column[] = {
		[LQ_COLUMNS_OF_TABLE] = "<column>",
		[LQ_COLUMNS_LISTS] = "<name>",
		[LQ_COLUMNS_RULES] = "<rule>",
		[LQ_COLUMNS_FRAMEWORKS] = "<framework>",
		[LQ_COLUMNS_NAMED] = ""
	};
	LqResult	result;

	lq_result_begin(&result, fcinfo);
	for (int i = 0; i < LQ_N_PSEUDOS; i++)
	{
		const LqPseudoColumn *described = &lq_pseudo_columns[i];
		const LqFamily *family = &lq_families[described->source];
		Datum		targets[LQ_N_TARGETS];
		int			n = 0;

		for (int target = 0; target < LQ_N_TARGETS; target++)
			if (family->targets & (1 << target))
				targets[n++] = CStringGetTextDatum(lq_target_names[target]);
		lq_result_add_text(&result,
						   name_of(described, column[family->columns]));
		lq_result_add(&result,
					  PointerGetDatum(construct_array(targets, n, TEXTOID, -1,
													  false, TYPALIGN_INT)));
		lq_result_end_row(&result);
	}
	return (Datum) 0;
}
