/*
 * working_time.h
 *		Deadlines of stages.
 */
#ifndef LQ_WORKING_TIME_H
#define LQ_WORKING_TIME_H

#include "funnel/funnel.h"
#include "funnel/policy.h"

/* The interval later, by the clock of the funnel; DT_NOEND: never. */
extern TimestampTz lq_add_interval(const LqFunnel *funnel, TimestampTz start,
								   const Interval *interval);

/* When a stay in the stage that began then is due; DT_NOEND: never. */
extern TimestampTz lq_stage_due_at(const LqFunnel *funnel,
								   const LqStage *stage,
								   TimestampTz entered);

#endif							/* LQ_WORKING_TIME_H */
