/*
 * milestone.h
 *		What a milestone is: its name, and where on the way of a lead it is.
 */
#ifndef LQ_MILESTONE_H
#define LQ_MILESTONE_H

typedef enum LqMilestone
{
	LQ_MILESTONE_LEAD,
	LQ_MILESTONE_MQL,
	LQ_MILESTONE_SAL,
	LQ_MILESTONE_SQL,
	LQ_MILESTONE_OPPORTUNITY,
	LQ_MILESTONE_CUSTOMER,
	LQ_MILESTONE_NURTURE,
	LQ_MILESTONE_DISQUALIFIED,
	LQ_MILESTONE_LOST
#define LQ_N_MILESTONES (LQ_MILESTONE_LOST + 1)
} LqMilestone;

extern bool lq_milestone_named(const char *name, LqMilestone *milestone);
extern const char *lq_milestone_name(LqMilestone milestone);
extern bool lq_is_on_path(LqMilestone milestone);
extern bool lq_is_exit(LqMilestone milestone);
extern bool lq_has_reached(LqMilestone milestone, LqMilestone least);
extern bool lq_accepts(LqMilestone entered, bool automatic);
extern bool lq_begins_cycle(LqMilestone left, LqMilestone entered);

#endif							/* LQ_MILESTONE_H */
