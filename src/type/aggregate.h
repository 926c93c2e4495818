/*
 * aggregate.h
 *		What state functions of aggregates have in common.
 */
#ifndef LQ_AGGREGATE_H
#define LQ_AGGREGATE_H

#include "fmgr.h"

/* milestones that an aggregate over units can tell apart */
#define LQ_MOST_PLACES	16

/* Where the state of a group lives; refuses a call by hand. */
static inline MemoryContext
lq_aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (AggCheckCallContext(fcinfo, &context) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("this function can only be called by an aggregate")));
	return context;
}

#endif							/* LQ_AGGREGATE_H */
