/*
 * threshold.c
 *		What a transition asks of points.
 */
#include "postgres.h"

#include "access/table.h"
#include "utils/builtins.h"

#include "compat.h"
#include "condition/eval.h"
#include "condition/parse.h"
#include "condition/part.h"
#include "condition/pseudo.h"
#include "condition/scope.h"
#include "funnel/funnel.h"
#include "funnel/lookup.h"
#include "funnel/scope.h"
#include "funnel/tables.h"
#include "result.h"
#include "type/scorecard_explain.h"

PG_FUNCTION_INFO_V1(_condition_thresholds);

/*
 * _condition_thresholds(funnel, condition, definition) -
 *		setof (quantity, rule_id, threshold)
 *
 * What the condition of a transition asks of points in parts that are nothing
 * but such a comparison: each must be reached for the whole to hold.
 */
Datum
_condition_thresholds(PG_FUNCTION_ARGS)
{
	LqResult	result;
	char	   *written = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *definition = text_to_cstring(PG_GETARG_TEXT_PP(2));
	LqFunnel   *funnel;
	Relation	relation;
	LqConditionScope scope;
	LqCondition *condition;

	lq_result_begin(&result, fcinfo);
	funnel = lq_funnel_by_name(NameStr(*PG_GETARG_NAME(0)));
	relation = table_open(funnel->relid[LQ_TABLE_LEAD], AccessShareLock);
	lq_funnel_scope(funnel, LQ_FOR_TRANSITION, relation, definition, &scope);
	condition = lq_condition_compile(lq_condition_check(written, &scope), written,
									 &scope, "a transition");
	table_close(relation, NoLock);

	for (int i = 0; i < lq_condition_n_parts(condition); i++)
	{
		const LqConditionPart *part = lq_condition_part(condition, i);
		const LqTimeTest *test = part->tests;
		const LqPseudoColumn *described;

		if (!part->is_test || test->compare == LQ_COMPARE_LT ||
			test->compare == LQ_COMPARE_LE)
			continue;
		if (lq_pseudo_measure(test->pseudo) != LQ_MEASURES_POINTS)
			continue;
		described = &lq_pseudo_columns[test->pseudo->kind];
		if (described->name != NULL)
		{
			lq_result_add_text(&result, described->name);
			lq_result_add_null(&result);
		}
		else
		{
			lq_result_add_text(&result, lq_families[described->source].name);
			lq_result_add(&result, Int64GetDatum(test->pseudo->rule_id));
		}
		lq_result_add(&result,
					  lq_points_to_numeric(test->units +
										   (test->compare == LQ_COMPARE_GT)));
		lq_result_end_row(&result);
	}
	return (Datum) 0;
}
