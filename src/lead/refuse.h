/*
 * refuse.h
 *		Why a move is not to be had, in words.
 */
#ifndef LQ_REFUSE_H
#define LQ_REFUSE_H

#include "compat.h"
#include "funnel/policy.h"
#include "lead/lead.h"

typedef void (*LqPartReport) (void *arg, const LqTransition *transition,
							  const char *part, const char *state,
							  const char *needs);
extern void lq_transition_explain(LqLead *lead, const LqTransition *transition,
								  LqPartReport report, void *arg);
extern int	lq_transition_distance(LqLead *lead,
								   const LqTransition *transition);
pg_noreturn extern void lq_stage_refuse(LqLead *lead, const LqStage *from,
										const char *asked);
pg_noreturn extern void lq_stale_refuse(const LqLead *lead, int64 given,
										int64 has);
pg_noreturn extern void lq_ahead_refuse(const LqLead *lead, int64 given,
										int64 has);

#endif							/* LQ_REFUSE_H */
