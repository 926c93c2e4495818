/*
 * signature.h
 *		Who must agree to a move, and whether they did.
 */
#ifndef LQ_SIGNATURE_H
#define LQ_SIGNATURE_H

#include "funnel/funnel.h"
#include "funnel/policy.h"
#include "lead/lead.h"

typedef enum LqSigned
{
	LQ_SIGNED_NOT,
	LQ_SIGNED_BY_ACTOR,			/* by nobody but who asks now */
	LQ_SIGNED
} LqSigned;

extern LqSigned lq_transition_signed(const LqLead *lead,
									 const LqTransition *transition,
									 const char *side);
extern bool lq_transition_all_signed(const LqLead *lead,
									 const LqTransition *transition);
extern const char *lq_side_members(const LqFunnel *funnel, const char *side);
extern bool lq_side_has_caller(const LqFunnel *funnel, const char *side);

#endif							/* LQ_SIGNATURE_H */
