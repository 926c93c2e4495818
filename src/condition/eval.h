/*
 * eval.h
 *		Compiled conditions.
 */
#ifndef LQ_EVAL_H
#define LQ_EVAL_H

#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"

#include "condition/part.h"
#include "condition/pseudo.h"
#include "condition/scope.h"

/* the caller's source of pseudo-column values for the row at hand */
typedef Datum (*LqPseudoFetch) (void *arg, const LqPseudo *pseudo,
								bool *isnull);

typedef enum LqTruth
{
	LQ_FALSE,
	LQ_TRUE,
	LQ_UNKNOWN					/* NULL: does not hold */
} LqTruth;

typedef struct LqCondition LqCondition;

extern LqCondition *lq_condition_compile(const char *condition_sql,
										 const char *condition,
										 LqConditionScope *scope,
										 const char *label);

extern LqTruth lq_condition_eval(LqCondition *condition, TupleTableSlot *row,
								 LqPseudoFetch fetch, void *fetch_arg);
extern LqTruth lq_condition_eval_part(LqCondition *condition, int part,
									  TupleTableSlot *row,
									  LqPseudoFetch fetch, void *fetch_arg);

extern int	lq_condition_n_parts(const LqCondition *condition);
extern const LqConditionPart *lq_condition_part(const LqCondition *condition,
												int part);
extern Bitmapset *lq_condition_columns(const LqCondition *condition);

/*
 * What it must be compiled anew for when it changes, besides its relation: a
 * list of PlanInvalItem.
 */
extern List *lq_condition_depends(const LqCondition *condition);

/*
 * How often evaluating it raised an error in this session, since it was
 * compiled, and what the last one said (NULL: none).
 */
extern int64 lq_condition_n_raised(const LqCondition *condition);
extern const char *lq_condition_last_error(const LqCondition *condition);

#endif							/* LQ_EVAL_H */
