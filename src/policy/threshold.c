/*
 * threshold.c
 *		What a transition asks of points.
 *
 * Copyright (c) 2026, lead_qual contributors
 */
#include "postgres.h"

#include "access/table.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

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
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *written = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *definition = text_to_cstring(PG_GETARG_TEXT_PP(2));
	LqFunnel   *funnel;
	Relation	relation;
	LqConditionScope scope;
	LqCondition *condition;

	InitMaterializedSRF(fcinfo, 0);
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
		Datum		values[3] = {0};
		bool		nulls[3] = {false};

		if (!part->is_test || test->compare == LQ_COMPARE_LT ||
			test->compare == LQ_COMPARE_LE)
			continue;
		if (lq_pseudo_measure(test->pseudo) != LQ_MEASURES_POINTS)
			continue;
		described = &lq_pseudo_columns[test->pseudo->kind];
		values[0] = CStringGetTextDatum(described->name != NULL ?
										described->name :
										lq_families[described->source].name);
		values[1] = Int64GetDatum(test->pseudo->rule_id);
		nulls[1] = described->name != NULL;
		values[2] = lq_points_to_numeric(test->units +
										 (test->compare == LQ_COMPARE_GT));
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}
