/*
 * way.h
 *		The ordinary way from one stage to another.
 */
#ifndef LQ_WAY_H
#define LQ_WAY_H

#include "funnel/funnel.h"
#include "funnel/policy.h"

extern bool lq_is_step(const LqTransition *transition, const LqStage *from);
extern int	lq_find_way(const LqFunnel *funnel, const LqStage *from,
						const LqStage *to, const LqStage **way);

#endif							/* LQ_WAY_H */
