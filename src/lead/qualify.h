/*
 * qualify.h
 *		What the lead's two triggers share.
 */
#ifndef LQ_QUALIFY_H
#define LQ_QUALIFY_H

#include "funnel/tables.h"
#include "lead/lead.h"

extern void lq_lead_restore(LqLead *lead, const LqLead *old,
							LqColumn first, LqColumn last);

#endif							/* LQ_QUALIFY_H */
