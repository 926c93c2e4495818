/*
 * activity.h
 *		What one activity is worth.
 */
#ifndef LQ_ACTIVITY_H
#define LQ_ACTIVITY_H

#include "funnel/funnel.h"
#include "funnel/policy.h"
#include "type/scorecard.h"

typedef struct LqActivity
{
	TimestampTz at;				/* when it counts */
	bool		planned;		/* nobody said yet that it took place */
	const LqKind *kind;			/* NULL: unknown */
	char	   *kind_name;
	int			n_hits;
	const LqRule **hits;		/* rules it satisfies */
} LqActivity;

/* When an activity counts. */
extern TimestampTz lq_counts_at(TimestampTz occurred, TimestampTz recorded);
extern bool lq_activity_planned(const LqKind *kind, TimestampTz occurred,
								TimestampTz recorded);
extern void lq_activity_read(const LqFunnel *funnel, TupleTableSlot *slot,
							 LqActivity *activity);

/* In time order: only so do frequency limits come out right. */
extern bool lq_activity_in_order(const LqActivity *activity,
								 const LqCard *card);
extern void lq_activity_apply(const LqActivity *activity, LqCard *card);

#endif							/* LQ_ACTIVITY_H */
