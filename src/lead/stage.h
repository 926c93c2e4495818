/*
 * stage.h
 *		The moves that a lead may make.
 */
#ifndef LQ_STAGE_H
#define LQ_STAGE_H

#include "datatype/timestamp.h"

#include "funnel/policy.h"
#include "lead/lead.h"

/* one move of a path */
typedef struct LqHop
{
	const LqTransition *transition;
	const LqStage *from;		/* NULL: creation */
	const LqStage *to;
	bool		automatic;
	TimestampTz entered_at;
	TimestampTz due_at;			/* DT_NOEND: never */
	int32		cycle;
} LqHop;

typedef struct LqPath
{
	int			n_hops;
	LqHop	   *hops;			/* room for every stage once */
} LqPath;

extern bool lq_stage_ask(LqLead *lead, const LqStage *to, LqPath *path);
extern void lq_stage_advance(LqLead *lead, LqPath *path);
extern bool lq_stage_create(LqLead *lead, const LqStage *asked, LqPath *path);
extern bool lq_transition_leaves(const LqTransition *transition,
								 const LqStage *from);
extern TimestampTz lq_transition_earliest(const LqLead *lead,
										  const LqTransition *transition);
extern bool lq_transition_reason_given(const LqLead *lead,
									   const LqTransition *transition);
extern bool lq_transition_exception_allowed(const LqLead *lead,
											const LqTransition *transition);

#endif							/* LQ_STAGE_H */
