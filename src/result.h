/*
 * result.h
 *		The rows that a function which returns a set gives.
 */
#ifndef LQ_RESULT_H
#define LQ_RESULT_H

#include "fmgr.h"
#include "funcapi.h"
#include "nodes/execnodes.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#define LQ_RESULT_COLUMNS	13

/* the set, and the columns of the next row so far */
typedef struct LqResult
{
	ReturnSetInfo *set;
	int			n;
	Datum		values[LQ_RESULT_COLUMNS];
	bool		nulls[LQ_RESULT_COLUMNS];
} LqResult;

static inline void
lq_result_begin(LqResult *result, FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, 0);
	result->set = (ReturnSetInfo *) fcinfo->resultinfo;
	result->n = 0;
}

static inline void
lq_result_add(LqResult *result, Datum value)
{
	Assert(result->n < LQ_RESULT_COLUMNS);
	result->values[result->n] = value;
	result->nulls[result->n++] = false;
}

static inline void
lq_result_add_null(LqResult *result)
{
	lq_result_add(result, (Datum) 0);
	result->nulls[result->n - 1] = true;
}

/* NULL stands for null. */
static inline void
lq_result_add_text(LqResult *result, const char *text)
{
	if (text == NULL)
		lq_result_add_null(result);
	else
		lq_result_add(result, CStringGetTextDatum(text));
}

static inline void
lq_result_end_row(LqResult *result)
{
	Assert(result->n == result->set->setDesc->natts);
	tuplestore_putvalues(result->set->setResult, result->set->setDesc,
						 result->values, result->nulls);
	result->n = 0;
}

#endif							/* LQ_RESULT_H */
