/*
 * scope.h
 *		The names that conditions of a funnel may use.
 */
#ifndef LQ_FUNNEL_SCOPE_H
#define LQ_FUNNEL_SCOPE_H

#include "utils/relcache.h"

#include "condition/pseudo.h"
#include "condition/scope.h"
#include "funnel/funnel.h"

/* The scope of a condition of this funnel over that relation. */
extern void lq_funnel_scope(const LqFunnel *funnel, LqConditionFor target,
							Relation relation, const char *definition,
							LqConditionScope *scope);

#endif							/* LQ_FUNNEL_SCOPE_H */
