/*
 * pseudo.h
 *		What pseudo-columns are of a lead, and what conditions see of it.
 */
#ifndef LQ_LEAD_PSEUDO_H
#define LQ_LEAD_PSEUDO_H

#include "condition/eval.h"
#include "condition/pseudo.h"
#include "funnel/funnel.h"
#include "lead/lead.h"

/* Hold the account against updates, for a lead that has just come to it. */
extern void lq_lead_join_account(LqLead *lead);

extern bool lq_lead_holds(LqLead *lead, LqCondition *condition);
extern LqTruth lq_lead_holds_part(LqLead *lead, LqCondition *condition,
								  int part);

/* one pseudo-column, of those that are of leads */
extern TimestampTz lq_lead_pseudo_passes(const LqLead *lead,
										 const LqPseudo *pseudo,
										 int64 threshold);
extern const char *lq_lead_pseudo_name(const LqFunnel *funnel,
									   const LqPseudo *pseudo);
extern const char *lq_lead_pseudo_text(LqLead *lead, const LqPseudo *pseudo);
extern Oid	lq_lead_pseudo_reads(const LqFunnel *funnel,
								 const LqPseudo *pseudo, AttrNumber *column);

#endif							/* LQ_LEAD_PSEUDO_H */
