/*
 * compile.h
 *		Conditions of a funnel are compiled as its owner.
 */
#ifndef LQ_COMPILE_H
#define LQ_COMPILE_H

#include "condition/eval.h"
#include "condition/pseudo.h"
#include "funnel/funnel.h"
#include "subtransaction.h"

extern LqCondition *lq_funnel_compile(const LqFunnel *funnel,
									  LqConditionFor target, Relation rel,
									  const char *sql, const char *text,
									  const char *label, MemoryContext context,
									  LqFailure *failure);

#endif							/* LQ_COMPILE_H */
