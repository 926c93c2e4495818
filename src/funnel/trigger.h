/*
 * trigger.h
 *		The triggers of a funnel, and the proof that one was fired as it should.
 */
#ifndef LQ_TRIGGER_H
#define LQ_TRIGGER_H

#include "fmgr.h"

#include "funnel/funnel.h"

/*
 * The first act of every trigger function: raise unless it was fired at the
 * time and level, for the event and on the table that one of the rows above
 * gives it, and that table stands in a funnel of its owner's.  False on a
 * table that was a partition of one, which only triggers of statements meet.
 */
extern bool lq_trigger_prove(FunctionCallInfo fcinfo, const char *function);

/* The same, and the funnel that the trigger works for; NULL: none any more. */
extern LqFunnel *lq_funnel_of_trigger(FunctionCallInfo fcinfo,
									  const char *function);

#endif							/* LQ_TRIGGER_H */
