/*
 * plan_expression.h
 *		An expression made ready to run, and what it depends on.
 */
#ifndef LQ_PLAN_EXPRESSION_H
#define LQ_PLAN_EXPRESSION_H

#include "nodes/primnodes.h"

extern Expr *lq_plan_expression(Expr *expr, List **depends);

#endif							/* LQ_PLAN_EXPRESSION_H */
